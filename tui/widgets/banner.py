"""The state of the studio: five rows that can be read from two metres, or one row above a busy screen."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Final

from tui import kept, words
from tui.look import Look, Role
from tui.picture import Picture
from tui.widgets.paper import Line, Span

ROWS: Final = 5

Draw = Callable[[int, int], list[Line]]
"""Lines for a width and a height."""

_FONT: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "A": (" ## ", "#  #", "####", "#  #", "#  #"),
    "B": ("### ", "#  #", "### ", "#  #", "### "),
    "C": (" ###", "#   ", "#   ", "#   ", " ###"),
    "D": ("### ", "#  #", "#  #", "#  #", "### "),
    "E": ("####", "#   ", "### ", "#   ", "####"),
    "I": ("###", " # ", " # ", " # ", "###"),
    "L": ("#   ", "#   ", "#   ", "#   ", "####"),
    "M": ("#   #", "## ##", "# # #", "#   #", "#   #"),
    "N": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "O": (" ## ", "#  #", "#  #", "#  #", " ## "),
    "P": ("### ", "#  #", "### ", "#   ", "#   "),
    "R": ("### ", "#  #", "### ", "# # ", "#  #"),
    "T": ("#####", "  #  ", "  #  ", "  #  ", "  #  "),
    "U": ("#  #", "#  #", "#  #", "#  #", " ## "),
    "Y": ("#   #", " # # ", "  #  ", "  #  ", "  #  "),
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ":": (" ", "#", " ", "#", " "),
    "-": ("   ", "   ", "###", "   ", "   "),
}
PANEL_WIDTH: Final = 28
"""Room for every word but PROBLEM, which takes what it needs: then the rest matters less."""

SHORT_S: Final = 600.0
"""Less disk than this is said in red."""


def state_of(picture: Picture) -> tuple[str, Role]:
    """The one word for what the studio does, and the role it is painted in."""
    if picture.link == "lost" or picture.device.problem is not None:
        return "PROBLEM", "state_problem"
    if picture.link == "connecting":
        return "IDLE", "state_idle"
    match picture.transport.state:
        case "recording":
            return "REC", "state_rec"
        case "counting_in":
            return "COUNT", "state_rec"
        case "playing":
            return "PLAY", "state_play"
        case "idle":
            return "IDLE", "state_idle"
        case "no_device":
            return "PROBLEM", "state_problem"


def banner(picture: Picture, look: Look, width: int, height: int) -> list[Line]:
    """The state in as many rows as there are."""
    if height < ROWS:
        return [_one_row(picture, width)]
    word, role = state_of(picture)
    scale = 2 if width >= 160 else 1
    painted = _big(word, look.glyphs.full, scale)
    panel = max(PANEL_WIDTH * scale, len(painted[0]) + 2)
    time = _big(words.clock(_time_s(picture)), look.glyphs.full, 1)
    time_role: Role = "title" if picture.recording or picture.playing else "dim"
    room = width - panel - len(time[0]) - 3
    facts = [_whole(line, room) for line in _facts(picture, look, room)]
    return [[(painted[y].center(panel), role), ("  " + time[y] + " ", time_role), *facts[y]] for y in range(ROWS)]


def _big(text: str, full: str, scale: int) -> list[str]:
    rows = [" ".join(_FONT[character][y] for character in text) for y in range(ROWS)]
    return ["".join((full if pixel == "#" else " ") * scale for pixel in row) for row in rows]


def _time_s(picture: Picture) -> float:
    return picture.position_s if picture.recording or picture.playing else 0.0


def what(picture: Picture) -> str:
    """What is being recorded or played, or the next take's number."""
    transport = picture.transport
    if transport.bounce:
        letter = kept.playing(picture)
        return words.clean(transport.bounce) + (f" (plan {letter})" if letter else "")
    if transport.take is not None and (picture.recording or picture.playing):
        over = f" over {transport.overdub_of}" if transport.overdub_of else ""
        return f"take {transport.take}{over}"
    return f"next take {max((t.number for t in picture.finished_takes), default=0) + 1}"


def _losses(picture: Picture) -> str:
    """What the take lost, each cause by its own count; "" when it lost nothing."""
    losses = picture.transport.losses
    take = next((t for t in reversed(picture.takes.takes) if t.number == picture.transport.take), None)
    counts = {
        "gaps": len(take.gaps) if take else 0,
        "overflows": losses.overflows,
        "overruns": losses.ring_overruns,
        "disk errors": losses.disk_errors,
        "mirror errors": losses.mirror_errors,
    }
    return "  ".join(f"{name} {count}" for name, count in counts.items() if count)


def _facts(picture: Picture, look: Look, width: int) -> list[list[Span]]:
    box, transport = picture.box, picture.transport
    lost = _losses(picture)
    left = picture.remaining_s
    filled, wanted = picture.preroll_filled_s, transport.preroll_s
    mirror: dict[str, list[Span]] = {"off": [], "ok": [("mirror ok  ", "good")], "failed": [("NO MIRROR  ", "bad")]}
    temperature = "" if box.temperature_c is None else f"  {box.temperature_c:.0f}{look.glyphs.degree}C"
    return [
        [*mirror[transport.mirror], (words.fit(_session_name(picture), width, look.glyphs.ellipsis), "title")],
        [(what(picture), "accent"), (f"  {picture.device.rate_hz / 1000:g}k  cpu {box.cpu_percent:.0f}%", "dim")],
        [
            (f"left {words.clock(left)}", "bad" if left is not None and left < SHORT_S else "text"),
            (f"  {words.size(box.disk_free_bytes)}", "dim"),
        ],
        [(f"pre-roll {filled:.0f}/{wanted:.0f} s", "text" if filled >= wanted else "warn"), (temperature, "dim")],
        [(lost or "nothing lost", "bad" if lost else "good")],
    ]


def _whole(spans: list[Span], width: int) -> list[Span]:
    """The first fact, and as many more as fit in whole: half a number is worse than none."""
    ends = accumulate(len(text) for text, _ in spans)
    return [span for n, (span, end) in enumerate(zip(spans, ends, strict=True)) if not n or end <= width]


def _session_name(picture: Picture) -> str:
    session = picture.session.session
    return words.clean(session.name) if session is not None else "no session"


def _one_row(picture: Picture, width: int) -> Line:
    word, role = state_of(picture)
    spans: list[Span] = [
        (f" {word} ", role),
        (f" {words.clock(_time_s(picture))} ", "title" if picture.recording or picture.playing else "dim"),
        (f" {what(picture)} ", "accent"),
    ]
    if picture.recording:
        spans.append((f" left {words.clock(picture.remaining_s)} ", "text"))
    if lost := _losses(picture):
        spans.append((f" {lost} ", "bad"))
    if picture.running_jobs:
        job = picture.running_jobs[0]
        spans.append((f" {job.kind} {job.fraction * 100:.0f}% ", "warn"))
    used = sum(len(text) for text, _ in spans)
    room = max(width - used - 1, 0)
    spans.append((words.fit(_session_name(picture), room).rstrip().rjust(room), "dim"))
    return spans
