"""Every format that leaves the box: exact where it can be, dithered where bits are dropped, readable by others."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.errors import OtoError
from core.export.formats import FORMATS, encode
from core.export.tags import Tags

RATE_HZ = 48_000
TAGS = Tags(
    title="Größer als — wir", artist="The Band", album="Rehearsal", date="2026-11-22", comment="OTO 0.1.0; take 3"
)

int24 = st.integers(-(1 << 23), (1 << 23) - 1)
stereo24 = arrays.arrays(np.int32, st.tuples(st.integers(1, 400), st.just(2)), elements=int24)
stereo16 = arrays.arrays(np.int16, st.tuples(st.integers(1, 400), st.just(2)))


def band(path: Path, seconds: float = 2.0, rate_hz: int = RATE_HZ) -> Path:
    """A chord over pink-ish noise, as the float WAV that a bounce is."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    chord = sum(0.1 * np.sin(2 * np.pi * hz * time_s) for hz in (220.0, 277.2, 329.6))
    noise = np.cumsum(np.random.default_rng(1).standard_normal((len(time_s), 2)), axis=0)
    noise -= np.linspace(noise[0], noise[-1], len(noise))
    soundfile.write(path, chord[:, None] + 0.05 * noise / np.abs(noise).max(), rate_hz, subtype="FLOAT")
    return path


