"""Draws the pictures of the documentation: the real studio at a real engine on the simulated band.

    .venv/bin/python -m docs.pictures [FOLDER]

Records, mixes and masters in a home of its own, looks at the screens on the way, and writes them as SVG into FOLDER
(default: docs/pictures); the master's report as PNG, where Chromium is installed. Takes about two minutes. The pictures
need no font and no network: blocks are drawn, text is stretched to its cells.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from rich.color import Color
from rich.style import Style
from textual.pilot import Pilot

from core.protocol.requests import (
    CreateSession,
    EditTake,
    GetPlan,
    KeepPlan,
    Mark,
    Play,
    Record,
    Seek,
    SelectDevice,
    StartJob,
    Stop,
)
from tests.rig.browser import browser, chromium
from tests.rig.engine import EngineRig
from tests.tui.harness import screen_cells
from tui.app import Studio
from tui.look import CANVAS, Look

REPORT_SIZE: Final = (1000, 1500)
RECORD_SIZE: Final = (120, 25)
MIX_SIZE: Final = (120, 38)
CELL_WIDTH: Final = 9
CELL_HEIGHT: Final = 19
MARGIN: Final = 8
BLOCKS: Final = " ▏▎▍▌▋▊▉█"
"""Index / 8 is how much of a cell is filled from the left."""
HEIGHTS: Final = " ▁▂▃▄▅▆▇"
"""Index / 8 is how much of a cell is filled from below."""
SHADE: Final = "▒"
DOTS: Final = "dots"
"""Of braille."""
FONTS: Final = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

COMPING: Final = (
    *("greater_than_sign", "greater_than_sign", "left_parenthesis"),
    *("greater_than_sign", "greater_than_sign", "right_parenthesis", "down", "plus"),
)
"""A stretch of the newest take is chosen, and played by the take before it."""
METER_CELLS: Final = 40
"""More pairs of full cells than anything but the console's meters shows."""
SONG_S: Final = 75.0
INTO_TAKE_S: Final = 34.0
PATIENCE_S: Final = 240.0


def svg(rows: Sequence[Sequence[tuple[str, Style]]], paper: str) -> str:
    """Rows of styled text as a picture, one cell per character."""
    width = sum(len(text) for text, _ in rows[0]) * CELL_WIDTH + 2 * MARGIN
    height = len(rows) * CELL_HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<rect width="{width}" height="{height}" rx="6" fill="{paper}"/>',
        f'<g font-family="{FONTS}" font-size="15" xml:space="preserve" shape-rendering="crispEdges">',
    ]
    for y, row in enumerate(rows):
        column = 0
        for text, style in row:
            parts += _run(column, y, text, style, paper)
            column += len(text)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _run(column: int, y: int, text: str, style: Style, paper: str) -> list[str]:
    """One stretch of equal style: its background, its blocks, its words."""
    ink, ground = _hex(style.color, "#d0d0d0"), _hex(style.bgcolor, paper)
    if style.reverse:
        ink, ground = ground, ink
    parts = [] if ground == paper else [_rect(column, y, len(text), ground)]
    start = 0
    while start < len(text):
        end = start + 1
        same = _kind(text[start])
        while end < len(text) and _kind(text[end]) == same:
            end += 1
        parts += _piece(column + start, y, text[start:end], same, ink, bold=bool(style.bold))
        start = end
    return parts


def _kind(character: str) -> str:
    if _dots(character):
        return DOTS
    return character if character in BLOCKS + HEIGHTS + SHADE else "text"


def _dots(character: str) -> list[tuple[int, int]]:
    """Columns and rows of the dots of a braille character (Unicode 15.0, chapter 21.1)."""
    bits = ord(character) - 0x2800
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]
    return [place for bit, place in enumerate(places) if 0 <= bits < 256 and bits >> bit & 1]


