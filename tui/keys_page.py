"""Writes docs/keys.md from the registry of actions: `python -m tui.keys_page > docs/keys.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.actions import ACTIONS, BY_ID, GROUPS, SCREENS, Action, shown_key
from tui.wishes import VIM_KEYS


def keys_page() -> str:
    """The page of all keys, in Markdown."""
    lines = [
        "# Keys",
        "",
        "Written by `python -m tui.keys_page > docs/keys.md` from the registry of actions. Capitals mean shift.",
        "Function keys work even while a name is being typed, so recording can always be started and stopped.",
        "",
        "## Keys of your own",
        "",
        "`studio.toml` beside the settings (`$OTO_HOME`, else `~/OTO`) gives actions other keys, by the ids below:",
        "",
        "```toml",
        "[keys]",
        'mark = ["m", "F5"]',
        'solo = "F6"',
        "```",
        "",
        "Keys are named as they are printed. An action that is named there has these keys and no others; one whose key",
        "was given away keeps what is left. F2 always records, F3 stops and Esc leaves. What can't be granted is said",
        "when the studio starts, and everything else holds. `?` and `oto keys` show the keys as they are now.",
        "",
        "`vim = true`, above `[keys]`, lets " + _listed(VIM_KEYS) + ".",
    ]
    for group in GROUPS:
        lines += ["", f"## {group}", "", "| key | does | where | id |", "|---|---|---|---|"]
        lines += [_row(action) for action in ACTIONS if action.group == group]
    return "\n".join(lines) + "\n"


def _listed(keys: Mapping[str, Sequence[str]]) -> str:
    each = [f"`{first}` be {BY_ID[id].label}" for id, (first, *_) in keys.items()]
    return f"{', '.join(each[:-1])} and {each[-1]}"


def _row(action: Action) -> str:
    keys = " or ".join(f"`{shown_key(key)}`" for key in action.keys)
    where = "everywhere" if action.screens == SCREENS else ", ".join(action.screens)
    return f"| {keys} | **{action.label}**: {action.tip} | {where} | {action.id} |"


if __name__ == "__main__":
    print(keys_page(), end="")
