"""What an overview says is what is in the audio: peaks to half a decibel, loudness as others measure it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyloudnorm
import pytest
import soundfile

from core.desk.sources import file_sources
from core.errors import OtoError
from core.jobs.overview import Origin, bounce_overview, take_overview
from core.master.render import render_master
from core.master.targets import TARGETS
from core.plans.document import MasterPlan, Setting
from sessions.model import Bounce, Clip, Overview, Take, TakeTrack
from sessions.overview import COLUMNS, SILENCE, load_overview, save_overview

RATE = 48_000
rng = np.random.default_rng(3)


def written(path: Path, audio: np.ndarray) -> None:
    soundfile.write(path, audio, RATE, subtype="FLOAT")


def take_of(frames: int, *clips: Clip) -> Take:
    return Take(
        number=1, session="s", status="complete", rate_hz=RATE, sample_format="float32", started_utc="",
        frames=frames, tracks=(TakeTrack(id="t1", name="A"), TakeTrack(id="t2", name="B")), clips=clips,
    )  # fmt: skip


@pytest.mark.parametrize("frames", [RATE * 13 + 7, COLUMNS * 5, 100])
def test_every_column_holds_the_peak_of_its_share(frames: int, tmp_path: Path) -> None:
    audio = rng.uniform(-1, 1, frames) * np.linspace(0.001, 1.0, frames)
    written(tmp_path / "a.wav", audio)
    overview = take_overview(take_of(frames, Clip(track="t1", file="a.wav", start_samples=0, frames=frames)), tmp_path)
    expected = np.zeros(COLUMNS)
    np.maximum.at(expected, np.arange(frames) * COLUMNS // frames, np.abs(audio))
    half_db = np.frombuffer(overview.peaks["t1"], np.uint8).astype(float)
    heard = expected > 0
    assert np.all(np.abs(half_db[heard] / 2 + 20 * np.log10(expected[heard])) <= 0.26)
    assert np.all(half_db[~heard] == SILENCE)
    assert set(overview.peaks["t2"]) == {SILENCE}


def test_clips_lie_where_they_were_played(tmp_path: Path) -> None:
    written(tmp_path / "a.wav", np.full(RATE, 0.5))
    take = take_of(RATE * 4, Clip(track="t2", file="a.wav", start_samples=RATE * 3, frames=RATE))
    peaks = take_overview(take, tmp_path).peaks["t2"]
    assert set(peaks[: COLUMNS * 3 // 4]) == {SILENCE}
    assert set(peaks[COLUMNS * 3 // 4 :]) == {12}


def test_takes_are_as_loud_as_the_sum_of_their_tracks_is_played(tmp_path: Path) -> None:
    quiet = rng.normal(0, 0.05, (2, RATE * 8)) * np.repeat([1.0, 0.0, 1.0, 1.0], RATE * 2)
    heard = []
    for louder in (1.0, 2.0):
        clips = []
        for track, audio in zip(("t1", "t2"), quiet * louder, strict=True):
            written(tmp_path / f"{track}.wav", audio)
            clips.append(Clip(track=track, file=f"{track}.wav", start_samples=0, frames=len(audio)))
        level = take_overview(take_of(RATE * 8, *clips), tmp_path).level_lufs
        played = (quiet * louder).sum(axis=0) / np.sqrt(2) * np.sqrt(0.5)
        expected = pyloudnorm.Meter(RATE).integrated_loudness(np.stack([played, played], axis=1))
        assert level == pytest.approx(expected, abs=0.4)  # seconds instead of overlapping blocks
        heard.append(level)
    assert heard[1] - heard[0] == pytest.approx(6.0, abs=0.1)
    assert take_overview(take_of(RATE), tmp_path).level_lufs is None


def bounce_of(frames: int) -> Bounce:
    return Bounce(
        id="mix-001-01", kind="mix", session="s", take=1, file="mix.wav", plan="", created_utc="", rate_hz=RATE,
        frames=frames, integrated_lufs=None, true_peak_dbtp=None, sha256="", oto_version="",
    )  # fmt: skip


def test_loudness_of_every_second_is_what_another_meter_reads(tmp_path: Path) -> None:
    audio = rng.normal(0, 0.1, (RATE * 6, 2)) * np.repeat([0.1, 1.0], RATE * 3)[:, None]
    written(tmp_path / "mix.wav", audio)
    overview = bounce_overview(bounce_of(len(audio)), tmp_path)
    meter = pyloudnorm.Meter(RATE, block_size=3.0)
    assert overview.loudness_lufs[2] == pytest.approx(meter.integrated_loudness(audio[: RATE * 3]), abs=0.2)
    assert overview.loudness_lufs[5] == pytest.approx(meter.integrated_loudness(audio[RATE * 3 :]), abs=0.2)
    loudest = overview.band_hz[int(np.argmax(overview.band_db))]
    assert loudest > 10_000  # white noise has as much in the top third octave as in all of the lower ones


def test_silence_has_neither_loudness_nor_peaks(tmp_path: Path) -> None:
    written(tmp_path / "mix.wav", np.zeros((RATE * 2, 2)))
    overview = bounce_overview(bounce_of(RATE * 2), tmp_path)
    assert overview.loudness_lufs == (None, None)
    assert set(overview.peaks["mix"]) == {SILENCE}


def test_a_file_that_is_no_audio_is_said(tmp_path: Path) -> None:
    (tmp_path / "mix.wav").write_bytes(b"no audio")
    with pytest.raises(OtoError, match="can't be read"):
        bounce_overview(bounce_of(1), tmp_path)


def test_what_is_kept_counts_only_for_audio_of_its_length(tmp_path: Path) -> None:
    overview = Overview(frames=10, rate_hz=RATE, peaks={"t1": bytes(range(256))})
    assert load_overview(tmp_path, 10) is None
    save_overview(tmp_path, overview)
    assert load_overview(tmp_path, 10) == overview
    assert load_overview(tmp_path, 11) is None
    (tmp_path / "overview.json").write_bytes(msgspec.json.encode({"frames": "x"}))
    assert load_overview(tmp_path, 10) is None


def test_a_master_says_what_its_limiter_did_and_whether_it_may_leave(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 997 * np.arange(RATE * 4) / RATE)
    mix = np.repeat((tone * np.repeat([0.05, 0.4], RATE * 2))[:, None], 2, axis=1)
    written(tmp_path / "in.wav", mix)
    settings = {
        "loudness_gain_db": Setting(value=12.0),
        "limiter_on": Setting(value=True),
        "limiter_ceiling_dbtp": Setting(value=-1.0),
    }
    plan = MasterPlan(oto_version="0", target=TARGETS["streaming"], settings=settings)
    (source,) = file_sources([tmp_path / "in.wav"])
    render_master(plan, source, tmp_path / "mix.wav")
    overview = bounce_overview(bounce_of(len(mix)), tmp_path, Origin(plan, tmp_path / "in.wav"))
    assert overview.limiter_db[0] == pytest.approx(0.0, abs=0.1)
    assert overview.limiter_db[3] == pytest.approx(20 * np.log10(0.4) + 12.0 + 1.0, abs=0.3)
    checks = {check.name: check.passes for check in overview.delivery}
    assert len(checks) >= 4
    assert not all(checks.values())  # a tone at full level is far louder than streaming wants
    assert len(overview.band_db) == len(overview.usual_low_db) == len(overview.usual_high_db)