def _piece(column: int, y: int, text: str, kind: str, ink: str, *, bold: bool) -> list[str]:
    if kind == " ":
        return []
    if kind == SHADE:
        return [_rect(column, y, len(text), ink, opacity=0.5)]
    if kind == DOTS:
        return [_dot(column + at, y, *place, ink) for at, character in enumerate(text) for place in _dots(character)]
    if kind != "text":
        if kind == BLOCKS[-1]:
            return [_rect(column, y, len(text), ink)]
        if kind in HEIGHTS:
            return [_rect(column, y, len(text), ink, height=HEIGHTS.index(kind) / 8)]
        return [_rect(column + at, y, BLOCKS.index(kind) / 8, ink) for at in range(len(text))]
    x, base = MARGIN + column * CELL_WIDTH, MARGIN + y * CELL_HEIGHT + 14
    weight = ' font-weight="bold"' if bold else ""
    length = f' textLength="{len(text) * CELL_WIDTH}" lengthAdjust="spacingAndGlyphs"' if len(text) > 1 else ""
    return [f'<text x="{x}" y="{base}" fill="{ink}"{weight}{length}>{escape(text)}</text>']


def _dot(column: int, y: int, x: int, row: int, colour: str) -> str:
    left = MARGIN + (column + x / 2) * CELL_WIDTH + 1
    return f'<rect x="{left:g}" y="{MARGIN + (y + row / 4) * CELL_HEIGHT + 1:g}" width="3" height="3" fill="{colour}"/>'


def _rect(column: float, y: int, cells: float, colour: str, opacity: float = 1.0, height: float = 1.0) -> str:
    """Some cells wide; `height` of a cell, from below."""
    x, top = MARGIN + column * CELL_WIDTH, MARGIN + (y + 1 - height) * CELL_HEIGHT
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    size = f'width="{cells * CELL_WIDTH:g}" height="{height * CELL_HEIGHT:g}"'
    return f'<rect x="{x:g}" y="{top:g}" {size} fill="{colour}"{faint}/>'


def _hex(colour: Color | None, otherwise: str) -> str:
    return otherwise if colour is None or colour.is_default else colour.get_truecolor().hex


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Let the studio run until something is true."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline_s:
            raise TimeoutError("The studio did not get there; its engine's log is in its home.")
        await pilot.pause(0.1)


def text(app: Studio) -> str:
    """What is on the screen."""
    return "\n".join("".join(text for text, _ in row) for row in screen_cells(app))


