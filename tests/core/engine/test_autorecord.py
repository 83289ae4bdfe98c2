"""When a take begins and ends without a person: as a table of moments, and with a real engine."""

from __future__ import annotations

import numpy as np
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine.autorecord import QUIET_S, SelfStarter
from core.protocol.requests import EditSettings, Stop
from core.settings import Settings
from core.settings import save as save_settings

RATE = 48_000
LOUD, QUIET = -10.0, -80.0


class Tape:
    """What a starter's wishes do, by a clock of tenths of a second."""

    def __init__(self, mode):
        self.starter, self.mode, self.state, self.now_s = SelfStarter(), mode, "idle", 0.0
        self.done: list[tuple[float, str]] = []

    def run(self, seconds, level_dbfs, well=True):
        for _ in range(round(seconds * 10)):
            self.now_s = round(self.now_s + 0.1, 3)
            wish = self.starter.decide(
                self.now_s, self.state, level_dbfs, self.mode, loud_dbfs=-40.0, stop_after_s=10.0
            )
            if wish == "record":
                self.starter.done(well=well, now_s=self.now_s)
                self.state = "recording" if well else self.state
            elif wish == "stop":
                self.state = "idle"
            if wish is not None:
                self.done.append((self.now_s, wish))
        return self.done


def test_at_the_engines_start_a_take_begins_once():
    tape = Tape("start")
    assert tape.run(60, QUIET) == [(0.1, "record")]
    tape.state = "idle"  # a person stopped it
    assert len(tape.run(60, LOUD)) == 1


def test_who_wants_a_take_at_the_start_while_the_engine_runs_means_the_next_start():
    tape = Tape("off")
    tape.run(1, LOUD)
    tape.mode = "start"
    assert tape.run(60, LOUD) == []


def test_by_signal_a_take_begins_with_the_first_loud_moment_and_ends_after_silence():
    tape = Tape("signal")
    tape.run(5, QUIET)
    tape.run(20, LOUD)
    assert tape.run(30, QUIET) == [(5.1, "record"), (35.1, "stop")]
    assert tape.run(1, LOUD)[-1] == (55.1, "record")


def test_who_stops_while_the_band_plays_on_means_it():
    tape = Tape("signal")
    tape.run(5, LOUD)
    tape.state = "idle"
    assert len(tape.run(20, LOUD)) == 1
    tape.run(QUIET_S + 0.2, QUIET)
    assert [what for _, what in tape.run(1, LOUD)] == ["record", "record"]


def test_a_take_that_a_person_began_is_not_ended_by_silence():
    tape = Tape("signal")
    tape.state = "recording"
    assert tape.run(120, QUIET) == []


def test_what_is_played_back_starts_nothing():
    tape = Tape("signal")
    tape.state = "playing"
    assert tape.run(20, LOUD) == []


def test_what_was_refused_is_tried_again_only_now_and_then():
    tape = Tape("start")
    assert len(tape.run(65, QUIET, well=False)) == 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 15.0), st.sampled_from([LOUD, QUIET])), max_size=12))
def test_whatever_is_heard_takes_begin_and_end_in_turn(stretches):
    tape = Tape("signal")
    for seconds, level_dbfs in stretches:
        tape.run(seconds, level_dbfs)
    wishes = [what for _, what in tape.done]
    assert wishes == (["record", "stop"] * len(wishes))[: len(wishes)]


def test_an_engine_that_starts_records_and_says_why(start_engine, stage, tmp_path):
    home = tmp_path / "home"
    save_settings(Settings(auto_record="start"), home / "settings.json")
    engine = start_engine(f"sim:{stage}", home=home)
    status = engine.wait(lambda status: status.transport.state == "recording", "a take of its own")
    assert "the engine has started" in status.notices.notices[-1].message
    assert engine.call(Stop()) == 1


def test_a_loud_input_begins_a_take_that_holds_what_came_before(start_engine, tmp_path):
    stage = tmp_path / "quiet then loud"
    stage.mkdir()
    audio = np.zeros(12 * RATE)
    audio[3 * RATE :] = 0.3 * np.sin(2 * np.pi * 440 * np.arange(9 * RATE) / RATE)
    soundfile.write(stage / "01 Gtr.wav", audio, RATE, subtype="PCM_24")
    home = tmp_path / "home"
    save_settings(Settings(auto_record="signal", preroll_s=30.0), home / "settings.json")
    engine = start_engine(f"sim:{stage}", home=home)
    engine.wait(lambda status: status.transport.state == "recording", "a take of its own")
    number = engine.call(Stop())
    take = next(take for take in engine.status().takes.takes if take.number == number)
    audio, _ = soundfile.read(home / "library" / take.session / "takes" / "001" / take.clips[0].file)
    first = np.flatnonzero(np.abs(audio) > 1e-4)[0]
    assert first > 0.5 * RATE  # the silence before it is in the take
    assert first <= take.preroll_samples + RATE
    engine.call(EditSettings(changes={"auto_record": "off"}))
