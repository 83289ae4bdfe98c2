"""Renders a mix plan: strips into buses and effects, these into the master strip, all of it into files.

Audio flows in blocks of about a second from the sources to the files, so memory doesn't grow with the length. Strips
are independent and run on threads; every sum is made in the order of the plan, so the result doesn't depend on how many
threads there are. Latencies are taken out: a strip reads its source ahead, buses and effects are padded to meet, and
what the sum is late is dropped at the start. Mix, stems and returns lie where they were played, to the sample.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.desk.sources import Source
from core.desk.stripcache import Keeping, Kept, StripCache, Unrepeatable
from core.desk.wavfile import FloatWav
from core.desk.wiring import Desk
from core.dsp.audio import Audio, Processor
from core.plans.document import MixPlan
from core.progress import Progress, report
from sessions.names import safe_name, unique_name

if TYPE_CHECKING:
    from core.analysis.loudness import Loudness, LoudnessMeter

BLOCK_FRAMES = 131_072
"""2.7 s at 48 kHz: large enough that calls cost nothing, small enough for 40 strips in 250 MB."""


@dataclass(frozen=True)
class MixResult:
    """What was rendered."""

    out: Path
    stems: dict[str, Path]
    """Per strip, what it puts into the mix at its fader, its bus's and the master's, before anything else that buses
    and master do to their sums."""
    returns: dict[str, Path]
    """Per effect in use, what it puts into the mix. Stems and returns add up to the mix of buses that only fade."""
    frames: int
    rate_hz: int
    start_samples: int
    """Where the first sample lies on the sources' timeline."""
    loudness: Loudness
    meter: LoudnessMeter = field(compare=False, repr=False)
    """What `loudness` was read from."""


class _Tape:
    """Hands on one stretch of a stream: drops what is late at the start and what runs over at the end."""

    def __init__(
        self, writers: Sequence[Callable[[Audio], None]], *, skip: int, frames: int, fader: Processor | None = None
    ) -> None:
        self._writers = writers
        self._skip = skip
        self._left = frames
        self._fader = fader

    def append(self, audio: Audio) -> None:
        kept = audio[:, self._skip : self._skip + self._left]
        self._skip = max(self._skip - audio.shape[1], 0)
        self._left -= kept.shape[1]
        if kept.shape[1]:
            faded = self._fader.process(kept) if self._fader else kept
            for write in self._writers:
                write(faded)


def render_rate_hz(sources: Sequence[Source]) -> int:
    """The rate most sources have; the higher one when they are even."""
    counted = Counter(source.rate_hz for source in sources)
    return max(counted, key=lambda rate: (counted[rate], rate), default=48_000)


def render_mix(
    plan: MixPlan,
    sources: Sequence[Source],
    out: Path,
    *,
    stems: Path | None = None,
    rate_hz: int | None = None,
    threads: int | None = None,
    block_frames: int = BLOCK_FRAMES,
    cache: StripCache | None = None,
    progress: Progress | None = None,
) -> MixResult:
    """Render to a stereo float32 WAV at `out` and, if wanted, a WAV per strip and effect in the folder `stems`.

    The same plan and sources give the same file on the same machine, with any number of threads. A mix is as long as
    its longest source, or the plan's span of it, and the reverb after it. `rate_hz` None takes the rate most sources
    have. Sources without a strip pass through a neutral one. Files appear when they are complete. Strips that `cache`
    has are not rendered again, and it keeps those that it lacks; what is rendered is the same with and without.

    Raises OtoError: "cancelled", "not_found" for a strip without a source, "bad_input" for settings or audio that
    can't be.
    """
    render = partial(_render, plan, sources, out, stems, rate_hz, threads, block_frames, progress)
    try:
        return render(cache)
    except Unrepeatable:
        return render(None)


def _render(
    plan: MixPlan,
    sources: Sequence[Source],
    out: Path,
    stems: Path | None,
    rate_hz: int | None,
    threads: int | None,
    block_frames: int,
    progress: Progress | None,
    cache: StripCache | None,
) -> MixResult:
    """As `render_mix`. Raises Unrepeatable for a kept return that is spoilt, and what it has written disappears."""
    from core.analysis.loudness import LoudnessMeter

    rate = rate_hz or render_rate_hz(sources)
    desk = Desk(plan, sources, rate)
    meter = LoudnessMeter(rate, 2)
    with ExitStack() as stack:
        keeping = _attach(stack, cache, desk, block_frames)
        start = desk.start_samples
        mix_file = stack.enter_context(FloatWav(out, rate_hz=rate, channels=2, start_samples=start))
        stem_files, return_files = _open_stems(stack, stems, desk, rate)
        stem_tapes = [
            _Tape([file.append], skip=0, frames=desk.frames, fader=desk.stem_fader(channel))
            for channel, file in zip(desk.channels, stem_files, strict=False)
        ]
        return_tapes = [
            _Tape([file.append], skip=desk.meet_samples, frames=desk.frames, fader=desk.return_fader())
            for file in return_files
        ]
        mix_tape = _Tape([mix_file.append, meter.add], skip=desk.latency_samples, frames=desk.frames)

        def keep_stem(index: int, part: Audio) -> None:
            stem_tapes[index].append(part)

        pool = stack.enter_context(ThreadPoolExecutor(threads or min(os.cpu_count() or 1, 4)))
        total = desk.frames + desk.latency_samples
        for at in range(0, total, block_frames):
            report(progress, at / total, "mixing")
            mixed = desk.process(min(block_frames, total - at), pool, keep_stem if stem_tapes else None)
            mix_tape.append(mixed.mix)
            for tape, block in zip(return_tapes, mixed.returns, strict=False):
                tape.append(block)
        for strip in keeping:
            strip.finish()
    report(progress, 1.0, "mixing")
    return MixResult(
        out=out,
        stems={channel.name: file.path for channel, file in zip(desk.channels, stem_files, strict=False)},
        returns={name: file.path for name, file in zip(desk.effects, return_files, strict=False)},
        frames=desk.frames,
        rate_hz=rate,
        start_samples=desk.start_samples,
        loudness=meter.result(),
        meter=meter,
    )


def _attach(stack: ExitStack, cache: StripCache | None, desk: Desk, block_frames: int) -> list[Keeping]:
    """Let the channels that are heard read what was kept of their strips; those that are kept now, to be finished."""
    if cache is None:
        return []
    heard, effects = [channel for channel in desk.channels if channel.audible], desk.effects.values()
    attached = cache.attach([*(channel.toned for channel in heard), *effects], block_frames)
    for channel, strip in zip(heard, attached, strict=False):
        channel.strip = strip
    for junction, output in zip(effects, attached[len(heard) :], strict=True):
        junction.output = output
    for kept in attached:
        if isinstance(kept, Keeping | Kept):
            stack.callback(kept.close)
    return [keeping for keeping in attached if isinstance(keeping, Keeping)]


def _open_stems(
    stack: ExitStack, folder: Path | None, desk: Desk, rate_hz: int
) -> tuple[list[FloatWav], list[FloatWav]]:
    """A file per channel and per effect, under names that any file system takes."""
    if folder is None:
        return [], []
    taken: list[str] = []

    def opened(name: str) -> FloatWav:
        taken.append(unique_name(safe_name(name), taken, ".wav"))
        file = FloatWav(folder / taken[-1], rate_hz=rate_hz, channels=2, start_samples=desk.start_samples)
        return stack.enter_context(file)

    return [opened(channel.name) for channel in desk.channels], [opened(f"{name} return") for name in desk.effects]
