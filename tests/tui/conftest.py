"""Screens look the same wherever the tests run."""

from __future__ import annotations

import time

import pytest


@pytest.fixture(autouse=True)
def one_terminal_everywhere(monkeypatch):
    """Wall clocks in UTC, and no wish for no colours from outside."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
