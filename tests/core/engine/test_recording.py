"""Recording, as a musician and a script see it: a real engine, a simulated stage, and the files afterwards."""

import json
import signal
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from core.client import Client
from core.errors import OtoError
from core.protocol.requests import (
    ArmAll,
    Attach,
    CreateSession,
    EditSession,
    EditSettings,
    EditTake,
    EditTrack,
    EmptyTrash,
    FalseTake,
    KeepLast,
    ListTakes,
    ListTrash,
    Mark,
    Record,
    Restore,
    SelectDevice,
    Stop,
    TrashTake,
)
from core.protocol.topics import TakesTopic
from sessions.model import Take, TrashEntry
from sessions.wavread import read_info
from tests.core.engine.conftest import RATE, find_in, take_audio


def takes(engine):
    return engine.call(ListTakes(), list[Take])


def record(engine, seconds, **options):
    number = engine.call(Record(seconds=seconds, **{"preroll_s": 0.0, **options}))
    engine.wait(lambda status: status.transport.state != "recording", "the end of the take")
    return next(take for take in takes(engine) if take.number == number)


def test_a_take_of_a_given_length_is_exact_to_the_sample_and_so_is_its_audio(engine, stage_audio):
    take = record(engine, 1.5)
    assert take.status == "complete"
    assert take.frames == 72_000
    find_in(stage_audio, take_audio(engine.status(), take))
    assert (take.gaps, take.losses.overflows, take.losses.ring_overruns) == ((), 0, 0)


def test_tracks_are_named_after_the_interface_and_files_after_the_tracks(engine):
    take = record(engine, 0.5)
    assert [track.name for track in take.tracks] == ["Kick", "Snare", "Bass", "Voice"]
    assert [clip.file for clip in take.clips] == ["01 Kick.wav", "02 Snare.wav", "03 Bass.wav", "04 Voice.wav"]


def test_the_preroll_is_what_was_heard_before_rec_and_the_time_reference_says_when(engine, stage_audio):
    engine.wait(lambda status: status.transport.preroll_filled_s >= 2.0, "two seconds of pre-roll")
    take = record(engine, 0.5, preroll_s=1.25)
    assert take.preroll_samples == 60_000
    assert take.frames == 84_000
    find_in(stage_audio, take_audio(engine.status(), take))
    status = engine.status()
    info = read_info(Path(status.session.path) / "takes" / "001" / take.clips[0].file)
    assert info.bext is not None
    assert info.bext.time_reference_samples == take.time_reference_samples


def test_rec_while_recording_starts_the_next_take_without_a_missing_sample(engine, stage_audio):
    engine.call(Record(preroll_s=0.0))
    time.sleep(0.7)
    assert engine.call(Record()) == 2
    time.sleep(0.7)
    assert engine.call(Stop()) == 2
    engine.wait(lambda status: all(take.status == "complete" for take in status.takes.takes), "both takes")
    first, second = takes(engine)
    joined = np.concatenate([take_audio(engine.status(), take) for take in (first, second)])
    find_in(stage_audio, joined)
    assert second.preroll_samples == 0


def test_what_was_just_played_can_be_kept_afterwards(engine, stage_audio):
    engine.wait(lambda status: status.transport.preroll_filled_s >= 2.0, "something to keep")
    number = engine.call(KeepLast(seconds=1.5))
    (take,) = takes(engine)
    assert (take.number, take.origin, take.frames) == (number, "retro", 72_000)
    find_in(stage_audio, take_audio(engine.status(), take))


def test_minutes_can_be_kept_out_of_a_ring_on_disk_that_leaves_no_file_behind(engine, stage_audio):
    engine.call(EditSettings(changes={"retro_s": 600.0}))
    engine.wait(lambda status: status.device.current is not None, "the interface")
    time.sleep(2.5)
    engine.call(KeepLast(seconds=600.0))
    (take,) = takes(engine)
    assert take.frames > 1.0 * RATE
    find_in(stage_audio, take_audio(engine.status(), take))
    assert {path.name for path in (engine.home / "cache").iterdir() if path.is_file()} <= {"interfaces.json"}


