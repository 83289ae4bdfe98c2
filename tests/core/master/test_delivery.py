"""What the delivery check tells about files that are fine and files with known faults."""

import msgspec
import numpy as np
import pytest
import soundfile as sf

from core.analysis.loudness import LoudnessMeter
from core.dsp.limiter import limit
from core.errors import OtoError
from core.jobs.codecs import round_trips
from core.master.delivery import check_delivery
from core.master.targets import TARGETS
from tests.core.analysis.meters import ffmpeg_reading, needs_ffmpeg
from tests.core.master.songs import RATE_HZ, song

STREAMING = TARGETS["streaming"]


def written(folder, audio, *, rate_hz=RATE_HZ, subtype="PCM_24", name="song.wav"):
    sf.write(folder / name, audio.T, rate_hz, subtype=subtype)
    return folder / name


def at_target(audio):
    """The song at -14 LUFS under -1 dBTP."""
    for _ in range(4):
        meter = LoudnessMeter(RATE_HZ, len(audio))
        meter.add(audio)
        audio = audio * np.float32(10 ** ((-14.0 - meter.result().integrated_lufs) / 20))
        audio = limit(audio, RATE_HZ, ceiling_dbtp=-1.0)
    return audio


@pytest.fixture(scope="module")
def good():
    return at_target(song(6.0))


def failed(delivery):
    found = {check.name for check in delivery.checks if not check.passes}
    assert delivery.passes == (not found and all(copy.passes for copy in delivery.copies))
    return found


def test_a_master_at_its_target_passes_every_check(good, tmp_path):
    delivery = check_delivery(written(tmp_path, good), STREAMING)
    assert delivery.passes
    assert {check.name for check in delivery.checks} == {
        "loudness", "true_peak", "clipping", "dc", "mono", "ends", "file",
    }  # fmt: skip
    assert all(check.says.endswith(".") for check in delivery.checks)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (lambda x: x * np.float32(0.7), {"loudness"}),
        (lambda x: np.clip(x * np.float32(6), -1, 1), {"loudness", "true_peak", "clipping"}),
        (lambda x: x + np.float32(0.01), {"dc"}),
        (lambda x: np.stack([x[0], -x[0]]), {"mono"}),
        (lambda x: np.pad(x, ((0, 0), (2 * RATE_HZ, 0))), {"ends"}),
        (lambda x: np.pad(x, ((0, 0), (0, 10 * RATE_HZ))), {"ends"}),
    ],
    ids=["too quiet", "clipped", "offset", "out of phase", "late start", "long tail"],
)
def test_each_fault_is_named(good, fault, named, tmp_path):
    delivery = check_delivery(written(tmp_path, fault(good)), STREAMING)
    assert named <= failed(delivery)
    assert failed(delivery) - named <= {"loudness", "true_peak"}


def test_a_lossy_file_and_a_low_rate_are_refused(good, tmp_path):
    assert "file" in failed(check_delivery(written(tmp_path, good, subtype="VORBIS", name="song.ogg"), STREAMING))
    assert "file" in failed(check_delivery(written(tmp_path, good[:, ::2], rate_hz=24_000), STREAMING))


def test_vinyl_asks_for_bass_in_the_middle(good, tmp_path):
    time_s = np.arange(good.shape[1]) / RATE_HZ
    wide = 0.3 * good + np.stack([1.0, -1.0])[:, None] * (0.2 * np.sin(2 * np.pi * 50 * time_s))
    vinyl = TARGETS["vinyl"]
    assert "lows" in failed(check_delivery(written(tmp_path, wide), vinyl))
    assert "lows" not in failed(check_delivery(written(tmp_path, 0.3 * good), vinyl))
    assert "lows" not in failed(check_delivery(written(tmp_path, wide), STREAMING))


def test_a_song_of_an_album_may_be_quieter_than_the_target(good, tmp_path):
    file = written(tmp_path, good * np.float32(0.5))
    assert not check_delivery(file, STREAMING).passes
    assert check_delivery(file, STREAMING, loudness=False).passes


def test_silence_does_not_pass_and_does_not_break(tmp_path):
    delivery = check_delivery(written(tmp_path, np.zeros((2, RATE_HZ), np.float32)), STREAMING)
    assert "loudness" in failed(delivery)


@needs_ffmpeg
def test_copies_report_the_peak_that_ffmpeg_finds_in_them(good, tmp_path):
    file = written(tmp_path, good[:, : 2 * RATE_HZ])
    codecs = round_trips()
    assert set(codecs) == {"mp3", "ogg", "opus", "aac"}
    delivery = check_delivery(file, STREAMING, codecs=codecs)
    for copy in delivery.copies:
        folder = tmp_path / copy.format
        folder.mkdir()
        integrated, _, peak = ffmpeg_reading(codecs[copy.format](file, folder))
        assert copy.true_peak_dbtp == pytest.approx(peak, abs=0.15)
        assert copy.integrated_lufs == pytest.approx(integrated, abs=0.15)
        assert copy.passes == (copy.true_peak_dbtp <= 0.0)


def test_a_copy_that_would_clip_fails_and_says_by_how_much(tmp_path):
    random = np.random.default_rng(0)
    hot = np.clip(0.9 * random.standard_normal((2, 2 * RATE_HZ)), -0.999, 0.999).astype(np.float32)
    delivery = check_delivery(written(tmp_path, hot), STREAMING, codecs={"ogg": round_trips()["ogg"]})
    (copy,) = delivery.copies
    assert not copy.passes
    assert not delivery.passes
    assert "As ogg" in copy.says


def test_the_report_survives_being_written_down(good, tmp_path):
    delivery = check_delivery(written(tmp_path, good), STREAMING)
    assert msgspec.json.decode(msgspec.json.encode(delivery), type=type(delivery)) == delivery


def test_what_is_no_audio_is_refused(tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    for name, code in (("text.wav", "bad_input"), ("nowhere.wav", "not_found")):
        with pytest.raises(OtoError) as refused:
            check_delivery(tmp_path / name, STREAMING)
        assert refused.value.code == code
