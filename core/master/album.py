"""Songs that sit together: one loudness to measure all by, tone towards the album's middle, order and gaps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.analysis.loudness import Loudness, LoudnessMeter
from core.desk.sources import FileSource, Source
from core.dsp.audio import Audio, Chain
from core.errors import Exit, OtoError
from core.master import tone
from core.master.engineer import MASTERED_PLR_DB, propose_master
from core.master.reference import Model, Strengths, middle_of, model_of
from core.master.render import BLOCK_FRAMES, MasterResult, processed, render_master
from core.master.sections import SectionMeter
from core.master.styles import Style, style_named, tone_correction
from core.plans.document import MasterPlan, Target
from core.progress import Progress, part, report

MOST_BELOW_LU: Final = 6.0
"""A quiet song stays at most this much below the loudest; beyond it a listener reaches for the knob."""
TOGETHER: Final = Strengths(tone=0.5, dynamics=1.0, width=0.3, loudness=0.0)
"""How far songs move towards their middle: enough to be one record, not one song."""
_SILENT: Final = 10 ** (-80 / 20)


@dataclass(frozen=True)
class AlbumSong:
    """A mastered song and its place."""

    plan: MasterPlan
    result: MasterResult
    start_s: float
    """Since the start of the album."""


@dataclass(frozen=True)
class Album:
    """What was rendered, and the loudness of it all."""

    songs: tuple[AlbumSong, ...]
    loudness: Loudness


class Trimmed:
    """A source from its first sound to its last, and silence after it."""

    def __init__(self, source: Source, first: int, last: int, gap_samples: int) -> None:
        self._source = source
        self._first = first
        self._sounding = last + 1 - first
        self.name = source.name
        self.channels = source.channels
        self.rate_hz = source.rate_hz
        self.frames = self._sounding + gap_samples

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames), silence outside what sounds."""
        out = np.zeros((self.channels, frames), np.float32)
        first, last = max(start, 0), min(start + frames, self._sounding)
        if first < last:
            out[:, first - start : last - start] = self._source.read(self._first + first, last - first)
        return out


@dataclass(frozen=True)
class _Song:
    source: Trimmed
    model: Model


def master_album(
    sources: Sequence[Source],
    outs: Sequence[Path],
    target: Target,
    *,
    gap_s: float | Sequence[float] = 2.0,
    style: str = "any",
    progress: Progress | None = None,
) -> Album:
    """Master songs so that they sit together, each into its own file, in their order, with `gap_s` after each.

    The loudest song is at the target and the others keep their distance to it, up to 6 LU (as TIDAL and others play
    albums: by their loudest song). Silence at the ends gives way to the gap. Raises OtoError: "bad_input" for songs
    that can't be used or have different rates, "cancelled" when `progress` says so.
    """
    gaps_s = [gap_s] * len(sources) if isinstance(gap_s, int | float) else list(gap_s)
    _check(sources, gaps_s)
    liked = style_named(style)
    count = len(sources)
    songs = []
    for n, source in enumerate(sources):
        gap = round(gaps_s[n] * source.rate_hz) if n < count - 1 else 0
        songs.append(_listen(source, gap, part(progress, 0.2 * n / count, 0.2 / count)))
    middle = _aim(middle_of([song.model for song in songs]), liked, sources[0].rate_hz)
    loudest = max(song.model.integrated_lufs for song in songs)
    meter = LoudnessMeter(sources[0].rate_hz, 2)
    mastered: list[AlbumSong] = []
    at_samples = 0
    for n, (song, out) in enumerate(zip(songs, outs, strict=True)):
        own = part(progress, 0.2 + 0.8 * n / count, 0.8 / count)
        below = min(loudest - song.model.integrated_lufs, MOST_BELOW_LU)
        plan = propose_master(
            song.source,
            _place(target, below),
            model=middle,
            strengths=TOGETHER,
            style=style,
            progress=part(own, 0.0, 0.5),
        )
        result = render_master(plan, song.source, out, progress=part(own, 0.5, 0.5))
        mastered.append(AlbumSong(plan=plan, result=result, start_s=at_samples / song.source.rate_hz))
        at_samples += song.source.frames
        _add(meter, out)
    report(progress, 1.0, "the album is done")
    return Album(songs=tuple(mastered), loudness=meter.result())


def _check(sources: Sequence[Source], gaps_s: Sequence[float]) -> None:
    if not sources:
        raise OtoError("bad_input", "An album needs songs.", "", Exit.BAD_INPUT)
    if len({source.rate_hz for source in sources}) > 1:
        raise OtoError(
            "bad_input", "The songs have different sample rates.", "Export the mixes at one rate.", Exit.BAD_INPUT
        )
    if min(gaps_s) < 0.0:
        raise OtoError("bad_input", f"A gap of {min(gaps_s):g} s is shorter than nothing.", "", Exit.BAD_INPUT)


def _aim(middle: Model, style: Style, rate_hz: int) -> Model:
    """The album's middle, nearer to finished music where the album as a whole stands outside its spread.

    Songs go a part of the way to where they are sent, so what all of them lack is sent for the whole.
    """
    name = "the middle of the album"
    if middle.plr_db <= MASTERED_PLR_DB:
        return dataclasses.replace(middle, name=name)
    correction = tone_correction(middle.levels_db, style, tone.heard_bands(rate_hz)) / TOGETHER.tone
    return dataclasses.replace(middle, name=name, levels_db=middle.levels_db + correction)


def _place(target: Target, below_lu: float) -> Target:
    """The target of a song that stays below the loudest."""
    if below_lu == 0.0:
        return target
    return Target(
        name=target.name,
        integrated_lufs=round(target.integrated_lufs - below_lu, 2),
        true_peak_dbtp=target.true_peak_dbtp,
        why=f"{below_lu:.1f} LU below the album's loudest song, which is at {target.integrated_lufs:g} LUFS.",
    )


def _listen(source: Source, gap_samples: int, progress: Progress | None) -> _Song:
    """Measure a song and find where it begins and ends."""
    sections = SectionMeter(source.rate_hz, source.channels)
    meter = LoudnessMeter(source.rate_hz, source.channels)
    first, last, at = -1, -1, 0
    for block in processed(source, Chain([]), progress, f"listening to {source.name}"):
        sections.add(block)
        meter.add(block)
        sounding = np.flatnonzero(np.abs(block).max(axis=0) > _SILENT)
        if sounding.size:
            first = at + int(sounding[0]) if first < 0 else first
            last = at + int(sounding[-1])
        at += block.shape[1]
    found = meter.result()
    if found.integrated_lufs is None or found.true_peak_dbtp is None:
        raise OtoError(
            "bad_input", f"{source.name} is silent or too short for an album.", "Leave it out.", Exit.BAD_INPUT
        )
    model = model_of(source.name, sections.spectra()[1], found.integrated_lufs, found.true_peak_dbtp)
    return _Song(Trimmed(source, first, last, gap_samples), model)


def _add(meter: LoudnessMeter, path: Path) -> None:
    """Measure a mastered song as a part of the album; mono plays on both loudspeakers."""
    song = FileSource(path)
    for start in range(0, song.frames, BLOCK_FRAMES):
        block = song.read(start, min(BLOCK_FRAMES, song.frames - start))
        meter.add(block if len(block) == 2 else np.repeat(block, 2, axis=0))
