"""A light in a folder of the form of /sys/class/leds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import DeviceError
from devices.lamp import Lamp, give_back


@pytest.fixture
def leds(tmp_path):
    lamp = tmp_path / "ACT"
    lamp.mkdir()
    (lamp / "trigger").write_text("none rc-feedback kbd-scrolllock [mmc0] timer heartbeat\n")
    (lamp / "brightness").write_text("0\n")
    (lamp / "max_brightness").write_text("255\n")
    return tmp_path


def test_it_is_switched_on_and_off_as_bright_as_it_gets(leds):
    lamp = Lamp("ACT", leds)
    assert (leds / "ACT/trigger").read_text() == "none"
    lamp.set(True)
    assert (leds / "ACT/brightness").read_text() == "255"
    lamp.set(False)
    assert (leds / "ACT/brightness").read_text() == "0"


def test_nothing_is_written_when_it_is_so_already(leds):
    lamp = Lamp("ACT", leds)
    lamp.set(True)
    (leds / "ACT/brightness").write_text("touched")
    lamp.set(True)
    assert (leds / "ACT/brightness").read_text() == "touched"


def test_what_made_it_shine_before_comes_back(leds):
    lamp = Lamp("ACT", leds)
    lamp.set(True)
    lamp.close()
    assert (leds / "ACT/trigger").read_text() == "mmc0"


def test_what_a_process_that_was_killed_had_taken_is_given_back_by_the_next(leds, tmp_path):
    kept = tmp_path / "kept"
    Lamp("ACT", leds, kept).set(True)
    give_back(kept)
    assert (leds / "ACT/trigger").read_text() == "mmc0"
    Lamp("ACT", leds, kept).close()
    assert (leds / "ACT/trigger").read_text() == "mmc0"
    assert not kept.exists()


def test_what_was_given_back_is_not_given_back_again(leds, tmp_path):
    kept = tmp_path / "kept"
    Lamp("ACT", leds, kept).close()
    (leds / "ACT/trigger").write_text("heartbeat")
    give_back(kept)
    assert (leds / "ACT/trigger").read_text() == "heartbeat"


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=40) | st.sampled_from([b"{}", b"[]", b'{"folder": 1, "trigger": 2, "brightness": 3}']))
def test_a_word_about_a_light_that_was_only_half_written_does_no_harm(tmp_path_factory, left):
    kept = tmp_path_factory.mktemp("left") / "kept"
    kept.write_bytes(left)
    give_back(kept)
    assert not kept.exists()


def test_a_light_that_only_shone_shines_again(leds):
    (leds / "ACT/trigger").write_text("[none] mmc0\n")
    (leds / "ACT/brightness").write_text("7\n")
    lamp = Lamp(str(leds / "ACT"))
    lamp.set(False)
    lamp.close()
    assert (leds / "ACT/brightness").read_text() == "7"


def test_a_light_that_is_not_there_is_told_with_those_that_are(leds):
    with pytest.raises(DeviceError) as refused:
        Lamp("PWR", leds)
    assert refused.value.code == "not_found"
    assert "ACT" in refused.value.hint
