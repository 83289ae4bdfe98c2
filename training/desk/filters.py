"""Biquad cascades by frequency sampling; the twin of `core.dsp.filters` and `core.dsp.equaliser`.

A recursion is a product of spectra once the audio is followed by enough silence for the filter to ring out: then what
wraps around to the start is below hearing and below the tolerance, and the gradient is that of a product. The designs
are the desk's (after M. Vicanek, "Matched Second Order Digital Filters", 2016), which float64 and safe forms of the
square roots make differentiable everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from core.desk.strip import EQ_SHAPES, HIGHPASS_OFF_HZ
from training.desk.knobs import Knob, Values, per_item

RUNG_OUT = 1e-7
"""How far a filter rings out before its sound may wrap around: -140 dB."""

Quadratic = tuple[Tensor | float, Tensor, Tensor | float]
"""Coefficients of s², s and 1, normalised to a corner of 1 rad/s."""


def filtered(audio: Tensor, sections: Tensor) -> Tensor:
    """Send (batch, channels, frames) audio through cascades (n, 6) or (batch, n, 6) of second-order sections.

    A section is b0, b1, b2, a0, a1, a2 with its poles inside the unit circle.
    """
    if sections.shape[-2] == 0:
        return audio
    frames = audio.shape[-1]
    size = next_fast_len(frames + ringing_samples(sections), real=True)
    response = frequency_response(sections, size, audio.dtype)
    if response.dim() == 2:
        response = response[:, None]
    return torch.fft.irfft(torch.fft.rfft(audio, size) * response, size)[..., :frames]


def frequency_response(sections: Tensor, size: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """What cascades (..., n > 0, 6) make of the sines of a transform of `size` samples: complex (..., size // 2 + 1).

    With 1/z taken out of numerator and denominator, either is the value at 0 Hz less what grows from there: float32
    stays exact next to 0 Hz, where the coefficients themselves cancel.
    """
    w = torch.arange(size // 2 + 1, dtype=torch.float64, device=sections.device) * (2.0 * math.pi / size)
    grown, sine = (2.0 * torch.sin(w / 2.0) ** 2).to(dtype), torch.sin(w).to(dtype)

    def half(first: Tensor, middle: Tensor, last: Tensor) -> Tensor:
        at_dc, even, odd = (each.to(dtype)[..., None] for each in (first + middle + last, first + last, first - last))
        return torch.complex(at_dc - even * grown, odd * sine)

    coefficients = (section.unbind(-1) for section in sections.unbind(-2))
    return reduce(torch.mul, (half(b0, b1, b2) / half(a0, a1, a2) for b0, b1, b2, a0, a1, a2 in coefficients))


def ringing_samples(sections: Tensor) -> int:
    """How long the slowest cascade of (..., n, 6) rings."""
    _, _, _, a0, a1, a2 = sections.detach().unbind(-1)
    middle, product = -a1 / (2.0 * a0), a2 / a0
    apart = middle**2 - product
    radius = torch.where(apart < 0.0, product.clamp_min(0.0).sqrt(), middle.abs() + apart.clamp_min(0.0).sqrt())
    slowest = float(radius.max())
    # Poles close to each other ring longer than the slowest of them.
    return 64 if slowest <= 0.0 else 64 + math.ceil(1.25 * math.log(RUNG_OUT) / math.log(min(slowest, 1.0 - 1e-7)))


def equalise(audio: Tensor, rate_hz: int, **bands: Knob) -> Tensor:
    """The parametric equaliser: eq1_freq_hz, eq1_gain_db, eq1_q to eq6_q; a band without a gain is left out."""
    return filtered(audio, equaliser(audio, rate_hz, bands))


def equaliser(audio: Tensor, rate_hz: int, values: Values) -> Tensor:
    """Sections (n, 6) or (batch, n, 6) of the bands of which `values` name a gain."""
    designed = []
    for number, shape in enumerate(EQ_SHAPES, start=1):
        if f"eq{number}_gain_db" in values:
            freq_hz, gain_db, q = (
                per_item(values[f"eq{number}_{knob}"], audio) for knob in ("freq_hz", "gain_db", "q")
            )
            designed.append(_DESIGNS[shape](rate_hz, freq_hz, gain_db, q))
    return cascade(*designed)


def highpass(audio: Tensor, rate_hz: int, *, freq_hz: Knob, order: int = 2) -> Tensor:
    """Take what lies below `freq_hz` out of (batch, channels, frames) audio."""
    return filtered(audio, cascade(*butterworth_highpass(rate_hz, per_item(freq_hz, audio), order)))


def switched_highpass(rate_hz: int, freq_hz: Tensor) -> Tensor:
    """Sections (..., 1, 6) of the desk's high-pass knob, which is off at 10 Hz."""
    (section,) = butterworth_highpass(rate_hz, freq_hz)
    passing = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 0.0], dtype=section.dtype, device=section.device)
    return cascade(torch.where((freq_hz > HIGHPASS_OFF_HZ)[..., None], section, passing))


