"""A recording process really killed with SIGKILL: what it published is readable as it lies, all else after recovery."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest
import soundfile

from sessions.model import Session, TakeTrack
from sessions.recover import recover
from sessions.store import Library
from sessions.wavread import read_info
from tests.sessions.helpers import frames_by_every_program, new_take, ramp, samples

RECORDER = """
import sys
from pathlib import Path
from sessions.journal import ClipStarted, Journal, MarkerAdded
from sessions.layout import JOURNAL_FILE, clip_file_name, clip_info
from sessions.store import Library
from sessions.wav import WavWriter
from tests.sessions.helpers import pack, ramp

library, session_id, step = Library(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
take, folder = library.take(session_id, 1), library.take_path(session_id, 1)
journal = Journal(folder / JOURNAL_FILE)
writers = []
for track in take.tracks:
    file = clip_file_name(take, track.id)
    info = clip_info(take, track, "Rehearsal")
    writers.append(WavWriter(folder / file, rate_hz=48_000, sample_format="pcm24", info=info))
    journal.append(ClipStarted(track=track.id, file=file, start_samples=0))
done = 0
while True:
    audio = pack(ramp(step, done))
    for writer in writers:
        writer.append(audio)
    done += step
    for writer in writers:
        writer.publish()
    if done // step == 10:
        journal.append(MarkerAdded(at_samples=step, name="Refrain"))
        for writer in writers:
            writer.sync()
    print(done, flush=True)
"""
TRACKS = 18


@pytest.fixture
def recorded(library: Library, session: Session) -> tuple[Library, Session]:
    tracks = tuple(TakeTrack(id=f"t{n}", name=f"Mic {n}", input=n) for n in range(1, TRACKS + 1))
    library.begin_take(new_take(session, tracks=tracks))
    return library, session


def killed_after(library: Library, session: Session, seconds: float, step: int) -> int:
    """Record until killed; the frames of every track that had been published for sure."""
    command = [sys.executable, "-c", RECORDER, str(library.root), session.id, str(step)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert child.stdout
    try:
        while int(child.stdout.readline()) < 10 * step:
            pass
        time.sleep(seconds)
    finally:
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().split()
        child.wait(10)
        child.stdout.close()
    return int(said[-1]) if said else 10 * step


@pytest.mark.parametrize(("seconds", "step"), [(0.0, 24_000), (0.013, 333), (0.11, 7)])
def test_a_killed_recording_is_whole_at_once_and_complete_after_recovery(
    recorded: tuple[Library, Session], seconds: float, step: int
) -> None:
    library, session = recorded
    published = killed_after(library, session, seconds, step)
    folder = library.take_path(session.id, 1)
    files = sorted(folder.glob("*.wav"))
    assert len(files) == TRACKS
    readable = {}
    for path in files:
        (readable[path.name],) = frames_by(path)
        assert published <= readable[path.name] <= published + step
        assert (samples(path) == ramp(readable[path.name])).all()

    (recovered,) = recover(library)
    take = library.take(session.id, 1)
    assert take == recovered.take
    assert (take.status, len(take.clips), take.markers[0].name) == ("recovered", TRACKS, "Refrain")
    for clip in take.clips:
        assert clip.frames >= readable[clip.file]
        assert frames_by(folder / clip.file) == {clip.frames}
        assert (samples(folder / clip.file) == ramp(clip.frames)).all()
    assert take.frames == max(clip.frames for clip in take.clips)
    assert recovered.message.startswith("Take 1 of 'Rehearsal' was being recorded when OTO stopped: ")
    assert recovered.message.endswith(f" of {TRACKS} tracks are safe.")
    assert read_info(folder / take.clips[0].file).markers == take.markers
    assert recover(library) == []


def frames_by(path: Path) -> set[int]:
    """Every program is asked about a few tracks, those that need no process of their own about all."""
    if path.name[1] == "1":
        return frames_by_every_program(path)
    with wave.open(str(path)) as file:
        return {file.getnframes(), soundfile.info(path).frames}


def test_a_take_that_a_living_process_records_is_left_alone(recorded: tuple[Library, Session]) -> None:
    library, session = recorded
    command = [sys.executable, "-c", RECORDER, str(library.root), session.id, "100"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert child.stdout
    try:
        child.stdout.readline()
        assert recover(library) == []
        assert library.take(session.id, 1).status == "recording"
    finally:
        child.kill()
        child.wait(10)
        child.stdout.close()
    assert len(recover(library)) == 1
