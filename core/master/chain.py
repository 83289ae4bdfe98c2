"""From a master plan's settings to processors, in the order of `core.plans.parameters.MASTER`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.desk.settings import Values, checked_curve, number, resolve
from core.desk.strip import EQ_SHAPES, bands, compressor, filters, highpass, level, saturation, transients
from core.dsp import gain
from core.dsp.audio import Audio, Chain, Memoryless, Processor
from core.dsp.filters import Biquads, butterworth_highpass
from core.dsp.limiter import TruePeakLimiter
from core.dsp.linear_phase import LinearPhase
from core.dsp.multiband import BandDynamics, Multiband
from core.plans.document import Settings, ToneCurve
from core.plans.parameters import MASTER, by_name

__all__ = ["EQ_SHAPES", "MasterChain", "MonoLows", "master_chain"]

_KNOBS: Final = by_name(MASTER)


@dataclass(frozen=True)
class MasterChain:
    """A master strip, ready to run."""

    shaping: Chain
    """Everything up to the loudness gain: (channels, n) in and out."""
    loudness_gain_db: float
    limiter: TruePeakLimiter | None

    def whole(self) -> Chain:
        """The strip from its input to its output."""
        end = level(gain.db_to_gain(self.loudness_gain_db))
        return Chain([self.shaping, *end, *([self.limiter] if self.limiter else [])])


def master_chain(settings: Settings, rate_hz: int, channels: int, curve: ToneCurve | None = None) -> MasterChain:
    """Build the processors of a master strip for mono or stereo.

    Raises OtoError("bad_input") for a knob that isn't there or a value it can't take.
    """
    values = resolve(settings, MASTER, "the master")
    shaping: list[Processor] = []
    if wanted := checked_curve(curve):
        gains = {"mid_db": wanted.mid_db, "side_db": wanted.side_db}
        shaping.append(LinearPhase(rate_hz, channels, freq_hz=wanted.freq_hz, **gains))
    shaping += level(gain.db_to_gain(number(values, "input_gain_db")))
    shaping += filters(channels, highpass(values, rate_hz), bands(values, rate_hz))
    shaping += transients(values, rate_hz, channels)
    shaping += _multiband(values, rate_hz, channels)
    shaping += compressor(values, rate_hz, channels)
    shaping += saturation(values, rate_hz, channels)
    if channels == 2:
        width = number(values, "width")
        if width != 1.0:
            sides = gain.stereo_matrix(2, width=width)
            shaping.append(Memoryless(lambda x: gain.place(x, sides)))
        if number(values, "mono_below_hz") > _KNOBS["mono_below_hz"].low:
            shaping.append(MonoLows(rate_hz, freq_hz=number(values, "mono_below_hz")))
    limiter = None
    if values["limiter_on"]:
        limiter = TruePeakLimiter(
            rate_hz,
            channels,
            ceiling_dbtp=number(values, "limiter_ceiling_dbtp"),
            release_ms=number(values, "limiter_release_ms"),
        )
    return MasterChain(Chain(shaping), number(values, "loudness_gain_db"), limiter)


def _multiband(values: Values, rate_hz: int, channels: int) -> list[Processor]:
    dynamics = [
        BandDynamics(**{knob: number(values, f"mb_{band}_{knob}") for knob in ("threshold_db", "ratio", "gain_db")})
        for band in ("low", "mid", "high")
    ]
    if all(band.ratio == 1.0 and band.gain_db == 0.0 for band in dynamics):
        return []
    knobs = ("low_hz", "high_hz", "attack_ms", "release_ms")
    return [Multiband(rate_hz, channels, bands=dynamics, **{knob: number(values, f"mb_{knob}") for knob in knobs})]


class MonoLows:
    """Takes the side signal out below a frequency, so that a club's or a phone's single woofer loses nothing."""

    latency_samples = 0

    def __init__(self, rate_hz: int, *, freq_hz: float) -> None:
        self._highpass = Biquads(butterworth_highpass(rate_hz, freq_hz=freq_hz), 1)

    def process(self, block: Audio) -> Audio:
        """Take and give (2, n)."""
        side = (block[:1] - block[1:]) * np.float32(0.5)
        removed = self._highpass.process(side) - side
        out: Audio = block + np.concatenate((removed, -removed))
        return out
