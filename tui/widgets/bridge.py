"""The meter bridge: every input of the interface in one widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual.events import Click

from core.protocol.topics import Meters, Track
from tui import words
from tui.look import Look, Role
from tui.picture import Picture
from tui.widgets.paper import Line, Paper, Span

FLOOR_DBFS: Final = -60.0
HOT_DBFS: Final = -9.0
CLIP_DBFS: Final = -3.0
METER_ROLES: Final = ("meter_ok", "meter_hot", "meter_clip")
THICKEST: Final = 3
"""Lines of a bar where there is room: with one left free below each, so that they stay apart from afar."""


@dataclass(frozen=True)
class Layout:
    """How wide each field of an input is; 0 leaves it out."""

    columns: int
    rows: int
    """Inputs per column."""
    thick: int
    """Lines of a bar."""
    free: int
    """Lines between two bars."""
    name: int
    role: int
    bar: int
    figure: int


def layout(inputs: int, width: int, height: int) -> Layout:
    """Fields that fit: as few columns as the height allows, names before bars, bars before roles and figures."""
    columns = max(-(-inputs // max(height, 1)), 1)
    rows = min(-(-inputs // columns), height)
    pitch = height // max(rows, 1)
    thick, free = min(max(pitch - 1, 1), THICKEST), int(pitch > 1)
    column = width // columns
    fixed = 7  # arm mark, number, three spaces and the clip mark
    if column >= 64:
        name, role, figure = 16, 16, 7
    elif column >= 48:
        name, role, figure = 12, 9, 7
    elif column >= 36:
        name, role, figure = 10, 0, 7
    else:
        name, role, figure = min(max(column // 3, 4), 12), 0, 0
    bar = column - fixed - name - (role + 1 if role else 0) - figure
    return Layout(columns, rows, thick, free, name, role, max(bar, 2), figure)


class Bridge(Paper, can_focus=True):
    """Inputs with levels. The cursor is an input's number."""

    def __init__(self, look: Look, *, id: str) -> None:
        super().__init__(look, self._lines, id=id)
        self.picture = Picture()
        self.cursor = 1

    def show(self, picture: Picture) -> None:
        """Show the latest frame."""
        self.picture = picture
        self.cursor = min(max(self.cursor, 1), max(input_count(picture), 1))
        self.repaint()

    def move(self, how: str) -> None:
        """Move the cursor; it stops at both ends."""
        count = max(input_count(self.picture), 1)
        rows = layout(count, *self.size).rows
        steps = {"up": -1, "down": 1, "page_up": -rows, "page_down": rows, "top": -count, "bottom": count}
        self.cursor = min(max(self.cursor + steps[how], 1), count)
        self.repaint()

    def on_focus(self) -> None:
        """The cursor looks different where keys act."""
        self.repaint()

    def on_blur(self) -> None:
        """The cursor looks different where keys act."""
        self.repaint()

    def on_click(self, event: Click) -> None:
        """A click selects an input."""
        count = input_count(self.picture)
        shape = layout(max(count, 1), *self.size)
        row = event.y // (shape.thick + shape.free)
        number = event.x // max(self.size.width // shape.columns, 1) * shape.rows + row + 1
        if row < shape.rows and number <= count:
            self.cursor = number
            self.repaint()

    def _lines(self, width: int, height: int) -> list[Line]:
        return bridge(self.picture, self.look, width, height, self.cursor, focused=self.has_focus)


def input_count(picture: Picture) -> int:
    """How many inputs there are to show: the interface's, or those the session knows while it is away."""
    device = picture.device.current
    if device is not None:
        return device.inputs
    return max((track.input or 0 for track in picture.tracks), default=0)


def track_at(picture: Picture, number: int) -> Track | None:
    """The track that an input is patched to."""
    return next((track for track in picture.tracks if track.input == number), None)


