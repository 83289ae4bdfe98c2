"""Interfaces that vanish, die or hang under eighteen channels: files are closed, the take goes on on their return."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.protocol.requests import ListTakes, Record, Stop
from core.protocol.topics import Status, Take
from sessions.wavheader import HEADER_BYTES
from tests.rig.engine import EngineRig
from tests.rig.jack import JackRig
from tests.rig.played import Played
from tests.rig.programs import frames_in_every_program
from tests.soak.conftest import INPUTS, PERIOD_FRAMES

pytestmark = [pytest.mark.soak, pytest.mark.rig]

RATE = 48_000
BYTES_PER_SAMPLE = 3
BEFORE_S = 4.0
AWAY_S = 3.0
NOTICED_WITHIN_S = 3.0


@pytest.fixture
def recording(
    jack_rig: Callable[..., JackRig], start_engine: Callable[..., EngineRig], noise: Path
) -> tuple[JackRig, EngineRig]:
    """An interface, and an engine that has been recording from it for a few seconds."""
    rig = jack_rig(INPUTS, period_frames=PERIOD_FRAMES)
    rig.feed(noise, loop=True)
    engine = start_engine("jack:rig", "--no-workers")
    engine.call(Record(preroll_s=0.0))
    time.sleep(BEFORE_S)
    return rig, engine


def driver_of(engine: EngineRig) -> int:
    """The process that owns PortAudio."""
    for children in Path(f"/proc/{engine.pid}/task").glob("*/children"):
        for child in children.read_text().split():
            if b"devices.driver" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    raise AssertionError("the engine has no driver process")


def is_away(status: Status) -> bool:
    return status.device.current is None


def clips(engine: EngineRig, take: Take) -> list[tuple[int, int, list[Path]]]:
    """Of each clip: start, frames, and files in the order of the tracks."""
    folder = Path(engine.status().session.path) / "takes" / f"{take.number:03d}"
    found = []
    for start in sorted({clip.start_samples for clip in take.clips}):
        here = [clip for clip in take.clips if clip.start_samples == start]
        assert [clip.track for clip in here] == [track.id for track in take.tracks]
        assert len({clip.frames for clip in here}) == 1
        found.append((start, here[0].frames, [folder / clip.file for clip in here]))
    return found


def finish(engine: EngineRig) -> Take:
    """Let the take go on until its second clip is two seconds long, stop it, and return it."""
    folder = Path(engine.status().session.path) / "takes" / "001"
    enough = HEADER_BYTES + 2 * RATE * BYTES_PER_SAMPLE

    def goes_on(_: Status) -> bool:
        return sum(path.stat().st_size >= enough for path in folder.glob("*.wav")) == 2 * INPUTS

    engine.wait(goes_on, "the second clip", seconds=30)
    assert engine.status().transport.state == "recording"
    assert engine.status().transport.take == 1
    engine.call(Stop())
    (take,) = engine.call(ListTakes(), list[Take])
    assert take.status == "complete"
    return take


def assert_goes_on(engine: EngineRig, take: Take, noise: Path, away_s: float) -> None:
    """Two clips that are what was played, and between them a gap that is said and as long as the absence."""
    first, second = clips(engine, take)
    for _, frames, files in (first, second):
        assert set(frames_in_every_program(files).values()) == {frames}
    (gap,) = [gap for gap in take.gaps if gap.cause == "device_lost"]
    assert gap.frames is not None
    assert (gap.at_samples, gap.at_samples + gap.frames) == (first[1], second[0])
    assert gap.frames / RATE == pytest.approx(away_s, abs=4.0)
    with Played(noise, loop=True) as played:
        why = f"gaps: {take.gaps}"
        played.assert_same(first[2], frames=int((BEFORE_S - 1.0) * RATE), why=why)
        played.assert_same(second[2], why=why)


def test_a_client_that_vanishes_and_returns_leaves_a_gap_that_is_said(
    recording: tuple[JackRig, EngineRig], noise: Path
) -> None:
    rig, engine = recording
    rig.kill_feeder()
    lost_s = time.monotonic()
    status = engine.wait(is_away, "the loss to be noticed")
    assert status.transport.state == "recording"
    assert "safe" in status.notices.notices[-1].hint
    time.sleep(AWAY_S)
    rig.feed(noise, loop=True)
    engine.wait(lambda status: not is_away(status), "the interface")
    away_s = time.monotonic() - lost_s
    assert_goes_on(engine, finish(engine), noise, away_s)


def test_a_server_that_vanishes_and_returns_leaves_a_gap_that_is_said(
    recording: tuple[JackRig, EngineRig], noise: Path
) -> None:
    rig, engine = recording
    rig.kill_server()
    rig.kill_feeder()
    lost_s = time.monotonic()
    engine.wait(is_away, "the loss to be noticed")
    time.sleep(AWAY_S)
    rig.start()
    rig.feed(noise, loop=True)
    engine.wait(lambda status: not is_away(status), "the interface", seconds=40)
    away_s = time.monotonic() - lost_s
    assert_goes_on(engine, finish(engine), noise, away_s)


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
def test_a_driver_that_dies_or_hangs_is_noticed_and_the_take_goes_on(
    recording: tuple[JackRig, EngineRig], noise: Path, harm: signal.Signals
) -> None:
    _, engine = recording
    os.kill(driver_of(engine), harm)
    lost_s = time.monotonic()
    engine.wait(lambda status: any(one.level == "error" for one in status.notices.notices), "the loss to be noticed")
    assert time.monotonic() - lost_s <= NOTICED_WITHIN_S
    folder = Path(engine.status().session.path) / "takes" / "001"
    assert set(frames_in_every_program(sorted(folder.glob("*.wav"))[:3]).values()) != {0}
    engine.wait(lambda status: not is_away(status), "the interface", seconds=40)
    away_s = time.monotonic() - lost_s
    assert_goes_on(engine, finish(engine), noise, away_s)
