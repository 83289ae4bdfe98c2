"""One box for every test that needs one: it takes a minute to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.booted import Box, made, why_not_booted

FIGURES: list[str] = []


@pytest.fixture(scope="session")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this tree."""
    if reason := why_not_booted():
        pytest.skip(reason)
    return made("package", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def box(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A box that is up, with three tracks on its simulated stage."""
    found = Box.with_package(tmp_path_factory.mktemp("box"), deb)
    try:
        found.boot()
        found.choose_stage()
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="session")
def session(box: Box) -> str:
    """A session with a take in it that is mixed."""
    box.record()
    box.oto("stop")
    (found,) = box.oto("sessions")
    box.oto("mix", found["id"])
    return str(found["id"])


@pytest.fixture
def screen(box: Box) -> Box:
    """The box with the studio on its own screen, just opened."""
    box.must("systemctl", "stop", "console-getty.service")
    box.run("systemctl", "reset-failed", "oto-console@console.service")
    box.must("systemctl", "restart", "oto-console@console.service")
    box.wait(lambda: "Takes" in box.screen())
    return box


@pytest.fixture(scope="session")
def figures() -> list[str]:
    """What was measured on the way; it is told at the end of the run and judged by people."""
    return FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in FIGURES:
        terminalreporter.write_line(line)
