"""The controller's training: faults are what they are said to be, and the pipeline runs from songs to a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

torch = pytest.importorskip("torch", reason="PyTorch lives in the environment of training")
onnx = pytest.importorskip("onnx", reason="onnx lives in the environment of training")

from core.analysis.features import BAND_HZ  # noqa: E402
from core.dsp.linear_phase import shape_tone  # noqa: E402
from core.models.mastering import BANDS, FEATURES, VALUES, Portrait, vector  # noqa: E402
from training.master import evaluate, export, network, robustness, songs, strip, train  # noqa: E402
from training.master.degrade import degraded, total_db  # noqa: E402
from training.quantize import int8_file  # noqa: E402

pytestmark = pytest.mark.training
RATE_HZ = 48_000
RANDOM = np.random.default_rng(3)


def _noise(seconds: float, seed: int = 1) -> songs.Audio:
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.standard_normal((2, round(seconds * RATE_HZ))), axis=1)
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.shape[1]), 1)), axis=1)
    beat = 0.3 + np.exp(-np.arange(pink.shape[1]) % 24_000 / 4_000)
    return (0.2 * pink * beat / np.abs(pink).max()).astype(np.float32)


@pytest.fixture(scope="module")
def shelf() -> train.Shelf:
    """Six songs of noise in their three variants."""
    found = []
    for seed in range(6):
        audio = _noise(2.0, seed)
        versions = (audio, songs.squashed(audio, RATE_HZ, RANDOM), songs.expanded(audio, RATE_HZ, RANDOM))
        found.append([songs.portrait_of(version, RATE_HZ) for version in versions])
    fields = {
        name: np.array([[getattr(portrait, name) for portrait in portraits] for portraits in found])
        for name in Portrait.__dataclass_fields__
    }
    return train.Shelf(Portrait(**fields), np.full(6, 1 / 6))


def test_a_fault_in_the_spectrum_is_what_an_equaliser_makes_of_the_audio() -> None:
    audio = _noise(6.0)
    tone_db, _, _ = evaluate.FAULTS["darkened"]
    gains = tuple(map(float, tone_db))
    heard = songs.portrait_of(shape_tone(audio, RATE_HZ, freq_hz=BAND_HZ, mid_db=gains, side_db=gains), RATE_HZ)
    before = songs.portrait_of(audio, RATE_HZ)
    assert heard is not None
    assert before is not None
    found = total_db(heard) - total_db(before)
    above = np.array(BAND_HZ) > 60.0
    assert np.allclose(found[above], tone_db[above], atol=0.5)


def test_what_is_wanted_undoes_what_was_done(shelf: train.Shelf) -> None:
    batch = degraded(shelf.portraits, RANDOM.integers(0, 6, 200), RANDOM)
    restored = total_db(batch.portrait) + batch.tone_db
    gain_of_sides = np.abs(restored - batch.power_db)
    assert np.median(gain_of_sides) < 1.0
    untouched = (np.abs(batch.tone_db).max(axis=1) < 1e-9) & (batch.width_db == 0.0)
    assert untouched.mean() > 0.1
    assert np.allclose(batch.crest_db[untouched & (np.abs(batch.crest_db) < 1e-9)], 0.0)


def test_expanded_songs_range_further_and_squashed_ones_have_lower_peaks(shelf: train.Shelf) -> None:
    spread_db = shelf.portraits.dynamics[:, :, 3:5].sum(axis=2)
    assert (spread_db[:, 2] > spread_db[:, 0]).all()
    audio = _noise(2.0)
    assert np.abs(songs.squashed(audio, RATE_HZ, RANDOM)).max() <= np.abs(audio).max()


def test_the_right_gains_leave_nothing_at_any_level() -> None:
    gains = torch.tensor(RANDOM.uniform(-6, 6, (5, 6)), dtype=torch.float32)
    power = torch.tensor(RANDOM.uniform(-20, 0, (5, BANDS)), dtype=torch.float32)
    left, there = strip.left_db(gains @ strip.SHAPES + 7.0, gains, power)
    assert float((left * there).abs().max()) < 1e-3
    found = strip.nearest_gains(gains @ strip.SHAPES + 7.0, there)
    assert float((strip.left_db(gains @ strip.SHAPES, found, power)[0] * there).abs().mean()) < 0.5


def test_a_few_steps_bring_training_songs_nearer(shelf: train.Shelf) -> None:
    torch.manual_seed(1)
    controller = network.Controller(hidden=32)
    exam = train.lesson(train.exam_of(shelf))
    nothing = float(train.losses((torch.zeros(len(exam.fed), 8), torch.ones(len(exam.fed), 8)), exam)[0].mean())
    train.train(controller, shelf, shelf, steps=250, seed=1)
    with torch.no_grad():
        assert float(train.losses(controller(exam.fed), exam)[0].mean()) < nothing


def test_the_exported_file_says_what_the_network_says(tmp_path: Path, shelf: train.Shelf) -> None:
    controller = network.Controller(hidden=32).eval()
    full, small = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    onnx.save(export.float_model(controller), full)
    fed = vector(degraded(shelf.portraits, RANDOM.integers(0, 6, 64), RANDOM).portrait)
    with torch.no_grad():
        change, spread = controller(torch.from_numpy(fed))
    said = export.said(full, fed)
    assert fed.shape == (64, FEATURES)
    assert np.allclose(said[0], change.numpy(), atol=1e-4)
    assert np.allclose(said[1], spread.numpy(), atol=1e-4)
    int8_file(full, small, layers=export.INT8, name="portrait", examples=fed)
    assert export.drift_db(full, small, fed) < 0.5
    assert said[0].shape[1] == len(VALUES)


def test_packages_lie_on_one_side_of_the_wall() -> None:
    assert not songs.TEST_PACKAGES & songs.VALIDATION_PACKAGES
    assert {songs.split_of(name) for name in songs.TEST_PACKAGES} == {"test"}


def test_songs_are_measured_from_files(tmp_path: Path) -> None:
    data, music = tmp_path / "data", tmp_path / "music"
    (data / "facts").mkdir(parents=True)
    music.mkdir()
    for split in ("train", "validation", "test"):
        (data / "multitracks" / split).mkdir(parents=True)
    sf.write(music / "song.ogg", _noise(21.0).T, RATE_HZ)
    (data / "facts" / "finished_music.csv").write_text("source,licence,path\nzaz-data,free,/song.ogg\n")
    out = tmp_path / "portraits.npz"
    command = [sys.executable, "-m", "training.master.songs", str(data), "--music", str(music), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    found = np.load(out)
    assert list(found["split"]) == ["validation", "validation"]
    assert found["middle_db"].shape == (2, 3, BANDS)


def test_neither_level_nor_polarity_nor_which_side_is_left_changes_what_it_says() -> None:
    told = robustness.tables(robustness.asked(), [_noise(4.0)])
    rows = {line.split("|")[1].strip(): line for line in told if line}
    assert set(robustness.CHANGED) | set(robustness.no_songs()) <= set(rows)
    for name in ("40 dB softer", "20 dB louder, above full scale", "polarity turned", "left and right exchanged"):
        assert rows[name].endswith("| 0.00 | 0.00 |")
    assert "nothing" in rows["silence"]
