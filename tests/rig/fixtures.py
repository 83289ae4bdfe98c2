"""The rig as fixtures. A test module takes them with `from tests.rig.fixtures import jack_rig`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rig import drives, jack
from tests.rig.engine import EngineRig


@pytest.fixture
def jack_rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., jack.JackRig]]:
    """Starts JACK servers (arguments as of `JackRig`); the last one is what this test and its children talk to."""
    if reason := jack.missing_tools():
        pytest.skip(reason)
    with ExitStack() as running:

        def start(channels: int = 18, rate_hz: int = 48_000, period_frames: int = 512) -> jack.JackRig:
            rig = running.enter_context(jack.JackRig(channels, rate_hz, period_frames))
            for name, value in rig.env.items():
                monkeypatch.setenv(name, value)
            return rig

        yield start


@pytest.fixture
def loop_drive(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mounts drives: `loop_drive(mebibytes, label, file_system)` returns where."""
    with ExitStack() as mounted:

        def mount(mebibytes: int, label: str = "STICK", file_system: str = "ext4") -> Path:
            if reason := drives.why_not(file_system):
                pytest.skip(reason)
            return mounted.enter_context(drives.mounted_drive(tmp_path, mebibytes, label, file_system))

        yield mount


@pytest.fixture
def start_engine(tmp_path: Path) -> Iterator[Callable[..., EngineRig]]:
    """Starts engines (arguments as of `EngineRig`), in a home of their own unless told; ends them afterwards."""
    with ExitStack() as running:

        def start(device: str, *arguments: str, home: Path | None = None) -> EngineRig:
            return running.enter_context(EngineRig(home or tmp_path / "home", device, *arguments))

        yield start
