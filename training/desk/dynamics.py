"""Compressors; the twin of `core.dsp.envelope`, `core.dsp.dynamics` and `core.dsp.multiband`.

No step of the desk's compressor needs a loop over samples. Gains live at control rate, one per hop of 16 samples. The
release, a maximum that decays, is a running maximum of logarithms; what falls back to a value is a gather, which is
differentiable in the value and in the decay. The attack, a one-pole filter, is a product of spectra like any other.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from core.dsp.dynamics import SHARPEST_CREST, SIDECHAIN_OFF_HZ, STEADIEST_CREST, USUAL_CREST
from core.dsp.envelope import hop_samples
from training.desk import filters
from training.desk.knobs import Knob, per_item

MULTIBAND_KNEE_DB: Final = 6.0
_CREST_MS: Final = 200.0
_INAUDIBLE: Final = 1e-12
_DB: Final = math.log(10.0) / 20.0


def compress(
    audio: Tensor,
    rate_hz: int,
    *,
    threshold_db: Knob,
    ratio: Knob,
    attack_ms: Knob = 10.0,
    release_ms: Knob = 120.0,
    knee_db: Knob = 6.0,
    makeup_db: Knob = 0.0,
    sidechain_hz: Knob = SIDECHAIN_OFF_HZ,
    mix: Knob = 1.0,
    auto_release: bool | Tensor = False,
) -> Tensor:
    """Lower what is louder than a threshold in (batch, channels, frames) audio, the channels of an item linked.

    The knobs are those of `core.dsp.dynamics.compress`, where the sources are named; all of them but `auto_release` are
    differentiable.
    """
    hop = hop_samples(rate_hz)
    hops_per_ms = rate_hz / hop / 1000.0
    heard = _listened(audio, rate_hz, per_item(sidechain_hz, audio))
    level = peaks(heard, hop)
    release_hops = per_item(release_ms, audio) * hops_per_ms
    log_decay = -1.0 / release_hops[..., None]
    automatic = torch.as_tensor(auto_release, device=audio.device)
    if automatic.any():
        crest = crest_factor(level, powers(heard, hop), rate_hz / hop).clamp(STEADIEST_CREST, SHARPEST_CREST)
        log_decay = torch.where(automatic[..., None], crest * log_decay / USUAL_CREST, log_decay)
    wanted_db = gain_reduction_db(
        to_db(level),
        threshold_db=per_item(threshold_db, audio)[..., None],
        ratio=per_item(ratio, audio)[..., None],
        knee_db=per_item(knee_db, audio)[..., None],
    )
    reduction_db = smoothed(decaying_maximum(wanted_db, log_decay), per_item(attack_ms, audio) * hops_per_ms)
    wet_share, makeup = per_item(mix, audio)[..., None], per_item(makeup_db, audio)[..., None]
    gains = 1.0 - wet_share + wet_share * torch.exp((makeup - reduction_db) * _DB)
    return audio * gain_line(gains, 1.0 - wet_share + wet_share * torch.exp(makeup * _DB), hop, audio)


def compress_bands(
    audio: Tensor,
    rate_hz: int,
    *,
    threshold_db: tuple[Knob, Knob, Knob],
    ratio: tuple[Knob, Knob, Knob],
    gain_db: tuple[Knob, Knob, Knob],
    low_hz: Knob = 150.0,
    high_hz: Knob = 4_000.0,
    attack_ms: Knob = 20.0,
    release_ms: Knob = 150.0,
) -> Tensor:
    """Compress the low, middle and high band of (batch, channels, frames) audio each by itself.

    The desk takes its crossovers out where all three ratios are 1 and all gains 0 dB; here they stay in, flat.
    """
    low_split = linkwitz_riley(rate_hz, per_item(low_hz, audio))
    high_split = linkwitz_riley(rate_hz, per_item(high_hz, audio))
    splits = (
        filters.joined(low_split[0], high_split[2]),
        filters.joined(low_split[1], high_split[0]),
        filters.joined(low_split[1], high_split[1]),
    )
    bands = [
        compress(
            filters.filtered(audio, split),
            rate_hz,
            threshold_db=band_threshold_db,
            ratio=band_ratio,
            makeup_db=band_gain_db,
            attack_ms=attack_ms,
            release_ms=release_ms,
            knee_db=MULTIBAND_KNEE_DB,
        )
        for split, band_threshold_db, band_ratio, band_gain_db in zip(splits, threshold_db, ratio, gain_db, strict=True)
    ]
    return bands[0] + bands[1] + bands[2]


def linkwitz_riley(rate_hz: int, freq_hz: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cascades of a fourth-order low-pass and high-pass, 6 dB down at `freq_hz`, and of the all-pass they make."""
    (low,), (high,) = filters.butterworth_lowpass(rate_hz, freq_hz), filters.butterworth_highpass(rate_hz, freq_hz)
    poles = low[..., 3:]
    turned = torch.cat([poles.flip(-1), poles], dim=-1)
    return filters.cascade(low, low), filters.cascade(high, high), filters.cascade(turned)


