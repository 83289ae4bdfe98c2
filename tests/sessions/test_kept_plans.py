"""Plans under letters lie beside undo and redo, and go with their take."""

from __future__ import annotations

from pathlib import Path

from sessions import planshelf


def test_a_plan_under_a_letter_outlives_changes_and_is_replaced_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "mix-001.json"
    planshelf.save(path, b"one")
    planshelf.keep_as(path, "A", b"one")
    planshelf.save(path, b"two")
    assert planshelf.kept(path, "A") == b"one"
    assert planshelf.kept(path, "B") is None
    planshelf.keep_as(path, "A", b"two")
    assert planshelf.kept(path, "A") == b"two"


def test_letters_are_no_steps_of_undo(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "mix-001.json"
    planshelf.save(path, b"one")
    planshelf.keep_as(path, "A", b"other")
    planshelf.save(path, b"two")
    assert planshelf.step(path, forward=False) == b"one"
    assert planshelf.step(path, forward=False) is None
    assert len(planshelf.history(path)) == 2


def test_a_take_that_is_none_any_more_leaves_no_letters_to_the_next_of_its_number(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "mix-001.json"
    planshelf.save(path, b"one")
    planshelf.keep_as(path, "C", b"kept")
    planshelf.shelve(path)
    assert planshelf.kept(path, "C") is None
    assert {copy.read_bytes() for copy in planshelf.history(path)} == {b"one", b"kept"}


def test_a_fingerprint_does_not_mind_how_a_file_ends() -> None:
    assert planshelf.fingerprint(b"{}\n") == planshelf.fingerprint(b"{}") != planshelf.fingerprint(b"{ }")