def bridge(picture: Picture, look: Look, width: int, height: int, cursor: int, *, focused: bool) -> list[Line]:
    """Every input as a field of fixed width, column by column."""
    count = input_count(picture)
    if not count:
        return _nothing(picture)
    shape = layout(count, width, height)
    tracks = {track.input: track for track in reversed(picture.tracks) if track.input}
    device = picture.device.current
    # What the tracks of the next session will be called.
    names = device.channel_names if device is not None and not picture.tracks else ()
    lines: list[Line] = []
    for row in range(shape.rows):
        spans: list[Span] = []
        for number in range(row + 1, count + 1, shape.rows):
            here: Role | None = ("cursor" if focused else "cursor_off") if number == cursor else None
            called = names[number - 1] if number <= len(names) else "-"
            spans += _input(number, called, tracks.get(number), picture.meters, look, shape, here)
        lines.append([*spans, ("", "text")])
        bars = [span if _is_bar(span) else (" " * cell_len(span[0]), "text") for span in spans]
        lines += [bars] * (shape.thick - 1) + [[("", "text")]] * shape.free
    return lines


def _input(
    number: int, called: str, track: Track | None, meters: Meters | None, look: Look, shape: Layout, here: Role | None
) -> list[Span]:
    glyphs = look.glyphs
    armed = track is not None and track.armed
    mark = " " if track is None else glyphs.armed if armed else glyphs.disarmed
    name = words.clean(track.name if track else called)
    label = f"{number:2d} {words.fit(name, shape.name, glyphs.ellipsis)}"
    if shape.role:
        role = (track.role or "").replace("_", " ") if track else ""
        label += " " + words.fit(words.clean(role), shape.role, glyphs.ellipsis)
    spans: list[Span] = [
        (mark, "bad" if armed else "dim"),
        (label, here or ("text" if armed else "dim")),
        (" ", "text"),
    ]
    at = number - 1
    if meters is None or at >= len(meters.peak_dbfs):
        return [*spans, (" " * (shape.bar + shape.figure + 2), "text")]
    spans.append(bar(meters.peak_dbfs[at], meters.rms_dbfs[at], meters.hold_dbfs[at], look, shape.bar))
    clips = meters.clips[at]
    if shape.figure:
        hold = meters.hold_dbfs[at]
        spans.append((words.level(hold).rjust(shape.figure), "bad" if hold > CLIP_DBFS else "dim"))
    spans.append(("! " if clips else "  ", "bad"))
    return spans


def bar(peak_dbfs: float, rms_dbfs: float, hold_dbfs: float, look: Look, width: int) -> Span:
    """One level from -60 to 0 dBFS: solid to the RMS, shaded to the peak, a line where the peak was held.

    The whole bar takes the colour of its peak, so that a hot input is seen from afar.
    """
    glyphs = look.glyphs
    role: Role = "meter_ok" if peak_dbfs < HOT_DBFS else "meter_hot" if peak_dbfs < CLIP_DBFS else "meter_clip"
    steps = len(glyphs.fractions)
    filled = round(_share(rms_dbfs) * width * steps)
    solid = glyphs.full * (filled // steps)
    if filled % steps:
        solid += glyphs.fractions[filled % steps - 1]
    shaded = max(round(_share(peak_dbfs) * width) - len(solid), 0)
    level = solid + glyphs.peak * shaded
    hold = min(round(_share(hold_dbfs) * width), width - 1)
    if hold >= len(level) and hold_dbfs > FLOOR_DBFS:
        level = level.ljust(hold) + glyphs.hold
    return level.ljust(width), role


def _is_bar(span: Span) -> bool:
    return span[1] in METER_ROLES


def _share(dbfs: float) -> float:
    return min(max(1.0 - dbfs / FLOOR_DBFS, 0.0), 1.0)


def _nothing(picture: Picture) -> list[Line]:
    if picture.link != "up":
        return [[("", "text")], [("  Waiting for the engine.", "dim")]]
    return [
        [("", "text")],
        [("  No interface is in use.", "title")],
        [("", "text")],
        [("  d  chooses one. The simulated band is", "text")],
        [("     always there: no cables needed.", "text")],
    ]
