"""From a master plan's settings to processors, in the order of `core.plans.parameters.MASTER`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.desk.strip import number, resolve
from core.dsp import gain
from core.dsp.audio import Audio, Chain, Memoryless, Processor
from core.dsp.dynamics import Compressor
from core.dsp.equaliser import Band, Shape, sections
from core.dsp.filters import Biquads, butterworth_highpass
from core.dsp.limiter import TruePeakLimiter
from core.dsp.saturation import Saturation
from core.plans.document import Settings
from core.plans.parameters import MASTER, by_name

EQ_SHAPES: Final[tuple[Shape, ...]] = ("low_shelf", "bell", "bell", "bell", "bell", "high_shelf")

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
        end: list[Processor] = [_level(self.loudness_gain_db)]
        return Chain([self.shaping, *end, *([self.limiter] if self.limiter else [])])


def master_chain(settings: Settings, rate_hz: int, channels: int) -> MasterChain:
    """Build the processors of a master strip for mono or stereo.

    Raises OtoError("bad_input") for a knob that isn't there or a value it can't take.
    """
    values = resolve(settings, MASTER, "the master")
    shaping: list[Processor] = [_level(number(values, "input_gain_db"))]
    filters = []
    if number(values, "highpass_hz") > _KNOBS["highpass_hz"].low:
        filters.append(butterworth_highpass(rate_hz, freq_hz=number(values, "highpass_hz")))
    bands = [
        Band(shape, number(values, f"eq{i}_freq_hz"), number(values, f"eq{i}_gain_db"), number(values, f"eq{i}_q"))
        for i, shape in enumerate(EQ_SHAPES, start=1)
    ]
    filters.append(sections(bands, rate_hz))
    if len(cascade := np.concatenate(filters)):
        shaping.append(Biquads(cascade, channels))
    if number(values, "comp_ratio") > 1.0 or number(values, "comp_makeup_db"):
        knobs = ("threshold_db", "ratio", "attack_ms", "release_ms", "knee_db", "makeup_db", "sidechain_hz", "mix")
        shaping.append(Compressor(rate_hz, channels, **{name: number(values, f"comp_{name}") for name in knobs}))
    if number(values, "saturation_drive_db"):
        shaping.append(Saturation(rate_hz, channels, drive_db=number(values, "saturation_drive_db")))
    if channels == 2:
        width = number(values, "width")
        shaping.append(Memoryless(lambda x: gain.width(x, width=width)))
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


def _level(gain_db: float) -> Processor:
    return Memoryless(lambda x: gain.gain(x, gain_db=gain_db))
