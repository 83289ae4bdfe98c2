"""What a person types for a setting: read, checked, and said back. Pure functions over `core.protocol.SettingInfo`."""

from __future__ import annotations

from core.protocol.topics import SettingInfo
from tui import words

Value = float | bool | str | None


def shown(info: SettingInfo, value: Value) -> str:
    """A setting's value as a person reads it."""
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return words.clean(value)
    return f"{value:g} {info.unit}".strip()


def allowed(info: SettingInfo) -> str:
    """What may be typed, in a sentence."""
    if info.kind == "switch":
        return "On or off."
    if info.choices:
        return f"One of {', '.join(info.choices)}."
    if info.low is not None and info.high is not None:
        number = "A whole number" if info.whole else "A number"
        return f"{number} from {info.low:g} to {info.high:g} {info.unit}".strip() + "."
    return "Any text; empty for none."


def parse(info: SettingInfo, text: str) -> Value:
    """What was typed, as the setting wants it. Raises ValueError with a sentence that says what would do."""
    typed = text.strip()
    if info.kind == "switch":
        if typed.casefold() in ("on", "yes", "1", "true"):
            return True
        if typed.casefold() in ("off", "no", "0", "false"):
            return False
        raise ValueError(allowed(info))
    if info.choices:
        if typed not in info.choices:
            raise ValueError(allowed(info))
        return typed
    if info.kind == "number":
        return _number(info, typed)
    return typed or info.default


def _number(info: SettingInfo, typed: str) -> float:
    try:
        number = float(typed.removesuffix(info.unit).strip().replace(",", "."))
    except ValueError:
        raise ValueError(allowed(info)) from None
    outside = (info.low is not None and number < info.low) or (info.high is not None and number > info.high)
    if number != number or outside or (info.whole and number != int(number)):
        raise ValueError(allowed(info))
    return int(number) if info.whole else number
