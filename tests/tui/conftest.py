"""Screens look the same wherever the tests run."""

from __future__ import annotations

import time

import pytest


@pytest.fixture(autouse=True)
def one_terminal_everywhere(monkeypatch, tmp_path):
    """Wall clocks in UTC, a home of the test's own, and no wish for no colours from outside."""
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
