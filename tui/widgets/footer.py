"""The bottom of every screen: what there is to say, and the keys that matter here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from tui import guide, words
from tui.actions import ACTIONS, BY_ID, SCREENS, Action, ScreenName, actions_of
from tui.look import Role
from tui.picture import Picture
from tui.widgets.paper import Line, Span

_ROLE_OF_LEVEL: dict[str, Role] = {"info": "good", "warning": "warn", "error": "bad"}


def footer(picture: Picture, screen: ScreenName, width: int, height: int) -> list[Line]:
    """The transport's keys in one row, at the same place everywhere, and this screen's in the next."""
    actions = [
        action
        for action in actions_of(screen)
        if action.footer != "no" and action.id != f"go_{screen}" and action.keys_now(picture)
    ]
    transport = [action for action in actions if action.group == "Transport"]
    others = [action for action in actions if action.group != "Transport"]
    return [_keys(row, picture, width) for row in (transport, others)][:height]


def _keys(actions: list[Action], picture: Picture, width: int) -> Line:
    """Keys with labels, as many as fit; what does nothing now is dimmed."""
    room = width - sum(_length(action, picture) for action in actions if action.footer == "always")
    spans: list[Span] = []
    for action in actions:
        if action.footer == "wide":
            room -= _length(action, picture)
            if room < 0:
                continue
        off = bool(action.when(picture))
        spans.append((action.shown_key(picture), "key_off" if off else "key"))
        spans.append((f" {action.label}  ", "key_off" if off else "text"))
    return spans


def _length(action: Action, picture: Picture) -> int:
    return len(action.shown_key(picture)) + len(action.label) + 3


def notice(picture: Picture, screen: ScreenName, width: int, height: int) -> list[Line]:
    """The one thing to know now and what to do about it, in as many rows as it takes; else where there is to go."""
    text, role = to_say(picture)
    return [[(line, role)] for line in words.wrap(text, width, height)] if text else [places(picture, screen)]


def action_at(rows: Sequence[Line], x: int, y: int, picture: Picture) -> str | None:
    """The action whose key or label was painted at a place of the bottom; None where there is no key."""
    ends = accumulate(len(text) for text, _ in rows[y]) if y < len(rows) else ()
    hit = next((n for n, end in enumerate(ends) if x < end), None)
    if hit is None:
        return None
    keys = {action.shown_key(picture): action.id for action in ACTIONS}
    told = [text.strip() for text, _ in rows[y][max(hit - 1, 0) : hit + 1]]
    return next((keys[text] for text in reversed(told) if text in keys), None)


def places(picture: Picture, screen: ScreenName) -> Line:
    """Every screen by its digit, and which one this is."""
    spans: list[Span] = []
    for name in SCREENS[:-2]:  # sessions and help have their keys below
        action = BY_ID[f"go_{name}"]
        here = name == screen
        spans.append((f" {action.shown_key(picture)}", "dim" if here else "key"))
        spans.append((f" {action.label} ", "title" if here else "dim"))
    return spans


def to_say(picture: Picture) -> tuple[str, Role]:
    """A lost link first, then this studio's own word, then the engine's news, then what is wrong with the interface."""
    said, news, problem = picture.said, picture.notice, picture.device.problem
    if picture.link == "lost" and (said is None or said.level != "error"):
        return "Reconnecting to the engine. A take that was running is kept.", "warn"
    if said is not None:
        return _sentences(said.message, said.hint), _ROLE_OF_LEVEL[said.level]
    if picture.guide is not None and picture.link == "up" and (news is None or news.level == "info"):
        return guide.sentence(picture), "accent"
    if picture.link == "connecting":
        return "Connecting to the engine.", "dim"
    if news is not None:
        return f"{words.local_time(news.utc)} {_sentences(news.message, news.hint)}", _ROLE_OF_LEVEL[news.level]
    if problem is not None:
        return _sentences(problem.message, problem.hint), "warn"
    if picture.transport.state == "no_device":
        return "No interface delivers. d chooses one; the simulated band is always there.", "warn"
    return "", "text"


def _sentences(message: str, hint: str) -> str:
    return f"{words.clean(message)} {words.clean(hint)}".strip()
