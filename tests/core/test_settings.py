"""What a wrong setting is answered with, whoever wrote it: its name, and what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import Exit, OtoError
from core.settings import Settings, changed, load

WRONG = [
    ("rate_hz", "fast", "a whole number from 44100 to 192000 Hz"),
    ("rate_hz", 8_000, "a whole number from 44100 to 192000 Hz"),
    ("preroll_s", None, "a number from 0 to 60 s"),
    ("click", "maybe", "true or false"),
    ("auto_record", "always", "one of off, signal, start"),
    ("device", 3, "a text, or null for none"),
    ("lamp", 3, "a text"),
    ("controls", {"midi:1": 5}, "what OTO writes there itself"),
]


@pytest.mark.parametrize(("name", "value", "takes"), WRONG)
def test_a_change_that_cannot_be_says_what_the_setting_takes(name: str, value: Any, takes: str) -> None:
    with pytest.raises(OtoError) as refused:
        changed(Settings(), {name: value})
    told = msgspec.json.encode(value).decode()
    assert refused.value.message == f"{name} can't be {told}: it takes {takes}."
    assert refused.value.exit_code == Exit.BAD_INPUT


@pytest.mark.parametrize(("name", "value", "takes"), WRONG)
def test_a_file_of_settings_says_which_is_wrong_and_what_it_takes(
    name: str, value: Any, takes: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(msgspec.json.encode({"tempo_bpm": 90.0, name: value}))
    with pytest.raises(OtoError) as refused:
        load(file)
    assert refused.value.message == f"The settings in {file} can't be used: {name} takes {takes}."


@pytest.mark.parametrize("text", ["[]", '{"rate_hz": 48000', ""])
def test_a_file_that_holds_no_settings_is_named_in_plain_words(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    with pytest.raises(OtoError, match="JSON") as refused:
        load(file)
    assert str(file) in refused.value.message
    assert "`" not in refused.value.message


def test_every_setting_can_say_what_it_takes() -> None:
    for name in Settings.__struct_fields__:
        with pytest.raises(OtoError, match=rf"^{name} can't be \[\]: it takes (a|one|true|what) ?"):
            changed(Settings(), {name: []})
