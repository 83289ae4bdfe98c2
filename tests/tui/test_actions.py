"""The registry is the one place where keys are given meanings."""

from __future__ import annotations

import inspect
from pathlib import Path

import msgspec
import pytest

from core.protocol.requests import Record, Seek, Stop
from core.protocol.topics import Problem, TransportTopic
from tests.tui.harness import band_picture, recording_picture
from tui import commands
from tui.actions import ACTIONS, SCREENS, actions_of
from tui.app import screen_class
from tui.keys_page import keys_page
from tui.picture import Picture
from tui.widgets.footer import footer

ROOT = Path(__file__).parents[2]

SCREEN_CLASSES = {name: screen_class(name) for name in SCREENS}
CONSOLE_KEYS = {
    *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    *(f"f{n}" for n in range(1, 13)),
    "space", "enter", "escape", "tab", "shift+tab", "backspace", "delete", "up", "down", "left", "right",
    "pageup", "pagedown", "home", "end", "ctrl+p", "ctrl+l", "comma", "full_stop", "colon", "question_mark", "asterisk",
    "less_than_sign", "greater_than_sign", "left_square_bracket", "right_square_bracket", "minus", "plus", "slash",
    "left_parenthesis", "right_parenthesis", "equals_sign", "left_curly_bracket", "right_curly_bracket",
}  # fmt: skip
"""What a keyboard on the Linux console can send and Textual can tell apart."""


def test_no_key_has_two_meanings() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert sorted(keys) == sorted(set(keys))


def test_ids_are_unique() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))


def test_every_key_exists_on_the_linux_console() -> None:
    assert {key for action in ACTIONS for key in action.keys} <= CONSOLE_KEYS


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_described_and_can_be_done_on_its_screens(action) -> None:
    assert action.label
    assert action.tip.endswith(".")
    if action.request is None:
        for name in action.screens:
            handler = getattr(SCREEN_CLASSES[name], f"do_{action.id}", None) or getattr(
                commands, f"do_{action.id}", None
            )
            assert inspect.isfunction(handler), f"{action.id} on {name}"


def test_every_handler_belongs_to_an_action() -> None:
    handlers = {
        name for source in (commands, *SCREEN_CLASSES.values()) for name in dir(source) if name.startswith("do_")
    }
    assert handlers == {f"do_{action.id}" for action in ACTIONS if action.request is None}


def test_recording_is_offered_on_every_screen() -> None:
    for name in SCREENS:
        assert {"record", "stop", "mark", "leave_place", "go_help"} <= {action.id for action in actions_of(name)}


def test_a_reason_is_a_sentence() -> None:
    pictures = [Picture(), Picture(link="up"), band_picture(), recording_picture()]
    for reason in {action.when(picture) for action in ACTIONS for picture in pictures} - {""}:
        assert reason[0].isupper()
        assert reason.endswith((".", "one."))


def test_record_is_refused_only_where_there_is_nothing_to_record() -> None:
    record = next(action for action in ACTIONS if action.id == "record")
    assert record.when(band_picture()) == ""
    assert record.when(recording_picture()) == ""
    assert "reconnecting" in record.when(band_picture(link="lost"))
    nothing_plugged_in = msgspec.structs.replace(band_picture().device, current=None)
    assert "interface" in record.when(band_picture(device=nothing_plugged_in))
    opening = Problem(code="opening", message="Band\x1b[2J is being opened.", hint="")
    device = msgspec.structs.replace(nothing_plugged_in, problem=opening)
    assert record.when(band_picture(device=device)) == "Band[2J is being opened."
    session = band_picture().session.session
    assert session is not None
    disarmed = tuple(msgspec.structs.replace(track, armed=False) for track in session.tracks)
    topic = msgspec.structs.replace(band_picture().session, session=msgspec.structs.replace(session, tracks=disarmed))
    assert "armed" in record.when(band_picture(session=topic))


def test_space_never_stops_a_recording() -> None:
    play = next(action for action in ACTIONS if action.id == "play")
    assert play.when(recording_picture()) != ""


def test_transport_requests_say_what_they_mean() -> None:
    requests = {action.id: action.request for action in ACTIONS if action.request is not None}
    playing = band_picture(transport=TransportTopic(state="playing", take=2, position_s=3.0), meters=None)
    assert requests["record"](playing) == Record()
    assert requests["stop"](playing) == Stop()
    assert requests["seek_back"](playing) == Seek(at_s=0.0)
    assert requests["seek_on"](playing) == Seek(at_s=8.0)


@pytest.mark.parametrize("name", SCREENS)
def test_the_footer_fits_80_columns_and_names_the_way_out(name) -> None:
    rows = footer(band_picture(), name, 80, 2)
    for row in rows:
        assert len("".join(text for text, _ in row).rstrip()) <= 80
    assert "r Rec" in "".join(text for text, _ in rows[0])
    assert "q Quit" in "".join(text for text, _ in rows[1])


def test_the_page_of_keys_is_what_the_registry_says() -> None:
    page = ROOT / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == keys_page(), "run: python -m tui.keys_page > docs/keys.md"
