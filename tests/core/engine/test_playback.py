"""Playing and overdubbing: what goes out comes back where it belongs, over a simulated cable of known length."""

import time

import numpy as np
import pytest
import soundfile

from core.client import Client
from core.engine.meters import SILENCE_DBFS
from core.errors import OtoError
from core.protocol.requests import Attach, EditSettings, EditTrack, ListTakes, MeasureLatency, Play, Record, Seek, Stop
from sessions.model import Take
from tests.core.engine.conftest import RATE, take_audio


@pytest.fixture
def cable(start_engine, stage):
    """An engine whose outputs 1 and 2 are patched into inputs 1 and 2."""
    return start_engine(f"sim:loop:{stage}")


def test_the_round_trip_is_measured_to_the_sample_and_remembered(cable):
    first = cable.call(MeasureLatency(output=1, input=1), int)
    assert first > 0
    assert cable.call(MeasureLatency(output=2, input=2), int) == first
    assert cable.status().device.round_trip_samples == first


def test_no_cable_is_said_instead_of_a_number(engine):
    with pytest.raises(OtoError):
        engine.call(MeasureLatency())


def test_an_overdub_lies_on_its_tape_to_the_sample(start_engine, stage):
    engine = start_engine(f"sim:{stage}")
    engine.call(Record(preroll_s=0.0, seconds=2.0))
    engine.wait(lambda status: status.takes.takes[0].status == "complete", "the first take")
    engine.end()
    cable = start_engine(f"sim:loop:{stage}")
    cable.call(MeasureLatency())
    cable.call(Record(overdub_of=1))
    cable.wait(lambda status: status.transport.position_s > 1.5, "a second and a half of overdub")
    number = cable.call(Stop())
    first, overdub = (take for take in cable.call(ListTakes(), list[Take]))
    assert (overdub.number, overdub.overdub_of, overdub.preroll_samples) == (number, 1, 0)
    played = take_audio(cable.status(), first).sum(axis=1).astype(np.float64)
    heard = take_audio(cable.status(), overdub)[:, 0].astype(np.float64)
    span = slice(2_000, 2_000 + RATE)
    shifts = range(-50, 51)
    likeness = [np.corrcoef(played[span], heard[2_000 + shift : 2_000 + shift + RATE])[0, 1] for shift in shifts]
    assert max(likeness) > 0.99
    assert shifts[int(np.argmax(likeness))] == 0


def test_a_count_in_is_heard_before_the_take_and_not_in_it(cable):
    cable.call(EditSettings(changes={"tempo_bpm": 240.0, "beats_per_bar": 2}))
    cable.call(MeasureLatency())
    cable.call(Record(count_in_bars=2))
    assert cable.status().transport.state == "counting_in"
    cable.wait(lambda status: status.transport.position_s > 0.8, "the take")
    cable.call(Stop())
    (take,) = cable.call(ListTakes(), list[Take])
    assert not take_audio(cable.status(), take)[:, :2].any()


def test_playing_seeking_looping_and_coming_to_an_end(engine):
    engine.call(Record(preroll_s=0.0, seconds=2.0))
    engine.wait(lambda status: status.takes.takes[0].status == "complete", "the take")
    engine.call(Play(take=1))
    status = engine.wait(lambda status: status.transport.position_s > 0.2, "playback")
    assert (status.transport.state, status.transport.length_s) == ("playing", 2.0)
    engine.call(Play(take=1, loop=(0.5, 1.0), at_s=0.5))
    time.sleep(1.2)
    assert 0.4 < engine.status().transport.position_s < 1.1
    engine.call(Play(take=1, at_s=0.0))
    engine.call(Seek(at_s=1.6))
    engine.wait(lambda status: status.transport.state == "idle", "the end of the tape")


def test_a_b_keeps_the_position(engine):
    engine.call(Record(preroll_s=0.0, seconds=2.0))
    engine.wait(lambda status: status.takes.takes[0].status == "complete", "the take")
    engine.call(Play(take=1, at_s=1.0))
    time.sleep(0.2)
    engine.call(Play(take=1, gain_db=-6.0))
    assert 1.0 < engine.status().transport.position_s < 1.8


def test_playing_something_that_is_not_there_or_while_recording_is_refused(engine):
    engine.call(Record(preroll_s=0.0))
    for request, code in ((Play(take=1), "busy"), (Seek(at_s=1.0), "bad_input")):
        with pytest.raises(OtoError) as refused:
            engine.call(request)
        assert refused.value.code == code
    engine.call(Stop())
    with pytest.raises(OtoError) as refused:
        engine.call(Play(take=9))
    assert refused.value.code == "not_found"


def test_monitored_inputs_are_heard_while_stopped_but_not_over_the_tape(start_engine, tmp_path):
    for name, level in (("1 A", 0.0), ("2 B", 0.0), ("3 Voice", 0.25)):
        soundfile.write(tmp_path / f"{name}.wav", np.full(20 * RATE, level), RATE, subtype="PCM_24")
    engine = start_engine(f"sim:loop:{tmp_path}")
    engine.call(Record(preroll_s=0.0, seconds=3.0))
    engine.wait(lambda status: status.takes.takes[0].status == "complete", "the take")
    for track in ("t1", "t2"):
        engine.call(EditTrack(track=track, armed=False))
    assert loudest(engine, 0) == SILENCE_DBFS
    engine.call(EditSettings(changes={"monitor": True}))
    assert loudest(engine, 0) > -30.0
    engine.call(EditTrack(track="t3", armed=False))
    time.sleep(0.6)
    assert loudest(engine, 0) == SILENCE_DBFS


def loudest(engine, channel):
    """The highest peak of an input within half a second from a moment on."""
    time.sleep(0.6)
    with Client(engine.socket) as client:
        client.call(Attach(client="test", topics=(), meters=True))
        topics = client.topics()
        return max(next(topics).peak_dbfs[channel] for _ in range(6))