def _listened(audio: Tensor, rate_hz: int, sidechain_hz: Tensor) -> Tensor:
    """What the detector hears: behind its high-pass, where that is on."""
    if not (sidechain_hz > SIDECHAIN_OFF_HZ).any():
        return audio
    return filters.filtered(audio, filters.switched_highpass(rate_hz, sidechain_hz))


def gain_reduction_db(level_db: Tensor, *, threshold_db: Tensor, ratio: Tensor, knee_db: Tensor) -> Tensor:
    """Static curve (Giannoulis et al. 2012, eq. 4): how many dB a steady level is lowered."""
    over = level_db - threshold_db
    # A knee of a millionth of a dB is none, and can be divided by.
    knee_db = knee_db.clamp_min(1e-6)
    in_knee = (over + knee_db / 2.0).clamp_min(0.0).minimum(knee_db)
    return (1.0 - 1.0 / ratio) * ((over - knee_db / 2.0).clamp_min(0.0) + in_knee**2 / (2.0 * knee_db))


def peaks(audio: Tensor, hop: int) -> Tensor:
    """Largest magnitude per hop over all channels: (batch, channels, frames) becomes float64 (batch, hops)."""
    return _in_hops(audio, hop).abs().amax(dim=(1, 3)).double()


def powers(audio: Tensor, hop: int) -> Tensor:
    """Mean square per hop of the channel that has the most, float64 (batch, hops)."""
    return _in_hops(audio, hop).square().mean(dim=3).amax(dim=1).double()


def _in_hops(audio: Tensor, hop: int) -> Tensor:
    """(batch, channels, hops, hop), silence behind the end."""
    return torch.nn.functional.pad(audio, (0, -audio.shape[-1] % hop)).unflatten(-1, (-1, hop))


def to_db(level: Tensor) -> Tensor:
    """20 log10, with silence at -200 dB."""
    return 20.0 * torch.log10(level.clamp_min(1e-10))


def decaying_maximum(x: Tensor, log_decay: Tensor) -> Tensor:
    """y[k] = max(x[k], a[k] y[k-1]) for x (batch, k) >= 0 and log a (batch or 1, k or 1) <= 0.

    With S the sum of log a up to k, log y[k] = S[k] + the running maximum of log x - S: it says from which x each y has
    fallen, and y is that x times exp(S[k] - S[there]).
    """
    if log_decay.shape[-1] == 1:
        fallen = log_decay * torch.arange(1, x.shape[-1] + 1, device=x.device, dtype=x.dtype)
    else:
        fallen = log_decay.cumsum(-1)
    fallen = fallen.expand_as(x)
    with torch.no_grad():
        since = torch.cummax(x.log() - fallen, dim=-1).indices
    return x.gather(-1, since) * torch.exp(fallen - fallen.gather(-1, since))


def smoothed(x: Tensor, time_hops: Tensor) -> Tensor:
    """y[k] = a y[k-1] + (1 - a) x[k] on (batch, k), which goes 63 % of the way in `time_hops`, () or (batch,)."""
    feedback = torch.exp(-1.0 / time_hops)
    nothing = torch.zeros_like(feedback)
    section = [1.0 - feedback, nothing, nothing, torch.ones_like(feedback), -feedback, nothing]
    return filters.filtered(x[:, None], torch.stack(section, dim=-1)[..., None, :])[:, 0]


def crest_factor(peak: Tensor, power: Tensor, hops_per_second: float) -> Tensor:
    """Squared crest factor of the last 200 ms, from the peak and the mean square of hops, all (batch, k)."""
    hops = torch.tensor(_CREST_MS * hops_per_second / 1000.0, dtype=peak.dtype, device=peak.device)
    highest = decaying_maximum(peak**2, -1.0 / hops[None, None])
    # What a transform leaves of silence may lie a trace below it.
    return (highest + _INAUDIBLE) / (smoothed(power, hops).clamp_min(0.0) + _INAUDIBLE)


def gain_line(gains: Tensor, start: Tensor, hop: int, audio: Tensor) -> Tensor:
    """Straight lines from hop to hop, ready to be multiplied with audio: (batch or 1, 1, frames)."""
    gains, before = gains.to(audio.dtype), start.to(audio.dtype).expand(len(gains), 1)
    starts = torch.cat([before, gains[:, :-1]], dim=1)
    ramp = torch.arange(1, hop + 1, dtype=audio.dtype, device=audio.device) / hop
    lines = starts[..., None] + (gains - starts)[..., None] * ramp
    return lines.flatten(1)[:, None, : audio.shape[-1]]
