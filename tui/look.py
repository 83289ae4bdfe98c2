"""How the studio looks on this terminal: which glyphs it can draw and which colours it can tell apart.

Every cell is painted in a role ("rec", "dim", "cursor"); a theme says what a role looks like. The Linux console has 16
foregrounds, 8 backgrounds and a font without fractional blocks, so it gets glyphs and a theme of its own.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

from rich.style import Style
from textual.theme import Theme

Tier = Literal["unicode", "block", "console"]
ThemeName = Literal["night", "day", "colourblind", "console", "mono"]
Role = Literal[
    "text",  # what is read
    "dim",  # what is read second
    "title",  # the name of an area
    "accent",  # what is chosen, a position
    "good",
    "warn",
    "bad",
    "cursor",  # the line that keys act on
    "cursor_off",  # the line that keys would act on if its area had the focus
    "key",  # a key in the footer
    "key_off",  # one that does nothing now
    "rules",  # who decided: rules
    "model",  # a model
    "person",  # a person
    "state_idle",
    "state_rec",
    "state_play",
    "state_problem",
    "meter_ok",
    "meter_hot",
    "meter_clip",
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True)
class Glyphs:
    """What the terminal's font can draw. Every member is one cell wide."""

    tier: Tier
    fractions: str
    """A bar's last cell, from least to most filled; the last one is the full block."""
    heights: str
    """A column's top cell, from least to most filled; the last one is the full block."""
    peak: str
    """From RMS up to the peak."""
    hold: str
    full: str
    armed: str
    disarmed: str
    star: str
    check: str
    uncheck: str
    lock: str
    ellipsis: str
    dash: str
    up: str
    down: str
    play: str
    degree: str


UNICODE = Glyphs(
    tier="unicode",
    fractions="▏▎▍▌▋▊▉█",
    heights="▁▂▃▄▅▆▇█",
    peak="▒",
    hold="│",
    full="█",
    armed="●",
    disarmed="○",
    star="★",
    check="✓",
    uncheck="·",
    lock="■",
    ellipsis="…",
    dash="–",
    up="▲",
    down="▼",
    play="▶",
    degree="°",
)
BLOCK = Glyphs(
    tier="block",
    fractions="▌█",
    heights="▄█",
    peak="▒",
    hold="│",
    full="█",
    armed="■",
    disarmed="-",
    star="*",
    check="x",
    uncheck="-",
    lock="#",
    ellipsis="~",
    dash="-",
    up="^",
    down="v",
    play=">",
    degree="°",
)
CONSOLE = Glyphs(
    tier="console",
    fractions="█",
    heights="█",
    peak="▒",
    hold="|",
    full="█",
    armed="■",
    disarmed="-",
    star="*",
    check="x",
    uncheck="-",
    lock="#",
    ellipsis="~",
    dash="-",
    up="▲",
    down="▼",
    play="►",
    degree=" ",
)
GLYPHS: Final[dict[Tier, Glyphs]] = {"unicode": UNICODE, "block": BLOCK, "console": CONSOLE}

Palette = Mapping[Role, str]

_NIGHT: Final[Palette] = {
    "text": "color(252) on color(234)",
    "dim": "color(246) on color(234)",
    "title": "bold color(231) on color(234)",
    "accent": "color(117) on color(234)",
    "good": "color(114) on color(234)",
    "warn": "color(221) on color(234)",
    "bad": "bold color(210) on color(234)",
    "cursor": "color(16) on color(117)",
    "cursor_off": "color(231) on color(239)",
    "key": "bold color(117) on color(234)",
    "key_off": "color(243) on color(234)",
    "rules": "color(252) on color(234)",
    "model": "color(183) on color(234)",
    "person": "color(221) on color(234)",
    "state_idle": "bold color(231) on color(24)",
    "state_rec": "bold color(231) on color(160)",
    "state_play": "bold color(16) on color(77)",
    "state_problem": "bold color(16) on color(214)",
    "meter_ok": "color(77) on color(234)",
    "meter_hot": "color(220) on color(234)",
    "meter_clip": "color(203) on color(234)",
}
_DAY: Final[Palette] = {
    "text": "color(235) on color(255)",
    "dim": "color(240) on color(255)",
    "title": "bold color(16) on color(255)",
    "accent": "color(25) on color(255)",
    "good": "color(22) on color(255)",
    "warn": "color(94) on color(255)",
    "bad": "bold color(124) on color(255)",
    "cursor": "color(231) on color(25)",
    "cursor_off": "color(16) on color(250)",
    "key": "bold color(25) on color(255)",
    "key_off": "color(242) on color(255)",
    "rules": "color(235) on color(255)",
    "model": "color(90) on color(255)",
    "person": "color(94) on color(255)",
    "state_idle": "bold color(231) on color(24)",
    "state_rec": "bold color(231) on color(160)",
    "state_play": "bold color(231) on color(22)",
    "state_problem": "bold color(16) on color(214)",
    "meter_ok": "color(28) on color(255)",
    "meter_hot": "color(130) on color(255)",
    "meter_clip": "color(160) on color(255)",
}
_COLOURBLIND: Final[Palette] = {
    **_NIGHT,
    "good": "color(75) on color(234)",
    "warn": "color(228) on color(234)",
    "bad": "bold color(208) on color(234)",
    "model": "color(75) on color(234)",
    "person": "color(221) on color(234)",
    "state_idle": "bold color(231) on color(238)",
    "state_rec": "bold color(16) on color(202)",
    "state_play": "bold color(16) on color(39)",
    "state_problem": "bold color(16) on color(228)",
    "meter_ok": "color(33) on color(234)",
    "meter_hot": "color(228) on color(234)",
    "meter_clip": "color(202) on color(234)",
}
"""After M. Okabe and K. Ito, "Color Universal Design", 2008: blue, yellow and vermilion are told apart by everyone."""
_CONSOLE: Final[Palette] = {
    "text": "white on black",
    "dim": "cyan on black",
    "title": "bright_white on black",
    "accent": "bright_cyan on black",
    "good": "bright_green on black",
    "warn": "bright_yellow on black",
    "bad": "bright_red on black",
    "cursor": "black on cyan",
    "cursor_off": "bright_white on blue",
    "key": "bright_cyan on black",
    "key_off": "cyan on black",
    "rules": "white on black",
    "model": "bright_magenta on black",
    "person": "bright_yellow on black",
    "state_idle": "bright_white on blue",
    "state_rec": "bright_white on red",
    "state_play": "black on green",
    "state_problem": "black on yellow",
    "meter_ok": "green on black",
    "meter_hot": "bright_yellow on black",
    "meter_clip": "bright_red on black",
}
_MONO: Final[Palette] = {
    **dict.fromkeys(ROLES, ""),
    "title": "bold",
    "bad": "bold",
    "key": "bold",
    "cursor": "reverse",
    "cursor_off": "underline",
    "state_rec": "reverse",
    "state_problem": "reverse",
}
PALETTES: Final[dict[ThemeName, Palette]] = {
    "night": _NIGHT,
    "day": _DAY,
    "colourblind": _COLOURBLIND,
    "console": _CONSOLE,
    "mono": _MONO,
}


