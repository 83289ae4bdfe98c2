"""What was played, to hold recordings against: of any length, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import soundfile
from numpy.typing import NDArray

BLOCK_FRAMES = 1 << 17
NEEDLE_FRAMES = 8
"""Of noise; so many in a row occur once."""

Audio = NDArray[np.float32]


class Played:
    """One multichannel file, or several whose channels stand side by side, played once or (`loop`) without end.

    float32 holds 16- and 24-bit samples exactly, so that comparing is comparing bits.
    """

    def __init__(self, *paths: Path, loop: bool = False) -> None:
        self._open = ExitStack()
        self._files = [self._open.enter_context(soundfile.SoundFile(path)) for path in paths]
        self._loop = loop
        self.channels = sum(file.channels for file in self._files)
        self.frames = self._files[0].frames

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()

    def read(self, start: int, frames: int) -> Audio:
        """(frames, channels) from a position on; shorter where a file that is played once ends."""
        parts: list[Audio] = []
        while frames > 0:
            at = start % self.frames if self._loop else start
            count = min(frames, self.frames - at)
            if count <= 0:
                break
            parts.append(np.concatenate([_part(file, at, count) for file in self._files], axis=1))
            start, frames = start + count, frames - count
        return np.concatenate(parts) if parts else np.zeros((0, self.channels), np.float32)

    def find(self, needle: Audio) -> int:
        """Where these samples of the first channel are played (for the first time); ValueError when nowhere."""
        for start in range(0, self.frames, BLOCK_FRAMES):
            first = self.read(start, BLOCK_FRAMES + len(needle) - 1)[:, 0]
            for at in np.flatnonzero(first[: len(first) - len(needle) + 1] == needle[0]):
                if np.array_equal(first[at : at + len(needle)], needle):
                    return start + int(at)
        raise ValueError("what was recorded was never played")

    def assert_same(self, files: Sequence[Path], *, start: int = 0, frames: int | None = None, why: str = "") -> int:
        """Fail unless every file is, sample for sample, its channel of what was played; returns from where.

        Compares `frames` frames from `start` of each file on; None compares each up to its own end.
        """
        with ExitStack() as opened:
            recorded = [opened.enter_context(soundfile.SoundFile(path)) for path in files]
            assert len(recorded) == self.channels, f"{len(recorded)} files of {self.channels} channels. {why}"
            ends = [file.frames if frames is None else start + frames for file in recorded]
            begins = self.find(_part(recorded[0], start, NEEDLE_FRAMES)[:, 0])
            for at in range(start, max(ends), BLOCK_FRAMES):
                wanted = self.read(begins + at - start, min(BLOCK_FRAMES, max(ends) - at))
                for channel, (file, end) in enumerate(zip(recorded, ends, strict=True)):
                    count = min(BLOCK_FRAMES, end - at)
                    if count > 0:
                        problem = _difference(_part(file, at, count)[:, 0], wanted[:count, channel], count)
                        assert not problem, f"{Path(file.name).name} after {at} frames: {problem}. {why}"
        return begins


def _difference(recorded: Audio, played: Audio, count: int) -> str:
    if len(recorded) != count:
        return f"the file ends {count - len(recorded)} frames early"
    if len(played) != count:
        return "more was recorded than was played"
    wrong = np.flatnonzero(recorded != played)
    return f"{len(wrong)} of {count} samples are not what was played, first number {wrong[0]}" if len(wrong) else ""


def _part(file: soundfile.SoundFile, start: int, frames: int) -> Audio:
    file.seek(start)
    part: Audio = file.read(frames, dtype="float32", always_2d=True)
    return part
