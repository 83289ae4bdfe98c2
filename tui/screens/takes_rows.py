"""The Takes screen as lines: takes, markers, and the selected take's waveform."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from core.protocol.topics import Bounce, CompPart, Overview, Take
from tui import waveform, words
from tui.composing import COMP, take_key
from tui.look import Glyphs, Look, Role
from tui.picture import Picture
from tui.splice import Tape
from tui.widgets.paper import Line, Span
from tui.widgets.table import Row

MINI: Final = 24
"""Columns of a waveform in the list."""
TRACK_NAME: Final = 14
HEAD_WIDTH: Final = 52


def take_state(take: Take) -> tuple[str, Role]:
    """What is special about a take, and how it is painted."""
    if take.status == "recording":
        return "REC", "bad"
    if take.false_take:
        return "false", "dim"
    return ("rescued", "text") if take.status == "recovered" else ("", "text")


def take_row(take: Take, overview: Overview | None, playing: bool, look: Look, width: int) -> Row:
    """Number, star, length, when, name; a small waveform where there is room and it is known."""
    glyphs = look.glyphs
    state, role = take_state(take)
    length = "" if take.status == "recording" else words.short_clock(take.frames / take.rate_hz)
    gaps = gaps_of(take)
    over = f"over {take.overdub_of}" if take.overdub_of else ""
    made = f"comp of {_numbers(take.comp.parts)}" if take.comp else ""
    said = (words.clean(take.name), state, made, over, gaps, words.clean(take.notes))
    text = "  ".join(part for part in said if part)
    mini = MINI if width >= HEAD_WIDTH + MINI else 0
    spans: list[Span] = [
        (glyphs.play if playing else " ", "accent"),
        (f"{take.number:3d}", role),
        (glyphs.star if take.starred else " ", "warn"),
        (f"{length:>7}  {words.local_time(take.started_utc):5}  ", role),
        (words.fit(text, max(width - 21 - (mini + 1 if mini else 0), 8), glyphs.ellipsis), "bad" if gaps else role),
    ]
    if not mini or overview is None:
        return Row(spans, take_key(take))
    heights = waveform.columns(waveform.loudest(overview.peaks.values()), mini)
    return Row(spans, take_key(take), drawing=[(" " + waveform.bars(heights, 1, glyphs)[0], "dim")])


def comp_row(picture: Picture, tape: Tape | None, playing: bool, look: Look, width: int) -> Row:
    """The comp that is being put together: its length, whose parts, and what is missing."""
    glyphs, topic = look.glyphs, picture.comp
    length = "" if tape is None else words.short_clock(tape.end / tape.takes[0].rate_hz)
    problem = topic.problem.message if topic.problem else ""
    said = words.clean(problem) or "  ".join((f"of {_numbers(topic.comp.parts)}", *map(words.clean, topic.notes)))
    spans: list[Span] = [
        (glyphs.play if playing else " ", "accent"),
        ("comp ", "title"),
        (f"{length:>6}         ", "text"),
        (
            words.fit(said, max(width - 21, 8), glyphs.ellipsis),
            "warn" if problem or topic.notes else "text",
        ),
    ]
    return Row(spans, COMP)


def part_head(fade_ms: float) -> Line:
    """What stands above the parts: how long their seams take."""
    return [("Parts", "title"), (f"   seams {fade_ms:g} ms", "dim")]


def part_rows(tape: Tape | None) -> list[Row]:
    """Parts by where they begin, and how much later than the comp their takes are there."""
    if tape is None:
        return []
    rate_hz = tape.takes[0].rate_hz
    rows: list[Row] = []
    for part, at in zip(tape.parts, tape.starts, strict=True):
        later_ms = round((part.start_samples - at) / rate_hz * 1000)
        shift = "" if not later_ms else f"{later_ms:+d} ms" if abs(later_ms) < 1000 else f"{later_ms / 1000:+.1f} s"
        whose = f"take {part.take}{' false' if part.false_number else ''}"
        place = f"{words.short_clock(at / rate_hz):>7}  "
        rows.append(Row([(place, "accent"), (f"{whose}  ", "text"), (shift, "dim")], str(at)))
    return rows


def _numbers(parts: Sequence[CompPart]) -> str:
    return ", ".join(str(part.take) for part in parts)


def marker_rows(take: Take | None) -> list[Row]:
    """Markers by where they are."""
    if take is None:
        return []
    return [
        Row(
            [
                (f"{words.short_clock(marker.at_samples / take.rate_hz):>7}  ", "accent"),
                (words.clean(marker.name) or "mark", "text"),
            ],
            str(marker.at_samples),
        )
        for marker in take.markers
    ]


def motif_rows(motifs: Sequence[Bounce], playing: str | None, look: Look) -> list[Row]:
    """What OTO proposed for a take."""
    return [
        Row(
            [
                (
                    f"{look.glyphs.play if motif.id == playing else ' '}{'AI ' + motif.id.rpartition('-')[2]:>6}  ",
                    "accent",
                ),
                (words.clean(motif.about) or "motif", "text"),
            ],
            motif.id,
        )
        for motif in motifs
    ]


def motif_lines(motif: Bounce, glyphs: Glyphs, width: int, height: int) -> list[Line]:
    """Who wrote a motif, and why it is so."""
    told = [line for reason in motif.why for line in words.wrap(words.clean(reason), width - 2, height)]
    if len(told) > height > 0:
        told[height - 1] = words.fit(f"{told[height - 1]} {glyphs.ellipsis}", width - 2, glyphs.ellipsis)
    return [[(f"  {line}", "warn" if not n else "text")] for n, line in enumerate(told[:height])]


def head(take: Take | None, stretch_s: tuple[float, float] | None, look: Look, width: int) -> Line:
    """What is selected, in a line, and the stretch that is chosen in it."""
    if take is None:
        return []
    here: Span = ("", "accent")
    if stretch_s is not None:
        here = (f"   from {words.short_clock(stretch_s[0])} to {words.short_clock(stretch_s[1])}", "accent")
    counted = f"{len(take.tracks)} tracks"
    rate = f"{take.rate_hz / 1000:g} kHz {take.sample_format}"
    state, role = take_state(take)
    size = sum(clip.frames for clip in take.clips) * (3 if take.sample_format == "pcm24" else 4)
    what = f"take {take.number}" if take.number else "comp"
    length = words.short_clock(take.frames / take.rate_hz) if take.status != "recording" else ""
    made = (words.size(size) if size else "", words.local_date(take.started_utc) if take.number else "")
    text = "  ".join(fact for fact in (what, state, length, counted, rate, *made) if fact)
    notes = words.clean(take.notes)
    return [
        (text, role if role != "text" else "title"),
        here,
        (words.fit(f"   {notes}" if notes else "", max(width - len(text + here[0]), 0), look.glyphs.ellipsis), "dim"),
    ]


def gaps_of(take: Take) -> str:
    """How often a take lost something, in words; "" when it never did."""
    count = len(take.gaps)
    return f"{count} gap{'' if count == 1 else 's'}" if count else ""


def wave(
    take: Take,
    overview: Overview,
    at_s: float,
    heard_s: float | None,
    stretch_s: tuple[float, float] | None,
    look: Look,
    width: int,
    height: int,
) -> list[Line]:
    """The take as one waveform, its markers under it, a ruler with the place to play from; tracks if there is room.

    All of them stand on one line of time, to the right of the tracks' names.

    What has been heard already is bright; brackets on the ruler are the ends of the chosen stretch.
    """
    length_s = max(take.frames / take.rate_hz, 1e-3)
    known = [track for track in take.tracks if track.id in overview.peaks]
    room = height - len(known) - 2
    tracks = known if room >= 4 else []
    rows = max(height - 2 - len(tracks), 1)
    left: Span = (" " * (TRACK_NAME + 1 if tracks else 0), "dim")
    width = max(width - len(left[0]), 1)
    heard = 0 if heard_s is None else min(round(heard_s / length_s * width), width)
    total = waveform.columns(waveform.loudest(overview.peaks.values()), width)
    lines: list[Line] = [
        [left, (line[:heard], "good"), (line[heard:], "text")] for line in waveform.bars(total, rows, look.glyphs)
    ]
    ruler = _bracketed(_ruler(at_s, length_s, heard_s, look, width), stretch_s, length_s, width)
    lines += [[left, *_marker_line(take, look, width)], [left, *ruler]]
    for track in tracks:
        columns = waveform.columns(overview.peaks[track.id], width)
        name = words.fit(words.clean(track.name), TRACK_NAME, look.glyphs.ellipsis)
        lines.append([(f"{name} ", "dim"), (waveform.bars(columns, 1, look.glyphs)[0], "text")])
    return lines


def _marker_line(take: Take, look: Look, width: int) -> Line:
    """Each marker's name where it is; one that would cover the next is cut."""
    text = ""
    for marker in take.markers:
        at = min(int(marker.at_samples / max(take.frames, 1) * width), width - 1)
        if at < len(text):
            text = text[: max(at - 1, 0)]
        text = text.ljust(at) + look.glyphs.up + words.clean(marker.name)
    return [(words.fit(text, width, look.glyphs.ellipsis), "accent")]


