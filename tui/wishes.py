"""What a person wants of this studio, out of studio.toml beside the settings: keys of their own, a screen reader.

    screen_reader = true
    vim = true

    [keys]
    mark = ["m", "F5"]
    solo = "F6"

Nothing in it can keep anyone from recording: what can't be granted is told as a sentence, and the rest holds.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tui.actions import ACTIONS, BY_ID, KEY_NAMES, Action, shown_key

RESERVED: Final = {"f2": "record", "f3": "stop", "escape": "leave_place"}
"""Keys that keep their meaning whatever anyone wishes: recording and leaving must always work."""

VIM_KEYS: Final[Mapping[str, list[str]]] = {
    "less": ["h", "Left"],
    "down": ["j", "Down"],
    "up": ["k", "Up"],
    "more": ["l", "Right"],
    "hands": ["H"],
    "priority": ["J"],
    "keep_last": ["Y"],
    "lock": ["I"],
}
"""Movement as in vim, and where the four actions go that had these letters."""

_SWITCHES: Final = ("screen_reader", "vim")
_BY_SHOWN: Final = {shown.casefold(): key for key, shown in KEY_NAMES.items()}


@dataclass(frozen=True)
class Wishes:
    """What holds."""

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Action to keys, for every action whose keys are not the ones it came with; () is none."""
    screen_reader: bool = False
    problems: tuple[str, ...] = ()
    """What could not be granted, as sentences."""


def read(path: Path, environment: Mapping[str, str] | None = None) -> Wishes:
    """The wishes in a file; OTO_SCREEN_READER decides over it. No file, no wishes; a broken one says so."""
    said = (os.environ if environment is None else environment).get("OTO_SCREEN_READER", "")
    if not path.exists():
        return Wishes(screen_reader=_yes(said))
    import tomllib  # which takes longer to load than all other wishes together

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problem = f"{path.name} can't be read, so every key is as OTO came: {error}."
        return Wishes(screen_reader=_yes(said), problems=(problem,))
    problems = [f"{path.name} has no setting called {name}." for name in document if name not in ("keys", *_SWITCHES)]
    problems += [f"{name} is true or false." for name in _SWITCHES if not isinstance(document.get(name, False), bool)]
    reader, vim, table = document.get("screen_reader", False), document.get("vim", False), document.get("keys", {})
    if not isinstance(table, dict):
        problems.append('keys is a table: [keys], then lines such as mark = "F5".')
        table = {}
    if vim is True:
        table = {**table, **{id: keys for id, keys in VIM_KEYS.items() if id not in table}}
    keys, unmet = keys_from(table)
    return Wishes(keys, _yes(said) if said else reader is True, (*problems, *unmet))


def keys_from(table: Mapping[str, Any]) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Keys by action as far as wishes can be granted, and sentences about those that can't.

    A key that was asked for leaves the action that had it; an action that nobody spoke of keeps what is left.
    """
    problems: list[str] = []
    owners: dict[str, str] = dict(RESERVED)
    granted: dict[str, tuple[str, ...]] = {}
    for id, wanted in table.items():
        action = BY_ID.get(id)
        names = [wanted] if isinstance(wanted, str) else wanted
        if action is None:
            problems.append(f"There is no action called {id}, so its keys do nothing.")
        elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            problems.append(f'Keys of {id} are a name or a list of names, such as ["m", "F5"].')
        else:
            kept = [key for key, owner in RESERVED.items() if owner == id]
            asked = [key for name in names if (key := _granted(action, name, owners, problems)) is not None]
            if asked or not names:
                granted[id] = tuple(dict.fromkeys((*asked, *kept)))
    for action in ACTIONS:
        if action.id not in granted:
            left = tuple(key for key in action.keys if owners.get(key, action.id) == action.id)
            if left != action.keys:
                granted[action.id] = left
            if not left:
                taken = BY_ID[owners[action.keys[0]]].label
                problems.append(
                    f"{shown_key(action.keys[0])} is {taken} now, so {action.label} ({action.id}) has no key."
                )
    return granted, problems


def _granted(action: Action, name: str, owners: dict[str, str], problems: list[str]) -> str | None:
    key = key_named(name)
    if key is None:
        problems.append(f"{name!r} is no key that every terminal can send, so {action.label} does not have it.")
        return None
    owner = owners.setdefault(key, action.id)
    if owner == action.id:
        return key
    always = " on every keyboard" if key in RESERVED else ""
    problems.append(f"{shown_key(key)} is {BY_ID[owner].label}{always}, so {action.label} does not have it.")
    return None


def key_named(name: str) -> str | None:
    """Textual's name of a key by what is printed on it, or by that name; None for what not every terminal can send."""
    folded = name.casefold()
    if folded in _BY_SHOWN:
        return _BY_SHOWN[folded]
    if folded in KEY_NAMES or (folded.startswith("f") and folded[1:].isdigit() and 1 <= int(folded[1:]) <= 12):
        return folded
    if folded.startswith("ctrl+") and len(folded) == 6 and folded[5].isascii() and folded[5].isalpha():
        return folded
    return name if len(name) == 1 and name.isascii() and name.isalnum() else None


def _yes(said: str) -> bool:
    return said.casefold() not in ("", "0", "no", "false", "off")
