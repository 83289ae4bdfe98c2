"""Every terminal gets glyphs its font has and colours it can tell apart."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.style import Style

from tui.look import CONSOLE, GLYPHS, PALETTES, ROLES, Glyphs, Look, detect

SAFE = {chr(code) for code in range(32, 127)} | set("█▒░│─┌┐└┘├┤┬┴┼║═╔╗╚╝╠╣╦╩╬←↑→↓▲►▼◄■")
"""In every console font: ASCII, box lines, full block, two shades, arrows, triangles, the small square."""

UTF8 = {"LANG": "C.UTF-8"}


def glyphs_of(glyphs: Glyphs) -> list[str]:
    return [character for field in fields(glyphs) if field.name != "tier" for character in getattr(glyphs, field.name)]


def as_seen(color: Color | None, colours: int) -> int | None:
    """The number a terminal of few colours shows."""
    if color is None or color.is_default:
        return None
    number = color.downgrade(ColorSystem.STANDARD).number
    return None if number is None else number % colours


@pytest.mark.parametrize("tier", GLYPHS)
def test_every_glyph_takes_one_cell(tier) -> None:
    assert all(cell_len(glyph) == 1 for glyph in glyphs_of(GLYPHS[tier]))


def test_the_console_tier_uses_only_what_every_console_font_has() -> None:
    assert set(glyphs_of(CONSOLE)) <= SAFE


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_names_on_the_console_are_folded_into_its_font(text: str) -> None:
    shown = Look(CONSOLE, "console").safe(text)
    assert all(character in SAFE or ord(character) < 256 for character in shown)
    assert len(shown) == len(text)


def test_accents_survive_on_the_console() -> None:
    assert Look(CONSOLE, "console").safe("Trompète 鼓 ★") == "Trompète ? ?"


@pytest.mark.parametrize("theme", ["night", "day", "colourblind", "console"])
@pytest.mark.parametrize("role", ROLES)
def test_no_text_vanishes_with_16_foregrounds_and_8_backgrounds(theme, role) -> None:
    style = Style.parse(PALETTES[theme][role])
    foreground = as_seen(style.color, 16)
    background = as_seen(style.bgcolor, 8)
    assert foreground is not None
    assert foreground != background


@pytest.mark.parametrize("role", ROLES)
def test_no_text_vanishes_on_a_console_of_8_colours(role) -> None:
    style = Style.parse(PALETTES["console"][role])
    assert as_seen(style.color, 8) != as_seen(style.bgcolor, 8)


def test_the_mono_theme_has_no_colour_and_still_tells_state_and_cursor_apart() -> None:
    styles = Look(theme="mono").styles
    assert all(style.color is None and style.bgcolor is None for style in styles.values())
    assert styles["cursor"] != styles["cursor_off"] != styles["text"]
    assert styles["state_rec"] != styles["state_idle"]


@pytest.mark.parametrize(
    ("environment", "tier", "theme"),
    [
        ({"TERM": "linux", **UTF8}, "console", "console"),
        ({"TERM": "xterm-256color", **UTF8}, "unicode", "night"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", **UTF8}, "unicode", "night"),
        ({"TERM": "xterm", **UTF8}, "block", "console"),
        ({"TERM": "xterm-256color", "LANG": "C"}, "console", "night"),
        ({}, "console", "console"),
        ({"TERM": "linux", "OTO_GLYPHS": "block", "OTO_THEME": "day", **UTF8}, "block", "day"),
        ({"TERM": "linux", "OTO_GLYPHS": "emoji", "OTO_THEME": "pink", **UTF8}, "console", "console"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1", "OTO_THEME": "day", **UTF8}, "unicode", "mono"),
        ({"TERM": "xterm-256color", "NO_COLOR": "", **UTF8}, "unicode", "mono"),
    ],
)
def test_the_look_follows_the_terminal_and_the_person_decides_over_it(environment, tier, theme) -> None:
    look = detect(environment)
    assert (look.glyphs.tier, look.theme) == (tier, theme)
