from __future__ import annotations

from pathlib import Path

import pytest

from sessions.journal import ClipStarted, GapFound, Journal, MarkerAdded
from sessions.layout import JOURNAL_FILE, ROOM_FILE, clip_file_name, clip_info
from sessions.model import Session, Take
from sessions.recover import duration_words, recover
from sessions.store import Library
from sessions.verify import check_library
from sessions.wav import WavWriter
from sessions.wavread import read_info
from tests.sessions.helpers import new_take, pack, ramp, samples


def interrupted(library: Library, take: Take, *, journalled: bool = True) -> Path:
    """A take that lost its interface once and then its process: two clips of two tracks, the second not published."""
    folder = library.begin_take(take)
    lines = Journal(folder / JOURNAL_FILE)
    for number, (start, frames) in enumerate([(0, 48_000), (60_000, 24_001)], start=1):
        for track in take.tracks:
            file = clip_file_name(take, track.id, number)
            info = clip_info(take, track, "Rehearsal", start)
            if journalled:
                lines.append(ClipStarted(track=track.id, file=file, start_samples=start))
            writer = WavWriter(folder / file, rate_hz=48_000, sample_format="pcm24", info=info)
            writer.append(pack(ramp(frames)))
            if number == 1:
                writer.close()
    lines.append(MarkerAdded(at_samples=61_000, name="Solo"))
    lines.append(GapFound(at_samples=48_000, frames=12_000, cause="device_lost"))
    lines.close()
    return folder


@pytest.mark.parametrize("journalled", [True, False])
def test_clips_come_back_where_they_were_even_when_the_journal_lost_them(
    library: Library, session: Session, journalled: bool
) -> None:
    folder = interrupted(library, new_take(session), journalled=journalled)
    names = sorted(path.name for path in folder.iterdir() if path.name != ROOM_FILE)
    (recovered,) = recover(library)
    take = library.take(session.id, 1)
    assert recovered.take == take
    assert {(clip.track, clip.file, clip.start_samples, clip.frames) for clip in take.clips} == {
        ("t1", "01 Kick.wav", 0, 48_000),
        ("t2", "02 Snare.wav", 0, 48_000),
        ("t1", "01 Kick (2).wav", 60_000, 24_001),
        ("t2", "02 Snare (2).wav", 60_000, 24_001),
    }
    assert (take.status, take.frames, len(take.gaps)) == ("recovered", 84_001, 1)
    assert recovered.message == ("Take 1 of 'Rehearsal' was being recorded when OTO stopped: 1 s of 2 tracks are safe.")
    assert read_info(folder / "02 Snare (2).wav").markers[0].at_samples == 1_000
    assert (samples(folder / "02 Snare (2).wav") == ramp(24_001)).all()
    assert sorted(path.name for path in folder.iterdir()) == names
    assert check_library(library) == []


def test_a_recovered_take_goes_on_and_is_recovered_again(library: Library, session: Session) -> None:
    folder = interrupted(library, new_take(session))
    recover(library)
    take, clip = library.resume_take(session.id, 1)
    assert clip == 3
    track = take.tracks[0]
    info = clip_info(take, track, "Rehearsal", 90_000)
    writer = WavWriter(folder / clip_file_name(take, track.id, clip), rate_hz=48_000, sample_format="pcm24", info=info)
    writer.append(pack(ramp(500)))
    (recovered,) = recover(library)
    assert recovered.take.frames == 90_500
    assert len(recovered.take.clips) == 5
    assert [marker.name for marker in recovered.take.markers] == ["Solo"]
    assert len(recovered.take.gaps) == 1


def test_files_that_a_power_cut_emptied_or_took_are_named_and_cost_only_themselves(
    library: Library, session: Session
) -> None:
    folder = interrupted(library, new_take(session))
    (folder / "01 Kick (2).wav").write_bytes(b"")
    content = (folder / "02 Snare (2).wav").read_bytes()
    (folder / "02 Snare (2).wav").write_bytes(bytes(1024) + content[1024:])
    (folder / "02 Snare.wav").unlink()
    (folder / "someone's loop.wav").write_bytes(b"not ours")
    (recovered,) = recover(library)
    assert {(clip.file, clip.frames) for clip in recovered.take.clips} == {
        ("01 Kick.wav", 48_000),
        ("02 Snare (2).wav", 24_001),
    }
    assert recovered.message.endswith("These files are missing: 02 Snare.wav.")
    assert read_info(folder / "01 Kick (2).wav").frames == 0
    assert (folder / "someone's loop.wav").read_bytes() == b"not ours"


def test_a_take_that_had_captured_nothing_says_so(library: Library, session: Session) -> None:
    library.begin_take(new_take(session))
    (recovered,) = recover(library)
    assert recovered.message == (
        "Take 1 of 'Rehearsal' had just been started when OTO stopped: nothing had been captured yet."
    )
    assert recovered.take.status == "recovered"


def test_finished_takes_are_not_looked_at(library: Library, session: Session) -> None:
    folder = library.begin_take(new_take(session, status="complete"))
    (folder / "01 Kick.wav").write_bytes(b"whatever it is")
    assert recover(library) == []
    assert (folder / "01 Kick.wav").read_bytes() == b"whatever it is"


def test_durations_read_as_people_say_them() -> None:
    assert [duration_words(s) for s in (0.04, 3.9, 252, 3600, 7384)] == [
        "less than a second",
        "3 s",
        "4 min 12 s",
        "1 h",
        "2 h 3 min 4 s",
    ]
