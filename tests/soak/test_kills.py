"""Fifty engines killed in the middle of eighteen channels: what they recorded is there, recording goes on at once."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.protocol.requests import Attach, GetStatus, ListTakes, Record
from core.protocol.topics import Status, Take, TransportTopic
from sessions.wavheader import HEADER_BYTES
from tests.rig.engine import EngineRig
from tests.rig.jack import JackRig
from tests.rig.played import Played
from tests.rig.programs import frames_in_quick_programs, frames_read_by_every_program
from tests.soak.conftest import INPUTS, PERIOD_FRAMES

pytestmark = [pytest.mark.soak, pytest.mark.rig]

RATE = 48_000
KILLS = 50
LONGEST_S = 3.0
MAY_BE_MISSING_S = 1.0
RECORDS_AGAIN_WITHIN_S = 2.0


@pytest.mark.timeout(720)
def test_fifty_killed_engines_lose_less_than_a_second_each_and_record_again_within_two(
    jack_rig: Callable[..., JackRig],
    start_engine: Callable[..., EngineRig],
    noise: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(os.environ.get("OTO_SOAK_SEED", "1"))
    jack_rig(INPUTS, period_frames=PERIOD_FRAMES).feed(noise, loop=True)
    started_s = time.monotonic()
    engine = start_engine("jack:rig", "--no-workers")
    recorded_s: dict[int, float] = {}
    recording_again_s: list[float] = []
    for _ in range(KILLS):
        number, folder = press_rec(engine)
        rec_s = time.monotonic()
        killed_at_s = rec_s + chance.uniform(0.0, LONGEST_S)
        first_audio_s = wait_for_audio(folder, until_s=killed_at_s)
        if first_audio_s is not None and number > 1:
            recording_again_s.append(first_audio_s - started_s)
        time.sleep(max(0.0, killed_at_s - time.monotonic()))
        engine.kill()
        recorded_s[number] = time.monotonic() - rec_s

        files = sorted(folder.glob("*.wav"))
        for path, frames in frames_read_by_every_program(files).items():
            missing_s = recorded_s[number] - frames / RATE
            assert missing_s <= MAY_BE_MISSING_S, f"{path.name} of take {number} lacks {missing_s:.2f} s"
        assert len(files) == INPUTS or recorded_s[number] <= MAY_BE_MISSING_S

        started_s = time.monotonic()
        engine.start(wait_for_audio=False)

    takes = engine.call(ListTakes(), list[Take])
    assert [take.number for take in takes] == list(recorded_s)
    with Played(noise, loop=True) as played:
        for take in takes:
            hold_against(take, folder.parent / f"{take.number:03d}", played, recorded_s[take.number])
    with capsys.disabled():
        print(
            f"\n{KILLS} kills; again recording after {statistics.median(recording_again_s):.2f} s (median), "
            f"{max(recording_again_s):.2f} s (slowest of {len(recording_again_s)}); load {os.getloadavg()[0]:.1f}"
        )
    # Where other work has the cores, one start among fifty may wait for them: the slowest is told above.
    assert statistics.median(recording_again_s) <= RECORDS_AGAIN_WITHIN_S


def press_rec(engine: EngineRig) -> tuple[int, Path]:
    """Record as soon as an interface is open; returns the take's number and folder."""
    with engine.client() as client:
        client.call(Attach(client="test", topics=("transport",)))
        for topic in client.topics():
            if isinstance(topic, TransportTopic) and topic.state == "idle":
                number = client.call(Record(preroll_s=0.0), int)
                session = client.call(GetStatus(), Status).session
                return number, Path(session.path) / "takes" / f"{number:03d}"
    raise AssertionError("topics end only by an error")


def wait_for_audio(folder: Path, until_s: float) -> float | None:
    """When every track had audio on disk; None if that was not before `until_s`."""
    while time.monotonic() < until_s:
        files = list(folder.glob("*.wav"))
        if len(files) == INPUTS and all(path.stat().st_size > HEADER_BYTES for path in files):
            return time.monotonic()
        time.sleep(0.005)
    return None


def hold_against(take: Take, folder: Path, played: Played, recorded_s: float) -> None:
    """A recovered take is all that its files hold, and that is what was played."""
    assert take.status == "recovered"
    if len(take.clips) < INPUTS:  # killed while the first second was written
        assert recorded_s <= MAY_BE_MISSING_S
        return
    files = [folder / clip.file for clip in take.clips]
    assert frames_in_quick_programs(files) == {folder / clip.file: clip.frames for clip in take.clips}
    assert take.frames / RATE >= recorded_s - MAY_BE_MISSING_S
    played.assert_same(files, why=f"take {take.number}, killed after {recorded_s:.3f} s")
