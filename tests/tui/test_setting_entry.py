"""A setting takes what its explanation says it takes, and nothing else."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.explained import explained
from core.errors import OtoError
from core.settings import Settings, changed
from tui.setting_entry import allowed, parse, shown

INFOS = explained()
NUMBERS = [info for info in INFOS if info.kind == "number"]


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_what_is_shown_can_be_typed_again(info) -> None:
    value = getattr(Settings(), info.name)
    if value not in (None, ""):
        assert parse(info, shown(info, value)) == value


@given(st.sampled_from(NUMBERS), st.floats(-1e6, 1e6))
def test_a_number_is_taken_exactly_where_the_engine_takes_it(info, number: float) -> None:
    number = round(number, 2)
    try:
        value = parse(info, f"{number}")
    except ValueError:
        value = None
    try:
        engine = getattr(changed(Settings(), {info.name: number}), info.name)
    except OtoError:
        engine = None
    assert value == engine


@pytest.mark.parametrize("text", ["", "loud", "nan", "1e999", "--3"])
def test_what_is_no_number_is_refused_with_what_would_do(text: str) -> None:
    for info in NUMBERS:
        with pytest.raises(ValueError, match="number from"):
            parse(info, text)


def test_switches_and_choices_take_their_words_only() -> None:
    for info in INFOS:
        if info.kind == "switch":
            assert [parse(info, word) for word in ("on", "Off")] == [True, False]
        if info.kind in ("switch", "choice"):
            with pytest.raises(ValueError, match=re.escape(allowed(info))):
                parse(info, "perhaps")


def test_an_empty_text_is_none_where_there_can_be_none() -> None:
    texts = {info.name: parse(info, " ") for info in INFOS if info.kind == "text"}
    assert texts == {name: getattr(Settings(), name) for name in texts}
    assert msgspec.json.encode(texts)
