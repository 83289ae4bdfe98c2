"""The engine's own log file: the newest lines, never more than its limit."""

from __future__ import annotations

import logging
from pathlib import Path

from core.engine.logs import LimitedHandler


def test_a_log_file_keeps_the_newest_lines_within_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    with path.open("a") as stream:
        log = logging.Logger("test")
        log.addHandler(LimitedHandler(stream, max_bytes=4_000, kept_bytes=2_000))
        for number in range(2_000):
            log.info("line %05d", number)
            assert path.stat().st_size <= 4_000
    lines = path.read_text().splitlines()
    assert lines[-1] == "line 01999"
    assert lines == [f"line {number:05d}" for number in range(2_000 - len(lines), 2_000)]
    assert len(lines) > 150
