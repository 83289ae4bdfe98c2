"""The console: strips side by side, their meters out of the rendered bounce, curves as text."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plans.document import Setting
from core.protocol.requests import GetOverview, GetPlan
from core.protocol.topics import TransportTopic
from tests.tui.harness import (
    BAND,
    Recorder,
    band_picture,
    band_plan,
    bounce,
    bounce_overview,
    overviews,
    screen_lines,
    studio,
)
from tui import plot
from tui.knobs import section_names
from tui.look import BLOCK, CONSOLE, GLYPHS, UNICODE, Look
from tui.screens import desk_rows
from tui.screens.desk_rows import COLUMN, fader_height, peaks_now
from tui.screens.mix import MixScreen


@given(st.floats(-90.0, 12.0), st.floats(-90.0, 12.0))
def test_a_fader_stands_higher_the_louder_it_is(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 <= fader_height(low) <= fader_height(high) <= 1.0


@pytest.mark.parametrize("tier", GLYPHS)
@given(values=st.lists(st.floats(-40.0, 40.0), min_size=8, max_size=8), rows=st.integers(1, 8))
def test_a_curve_fills_its_rows_with_glyphs_of_its_tier(tier, values: list[float], rows: int) -> None:
    glyphs = GLYPHS[tier]
    lines = plot.curve(values, -18.0, 18.0, rows, glyphs)
    assert len(lines) == rows
    assert {len(line) for line in lines} == {len(values) // plot.DOTS[tier][0]}
    drawn = set("".join(lines)) - {" "}
    allowed = {"unicode": {chr(0x2800 + bits) for bits in range(1, 256)}, "block": set("▀▄█"), "console": {"█"}}
    assert drawn <= allowed[tier]


def test_a_flat_line_lies_on_the_row_of_its_value() -> None:
    for glyphs in (UNICODE, BLOCK, CONSOLE):
        lines = plot.curve([6.0] * 8, -18.0, 18.0, 5, glyphs)
        assert [bool(line.strip()) for line in lines].index(True) == plot.row_of(6.0, -18.0, 18.0, 5, glyphs)
        assert sum(bool(line.strip()) for line in lines) == 1


def test_a_step_is_drawn_without_a_gap() -> None:
    lines = plot.curve([18.0] * 4 + [-18.0] * 4, -18.0, 18.0, 6, CONSOLE)
    assert all(line.strip() for line in lines)


def test_every_column_is_as_wide_as_the_others_and_as_high_as_the_screen() -> None:
    for look in (Look(), Look(CONSOLE, "console")):
        for height in (6, 9, 20):
            columns = desk_rows.strips(band_plan(), look, height, {"Kick": -6.0}, live=True)
            assert [column.key for column in columns] == section_names(band_plan())
            for column in columns:
                assert len(column.lines) == height
                assert {len("".join(text for text, _ in line)) for line in column.lines} == {COLUMN}


def test_meters_are_the_peaks_of_the_bounce_where_it_plays() -> None:
    mix = bounce("mix-002-01")
    overview = msgspec.structs.replace(bounce_overview(), peaks={"mix": bytes([255] * 240 + [12] * 240)})
    middle_s = mix.frames / mix.rate_hz / 2
    assert peaks_now(overview, mix, middle_s - 1.0) == {"mix": -120.0}
    assert peaks_now(overview, mix, middle_s + 1.0) == {"mix": -6.0}
    assert peaks_now(overview, mix, 1e6) == {"mix": -6.0}
    assert peaks_now(overview, mix, None) == {"mix": -6.0}
    assert peaks_now(None, mix, None) == {}


def test_curves_name_what_is_set() -> None:
    def text(lines) -> str:
        return "\n".join("".join(text for text, _ in line) for line in lines)

    tone = text(desk_rows.tone(band_plan(), "strip Kick", 48_000, Look(), 50, 7))
    assert "HP 32" in tone
    assert "-3.0" in tone
    assert "flat" in text(desk_rows.tone(band_plan(), "strip Snare", 48_000, Look(), 50, 7))
    dynamics = text(desk_rows.dynamics(band_plan(), "strip Kick", Look(), 24, 7))
    assert "3.0:1 -18 dB knee 6" in dynamics
    assert desk_rows.dynamics(band_plan(), "bus plate", Look(), 24, 7) == []
    sends = text(desk_rows.sends(band_plan(), "strip Lead Vocal", Look(), 20, 7))
    assert "plate -14.0" in sends
    assert desk_rows.sends(band_plan(), "master", Look(), 20, 7) == []


def test_a_boost_is_drawn_above_its_axis_and_a_cut_below() -> None:
    for gain_db, above in ((9.0, True), (-9.0, False)):
        plan = band_plan()
        settings = {"eq3_gain_db": Setting(value=gain_db), "eq3_freq_hz": Setting(value=1_000.0)}
        strip = msgspec.structs.replace(plan.strips[0], settings=settings)
        plan = msgspec.structs.replace(plan, strips=(strip, *plan.strips[1:]))
        lines = desk_rows.tone(plan, "strip Kick", 48_000, Look(CONSOLE, "console"), 44, 9)
        drawn = ["█" in "".join(text for text, _ in line) for line in lines]
        assert any(drawn[1:4]) is above
        assert any(drawn[5:8]) is not above


async def test_the_console_and_the_table_share_their_cursor_and_keys() -> None:
    recorder = Recorder({GetPlan: band_plan(), GetOverview: overviews})
    app, _ = studio(band_picture(), None, recorder)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3", "down", "down", "Z")
        await pilot.pause(0.1)
        screen = app.screen
        assert isinstance(screen, MixScreen)
        assert screen.section == screen.console.cursor == "strip Hat"
        await pilot.press("up")
        await pilot.pause()
        assert screen.section == "strip Snare"
        assert "Snare: EQ" in "\n".join(screen_lines(app))
        await pilot.press("Z", "down")
        await pilot.pause(0.1)
        assert screen.section == "strip Hat"
        assert not screen.side_by_side


async def test_meters_move_with_the_song() -> None:
    song = msgspec.structs.replace(
        bounce_overview(), peaks={name: bytes([0] * 240 + [255] * 240) for name in (*BAND, "mix")}
    )
    picture = band_picture(transport=TransportTopic(state="playing", bounce="mix-002-01", position_s=1.0), meters=None)
    app, recorder = studio(picture, None, Recorder({GetPlan: band_plan(), GetOverview: song}))
    async with app.run_test(size=(80, 24)) as pilot:

        async def until(meters_are_there: bool) -> None:
            for _ in range(600):
                if ("██" in "\n".join(screen_lines(app)[1:10])) is meters_are_there:
                    return
                await pilot.pause(0.05)
            raise AssertionError("\n".join(screen_lines(app)))

        await pilot.press("3", "Z")
        await until(True)
        recorder.fed.put_nowait(msgspec.structs.replace(picture.transport, position_s=180.0))
        await until(False)