def probe(path: Path) -> dict[str, object]:
    """What ffprobe reads: the first stream's facts and all tags in lower case."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    stream = found["streams"][0]
    tags = {**found["format"].get("tags", {}), **stream.get("tags", {})}
    return {**stream, "tags": {key.lower(): value for key, value in tags.items()}}


@settings(max_examples=40, deadline=None)
@given(audio=stereo24, name=st.sampled_from(["wav24", "flac"]))
def test_24_bit_audio_keeps_every_bit_in_24_bit_formats(
    audio: np.ndarray, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("exact")
    soundfile.write(folder / "in.wav", audio << 8, RATE_HZ, subtype="PCM_24")
    out = folder / f"out{FORMATS[name].suffix}"
    encode(folder / "in.wav", out, FORMATS[name])
    back, rate_hz = soundfile.read(out, dtype="int32")
    assert rate_hz == RATE_HZ
    np.testing.assert_array_equal(back >> 8, audio)


@settings(max_examples=25, deadline=None)
@given(audio=stereo16)
def test_16_bit_audio_is_not_dithered_again(audio: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("exact")
    soundfile.write(folder / "in.wav", audio, RATE_HZ, subtype="PCM_16")
    encode(folder / "in.wav", folder / "out.wav", FORMATS["wav16"])
    np.testing.assert_array_equal(soundfile.read(folder / "out.wav", dtype="int16")[0], audio)


@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_16_bits_are_dithered_so_that_what_is_below_them_stays_audible(tmp_path: Path, rate_hz: int) -> None:
    time_s = np.arange(10 * rate_hz) / rate_hz
    quiet = 10 ** (-105 / 20) * np.sin(2 * np.pi * 1000 * time_s)
    soundfile.write(tmp_path / "in.wav", np.stack([quiet, quiet], axis=1), rate_hz, subtype="FLOAT")
    encode(tmp_path / "in.wav", tmp_path / "out.wav", FORMATS["wav16"])
    back, _ = soundfile.read(tmp_path / "out.wav")
    assert back.shape == (len(quiet), 2)
    spectrum = np.abs(np.fft.rfft(back[:, 0] * np.hanning(len(back))))
    assert np.argmax(spectrum[: 10 * 6_000]) == 10 * 1000
    error = (back[:, 0] - quiet) * 32_768
    assert abs(error.mean()) < 0.01
    plain = 2 * 0.5**2 / rate_hz
    keen = np.square(np.abs(np.fft.rfft(error)))[10 * 2_500 : 10 * 4_500].mean() * 2 / len(error) / rate_hz
    # Where the ear is keenest: plain dither's density, or less where the noise is shaped.
    assert 10 * np.log10(keen / plain) == pytest.approx(0.0, abs=0.5) if rate_hz == 96_000 else keen < plain / 10


def test_what_is_above_full_scale_is_clipped_and_not_wrapped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.array([1.5, -1.5, 1.0, -1.0]), RATE_HZ, subtype="FLOAT")
    encode(tmp_path / "in.wav", tmp_path / "out.wav", FORMATS["wav24"])
    back, _ = soundfile.read(tmp_path / "out.wav", dtype="int32")
    assert (back >> 8).tolist() == [0x7FFFFF, -0x800000, 0x7FFFFF, -0x800000]


@pytest.mark.parametrize("name", FORMATS)
def test_ffmpeg_reads_what_was_written_at_full_length_with_its_tags(name: str, tmp_path: Path) -> None:
    source = band(tmp_path / "in.wav")
    out = tmp_path / f"out{FORMATS[name].suffix}"
    encode(source, out, FORMATS[name], tags=TAGS)
    found = probe(out)
    assert found["channels"] == 2
    assert found["sample_rate"] == "48000"
    tags = found["tags"]
    assert tags["title"] == TAGS.title
    assert tags["artist"] == TAGS.artist
    assert tags["album"] == TAGS.album
    assert tags["date"].startswith("2026")
    assert tags["comment"] == TAGS.comment
    decoded = tmp_path / "decoded.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", out, "-c:a", "pcm_f32le", decoded], check=True, timeout=60)
    heard, _ = soundfile.read(decoded)
    meant, _ = soundfile.read(source)
    assert abs(len(heard) - len(meant)) <= (0 if FORMATS[name].bits else 2_500)


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_decoded_again_sounds_like_what_went_in(name: str, tmp_path: Path) -> None:
    source = band(tmp_path / "in.wav")
    out = tmp_path / f"out{FORMATS[name].suffix}"
    encode(source, out, FORMATS[name])
    meant, _ = soundfile.read(source)
    heard, _ = soundfile.read(out)
    length = min(len(meant), len(heard))
    error = heard[2_000 : length - 2_000] - meant[2_000 : length - 2_000]
    below_db = 20 * np.log10(np.std(meant) / np.std(error))
    assert below_db > {"wav16": 60, "wav24": 110, "flac": 110, "mp3": 20, "ogg": 15, "opus": 15}[name]


@pytest.mark.parametrize(("name", "rate_hz", "expected_hz"), [("opus", 44_100, 48_000), ("mp3", 96_000, 48_000)])
def test_a_format_that_cannot_hold_the_rate_gets_a_rate_that_it_can(
    name: str, rate_hz: int, expected_hz: int, tmp_path: Path
) -> None:
    out = tmp_path / f"out{FORMATS[name].suffix}"
    encode(band(tmp_path / "in.wav", 1.0, rate_hz), out, FORMATS[name])
    assert probe(out)["sample_rate"] == str(expected_hz)


def test_a_rate_that_is_asked_for_keeps_pitch_and_length(tmp_path: Path) -> None:
    encode(band(tmp_path / "in.wav", 2.0, 48_000), tmp_path / "out.wav", FORMATS["wav24"], rate_hz=44_100)
    back, rate_hz = soundfile.read(tmp_path / "out.wav")
    assert (rate_hz, len(back)) == (44_100, 88_200)
    spectrum = np.abs(np.fft.rfft(back[:, 0] * np.hanning(len(back))))
    spectrum[: 2 * 150] = 0.0
    assert np.argmax(spectrum) / 2 in (220.0, 277.0, 277.5, 329.5, 330.0)


def test_a_rate_that_a_format_cannot_hold_is_refused_when_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(OtoError, match="96000 Hz") as caught:
        encode(band(tmp_path / "in.wav"), tmp_path / "out.mp3", FORMATS["mp3"], rate_hz=96_000)
    assert caught.value.code == "bad_input"


def test_mono_stays_mono(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(4_800), RATE_HZ, subtype="PCM_24")
    encode(tmp_path / "in.wav", tmp_path / "out.flac", FORMATS["flac"])
    assert soundfile.info(tmp_path / "out.flac").channels == 1
