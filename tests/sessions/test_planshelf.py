"""Undo and redo walk the plans that a take had, as far back as there are any, and lose none of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import planshelf

OPERATIONS = st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["undo", "redo"])), max_size=12)


@settings(max_examples=25, deadline=None)
@given(OPERATIONS)
def test_steps_are_those_of_a_list_with_a_cursor(operations: list[int | str]) -> None:
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "plans" / "mix-001.json"
        past: list[bytes] = []
        now: bytes | None = None
        future: list[bytes] = []
        saved: set[bytes] = set()
        for operation in operations:
            if isinstance(operation, int):
                data = b"plan %d" % operation
                planshelf.save(path, data)
                if data != now:
                    past += [] if now is None else [now]
                    now, future = data, []
                    saved.add(data)
                continue
            source, target = (past, future) if operation == "undo" else (future, past)
            expected = source[-1] if source and now is not None else None
            assert planshelf.step(path, forward=operation == "redo") == expected
            if expected is not None and now is not None:
                target.append(now)
                now = source.pop()
        assert (path.read_bytes() if path.exists() else None) == now
        assert {copy.read_bytes() for copy in planshelf.history(path)} | {now} >= saved


def test_what_goes_on_with_a_change_is_undone_with_it(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "mix-001.json"
    for data, same in ((b"start", False), (b"-1 dB", False), (b"-2 dB", True), (b"-3 dB", True)):
        planshelf.save(path, data, same_step=same)
    assert planshelf.step(path, forward=False) == b"start"
    assert planshelf.step(path, forward=False) is None
    assert planshelf.step(path, forward=True) == b"-3 dB"


def test_a_shelved_plan_is_history_and_nothing_leads_back_to_it(tmp_path: Path) -> None:
    path = tmp_path / "plans" / "mix-001.json"
    planshelf.save(path, b"one")
    planshelf.save(path, b"two")
    planshelf.shelve(path)
    assert not path.exists()
    assert [copy.read_bytes() for copy in planshelf.history(path)] == [b"one", b"two"]
    planshelf.save(path, b"three")
    assert planshelf.step(path, forward=False) is None
