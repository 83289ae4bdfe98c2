"""The bottom of every screen: what there is to say, and the keys that matter here."""

from __future__ import annotations

from tui import words
from tui.actions import ScreenName, actions_of
from tui.look import Look, Role
from tui.picture import Picture
from tui.widgets.banner import state_of
from tui.widgets.paper import Line, Span

_ROLE_OF_LEVEL: dict[str, Role] = {"info": "good", "warning": "warn", "error": "bad"}


def footer(picture: Picture, screen: ScreenName, width: int, height: int) -> list[Line]:
    """Keys with their labels, as many as fit; the ones that do nothing now are dimmed."""
    lines: list[list[Span]] = [[]]
    used = 0
    for action in actions_of(screen):
        if not action.footer or action.id == f"go_{screen}":
            continue
        length = len(action.shown_key) + len(action.label) + 3
        if used + length > width and len(lines) < height:
            lines.append([])
            used = 0
        if used + length - 1 > width:
            break
        off = bool(action.when(picture))
        lines[-1] += [
            (action.shown_key, "key_off" if off else "key"),
            (f" {action.label}", "key_off" if off else "text"),
            ("  ", "text"),
        ]
        used += length
    return list(lines)


def notice(picture: Picture, look: Look, width: int, height: int) -> list[Line]:
    """One thing to know and what to do about it: this studio's own word first, else the engine's, else the link's."""
    said = picture.said or picture.notice
    if picture.link == "lost" and (said is None or said.level != "error"):
        return _paragraph("Reconnecting to the engine. It finishes and keeps takes without this screen.", "", "warn",
                          width, height)  # fmt: skip
    if picture.link == "connecting" and said is None:
        return [[("Connecting to the engine", "dim")]]
    if said is not None:
        mark = "" if picture.said else words.local_time(picture.notice.utc) + " " if picture.notice else ""
        return _paragraph(
            look.safe(mark + words.clean(said.message)),
            words.clean(said.hint),
            _ROLE_OF_LEVEL[said.level],
            width,
            height,
        )
    problem = picture.device.problem
    if problem is not None:
        return _paragraph(words.clean(problem.message), words.clean(problem.hint), "warn", width, height)
    if state_of(picture)[0] == "PROBLEM":
        return _paragraph("No interface delivers.", "d chooses one; the simulated band is always there.", "warn", width,
                          height)  # fmt: skip
    return []


def _paragraph(message: str, hint: str, role: Role, width: int, height: int) -> list[Line]:
    if height == 1 or not hint:
        text = f"{message} {hint}".strip()
        return [[(line, role)] for line in words.wrap(text, width, height)]
    return [[(words.fit(message, width), role)], [(words.fit(hint, width), "text")]]