def cascade(*designed: Tensor) -> Tensor:
    """Sections, each (6,) or (batch, 6), one after another: (n, 6) or (batch, n, 6)."""
    if not designed:
        return torch.zeros((0, 6), dtype=torch.float64)
    return torch.stack(torch.broadcast_tensors(*designed), dim=-2)


def joined(*cascades: Tensor) -> Tensor:
    """Cascades (n, 6) or (batch, n, 6) behind each other."""
    return cascade(*(section for sections in cascades for section in sections.unbind(-2)))


# --- designs ---------------------------------------------------------------------------------------------------


def bell(rate_hz: int, freq_hz: Tensor, gain_db: Tensor, q: Tensor) -> Tensor:
    """Section (..., 6) of a peak or dip; a cut is the exact inverse of a boost."""
    boosting = gain_db >= 0.0
    # Not abs(): its gradient is 0 at 0 dB, where every equaliser starts.
    amplitude = torch.pow(10.0, torch.where(boosting, gain_db, -gain_db) / 40.0)
    boost = _section((1.0, 1.0 / (amplitude * q), 1.0), (1.0, amplitude / q, 1.0), _corner(freq_hz, rate_hz))
    return torch.where(boosting[..., None], boost, boost.roll(3, dims=-1))


def low_shelf(rate_hz: int, freq_hz: Tensor, gain_db: Tensor, q: Tensor) -> Tensor:
    """Section (..., 6) that lifts or lowers what is below `freq_hz`, where half of `gain_db` is reached."""
    amplitude = torch.pow(10.0, gain_db / 40.0)
    slope = torch.sqrt(amplitude) / q
    return _section((amplitude, slope, 1.0), (amplitude, slope * amplitude, amplitude**2), _corner(freq_hz, rate_hz))


def high_shelf(rate_hz: int, freq_hz: Tensor, gain_db: Tensor, q: Tensor) -> Tensor:
    """Section (..., 6) that lifts or lowers what is above `freq_hz`; a boost is the inverse of a cut."""
    boosting = gain_db > 0.0
    amplitude = torch.pow(10.0, torch.where(boosting, -gain_db, gain_db) / 40.0)
    slope = torch.sqrt(amplitude) / q
    poles, zeros = (1.0, slope, amplitude), (amplitude**2, slope * amplitude, amplitude)
    cut = _section(poles, zeros, _corner(freq_hz, rate_hz))
    return torch.where(boosting[..., None], cut.roll(3, dims=-1), cut)


_DESIGNS: dict[str, Callable[[int, Tensor, Tensor, Tensor], Tensor]] = {
    "low_shelf": low_shelf,
    "bell": bell,
    "high_shelf": high_shelf,
}


def butterworth_highpass(rate_hz: int, freq_hz: Tensor, order: int = 2) -> list[Tensor]:
    """Sections, each (..., 6), of a Butterworth high-pass by the bilinear transform."""
    return _butterworth(rate_hz, freq_hz, order, high=True)


def butterworth_lowpass(rate_hz: int, freq_hz: Tensor, order: int = 2) -> list[Tensor]:
    """Sections, each (..., 6), of a Butterworth low-pass by the bilinear transform."""
    return _butterworth(rate_hz, freq_hz, order, high=False)


