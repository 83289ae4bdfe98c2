"""Renders a master plan: the mix through the master strip into one file, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from core.analysis.loudness import Loudness, LoudnessMeter
from core.desk.sources import Source
from core.desk.wavfile import FloatWav
from core.dsp.audio import Audio, Processor
from core.errors import Exit, OtoError
from core.master.chain import master_chain
from core.plans.document import MasterPlan
from core.progress import Progress, report

BLOCK_FRAMES: Final = 98_304
"""Whole windows of the spectrum (12) and of the matching equaliser (8): transforms go four at a time."""


@dataclass(frozen=True)
class MasterResult:
    """What was rendered, as measured from what was written."""

    out: Path
    loudness: Loudness
    rate_hz: int
    frames: int
    meter: LoudnessMeter = field(compare=False, repr=False)
    """What `loudness` was read from."""


def render_master(
    plan: MasterPlan, source: Source, out: Path, *, start_samples: int = 0, progress: Progress | None = None
) -> MasterResult:
    """Master a mix into a float32 WAV at the mix's own rate, mono or stereo as it is.

    The same plan gives the same file, bit for bit, and nothing appears at `out` before it is complete. The master of a
    mix that begins `start_samples` into its take says so. Raises OtoError: "bad_input" for an empty mix, for audio that
    is not a number and for a plan that can't be followed; "cancelled" when `progress` says so.
    """
    chain = master_chain(plan.settings, source.rate_hz, source.channels, plan.curve).whole()
    meter = LoudnessMeter(source.rate_hz, source.channels)
    with FloatWav(out, rate_hz=source.rate_hz, channels=source.channels, start_samples=start_samples) as file:
        for block in processed(source, chain, progress, "rendering the master"):
            file.append(block)
            meter.add(block)
    return MasterResult(out=out, loudness=meter.result(), rate_hz=source.rate_hz, frames=source.frames, meter=meter)


def processed(source: Source, processor: Processor, progress: Progress | None, doing: str) -> Iterator[Audio]:
    """A source's audio as it leaves a processor, block by block, as long as the source and in time with it.

    Raises OtoError: "bad_input" for a source without audio, "cancelled" when `progress` says so.
    """
    if source.frames == 0:
        raise OtoError("bad_input", f"{source.name} holds no audio.", "Render the mix again.", Exit.BAD_INPUT)
    late = processor.latency_samples
    for start in range(0, source.frames + late, BLOCK_FRAMES):
        frames = min(BLOCK_FRAMES, source.frames + late - start)
        block = processor.process(source.read(start, frames))
        first = min(max(late - start, 0), frames)
        if first < frames:
            yield np.ascontiguousarray(block[:, first:])
        report(progress, min((start + frames) / (source.frames + late), 1.0), doing)
