"""The keys as they are on this studio, as JSON: `python -m tui.keys_now`."""

from __future__ import annotations

import json
from typing import Any

from core.paths import studio_file
from tui.actions import ACTIONS, GROUPS, SCREENS, shown_key
from tui.wishes import Wishes, read


def keys_now(wishes: Wishes) -> dict[str, Any]:
    """Every action with its keys as they are printed on a keyboard, and which wishes could not be granted."""
    return {
        "file": str(studio_file()),
        "actions": [
            {
                "id": action.id,
                "keys": [shown_key(key) for key in wishes.keys.get(action.id, action.keys)],
                "changed": action.id in wishes.keys,
                "label": action.label,
                "does": action.tip,
                "group": action.group,
                "screens": None if action.screens == SCREENS else list(action.screens),
            }
            for group in GROUPS
            for action in ACTIONS
            if action.group == group
        ],
        "problems": list(wishes.problems),
    }


if __name__ == "__main__":
    print(json.dumps(keys_now(read(studio_file()))))