def _butterworth(rate_hz: int, freq_hz: Tensor, order: int, *, high: bool) -> list[Tensor]:
    corner = torch.tan(math.pi * freq_hz.clamp_max(0.49 * rate_hz) / rate_hz)
    one, nothing = torch.ones_like(corner), torch.zeros_like(corner)
    sections = []
    for pair in range(order // 2):
        damping = 2.0 * math.sin(math.pi * (2 * pair + 1) / (2 * order))
        gain = one if high else corner**2
        zeros = [gain, -2.0 * gain if high else 2.0 * gain, gain]
        poles = [1.0 + damping * corner + corner**2, 2.0 * (corner**2 - 1.0), 1.0 - damping * corner + corner**2]
        sections.append(torch.stack([*zeros, *poles], dim=-1))
    if order % 2:
        zeros = [one, -one, nothing] if high else [corner, corner, nothing]
        sections.append(torch.stack([*zeros, 1.0 + corner, corner - 1.0, nothing], dim=-1))
    return sections


def _corner(freq_hz: Tensor, rate_hz: int) -> Tensor:
    return 2.0 * math.pi * freq_hz.clamp_max(0.49 * rate_hz) / rate_hz


def _mapped(analogue: Quadratic, corner: Tensor) -> tuple[Tensor, Tensor]:
    """Roots moved to the digital plane by z = exp(s): coefficients of 1/z and 1/z²."""
    square, linear, constant = (torch.as_tensor(each, dtype=torch.float64, device=corner.device) for each in analogue)
    # A root beyond the Nyquist frequency would fold back, so it stays just below.
    own_corner = (corner * torch.sqrt(constant / square)).clamp_max(0.98 * math.pi)
    damping = linear / (2.0 * torch.sqrt(square * constant))
    decay = torch.exp(-damping * own_corner)
    return -2.0 * decay * _cosine_of_root((1.0 - damping**2) * own_corner**2), decay**2


def _cosine_of_root(x: Tensor) -> Tensor:
    """cos(sqrt(x)), which is cosh(sqrt(-x)) below 0: smooth through 0, where the square root is not."""
    near = x.abs() < 1e-3
    root = torch.where(near, 1.0, x.abs()).sqrt()
    # The hyperbolic one only where it is wanted: elsewhere it would overflow into the gradient.
    far = torch.where(x > 0.0, torch.cos(root), torch.cosh(torch.where(x > 0.0, 1.0, root)))
    return torch.where(near, 1.0 + x * (-1 / 2 + x * (1 / 24 + x * (-1 / 720 + x / 40_320))), far)


def _magnitude_squared(analogue: Quadratic, w: Tensor) -> Tensor:
    square, linear, constant = analogue
    return (constant - square * w**2) ** 2 + (linear * w) ** 2


def _section(poles: Quadratic, zeros: Quadratic, corner: Tensor) -> Tensor:
    """One matched section (..., 6) from an analogue denominator and numerator; see `core.dsp.filters`."""
    a1, a2 = _mapped(poles, corner)

    def target(w: Tensor) -> Tensor:
        return _magnitude_squared(zeros, w / corner) / _magnitude_squared(poles, w / corner)

    at_dc, at_nyquist = 1.0 + a1 + a2, 1.0 - a1 + a2
    root0 = at_dc * torch.sqrt(target(torch.zeros_like(corner)))
    root1 = at_nyquist * torch.sqrt(target(torch.full_like(corner, math.pi)))
    match = corner.clamp_max(0.7 * math.pi)
    p1 = torch.sin(match / 2.0) ** 2
    p0 = 1.0 - p1
    p2 = 4.0 * p0 * p1
    wanted = (at_dc**2 * p0 + at_nyquist**2 * p1 - 4.0 * a2 * p2) * target(match)
    middle = (root0 + root1) / 2.0
    rest = middle**2 + (wanted - root0**2 * p0 - root1**2 * p1) / p2
    real = rest > 0.0
    b0 = (middle + torch.where(real, rest, 1.0).sqrt()) / 2.0
    matched = (b0, (root0 - root1) / 2.0, (middle**2 - rest) / (4.0 * b0))
    # No real zeros do that (only far outside the audio range): mapped as the poles are.
    n1, n2 = _mapped(zeros, corner)
    level = root0 / (1.0 + n1 + n2)
    mapped = (level, level * n1, level * n2)
    numerator = [torch.where(real, one, other) for one, other in zip(matched, mapped, strict=True)]
    return torch.stack(torch.broadcast_tensors(*numerator, torch.ones_like(a1), a1, a2), dim=-1)