def test_a_false_take_is_kept_and_its_number_is_used_again(engine):
    record(engine, 0.3)
    engine.call(FalseTake())
    assert record(engine, 0.3).number == 1
    false, good = sorted(takes(engine), key=lambda take: not take.false_take)
    assert (false.number, false.false_take, good.number, good.false_take) == (1, True, 1, False)
    engine.call(Record(preroll_s=0.0))
    engine.call(FalseTake())
    assert sum(take.false_take for take in takes(engine)) == 2


def test_markers_are_journalled_at_once_and_end_up_in_the_file(engine):
    engine.call(Record(preroll_s=0.0))
    time.sleep(0.5)
    engine.call(Mark(name="Chorus"))
    time.sleep(0.3)
    folder = Path(engine.status().session.path) / "takes" / "001"
    assert "Chorus" in (folder / "journal.jsonl").read_text()
    engine.call(Stop())
    (take,) = takes(engine)
    (marker,) = take.markers
    assert marker.name == "Chorus"
    assert 0 < marker.at_samples < take.frames
    assert read_info(folder / "01 Kick.wav").markers == (marker,)


def test_only_armed_tracks_are_recorded_and_a_track_can_be_named_while_recording(engine):
    engine.call(CreateSession(name="Two"))
    engine.call(ArmAll(armed=False))
    engine.call(EditTrack(track="t3", armed=True))
    engine.call(Record(preroll_s=0.0))
    engine.call(EditTrack(track="t3", name="Double bass", role="bass"))
    with pytest.raises(OtoError) as refused:
        engine.call(EditTrack(track="t1", armed=True))
    assert refused.value.code == "busy"
    engine.call(Stop())
    assert [track.name for track in takes(engine)[0].tracks] == ["Bass"]
    assert [track.name for track in record(engine, 0.2).tracks] == ["Double bass"]


def test_nothing_armed_is_said_and_nothing_is_started(engine):
    engine.call(CreateSession())
    engine.call(ArmAll(armed=False))
    with pytest.raises(OtoError, match="armed"):
        engine.call(Record())
    assert takes(engine) == []


def test_a_float_session_records_float_files(engine):
    engine.call(CreateSession(name="Float"))
    engine.call(EditSession(sample_format="float32"))
    take = record(engine, 0.3)
    info = read_info(Path(engine.status().session.path) / "takes" / "001" / take.clips[0].file)
    assert (take.sample_format, info.is_float, info.bits) == ("float32", True, 32)


def test_a_mirror_holds_the_same_bytes_of_audio(engine, tmp_path):
    engine.call(EditSettings(changes={"mirror_folder": str(tmp_path / "mirror")}))
    record(engine, 0.8)
    originals = sorted((Path(engine.status().session.path) / "takes" / "001").glob("*.wav"))
    copies = sorted((tmp_path / "mirror").rglob("*.wav"))
    assert [path.name for path in copies] == [path.name for path in originals]
    for original, copy in zip(originals, copies, strict=True):
        # The copy is closed in its own time: a slow mirror holds nobody up.
        engine.wait(lambda _, one=original, two=copy: audio_of(one) == audio_of(two), "the mirror")


def audio_of(path: Path) -> bytes:
    with wave.open(str(path)) as file:
        return file.readframes(-1)


def test_a_mirror_that_fails_only_degrades(engine, tmp_path, stage_audio):
    (tmp_path / "not a folder").write_text("in the way")
    engine.call(EditSettings(changes={"mirror_folder": str(tmp_path / "not a folder" / "x")}))
    engine.call(Record(preroll_s=0.0))
    engine.wait(lambda status: status.transport.mirror == "failed", "the failed mirror")
    time.sleep(0.5)
    engine.call(Stop())
    (take,) = takes(engine)
    assert take.losses.mirror_errors == 1
    find_in(stage_audio, take_audio(engine.status(), take))


