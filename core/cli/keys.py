"""`oto keys`: the keys of the studio as they are on this box."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, no_options
from core.cli.console import table
from core.errors import OtoError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.console import Console


def _keys(_: Namespace, __: Console) -> Answer:
    """The studio is asked, as a program of its own: core knows no keys."""
    asked = subprocess.run([sys.executable, "-P", "-m", "tui.keys_now"], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise OtoError("internal", "The studio could not be asked for its keys.", asked.stderr.strip()[-500:])
    value: dict[str, Any] = json.loads(asked.stdout)
    groups = dict.fromkeys(action["group"] for action in value["actions"])
    parts = [f"{group}\n{_table(value['actions'], group)}" for group in groups]
    parts += [f"note: {problem}" for problem in value["problems"]]
    return Answer(value, "\n\n".join((*parts, f"Keys of your own go into {value['file']}.")))


def _table(actions: list[dict[str, Any]], group: str) -> str:
    rows = [
        (" ".join(action["keys"]) or "-", f"{action['id']}{' *' if action['changed'] else ''}", action["does"])
        for action in actions
        if action["group"] == group
    ]
    return table(("key", "id (* yours)", "does"), rows)


COMMANDS = {
    "keys": Command(
        "the studio's keys, with those of your own",
        "Print every key of the studio as it is here: those that OTO comes with, and what studio.toml beside the\n"
        "settings changes of them. What could not be granted is told. Changes nothing.",
        ("oto keys", "oto keys --json"),
        no_options,
        _keys,
    ),
}
