"""Painted lines: exact widths, and only what changed is sent."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from tui.look import CONSOLE, PALETTES, ROLES, Look
from tui.widgets.paper import cells, changed_span, runs

LOOK = Look()
spans = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=("Cs",)), max_size=12), st.sampled_from(ROLES)), max_size=6
)


@given(spans, st.integers(1, 60))
def test_a_line_has_exactly_as_many_cells_as_the_paper_is_wide(line, width) -> None:
    assert len(cells(line, width, LOOK)) == width


@given(spans, spans, st.integers(1, 60))
def test_sending_the_changed_span_makes_the_old_line_the_new_one(old, new, width) -> None:
    before, now = cells(old, width, LOOK), cells(new, width, LOOK)
    if before == now:
        return
    first, last = changed_span(before, now)
    assert before[:first] + now[first : last + 1] + before[last + 1 :] == now
    assert now[first][0] != ""
    assert last + 1 == width or now[last + 1][0] != ""


def test_one_changed_cell_is_one_cell_to_send() -> None:
    before = cells([("Kick  ----", "text")], 10, LOOK)
    now = cells([("Kick  -|--", "text")], 10, LOOK)
    assert changed_span(before, now) == (7, 7)


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert cells([("鼓鼓", "text")], 3, LOOK) == [("鼓", "text"), ("", "text"), (" ", "text")]


def test_the_console_never_gets_what_its_font_lacks() -> None:
    assert [character for character, _ in cells([("a★é", "text")], 3, Look(CONSOLE, "console"))] == ["a", "?", "é"]


@example([("\xa0", "text"), ("0", "dim")], 2, "night")
@given(spans, st.integers(1, 60), st.sampled_from(list(PALETTES)))
def test_joined_runs_look_exactly_like_the_cells(line, width, theme) -> None:
    look = Look(theme=theme)
    row = cells(line, width, look)
    joined = runs(row, look.plain)
    assert "".join(text for text, _ in joined) == "".join(character for character, _ in row)
    painted = iter(character_role for text, role in joined for character_role in ((c, role) for c in text))
    for character, role in ((c, r) for c, r in row if c):
        shown, shown_role = next(painted)
        assert shown == character
        if character != " ":
            assert shown_role == role
        elif shown_role != role:
            assert {role, shown_role} <= look.plain


def test_a_meter_row_is_sent_in_few_runs() -> None:
    line: list = [("●", "bad"), (" 1 Kick ", "text"), (" ", "text"), ("████", "meter_ok"), ("    ", "text")]
    assert len(runs(cells([*line, *line], 40, LOOK), LOOK.plain)) == 6
