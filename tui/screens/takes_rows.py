"""The Takes screen as lines: takes, markers, and the selected take's waveform."""

from __future__ import annotations

from typing import Final

from core.protocol import Overview, Take
from tui import waveform, words
from tui.look import Look, Role
from tui.picture import Picture
from tui.widgets.paper import Line, Span
from tui.widgets.table import Row

MINI: Final = 24
"""Columns of a waveform in the list."""
TRACK_NAME: Final = 14
HEAD_WIDTH: Final = 52


def take_key(take: Take) -> str:
    """What a take's line stands for; false takes share their number with the take that replaced them."""
    return f"{take.number} false {take.false_number}" if take.false_take else str(take.number)


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
    gaps = f"{len(take.gaps)} gaps" if take.gaps else ""
    over = f"over {take.overdub_of}" if take.overdub_of else ""
    text = "  ".join(part for part in (words.clean(take.name), state, over, gaps, words.clean(take.notes)) if part)
    mini = MINI if width >= HEAD_WIDTH + MINI else 0
    spans: list[Span] = [
        (glyphs.play if playing else " ", "accent"),
        (f"{take.number:3d}", role),
        (glyphs.star if take.starred else " ", "warn"),
        (f"{length:>7}  {words.local_time(take.started_utc):5}  ", role),
        (words.fit(text, max(width - 21 - (mini + 1 if mini else 0), 8), glyphs.ellipsis), "bad" if gaps else role),
    ]
    if mini and overview is not None:
        heights = waveform.columns(waveform.loudest(overview.peaks.values()), mini)
        spans.append((" " + waveform.bars(heights, 1, glyphs)[0], "dim"))
    return Row(spans, take_key(take))


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


def head(take: Take | None, look: Look, width: int) -> Line:
    """What is selected, in a line."""
    if take is None:
        return []
    counted = f"{len(take.tracks)} tracks"
    rate = f"{take.rate_hz / 1000:g} kHz {take.sample_format}"
    state, role = take_state(take)
    facts = [f"take {take.number}", state, words.short_clock(take.frames / take.rate_hz), counted, rate]
    text = "  ".join(fact for fact in facts if fact)
    notes = words.clean(take.notes)
    return [
        (text, role if role != "text" else "title"),
        (words.fit(f"   {notes}" if notes else "", max(width - len(text), 0), look.glyphs.ellipsis), "dim"),
    ]


def wave(
    take: Take, overview: Overview, at_s: float, heard_s: float | None, look: Look, width: int, height: int
) -> list[Line]:
    """The take as one waveform, its markers under it, a ruler with the place to play from; tracks if there is room.

    What has been heard already is bright.
    """
    length_s = max(take.frames / take.rate_hz, 1e-3)
    known = [track for track in take.tracks if track.id in overview.peaks]
    room = height - len(known) - 2
    tracks = known if room >= 4 else []
    rows = max(height - 2 - len(tracks), 1)
    heard = 0 if heard_s is None else min(round(heard_s / length_s * width), width)
    total = waveform.columns(waveform.loudest(overview.peaks.values()), width)
    lines: list[Line] = [
        [(line[:heard], "good"), (line[heard:], "text")] for line in waveform.bars(total, rows, look.glyphs)
    ]
    lines += [_marker_line(take, look, width), _ruler(at_s, length_s, heard_s, look, width)]
    for track in tracks:
        columns = waveform.columns(overview.peaks[track.id], max(width - TRACK_NAME - 1, 1))
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
