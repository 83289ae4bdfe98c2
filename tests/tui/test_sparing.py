"""A terminal that is sent the difference shows what one shows that is sent everything."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import get_character_cell_size

from tests.tui.terminal import Terminal
from tui.sparing import Copy

COLUMNS, ROWS = 20, 5
PENS = (
    "1;38;5;77;48;5;234",
    "38;5;252;48;5;234",
    "38;5;77;48;5;234",
    "48;5;24",
    "7",
    "4;31;42",
    "38;2;1;2;3",
    "95;104",
    "",
)


@st.composite
def updates(draw) -> str:
    """What Textual may write at once: whole stretches of lines, each with its colours and a reset."""
    out = ""
    for _ in range(draw(st.integers(1, 4))):
        row, column = draw(st.integers(1, ROWS)), draw(st.integers(1, 8))
        out += f"\x1b[{row};{column}H"
        for _ in range(draw(st.integers(1, 4))):
            text = draw(st.text("ab █▌ö", max_size=3))
            pen = draw(st.sampled_from(PENS))
            out += f"\x1b[{pen}m{text}\x1b[0m" if pen else text
    return out


@settings(deadline=None)
@given(st.lists(updates(), max_size=8))
def test_the_difference_shows_the_same_picture(written: list[str]) -> None:
    copy, whole, sparing = Copy(COLUMNS, ROWS), Terminal(COLUMNS), Terminal(COLUMNS)
    for data in written:
        whole.take(data)
        sparing.take(copy.feed(data))
        assert sparing.cells == whole.cells
    assert copy.feed("".join(written[-1:])) == ""


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, ROWS), st.lists(st.sampled_from("a 語b"), min_size=10, max_size=10)), max_size=8)
)
def test_wide_characters_stay_whole(rows: list[tuple[int, list[str]]]) -> None:
    copy, whole, sparing = Copy(COLUMNS + 1, ROWS), Terminal(COLUMNS), Terminal(COLUMNS)
    for row, characters in rows:
        text = "".join(characters)
        text += " " * (COLUMNS - sum(map(get_character_cell_size, text)))
        data = f"\x1b[{row};1H{text}"
        whole.take(data)
        sparing.take(copy.feed(data))
        shown = {at: cell for at, cell in sparing.cells.items() if cell[0] != "?"}
        assert shown == {at: cell for at, cell in whole.cells.items() if cell[0] != "?"}


def test_what_did_not_change_is_not_sent() -> None:
    copy = Copy(80, 24)
    bar = "\x1b[6;1H\x1b[1;38;5;210;48;5;234m●\x1b[0m\x1b[38;5;77;48;5;234m ████▒▒│   \x1b[0m"
    assert copy.feed(bar)
    assert copy.feed(bar) == ""
    assert copy.feed(bar.replace("▒▒│ ", "█▒▒│")) == "\x1b[6;7H█\x1b[1C▒│"


def test_modes_pass_through_and_a_cleared_screen_is_painted_anew() -> None:
    copy = Copy(80, 24)
    assert copy.feed("\x1b[?2026$p\x1b[?u\x1b[?1h\x1b[>1u") == "\x1b[?2026$p\x1b[?u\x1b[?1h\x1b[>1u"
    assert copy.feed("\x1b[?2026h\x1b[1;1Hx\x1b[?2026l") == "\x1b[?2026h\x1b[1;1H\x1b[0mx\x1b[?2026l"
    assert copy.feed("\x1b[1;1Hx") == ""
    assert copy.feed("\x1b[?1049h\x1b[1;1Hx").startswith("\x1b[?1049h\x1b[1;1H")
    copy.forget()
    assert copy.feed("\x1b[1;1Hx") == "\x1b[1;1H\x1b[0mx"
    assert copy.feed("\x1b]0;title\x07\x1b]52;c;eA==\x1b\\\x07") == "\x1b]0;title\x07\x1b]52;c;eA==\x1b\\\x07"
    assert copy.feed("\x1b[1;1Hx") == ""
    copy.feed("\x1b[2J")
    assert copy.feed("\x1b[1;1Hx") != ""


def test_a_screen_that_was_drawn_for_a_larger_terminal_is_not_squeezed_into_the_edges_of_a_smaller_one() -> None:
    sent = Copy(80, 24).feed("\x1b[3;70H" + "x" * 30 + "\x1b[30;1Hfooter\x1b[4;80H\u6f22")
    Terminal(80).take(sent)
    assert sent.count("x") == 11
    assert not set("footer\u6f22") & set(sent)
