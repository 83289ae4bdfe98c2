"""Writes docs/keys.md from the registry of actions: `python -m tui.keys_page > docs/keys.md`."""

from __future__ import annotations

from tui.actions import ACTIONS, GROUPS, SCREENS, Action, shown_key


def keys_page() -> str:
    """The page of all keys, in Markdown."""
    lines = [
        "# Keys",
        "",
        "Written by `python -m tui.keys_page > docs/keys.md` from the registry of actions. Capitals mean shift.",
        "Function keys work even while a name is being typed, so recording can always be started and stopped.",
    ]
    for group in GROUPS:
        lines += ["", f"## {group}", "", "| key | does | where |", "|---|---|---|"]
        lines += [_row(action) for action in ACTIONS if action.group == group]
    return "\n".join(lines) + "\n"


def _row(action: Action) -> str:
    keys = " or ".join(f"`{shown_key(key)}`" for key in action.keys)
    where = "everywhere" if action.screens == SCREENS else ", ".join(action.screens)
    return f"| {keys} | **{action.label}**: {action.tip} | {where} |"


if __name__ == "__main__":
    print(keys_page(), end="")
