"""The report in a real browser: on a phone and a desk, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.report.make import write_report
from tests.core.report.conftest import Draw, song
from tests.rig.browser import Browser, browser, chromium

PROGRAM = chromium()

pytestmark = [
    pytest.mark.rig,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium: apt install chromium"),
]


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with browser(PROGRAM, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def report(draw: Draw, tmp_path: Path) -> Path:
    write_report(draw(song(12.0), title="A_very_long_name_without_a_single_space_in_it_" * 4), tmp_path / "report.html")
    return tmp_path / "report.html"


def test_it_fits_every_width_in_every_light_and_asks_for_nothing(chrome: Browser, report: Path) -> None:
    papers = {}
    for scheme in ("light", "dark"):
        for width in (360, 768, 1200):
            chrome.open(report, width=width, scheme=scheme)  # type: ignore[arg-type]
            assert chrome.value("document.documentElement.scrollWidth") == width
            assert chrome.value("[...document.querySelectorAll('svg.plot')].every((e) => e.clientWidth > 250)")
        papers[scheme] = chrome.value("getComputedStyle(document.body).backgroundColor")
    assert papers["light"] != papers["dark"]
    asked_for = {url for url in chrome.asked_for if not url.startswith("data:")}
    assert {url.partition("?")[0] for url in asked_for} == {report.as_uri()}
    assert chrome.complaints == []


def test_the_words_in_drawings_keep_apart_and_inside_on_a_phone(chrome: Browser, report: Path) -> None:
    chrome.open(report, width=360)
    boxes = chrome.value(
        "[...document.querySelectorAll('svg.plot')].map((plot) => [...plot.querySelectorAll('text')].map((text) => {"
        "const [box, out] = [text.getBoundingClientRect(), plot.getBoundingClientRect()];"
        "return [box.left - out.left, box.top - out.top, box.right - out.left, box.bottom - out.top, out.width]; }))"
    )
    assert len(boxes) == 5
    for plot in boxes:
        for index, (left, top, right, bottom, width) in enumerate(plot):
            assert left >= -1
            assert right <= width + 1
            for other in plot[index + 1 :]:
                assert left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom


def test_text_stands_out_from_its_ground(chrome: Browser, report: Path) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    contrast = """
        (() => {
          const parse = (text) => text.match(/[\\d.]+/g).map(Number);
          const light = (rgb) => { const [r, g, b] = rgb.slice(0, 3).map((v) => { v /= 255;
            return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const ground = (e) => { for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } };
          const words = document.querySelectorAll("p,td,th,li,dt,dd,small,h1,h2,text,.who,summary");
          return Math.min(...[...words].map((e) => {
            const style = getComputedStyle(e);
            const ink = light(parse(e.tagName === "text" ? style.fill : style.color)), paper = light(ground(e));
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05); }));
        })()
    """
    for scheme in ("light", "dark"):
        chrome.open(report, width=1200, scheme=scheme)  # type: ignore[arg-type]
        assert chrome.value(contrast) >= 4.5


def test_the_script_sets_the_volumes(chrome: Browser, report: Path) -> None:
    chrome.open(report, width=1200)
    volumes, gains = chrome.value(
        "[[...document.querySelectorAll('audio')].map((e) => e.volume), "
        "[...document.querySelectorAll('audio')].map((e) => Number(e.dataset.gain))]"
    )
    assert volumes == pytest.approx(gains)
    assert min(gains) < 0.9


def test_a_player_plays_what_lies_beside_the_page(chrome: Browser, report: Path) -> None:
    chrome.open(report, width=1200)
    chrome.value("document.querySelectorAll('audio')[1].preload = 'metadata'")
    assert chrome.until("document.querySelectorAll('audio')[1].duration === 12")


def test_it_prints_in_black_on_white_with_everything_unfolded(chrome: Browser, report: Path) -> None:
    chrome.open(report, width=1200, scheme="dark")
    assert chrome.printed().startswith(b"%PDF")
    assert chrome.value("[...document.querySelectorAll('details')].every((e) => e.open)")
