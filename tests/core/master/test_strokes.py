"""Strokes: which songs count as cut flat, and when they are lifted again."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dsp.limiter import limit
from core.master.engineer import propose_master
from core.master.render import render_master
from core.master.strokes import FLAT_DB, FREE_DB, MOST_ATTACK_DB, StrokeMeter
from core.master.targets import TARGETS
from core.plans.document import MasterPlan, Setting, Target
from core.plans.parameters import MASTER, by_name
from tests.core.master.songs import RATE_HZ, ArraySource, song

KNOB = "transient_attack_db"


def read_db(audio: np.ndarray, block: int | None = None) -> float | None:
    meter = StrokeMeter(RATE_HZ, len(audio))
    for start in range(0, audio.shape[1], block or audio.shape[1]):
        meter.add(audio[:, start : start + (block or audio.shape[1])])
    return meter.result_db()


def crest_db(audio: np.ndarray) -> float:
    return float(20 * np.log10(np.abs(audio).max() / np.sqrt(np.mean(np.square(audio), dtype=np.float64))))


@pytest.fixture(scope="module")
def free():
    return song(8.0, drums=2.0)


@pytest.fixture(scope="module")
def cut(free):
    """The same behind a limiter that was driven much too hard."""
    return limit(free * np.float32(10 ** (20 / 20)), RATE_HZ, ceiling_dbtp=-6.0, release_ms=60.0)


def plan_for(audio: np.ndarray, target: Target = TARGETS["ebu_r128"], **options) -> MasterPlan:
    return propose_master(ArraySource(audio), target, **options)


def test_the_reading_is_where_the_upper_quarter_of_the_peaks_begins(free):
    whole = free[:, : free.shape[1] // 480 * 480]
    peaks_db = 20 * np.log10(np.abs(whole).max(axis=0).reshape(-1, 480).max(axis=1) + 1e-12)
    heard = peaks_db[peaks_db > peaks_db.max() - 50]
    assert read_db(free) == pytest.approx(peaks_db.max() - np.percentile(heard, 75), abs=0.15)


@settings(max_examples=20, deadline=None)
@given(block=st.integers(1_000, 60_000), gain_db=st.floats(-40.0, 20.0))
def test_neither_blocks_nor_level_change_what_is_read(free, block, gain_db):
    assert read_db(free * np.float32(10 ** (gain_db / 20)), block) == pytest.approx(read_db(free), abs=0.1)


def test_silence_says_nothing_and_music_goes_on_after_it(free):
    silence = np.zeros((2, RATE_HZ), np.float32)
    assert read_db(silence) is None
    assert read_db(np.concatenate((silence, free), axis=1)) == pytest.approx(read_db(free), abs=0.1)


def test_what_stands_free_is_left_alone(free):
    assert read_db(free) > FREE_DB
    assert KNOB not in plan_for(free).settings


def test_what_a_limiter_cut_flat_stands_out_again_and_comes_nearer_to_what_it_was(free, cut, tmp_path):
    assert read_db(cut) < FLAT_DB
    plan = plan_for(cut)
    lifted = plan.settings[KNOB]
    assert lifted.value == MOST_ATTACK_DB
    assert f"within {read_db(cut):.1f} dB of the highest" in lifted.why
    render_master(plan, ArraySource(cut), tmp_path / "master.wav")
    without = {name: setting for name, setting in plan.settings.items() if name != KNOB}
    render_master(msgspec.structs.replace(plan, settings=without), ArraySource(cut), tmp_path / "flat.wav")
    with_db, flat_db = (
        crest_db(soundfile.read(tmp_path / f"{name}.wav", dtype="float32")[0].T) for name in ("master", "flat")
    )
    assert abs(with_db - crest_db(free)) < abs(flat_db - crest_db(free)) - 1.0


def test_where_the_target_leaves_no_room_nothing_is_lifted(cut):
    loud = Target(name="loud", integrated_lufs=-6.0, true_peak_dbtp=-1.0)
    assert KNOB not in plan_for(cut, loud).settings


def test_hands_say_how_much_and_none_is_nothing(cut):
    assert plan_for(cut, hands=0.5).settings[KNOB].value == pytest.approx(0.5 * MOST_ATTACK_DB)
    assert KNOB not in plan_for(cut, hands=0.0).settings


def test_what_a_person_set_stays(cut):
    mine = Setting(value=0.0, unit=by_name(MASTER)[KNOB].unit, by="person", why="I like it flat.", confidence=1.0)
    previous = msgspec.structs.replace(plan_for(cut), settings={KNOB: mine})
    plan = plan_for(cut, previous=previous)
    assert plan.settings[KNOB] == mine
    assert not any("strokes" in note for note in plan.notes)
