"""`oto settings`: read and change what OTO remembers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

SWITCHED = {"on": True, "yes": True, "off": False, "no": False}


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="one setting (default: all)")
    parser.add_argument("value", nargs="?", help="its new value; 'null' forgets it")


def _settings(options: Namespace, _console: Console) -> Answer:
    values = change_settings({})
    if options.value is not None:
        values = change_settings(
            {options.name: _parsed(options.value, switch=isinstance(values.get(options.name), bool))}
        )
    if options.name is None:
        return Answer(values, "\n".join(f"{name:<16}{json.dumps(value)}" for name, value in values.items()))
    if options.name not in values:
        raise OtoError(
            "not_found", f"There is no setting {options.name!r}.", f"Settings: {', '.join(values)}.", Exit.NOT_FOUND
        )
    value = values[options.name]
    return Answer({options.name: value}, json.dumps(value))


def _parsed(text: str, *, switch: bool) -> Any:
    """Numbers, true, false and null as such, for a `switch` also what else people say; anything else is text."""
    if switch and text.lower() in SWITCHED:
        return SWITCHED[text.lower()]
    try:
        return json.loads(text)
    except ValueError:
        return text


def change_settings(changes: dict[str, Any]) -> dict[str, Any]:
    """All settings after the changes, through the engine when one runs. Raises OtoError for what can't be."""
    import msgspec

    from core import paths, settings
    from core.cli.link import engine_if_any
    from core.protocol.requests import EditSettings

    client = engine_if_any()
    if client is not None:
        with client:
            values: dict[str, Any] = client.call(EditSettings(changes=changes))["values"]
            return values
    now = settings.load(paths.settings_file())
    if changes:
        now = settings.changed(now, changes)
        settings.save(now, paths.settings_file())
    return {name: value for name, value in msgspec.structs.asdict(now).items() if not isinstance(value, dict)}


COMMANDS = {
    "settings": Command(
        "read and change settings",
        "Show all settings, one, or change one. A running engine takes the change over at once.",
        ("oto settings", "oto settings preroll_s 20", "oto settings device null"),
        _options,
        _settings,
    ),
}
