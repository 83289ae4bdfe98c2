"""Turning, typing and reading a knob: always inside its range, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plans.parameters import BUS, DELAY, MASTER, REVERB, STRIP, Parameter
from tests.tui.harness import band_plan
from tui import knobs
from tui.planbook import PlanBook
from tui.screens.mix_rows import shown_value

ALL = [*STRIP, *BUS, *REVERB, *DELAY, *MASTER]
NUMBERS = [knob for knob in ALL if knob.scale in ("linear", "log")]
by_knob = {(knob.name, knob.high): knob for knob in STRIP}


@given(st.sampled_from(NUMBERS), st.floats(0, 1), st.sampled_from([-10, -1, 1, 10]))
def test_a_nudge_stays_in_range_and_goes_the_right_way(knob: Parameter, position: float, steps: int) -> None:
    value = knob.from_normalised(position)
    moved = knobs.nudge(knob, value, steps)
    assert isinstance(moved, float | int)
    assert knob.low <= moved <= knob.high
    if steps > 0:
        assert moved >= value - 0.25 * abs(steps) or moved == knob.high
    assert moved != value or value in (knob.low, knob.high) or knob.scale == "linear"


@given(st.sampled_from(NUMBERS))
def test_pressing_long_enough_reaches_both_ends(knob: Parameter) -> None:
    for steps, end in ((10, knob.high), (-10, knob.low)):
        value: knobs.Value = knob.neutral
        for _ in range(400):
            value = knobs.nudge(knob, value, steps)
        assert value == end


def test_a_fader_comes_back_from_off_in_one_press() -> None:
    fader = knobs.knobs_of("strip Kick")["fader_db"]
    assert knobs.nudge(fader, -90.0, 1) == -59.5
    assert knobs.nudge(fader, -59.5, -1) == -90.0


def test_switches_and_choices_stop_at_their_ends() -> None:
    strip = knobs.knobs_of("strip Kick")
    assert knobs.nudge(strip["mute"], False, 1) is True
    assert knobs.nudge(strip["mute"], True, -1) is False
    assert knobs.nudge(strip["bus"], "drums", 1) == "music"
    assert knobs.nudge(strip["bus"], "drums", -1) == "drums"


@given(st.sampled_from(ALL), st.floats(0, 1))
def test_what_is_shown_can_be_typed_back(knob: Parameter, position: float) -> None:
    if knob.scale == "switch":
        value: knobs.Value = position > 0.5
    elif knob.scale == "choice":
        value = knob.choices[0]
    else:
        value = knob.from_normalised(position)
    typed = knobs.parse(knob, shown_value(knob.name, value, knob.unit))
    if isinstance(value, float):
        rounding = {"dB": 0.051, "Hz": 0.51}.get(knob.unit, 0.0051)
        assert float(typed) == pytest.approx(value, rel=0.006, abs=rounding)
    else:
        assert typed == value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("fader_db", "-3,5", -3.5),
        ("fader_db", "+2 dB", 2.0),
        ("fader_db", "off", -90.0),
        ("highpass_hz", "1k", 1_000.0),
        ("highpass_hz", "off", 10.0),
        ("pan", "L30", -0.3),
        ("pan", "c", 0.0),
        ("pan", "R", 1.0),
        ("mute", "on", True),
        ("bus", "mus", "music"),
    ],
)
def test_people_may_type_as_they_write(name: str, text: str, value: knobs.Value) -> None:
    assert knobs.parse(knobs.knobs_of("strip Kick")[name], text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("fader_db", "loud"), ("fader_db", "99"), ("mute", "perhaps"), ("bus", "m"), ("pan", "L200"), ("pan", "")],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        knobs.parse(knobs.knobs_of("strip Kick")[name], text)


def test_sections_are_in_the_order_of_the_signal() -> None:
    names = knobs.section_names(band_plan())
    assert names[0] == "strip Kick"
    assert names[-3:] == ["bus drums", "bus plate", "master"]
    assert knobs.strip_of("strip Lead Vocal") == "Lead Vocal"
    assert knobs.strip_of("master") is None
    assert "decay_s" in knobs.knobs_of("bus plate")


@pytest.mark.parametrize("section", ["strip Kick", "bus drums", "master"])
def test_a_change_touches_one_setting_and_is_a_persons(section: str) -> None:
    plan = band_plan()
    changed = knobs.with_value(plan, section, "fader_db", -7.0)
    setting = knobs.settings_of(changed, section)["fader_db"]
    assert (setting.value, setting.by) == (-7.0, "person")
    assert knobs.settings_of(changed, "strip Lead Vocal") == knobs.settings_of(plan, "strip Lead Vocal")
    assert knobs.section_names(changed) == knobs.section_names(plan)


KNOB = ("strip Kick", "fader_db")


def turned(to: float):
    return knobs.with_value(band_plan(), *KNOB, to)


def test_a_change_is_shown_before_the_engine_has_answered() -> None:
    book = PlanBook().heard(turned(-1.0)).wanting(KNOB, -5.0)
    assert book.shown == turned(-5.0)
    assert book.plan == turned(-1.0)
    assert book.refused().shown == turned(-1.0)


def test_a_knob_turned_on_while_its_value_was_under_way_stays_wanted() -> None:
    book = PlanBook().heard(turned(-1.0)).wanting(KNOB, -5.0).wanting(KNOB, -6.0)
    assert book.answered(KNOB, -5.0).wanted == {KNOB: -6.0}
    assert book.answered(KNOB, -6.0).wanted == {}