async def draw(folder: Path) -> None:
    """Play an evening and take pictures of it."""
    look = Look()
    app = Studio(look=look)

    def snap(name: str) -> None:
        (folder / f"{name}.svg").write_text(svg(screen_cells(app), CANVAS[look.theme].paper), encoding="utf-8")
        print(folder / f"{name}.svg")

    async with app.run_test(size=MIX_SIZE) as pilot:
        await until(pilot, lambda: app.picture.meters is not None)
        await app.call(CreateSession(name="Rehearsal"))
        await app.call(Record(seconds=SONG_S, preroll_s=0.0, name="Slow"))
        await until(pilot, lambda: bool(app.picture.finished_takes))
        await app.call(EditTake(take=1, starred=True, notes="the bridge is rushed"))
        await app.call(Play(take=1))
        for at_s, name in ((16.0, "Verse"), (30.0, "Chorus")):
            await app.call(Seek(at_s=at_s))
            await app.call(Mark(name=name))
        await app.call(Stop())
        await app.call(StartJob(kind="mix", take=1, options={"propose": True, "stems": True}))
        await until(pilot, lambda: len(app.picture.bounces.bounces) == 1)
        await app.call(StartJob(kind="master", take=1, options={"target": "streaming"}))
        await until(pilot, lambda: len(app.picture.bounces.bounces) == 2)
        await app.call(GetPlan(kind="mix", take=1))
        await pilot.press("3")
        await pilot.pause(1.0)
        await pilot.press("down", "down", "down")
        await pilot.pause(0.5)
        snap("mix")
        await pilot.press("Z", "home")
        await app.call(KeepPlan(take=1, letter="A"))
        await until(pilot, lambda: text(app).count("██") > METER_CELLS and "Plans A" in text(app))
        snap("console")
        await pilot.press("Z")
        await pilot.press("2")
        await until(pilot, lambda: "▅" in text(app))
        snap("takes")
        await pilot.press("S")
        await until(pilot, lambda: "Slow" in text(app) or "Rehearsal" in text(app))
        snap("sessions")
        for key, name, sign in (
            ("5", "export", "WAV 24 bit"),
            ("6", "box", "Settings"),
            ("question_mark", "help", "Transport"),
        ):
            await pilot.press(key)
            await until(pilot, lambda sign=sign: sign.casefold() in text(app).casefold())  # type: ignore[misc]
            await pilot.pause(0.5)
            snap(name)
            await pilot.press("escape")
        await pilot.press("4")
        await until(pilot, lambda: "Delivery" in text(app))
        await pilot.pause(0.5)
        snap("master")
        await pilot.press("1")
        await pilot.resize_terminal(*RECORD_SIZE)
        await app.call(SelectDevice(device="sim"))
        await until(pilot, lambda: app.picture.device.current is not None and app.picture.meters is not None)
        await app.call(Record(preroll_s=0.0, name="With the bridge"))
        for at_s, name in ((16.0, "Verse"), (30.0, "Chorus")):
            await until(pilot, lambda at_s=at_s: app.picture.recording and app.picture.position_s > at_s)  # type: ignore[misc]
            await app.call(Mark(name=name))
        await until(pilot, lambda: app.picture.position_s > INTO_TAKE_S)
        snap("record")
        await pilot.press("s")
        await until(pilot, lambda: len(app.picture.finished_takes) == 2)
        await pilot.resize_terminal(*MIX_SIZE)
        await pilot.press("2")
        await until(pilot, lambda: "▅" in text(app))
        await pilot.press(*COMPING)
        await pilot.pause(1.0)
        snap("comping")
        for number, part in enumerate(("rhythm", "bass", "melody"), start=1):
            await app.call(StartJob(kind="motif", take=1, options={"part": part}))
            await until(pilot, lambda number=number: len(app.picture.bounces.bounces) == 2 + number)  # type: ignore[misc]
        await pilot.press("end", "tab", "end", "up", "up")
        await until(pilot, lambda: "no person wrote" in text(app))
        snap("motif")


def draw_report(home: Path, folder: Path) -> None:
    """Take a picture of the newest master's report as a browser shows it."""
    program = chromium()
    if program is None:
        print("no Chromium here: the report's picture stays as it is", file=sys.stderr)
        return
    page = max(home.glob("library/*/bounces/master-*/report.html"), key=lambda path: path.stat().st_mtime)
    width, height = REPORT_SIZE
    with (
        tempfile.TemporaryDirectory(
            prefix="oto-browser-", ignore_cleanup_errors=True
        ) as profile,  # it ends in its own time
        browser(program, Path(profile)) as shown,
    ):
        shown.open(page, width=width, height=height)
        (folder / "report.png").write_bytes(shown.picture())
    print(folder / "report.png")


def main(arguments: Sequence[str]) -> None:
    """Draw every picture."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="oto-pictures-") as made:
        home = Path(os.environ.get("OTO_HOME") or Path(made) / "OTO")
        home.mkdir(parents=True, exist_ok=True)
        os.environ["OTO_HOME"] = str(home)
        engine = EngineRig(home, "sim:fast:once")
        engine.start(wait_for_audio=False)
        try:
            engine.wait(lambda status: status.device.current is not None, "the band", PATIENCE_S)
            asyncio.run(draw(folder))
        finally:
            engine.end()
        draw_report(home, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