@dataclass(frozen=True)
class Canvas:
    """What Textual itself paints with: what lies between our lines, the frame of a dialog, a field."""

    ink: str
    paper: str
    accent: str


CANVAS: Final[dict[ThemeName, Canvas]] = {
    "night": Canvas("#d0d0d0", "#1c1c1c", "#87d7ff"),
    "day": Canvas("#262626", "#eeeeee", "#005faf"),
    "colourblind": Canvas("#d0d0d0", "#1c1c1c", "#87d7ff"),
    "console": Canvas("ansi_white", "ansi_black", "ansi_cyan"),
    "mono": Canvas("ansi_default", "ansi_default", "ansi_default"),
}


@dataclass(frozen=True)
class Look:
    """Glyphs and colours together."""

    glyphs: Glyphs = UNICODE
    theme: ThemeName = "night"

    @cached_property
    def styles(self) -> dict[Role, Style]:
        """The style of every role."""
        return {role: Style.parse(PALETTES[self.theme][role]) for role in ROLES}

    @cached_property
    def plain(self) -> frozenset[Role]:
        """Roles whose blanks all look alike: on the same paper, with nothing drawn through them."""
        text = self.styles["text"]
        alike = (role for role, style in self.styles.items() if style.bgcolor == text.bgcolor)
        return frozenset(role for role in alike if not (self.styles[role].reverse or self.styles[role].underline))

    def safe(self, text: str) -> str:
        """Text as the font can show it: on the console accents are kept, anything beyond Latin-1 becomes "?"."""
        if self.glyphs.tier != "console" or text.isascii():
            return text
        return "".join(_fold(character) for character in text)


DRAWABLE: Final = frozenset("█▒░■▲▼►◄←↑→↓─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬")
"""What every console font has beside ASCII and Latin-1 letters."""


def _fold(character: str) -> str:
    if character.isascii() or character in DRAWABLE or (ord(character) < 256 and character.isalpha()):
        return character
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base.isascii() else "?"


def detect(environment: Mapping[str, str] | None = None) -> Look:
    """Choose by terminal; OTO_GLYPHS and OTO_THEME decide over it, NO_COLOR over themes.

    A name that there is not is ignored: a look must never keep anyone from recording.
    """
    env = os.environ if environment is None else environment
    term = env.get("TERM", "")
    locale = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or ""
    tier: Tier
    if term in ("linux", "dumb", "vt100", "vt220", "ansi") or "utf" not in locale.lower().replace("-", ""):
        tier = "console"
    elif "COLORTERM" in env or "256color" in term or "kitty" in term or "alacritty" in term:
        tier = "unicode"
    else:
        tier = "block"
    tier = next((known for known in GLYPHS if known == env.get("OTO_GLYPHS")), tier)
    many_colours = "COLORTERM" in env or "256color" in term
    theme: ThemeName = "night" if many_colours else "console"
    theme = next((known for known in PALETTES if known == env.get("OTO_THEME")), theme)
    return Look(GLYPHS[tier], "mono" if "NO_COLOR" in env else theme)


def textual_theme(look: Look) -> Theme:
    """What Textual paints by itself, in the look's colours; ANSI colours stay what the terminal makes of them."""
    canvas = CANVAS[look.theme]
    return Theme(
        "oto",
        primary=canvas.accent,
        foreground=canvas.ink,
        background=canvas.paper,
        surface=canvas.paper,
        panel=canvas.paper,
        ansi=True,
        variables={"ansi-background": canvas.paper, "ansi-foreground": canvas.ink},
    )
