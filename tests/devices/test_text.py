"""Names from outside, made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.text import printable


@given(st.text())
def test_nothing_that_steers_a_terminal_or_a_screen_is_left(text):
    shown = printable(text)
    assert not {c for c in shown if unicodedata.category(c)[0] == "C"}
    assert not set("[]") & set(shown)
    assert len(shown) <= 80
    assert printable(shown) == shown


@given(st.text(st.characters(categories=["L", "N"]), max_size=40))
def test_plain_names_stay_as_they_are(text):
    assert printable(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mRED\x1b[0m", "RED"),
        ("\x1b]0;owned\x07STICK", "STICK"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("USB\nAUDIO\t 2", "USB AUDIO 2"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("[red]x[/]", "(red)x(/)"),
        ("ＧＩＧ Gütersloh", "ＧＩＧ Gütersloh"),
    ],
)
def test_known_tricks(raw, shown):
    assert printable(raw) == shown