def _ruler(at_s: float, length_s: float, heard_s: float | None, look: Look, width: int) -> Line:
    here = f"{look.glyphs.play}{words.short_clock(at_s)}"
    start = min(round(at_s / length_s * width), max(width - len(here), 0))
    end = words.short_clock(length_s)
    after = width - start - len(here) - len(end)
    tail = end.rjust(max(width - start - len(here), 0)) if after > 0 else ""
    return [(" " * start, "dim"), (here, "title" if heard_s is None else "good"), (tail, "dim")]


def _bracketed(ruler: Line, stretch_s: tuple[float, float] | None, length_s: float, width: int) -> Line:
    """The ruler with the ends of a stretch, where nothing else stands there."""
    if stretch_s is None:
        return ruler
    cells: list[Span] = [(character, role) for text, role in ruler for character in text]
    cells += [(" ", "dim")] * (width - len(cells))
    for bracket, place_s in zip("()", stretch_s, strict=True):
        at = min(max(round(place_s / length_s * width), 0), width - 1)
        if cells[at][0] == " ":
            cells[at] = (bracket, "accent")
    return [("".join(text for text, _ in run), role) for role, run in groupby(cells, key=lambda cell: cell[1])]


def no_wave(picture: Picture, problem: str, take: Take | None) -> list[Line]:
    """What stands where the waveform will be."""
    if take is None:
        return []
    if take.status == "recording":
        return [[("  This take is being recorded.", "bad")]]
    if problem:
        return [[(f"  No waveform: {words.clean(problem)}", "warn")], [("  The take itself plays.", "dim")]]
    busy = next((job.kind for job in picture.running_jobs if job.state == "running"), None)
    after = f", after the {busy} that is running" if busy else ""
    return [[(f"  The waveform is being made{after}. The take plays already.", "dim")]]