@pytest.mark.rig
def test_a_full_disk_ends_the_take_cleanly_before_the_reserve(start_engine, stage, stage_audio, loop_drive):
    home = loop_drive(24, "LIBRARY")
    engine = start_engine(f"sim:{stage}", home=home / "oto")
    engine.call(Record(preroll_s=0.0))
    status = engine.wait(lambda status: status.transport.state == "idle", "the guard", seconds=60)
    assert "full" in status.notices.notices[-1].message
    engine.wait(lambda status: status.takes.takes[0].status == "complete", "the end of the take")
    (take,) = takes(engine)
    assert take.status == "complete"
    assert take.frames > RATE
    assert take.losses.disk_errors == 0
    audio = take_audio(status, take)
    find_in(stage_audio, audio[: RATE // 2])
    with pytest.raises(OtoError) as refused:
        engine.call(Record())
    assert refused.value.code == "no_space"


def test_sigterm_finishes_the_take_first(engine, stage_audio):
    engine.call(Record(preroll_s=0.0))
    time.sleep(0.8)
    engine.signal(signal.SIGTERM)
    assert engine.ended() == 0
    engine.start()
    (take,) = takes(engine)
    assert take.status == "complete"
    find_in(stage_audio, take_audio(engine.status(), take))


def test_after_a_kill_the_take_is_recovered_said_and_at_most_a_second_short(engine, stage_audio):
    engine.call(Record(preroll_s=0.0))
    time.sleep(2.0)
    position_s = engine.status().transport.position_s
    engine.kill()
    engine.start()
    status = engine.status()
    (take,) = status.takes.takes
    assert take.status == "recovered"
    assert take.frames / RATE > position_s - 1.0
    find_in(stage_audio, take_audio(status, take))
    assert any("safe" in notice.message for notice in status.notices.notices)
    assert record(engine, 0.3).number == 2


def test_with_resume_a_killed_take_goes_on_by_itself_with_the_time_true(start_engine, stage, stage_audio):
    engine = start_engine(f"sim:{stage}", "--resume")
    engine.call(Record(preroll_s=0.0))
    time.sleep(1.5)
    engine.kill()
    engine.start()
    status = engine.wait(lambda status: status.transport.state == "recording", "the take to go on")
    assert status.transport.take == 1
    time.sleep(1.0)
    engine.call(Stop())
    (take,) = takes(engine)
    starts = sorted({clip.start_samples for clip in take.clips})
    assert len(starts) == 2
    (gap,) = take.gaps
    assert (gap.cause, gap.at_samples + gap.frames) == ("device_lost", starts[1])
    audio = take_audio(engine.status(), take)
    find_in(stage_audio, audio[starts[1] :])


def test_takes_survive_renames_stars_and_the_trash(engine):
    record(engine, 0.2)
    engine.call(EditTake(take=1, name="Blue", starred=True, notes="the good one"))
    (take,) = takes(engine)
    assert (take.name, take.starred, take.notes) == ("Blue", True, "the good one")
    engine.call(TrashTake(take=1))
    assert takes(engine) == []
    (entry,) = engine.call(ListTrash(), list[TrashEntry])
    assert "take 1" in entry.title
    engine.call(Restore(entry=entry.id))
    assert [take.number for take in engine.status().takes.takes] == [1]
    engine.call(TrashTake(take=1))
    assert engine.call(EmptyTrash(), int) > 0
    assert engine.call(ListTrash()) == []


def test_another_interface_can_be_chosen_and_an_unknown_one_is_refused_with_what_there_is(engine, stage):
    with pytest.raises(OtoError) as refused:
        engine.call(SelectDevice(device="Nonesuch 18"))
    assert refused.value.code == "no_device"
    engine.call(SelectDevice(device=f"sim:fast:{stage}"))
    take = record(engine, 5.0)
    assert take.frames == 5 * RATE
    assert json.loads((engine.home / "settings.json").read_text())["device"] == f"sim:fast:{stage}"


def test_every_client_sees_a_take_at_once(engine):
    with Client(engine.socket) as watcher:
        watcher.call(Attach(client="test", topics=("takes",)))
        topics = watcher.topics()
        assert next(topics) == TakesTopic()
        engine.call(Record(preroll_s=0.0))
        seen = next(topic for topic in topics if isinstance(topic, TakesTopic) and topic.takes)
        assert seen.takes[0].status == "recording"
        engine.call(Stop())
        assert next(topics).takes[0].status == "complete"
