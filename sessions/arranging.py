"""How recordings made elsewhere belong together: what goes on in the next file, what starts when, what it is called.

Pure functions over what the files say of themselves.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

from sessions.chunks import Bext
from sessions.model import SampleFormat
from sessions.tracknames import channel_names, different, track_names

_CONTINUED: Final = re.compile(r"[-_ ]\d{1,4}$")
"""How recorders end the names of files that go on where the last one was full."""


@dataclass(frozen=True)
class Source:
    """A file to import."""

    path: Path
    rate_hz: int
    channels: int
    frames: int
    exact: bool
    """Whether 24 bits hold its samples exactly."""
    estimated: bool
    """Whether `frames` is only what its decoder expects."""
    bext: Bext | None
    given_names: dict[int, str]
    """Channel, from 1, to the track name that the file gives it."""

    @property
    def time_reference(self) -> int | None:
        """Samples since midnight, or None when the file doesn't say."""
        return self.bext.time_reference_samples if self.bext else None


@dataclass(frozen=True)
class Chain:
    """Files of one recording that follow each other without a gap; mostly it is just one."""

    sources: tuple[Source, ...]
    start_s: Fraction
    """Where it starts on the take's timeline."""
    names: tuple[str, ...]
    """A track for every channel."""

    @property
    def first(self) -> Source:
        """The file that starts it."""
        return self.sources[0]

    @property
    def length_s(self) -> Fraction:
        """How long all its files are together."""
        return _length_s(self.sources)


def arrange(sources: Sequence[Source]) -> list[Chain]:
    """Join what a recorder split, give everything its place in time, and name the tracks; in the order of `sources`."""
    groups = _joined(sources)
    placed = zip(groups, _starts_s(groups), _names(groups), strict=True)
    return [Chain(tuple(group), start_s, tuple(names)) for group, start_s, names in placed]


def usual_rate(chains: Sequence[Chain]) -> int:
    """The rate that most recordings have, in Hz; the highest of several."""
    counts = Counter(chain.first.rate_hz for chain in chains)
    return max(counts, key=lambda rate: (counts[rate], rate))


def format_of(chain: Chain, rate_hz: int) -> SampleFormat:
    """What holds a recording at this rate: float32 when converted, since filtering can lift peaks above full scale."""
    exact = all(source.exact for source in chain.sources) and chain.first.rate_hz == rate_hz
    return "pcm24" if exact else "float32"


def started_utc(chains: Sequence[Chain]) -> str:
    """When the recordings started, in ISO 8601, as their bext says; now, when none does."""
    for chain in sorted(chains, key=lambda chain: chain.start_s):
        if chain.first.bext:
            with contextlib.suppress(ValueError):
                local = datetime.fromisoformat(f"{chain.first.bext.date} {chain.first.bext.time}").astimezone()
                return local.astimezone(UTC).isoformat(timespec="seconds")
    return datetime.now(UTC).isoformat(timespec="seconds")


def time_reference(chains: Sequence[Chain], rate_hz: int) -> int:
    """Samples since midnight at the start of the timeline; 0 when no recording says."""
    clocks = [_clock_s(chain.sources) for chain in chains if chain.first.bext and chain.start_s == 0]
    return round(min(clocks) * rate_hz) if clocks else 0


def _joined(sources: Sequence[Source]) -> list[list[Source]]:
    groups: list[list[Source]] = []
    for source in sorted(sources, key=lambda source: (source.time_reference or 0) / source.rate_hz):
        for group in groups:
            if _goes_on(group, source):
                group.append(source)
                break
        else:
            groups.append([source])
    return sorted(groups, key=lambda group: sources.index(group[0]))


def _goes_on(group: Sequence[Source], source: Source) -> bool:
    """Whether a file's name goes on from a group's, and its time reference follows on to the sample."""
    first, last = group[0], group[-1]
    if not source.time_reference or last.time_reference is None:
        return False
    alike = all(getattr(last, key) == getattr(source, key) for key in ("rate_hz", "channels", "exact"))
    base = _CONTINUED.sub("", source.path.stem)
    named = source.path.parent == last.path.parent and base in (first.path.stem, _CONTINUED.sub("", first.path.stem))
    return alike and named and source.time_reference == last.time_reference + last.frames


def _starts_s(groups: Sequence[Sequence[Source]]) -> list[Fraction]:
    """Where each group starts: as the clocks say if those fit together (one day, no silence between), else all at 0."""
    together = [Fraction(0)] * len(groups)
    timed = sorted((group for group in groups if group[0].bext), key=_clock_s)
    if len({group[0].bext.date for group in timed if group[0].bext}) != 1:
        return together
    start_s = end_s = _clock_s(timed[0])
    for group in timed:
        if _clock_s(group) > end_s:
            return together
        end_s = max(end_s, _clock_s(group) + _length_s(group))
    return [_clock_s(group) - start_s if group[0].bext else Fraction(0) for group in groups]


def _names(groups: Sequence[Sequence[Source]]) -> list[list[str]]:
    taken: list[str] = []
    names: list[list[str]] = []
    for group, name in zip(groups, track_names([group[0].path.stem for group in groups]), strict=True):
        first = len(taken)
        for track in channel_names(name, group[0].given_names, group[0].channels):
            taken.append(different(track, taken))
        names.append(taken[first:])
    return names


def _clock_s(group: Sequence[Source]) -> Fraction:
    return Fraction(group[0].time_reference or 0, group[0].rate_hz)


def _length_s(group: Sequence[Source]) -> Fraction:
    return Fraction(sum(source.frames for source in group), group[0].rate_hz)
