"""What goes wrong in rehearsal rooms: odd orders of things, all of which must leave every take whole and truly told."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from core.engine.meters import MeterBank
from core.errors import OtoError
from core.protocol.requests import (
    CreateSession,
    EditSession,
    EditSettings,
    EditTake,
    EditTrack,
    FalseTake,
    ListTakes,
    OpenSession,
    Record,
    Stop,
    TrashSession,
)
from sessions.model import Take
from tests.core.engine.conftest import find_in, take_audio


def takes(engine, session=None):
    return engine.call(ListTakes(session=session), list[Take])


def record(engine, seconds):
    number = engine.call(Record(seconds=seconds, preroll_s=0.0))
    engine.wait(lambda status: not any(take.status == "recording" for take in status.takes.takes), "the take's end")
    return number


def age(engine, seconds):
    """Make every file of the library look as if it had been written this long ago."""
    then = time.time() - seconds
    for path in (engine.home / "library").rglob("*.wav"):
        os.utime(path, (then, then))


def test_an_old_interrupted_take_is_recovered_but_never_gone_on_with_unasked(start_engine, stage):
    engine = start_engine(f"sim:{stage}", "--resume")
    engine.call(Record(preroll_s=0.0))
    time.sleep(1.0)
    engine.kill()
    age(engine, 3_600)
    engine.start()
    assert engine.status().transport.state == "idle"
    assert takes(engine)[0].status == "recovered"


def test_the_gap_of_a_resumed_take_is_as_long_as_it_really_was(start_engine, stage):
    engine = start_engine(f"sim:{stage}", "--resume")
    engine.call(Record(preroll_s=0.0))
    time.sleep(1.0)
    engine.kill()
    age(engine, 20)
    engine.start()
    engine.wait(lambda status: status.transport.state == "recording", "the take to go on")
    engine.call(Stop())
    (gap,) = takes(engine)[0].gaps
    assert 20 * 48_000 < gap.frames < 30 * 48_000


def test_a_take_without_a_single_file_does_not_keep_the_engine_from_starting(start_engine, stage):
    engine = start_engine(f"sim:{stage}", "--resume")
    engine.call(Record(preroll_s=0.0))
    engine.kill()
    for path in (engine.home / "library").rglob("*.wav"):
        path.unlink()
    engine.start()
    assert record(engine, 0.3) == 2


def test_sigterm_right_after_the_next_take_began_closes_both(engine, stage_audio):
    engine.call(Record(preroll_s=0.0))
    time.sleep(0.6)
    engine.call(Record())
    time.sleep(0.6)
    engine.signal(signal.SIGTERM)
    assert engine.ended() == 0
    engine.start()
    first, second = takes(engine)
    assert (first.status, second.status) == ("complete", "complete")
    find_in(stage_audio, np.concatenate([take_audio(engine.status(), take) for take in (first, second)]))


def test_after_a_float_session_is_trashed_the_one_before_records_in_its_own_format(engine, stage_audio):
    engine.call(CreateSession(name="Plain"))
    engine.call(CreateSession(name="Float"))
    engine.call(EditSession(sample_format="float32"))
    engine.call(TrashSession(session="Float"))
    assert engine.status().session.session.name == "Plain"
    engine.wait(lambda status: status.device.current is not None, "the interface")
    record(engine, 0.5)
    (take,) = takes(engine)
    assert take.sample_format == "pcm24"
    find_in(stage_audio, take_audio(engine.status(), take))


def test_the_mirror_of_a_re_used_number_gets_a_folder_of_its_own(engine, tmp_path):
    engine.call(EditSettings(changes={"mirror_folder": str(tmp_path / "mirror")}))
    record(engine, 0.4)
    engine.call(FalseTake())
    record(engine, 0.4)
    good = next(take for take in takes(engine) if not take.false_take)
    assert good.losses.mirror_errors == 0
    assert sorted(path.parent.name for path in (tmp_path / "mirror").rglob("01 Kick.wav")) == ["001", "001 (2)"]


@pytest.mark.parametrize("number", [0, -9])
def test_an_input_that_no_interface_has_is_refused(engine, number):
    engine.call(CreateSession())
    with pytest.raises(OtoError) as refused:
        engine.call(EditTrack(track="t1", input=number))
    assert refused.value.code == "bad_input"


def test_a_take_of_another_session_is_edited_there_and_nowhere_else(engine):
    engine.call(CreateSession(name="One"))
    record(engine, 0.3)
    engine.call(CreateSession(name="Two"))
    record(engine, 0.3)
    engine.call(EditTake(take=1, session="One", false_take=True))
    assert [take.false_take for take in takes(engine, "One")] == [True]
    assert [take.false_take for take in takes(engine, "Two")] == [False]


def test_a_take_can_be_starred_the_moment_it_was_stopped(engine):
    engine.call(Record(preroll_s=0.0))
    time.sleep(0.5)
    engine.call(Record())
    engine.call(EditTake(take=1, starred=True))
    engine.call(Stop())
    first = next(take for take in takes(engine) if take.number == 1)
    assert (first.starred, first.status) == (True, "complete")
    assert first.frames > 0


def test_an_overdub_or_a_count_in_waits_for_the_end_of_a_take(engine):
    record(engine, 0.3)
    engine.call(Record(preroll_s=0.0))
    for request in (Record(overdub_of=1), Record(count_in_bars=1)):
        with pytest.raises(OtoError) as refused:
            engine.call(request)
        assert refused.value.code == "busy"
    engine.call(Stop())


def test_a_session_folder_that_was_moved_away_stops_nothing(engine):
    engine.call(CreateSession(name="Here"))
    folder = Path(engine.status().session.path)
    engine.call(Record(preroll_s=0.0))
    time.sleep(0.4)
    moved = folder.with_name("Moved by hand")
    folder.rename(moved)
    engine.call(Stop())
    assert "refused to write" in engine.status().notices.notices[-1].message
    engine.call(OpenSession(session="Moved by hand"))
    engine.call(Record(seconds=0.3, preroll_s=0.0))
    engine.wait(lambda status: status.takes.takes[-1].status == "complete", "the second take")
    assert takes(engine)[-1].number == 2


def test_a_ring_that_does_not_fit_the_disk_is_said_and_a_shorter_one_works(start_engine, stage, loop_drive):
    home = loop_drive(32, "SMALL") / "oto"
    engine = start_engine(f"sim:{stage}", home=home)
    engine.call(EditSettings(changes={"retro_s": 7_000.0}))
    status = engine.wait(lambda status: status.device.problem is not None, "the problem")
    assert status.device.problem.code == "no_space"
    engine.call(EditSettings(changes={"retro_s": 0.0}))
    engine.wait(lambda status: status.device.current is not None, "the interface")


def test_one_sample_that_is_no_number_spoils_no_meter():
    bank = MeterBank(2)
    audio = np.zeros((64, 2), dtype=np.float32)
    audio[3, 0] = np.nan
    bank.add(audio)
    assert all(np.isfinite(level) for level in bank.read().peak_dbfs)
