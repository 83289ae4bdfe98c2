"""Screens without colour, and in colours that everyone tells apart."""

from __future__ import annotations

from itertools import combinations

import pytest
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.style import Style

from tests.tui.harness import recording_picture
from tests.tui.test_screens import kept_plans, shown, tour
from tui.look import PALETTES, Look, Role

SEES_RGB = {
    "red and green": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""Linear RGB as eyes see it that lack a kind of cone (G. Machado, M. Oliveira, L. Fernandes, 2009, severity 1)."""

TOLD_APART: list[tuple[Role, ...]] = [
    ("meter_ok", "meter_hot", "meter_clip"),
    ("good", "warn", "bad"),
    ("rules", "model", "person"),
]
LEAST_DIFFERENCE = 20.0
"""CIE 1976 ΔE of two inks."""


def linear(color: Color | None) -> tuple[float, float, float]:
    triplet = ColorTriplet(0, 0, 0) if color is None else color.get_truecolor()
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in triplet.normalized)
    return r, g, b


def lab(color: Color | None, sees: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of what an eye makes of a colour."""
    rgb = linear(color)
    r, g, b = (min(max(sum(m * c for m, c in zip(row, rgb, strict=True)), 0.0), 1.0) for row in SEES_RGB[sees])
    x, y, z = (
        value**(1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (
            (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
            0.2126 * r + 0.7152 * g + 0.0722 * b,
            (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
        )
    )  # fmt: skip
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: Color | None, other: Color | None, sees: str) -> float:
    pairs = zip(lab(one, sees), lab(other, sees), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


def contrast(style: Style) -> float:
    """WCAG 2.2 contrast ratio of ink on paper."""
    weights = (0.2126, 0.7152, 0.0722)
    ink, paper = (
        sum(w * c for w, c in zip(weights, linear(color), strict=True)) for color in (style.color, style.bgcolor)
    )
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


@pytest.mark.parametrize("sees", SEES_RGB)
def test_what_means_different_things_looks_different_to_every_eye(sees) -> None:
    styles = Look(theme="colourblind").styles
    for group in TOLD_APART:
        for one, other in combinations(group, 2):
            apart = difference(styles[one].color, styles[other].color, sees)
            assert apart >= LEAST_DIFFERENCE, (one, other, round(apart))
    states: tuple[Role, ...] = ("state_idle", "state_rec", "state_play", "state_problem")
    for one, other in combinations(states, 2):
        apart = difference(styles[one].bgcolor, styles[other].bgcolor, sees)
        assert apart >= LEAST_DIFFERENCE, (one, other, round(apart))


STOPS = (["1"], ["n"], ["escape", "colon"], ["escape", "2"], ["3"], ["Z"], ["4"], ["5"], ["6"], ["question_mark"])
"""Every screen, and both kinds of dialog."""


async def test_no_colour_means_none_on_any_screen_and_the_same_words() -> None:
    plain = await tour(kept_plans(), *STOPS, look=Look(theme="mono"))
    coloured = await tour(kept_plans(), *STOPS, look=Look(theme="night"))
    for (lines, rows), (lines_in_colour, _) in zip(plain, coloured, strict=True):
        assert lines == lines_in_colour
        for row in rows:
            for text, style in row:
                if text.strip():
                    assert style.color is None or style.color.is_default, (text, style)
                    assert style.bgcolor is None or style.bgcolor.is_default, (text, style)


async def test_the_theme_for_every_eye_can_be_read_on_every_screen() -> None:
    for _, rows in await tour(kept_plans(), *STOPS, look=Look(theme="colourblind")):
        inked = [(text, style) for row in rows for text, style in row if text.strip()]
        assert inked
        for text, style in inked:
            assert contrast(style) >= 3.0, (text, style)


async def test_without_colour_the_state_is_still_a_word() -> None:
    lines, _ = await shown(recording_picture(), "3", look=Look(theme="mono"))
    assert lines[0].startswith(" REC ")


def test_the_usual_themes_are_readable_as_well() -> None:
    for theme in ("night", "day", "colourblind"):
        for role in PALETTES[theme]:
            assert contrast(Look(theme=theme).styles[role]) >= 3.0, (theme, role)
