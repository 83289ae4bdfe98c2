"""Every input of every interface is on screen, and its bar says the truth."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from core.protocol.topics import SessionTopic
from tests.tui.harness import band_picture, meters
from tui.look import BLOCK, CONSOLE, UNICODE, Look
from tui.picture import Picture
from tui.widgets.bridge import bar, bridge, layout

levels = st.floats(-140.0, 6.0)


@given(st.integers(1, 32), st.sampled_from([(52, 16), (52, 15), (80, 27), (60, 40), (170, 51)]))
def test_all_inputs_fit_every_screen(inputs: int, size: tuple[int, int]) -> None:
    width, height = size
    shape = layout(inputs, width, height)
    assert shape.rows * (shape.thick + shape.free) <= height
    assert shape.rows * shape.columns >= inputs
    assert shape.bar >= 5
    assert shape.name >= 4


@pytest.mark.parametrize("inputs", [1, 2, 10, 18, 32])
def test_every_input_is_numbered_and_no_line_is_too_long(inputs: int) -> None:
    lines = [
        "".join(text for text, _ in line) for line in bridge(band_picture(inputs), Look(), 52, 16, 1, focused=True)
    ]
    shown = "\n".join(lines)
    assert all(f"{number:2d} " in shown for number in range(1, inputs + 1))
    assert all(cell_len(line) <= 52 for line in lines)
    assert len({cell_len(line) for line in lines[: inputs % 16 or 16] if line}) <= 2


def test_before_a_session_inputs_are_called_what_its_tracks_will_be() -> None:
    device = band_picture(16).device
    assert device.current is not None
    named = msgspec.structs.replace(device.current, channel_names=("Kick", "Snare\x1b[2J"))
    changes = {"device": msgspec.structs.replace(device, current=named), "session": SessionTopic()}
    first, second, *_ = bridge(band_picture(16, **changes), Look(), 52, 16, 1, focused=True)
    assert [line[1][0].split() for line in (first, second)] == [["1", "Kick"], ["2", "Snare[2J"]]
    assert [line[0][0] for line in (first, second)] == [" ", " "]  # nothing is armed yet


def test_bars_grow_thick_where_there_is_room_and_stay_apart() -> None:
    small, apart, large = (bridge(band_picture(8), Look(), 100, height, 1, focused=True) for height in (15, 16, 51))
    assert len(small) == 8
    assert apart[::2] == small
    assert {"".join(text for text, _ in free) for free in apart[1::2]} == {""}
    assert len(large) == 8 * 4
    for number, line in enumerate(small):
        first, *more, free = large[4 * number : 4 * number + 4]
        shown = bar_of(line)
        assert first == line
        assert [bar_of(one) for one in more] == [shown, shown]
        assert "".join(text for text, _ in free) == ""
        assert {text.strip() for text, role in more[0] if not role.startswith("meter")} == {""}


def bar_of(line):
    """Where the bar of an input starts, and what it looks like."""
    at = [role.startswith("meter") for _, role in line].index(True)
    return sum(cell_len(text) for text, _ in line[:at]), line[at]


@given(levels, levels, levels, st.integers(2, 60), st.sampled_from([UNICODE, BLOCK, CONSOLE]))
def test_a_bar_always_has_its_width(peak, rms, hold, width, glyphs) -> None:
    assert cell_len(bar(peak, rms, hold, Look(glyphs), width)[0]) == width


@given(st.floats(-60.0, 0.0), st.floats(0.5, 10.0), st.sampled_from([UNICODE, BLOCK, CONSOLE]))
def test_a_louder_signal_never_has_a_shorter_bar(peak, louder_db, glyphs) -> None:
    def length(peak_dbfs: float) -> int:
        return len(bar(peak_dbfs, peak_dbfs - 6.0, -120.0, Look(glyphs), 30)[0].rstrip())

    assert length(min(peak + louder_db, 0.0)) >= length(peak)


def test_silence_is_empty_and_full_scale_is_full() -> None:
    assert bar(-120.0, -120.0, -120.0, Look(CONSOLE), 10)[0].strip() == ""
    assert bar(0.0, 0.0, 0.0, Look(CONSOLE), 10)[0] == "█" * 10


@pytest.mark.parametrize(("peak", "role"), [(-30.0, "meter_ok"), (-8.0, "meter_hot"), (-2.0, "meter_clip")])
def test_the_whole_bar_takes_the_colour_of_its_peak(peak, role) -> None:
    assert bar(peak, peak - 10.0, peak, Look(), 20)[1] == role


def test_a_clipped_input_stays_marked() -> None:
    picture = band_picture(2)
    lines = bridge(picture, Look(), 52, 2, 1, focused=True)
    assert "!" not in "".join(text for text, _ in lines[0])
    assert "!" in "".join(text for text, _ in lines[1])


def test_with_no_interface_the_bridge_says_what_to_do() -> None:
    lines = bridge(Picture(link="up"), Look(), 52, 16, 1, focused=True)
    assert "d  chooses one" in "".join(text for line in lines for text, _ in line)


def test_an_interface_that_has_more_inputs_than_the_session_shows_them_too() -> None:
    picture = band_picture(4)
    more = picture.device.current
    assert more is not None
    device = msgspec.structs.replace(picture.device, current=msgspec.structs.replace(more, inputs=6))
    six = msgspec.structs.replace(picture, device=device, meters=meters(6))
    assert len(bridge(six, Look(), 52, 6, 1, focused=True)) == 6
