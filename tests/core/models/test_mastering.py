"""What the mastering controller hears, what it advises, and that its words agree with its numbers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import Spectrum
from core.dsp.linear_phase import shape_tone
from core.master import balance
from core.master.balance import Changes, Wanted
from core.master.engineer import propose_master
from core.master.finished_width import USUAL_DB, WEIGHTS
from core.master.styles import STYLES
from core.master.targets import TARGETS
from core.models.card import read_card
from core.models.mastering import FEATURES, MOST_DB, VALUES, Advice, Audio, Controller, Portrait, PortraitMeter, vector
from core.models.mastering import controller as load_controller
from core.models.runtime import FILES, Unusable
from core.plans.document import MasterPlan, Setting
from tests.core.master.songs import ArraySource

RATE_HZ = 48_000
decibels = st.floats(-12.0, 12.0)
spreads = st.floats(0.1, 10.0)
few = settings(max_examples=20, deadline=None)


def _song(seconds: float = 3.0) -> Audio:
    """Strokes of noise over a drone, wider above than below."""
    random = np.random.default_rng(5)
    n = round(seconds * RATE_HZ)
    strokes = random.standard_normal((2, n)) * np.exp(-np.arange(n) % 12_000 / 3_000)
    drone = np.sin(2 * np.pi * 110 * np.arange(n) / RATE_HZ) + 0.1 * random.standard_normal(n)
    return (0.05 * strokes + 0.1 * drone).astype(np.float32)


def _portrait(audio: Audio, block: int = 10_000) -> Portrait:
    meter = PortraitMeter(RATE_HZ, len(audio))
    for start in range(0, audio.shape[1], block):
        meter.add(audio[:, start : start + block])
    found = meter.result()
    assert found is not None
    return found


# ---------------------------------------------------------------- what it hears


@pytest.mark.parametrize("gain_db", [-60.0, 20.0])
def test_the_level_of_a_song_is_not_heard(gain_db: float) -> None:
    song = _song()
    louder = song * np.float32(10 ** (gain_db / 20))
    assert np.allclose(vector(_portrait(louder)), vector(_portrait(song)), atol=2e-3)


@pytest.mark.parametrize("block", [997, 65_536, 10**6])
def test_what_is_heard_does_not_depend_on_the_size_of_blocks(block: int) -> None:
    assert np.allclose(vector(_portrait(_song(), block)), vector(_portrait(_song(), 4_096)), atol=1e-4)


def test_a_steady_equaliser_moves_the_spectrum_and_not_how_the_bands_move() -> None:
    song = _song(12.0)
    tilt_db = tuple(-1.5 * float(np.log2(hz / 250)) if hz > 250 else 0.0 for hz in BAND_HZ)
    darker = shape_tone(song, RATE_HZ, freq_hz=BAND_HZ, mid_db=tilt_db, side_db=tilt_db)
    before, after = _portrait(song), _portrait(darker)
    moved_db = after.middle_db - before.middle_db
    heard = [hz > 100.0 for hz in BAND_HZ]
    assert np.allclose(moved_db[heard], np.array(tilt_db)[heard], atol=0.6)
    assert np.allclose(after.bursts_db[heard], before.bursts_db[heard], atol=0.4)
    assert np.allclose(after.flux_db[heard], before.flux_db[heard], atol=0.4)


def test_width_moves_the_sides_and_nothing_else() -> None:
    song = _song()
    middle, side = song.mean(axis=0), (song[0] - song[1]) / 2
    wider = _portrait(np.stack([middle + 2 * side, middle - 2 * side]).astype(np.float32))
    assert np.allclose(wider.side_db, _portrait(song).side_db + 6.02, atol=0.05)
    assert np.allclose(wider.middle_db, _portrait(song).middle_db, atol=0.01)


@pytest.mark.parametrize("frames", [0, 500, RATE_HZ])
def test_silence_and_what_is_too_short_has_no_portrait(frames: int) -> None:
    meter = PortraitMeter(RATE_HZ, 2)
    meter.add(np.zeros((2, frames), np.float32))
    assert meter.result() is None


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_mono_give_finite_numbers(rate_hz: int, channels: int) -> None:
    meter = PortraitMeter(rate_hz, channels)
    meter.add(_song()[:channels])
    found = meter.result()
    assert found is not None
    assert vector(found).shape == (FEATURES,)
    assert np.isfinite(vector(found)).all()


# ---------------------------------------------------------------- what it advises


@few
@given(decibels, spreads, st.floats(0.0, 2.0))
def test_doubt_makes_a_change_smaller_and_never_turns_it_round(
    heard_db: float, spread_db: float, caution: float
) -> None:
    change_db = Advice(heard_db, spread_db, caution, 2.0).change_db
    assert 0.0 <= change_db * np.sign(heard_db) <= abs(heard_db) + 1e-9
    assert abs(Advice(heard_db, 2 * spread_db, caution, 2.0).change_db) <= abs(change_db) + 1e-9


@few
@given(decibels, spreads, decibels)
def test_confidence_is_how_often_the_change_brings_the_value_nearer(
    heard_db: float, spread_db: float, change_db: float
) -> None:
    truth_db = heard_db + np.random.default_rng(1).laplace(scale=spread_db, size=20_000)
    nearer = np.abs(truth_db - change_db) < np.abs(truth_db)
    if abs(change_db) > 1e-3:
        assert Advice(heard_db, spread_db, 0.3, 2.0).confidence(change_db) == pytest.approx(nearer.mean(), abs=0.02)


SPECTRUM = Spectrum(middle=tuple(float(hz**-1.6) for hz in BAND_HZ), side=(1e-5,) * len(BAND_HZ), correlation=0.8)
NARROWED_DB = np.full(len(WEIGHTS) - 1, USUAL_DB - 6.0)
"""What `WidthMeter` would read where single sounds share middle and sides as in a narrowed song."""
STYLE = STYLES["any"]


def _advised(spread_db: float, heard_db: float = 3.0, even_db: float = 2.0) -> Changes:
    advice = {name: Advice(heard_db, spread_db, 0.3, even_db) for name in VALUES}
    return balance.by_model(advice, _ruled(), SPECTRUM, STYLE, RATE_HZ)


def _ruled() -> Changes:
    return balance.by_rules(SPECTRUM, NARROWED_DB, STYLE, RATE_HZ)


def test_a_model_that_knows_nothing_leaves_the_rules_alone() -> None:
    rules = _ruled()
    assert rules
    for name, blended in _advised(1e4).items():
        ruled = rules.get(name, Wanted(0.0, "", 0.0, "model"))
        assert blended.change_db == pytest.approx(ruled.change_db, abs=0.01)
        assert blended.by == ruled.by


def test_a_model_that_is_sure_decides_alone() -> None:
    for blended in _advised(0.01).values():
        assert blended.change_db == pytest.approx(3.0, abs=0.01)
        assert blended.by == "model"
        assert blended.confidence > 0.95


@few
@given(st.floats(0.1, 20.0))
def test_between_them_nothing_jumps(spread_db: float) -> None:
    one, other = _advised(spread_db), _advised(spread_db * 1.001)
    for name in one:
        assert one[name].change_db == pytest.approx(other[name].change_db, abs=0.01)


@few
@given(decibels.filter(lambda heard_db: abs(heard_db) > 0.1), spreads)
def test_the_reasons_agree_with_the_numbers(heard_db: float, spread_db: float) -> None:
    for name, wanted in _advised(spread_db, heard_db).items():
        if wanted.by == "rules":
            continue
        found = re.search(r"(?:hears|as) (\d+\.\d) dB (?:as )?too (\w+), (\d+\.\d) dB more or less", wanted.why)
        assert found is not None, wanted.why
        size, direction, spread = found.groups()
        assert float(size) == pytest.approx(abs(heard_db), abs=0.051)
        assert float(spread) == pytest.approx(spread_db, abs=0.051)
        assert (direction in ("quiet", "narrow")) == (heard_db > 0)
        added = re.search(r"The rules add ([+-]\d+\.\d) dB", wanted.why)
        own_db = wanted.change_db - (float(added.group(1)) if added else 0.0)
        assert abs(own_db) < 0.16 or np.sign(own_db) == np.sign(heard_db), name


# ---------------------------------------------------------------- in a plan


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    """The controller that is shipped, whether it is in use or not."""
    shutil.copy(FILES / "mastering.onnx", tmp_path)
    card = msgspec.structs.replace(read_card(FILES / "mastering.json"), in_use=True)
    (tmp_path / "mastering.json").write_bytes(msgspec.json.encode(card))
    found = load_controller(tmp_path)
    if isinstance(found, Unusable):
        pytest.skip(found.why)
    return found


def _plan(controller: Controller | None, **options: object) -> MasterPlan:
    song = _song(8.0)
    tilt_db = tuple(-9.0 * float(np.log2(hz / 250)) if hz > 250 else 0.0 for hz in BAND_HZ)
    dark = shape_tone(song, RATE_HZ, freq_hz=BAND_HZ, mid_db=tilt_db, side_db=tilt_db)
    return propose_master(ArraySource(dark, RATE_HZ), TARGETS["streaming"], controller=controller, **options)  # type: ignore[arg-type]


def test_a_plan_says_which_model_decided_and_why(controller: Controller) -> None:
    plan = _plan(controller)
    learned = [setting for setting in plan.settings.values() if setting.by == "model"]
    assert plan.engineer == controller.name
    assert all(setting.why and setting.confidence is not None for setting in learned)
    assert _plan(controller) == plan


def test_what_a_person_locked_stays_whoever_proposes(controller: Controller) -> None:
    mine = {f"eq{band}_gain_db": Setting(value=0.0, unit="dB", by="person") for band in range(1, 7)}
    mine["width"] = Setting(value=1.3, by="rules", locked=True)
    before = MasterPlan(oto_version="1", target=TARGETS["streaming"], settings=mine)
    after = _plan(controller, previous=before)
    assert {name: after.settings[name] for name in mine} == mine
    assert not any(setting.by == "model" for setting in after.settings.values())


@pytest.mark.parametrize("hands", [0.0, 0.5])
def test_hands_scale_what_is_done_to_the_tone(hands: float) -> None:
    whole, part = _plan(None), _plan(None, hands=hands)
    gains = [name for name in whole.settings if re.fullmatch(r"eq\d_gain_db", name)]
    assert gains
    for name in gains:
        expected = hands * float(whole.settings[name].value)
        found = part.settings.get(name)
        assert (float(found.value) if found else 0.0) == pytest.approx(expected, abs=0.41 if found is None else 0.06)


def test_what_is_no_music_can_not_make_it_ask_for_more_than_a_song_could_need(controller: Controller) -> None:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    hum = np.sum([np.sin(2 * np.pi * 50 * k * time_s) / k for k in range(1, 11)], axis=0)
    advice = controller.advise(_portrait(0.1 * np.repeat(hum[None], 2, axis=0).astype(np.float32)))
    assert max(abs(one.heard_db) for one in advice.values()) <= MOST_DB


def test_the_shipped_file_is_small_and_its_card_is_whole() -> None:
    card = read_card(FILES / "mastering.json")
    assert (FILES / "mastering.onnx").stat().st_size < 2_000_000
    assert {"caution", *(f"even {name}" for name in VALUES)} <= card.thresholds.keys()
    assert card.metrics
    assert card.data
