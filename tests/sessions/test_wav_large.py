"""Around 4 GiB, where RIFF's 32-bit sizes end. Holes stand for most of the audio, so that no disk fills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sessions.chunks import WavInfo
from sessions.model import Marker, SampleFormat
from sessions.wav import WavWriter
from sessions.wavheader import HEADER_BYTES
from sessions.wavread import read_info
from sessions.wavrepair import repair
from tests.sessions.helpers import ffprobe, frames_by_every_program, need, pack, ramp

FOUR_GIB = 1 << 32
INFO = WavInfo(session_name="Rehearsal", take_number=3, track_name="Kick")
BYTES = {"pcm24": 3, "float32": 4}


def last_riff_frames(sample_format: SampleFormat) -> int:
    """The longest recording that plain RIFF holds: 2^32 - 2 bytes after its first eight, data padded to even."""
    return (FOUR_GIB - 2 - (HEADER_BYTES - 8)) // BYTES[sample_format] // 2 * 2


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    probe = tmp_path / "probe"
    with probe.open("wb") as file:
        file.truncate(5 << 30)
    if probe.stat().st_blocks:
        pytest.skip("the temporary folder's file system has no sparse files")
    probe.unlink()
    return tmp_path / "long.wav"


def tail(path: Path, frames: int, sample_format: SampleFormat) -> np.ndarray:
    with soundfile.SoundFile(path) as file:
        file.seek(file.frames - frames)
        if sample_format == "float32":
            return file.read(dtype="float32").astype(np.int64)
        return file.read(dtype="int32") >> 8


@pytest.mark.parametrize("sample_format", ["pcm24", "float32"])
@pytest.mark.parametrize("past", [-2, 0, 2, 500])
def test_audio_across_the_border_is_exact_to_the_sample(sparse: Path, sample_format: SampleFormat, past: int) -> None:
    frames = last_riff_frames(sample_format) + past
    writer = WavWriter(sparse, rate_hz=48_000, sample_format=sample_format, info=INFO)
    writer.extend_silence(frames - 1000)
    audio = ramp(1000) if sample_format == "pcm24" else np.arange(1000)
    writer.append(pack(audio[:700], sample_format))
    writer.publish()
    writer.append(pack(audio[700:], sample_format))
    assert writer.publish() == frames
    for closed in (False, True):
        # Words after the audio need room too: at the border they make RF64 of what was RIFF.
        plain = past <= 0 and not closed
        assert read_info(sparse).container == ("RIFF" if plain else "RF64")
        assert frames_by_every_program(sparse, pcm=plain and sample_format == "pcm24", large=True) == {frames}
        assert (tail(sparse, 1000, sample_format) == audio).all()
        assert not tail(sparse, 1001, sample_format)[0]
        writer.close([Marker(at_samples=frames - 1, name="the end")])
    assert read_info(sparse).markers == (Marker(at_samples=frames - 1, name="the end"),)
    assert sparse.stat().st_blocks * 512 < 1_000_000


def test_ffmpeg_finds_words_and_markers_behind_4_gib(sparse: Path) -> None:
    need("ffprobe")
    writer = WavWriter(sparse, rate_hz=192_000, sample_format="pcm24", info=INFO)
    writer.extend_silence(FOUR_GIB // 2)
    writer.close([Marker(at_samples=FOUR_GIB // 2 - 5, name="late")])
    assert ffprobe(sparse, "-show_chapters")["chapters"][0]["tags"]["title"] == "late"


def test_growing_past_the_border_moves_nothing(sparse: Path) -> None:
    writer = WavWriter(sparse, rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(1000)))
    writer.publish()
    start = sparse.open("rb").read(HEADER_BYTES + 3000)
    writer.extend_silence(FOUR_GIB // 3)
    writer.publish()
    now = sparse.open("rb").read(HEADER_BYTES + 3000)
    writer.close()
    changed = [at for at, (old, new) in enumerate(zip(start, now, strict=True)) if old != new]
    # Only the first name and size, JUNK's name and content, and the size of data.
    assert all(at < 8 or 12 <= at < 48 or HEADER_BYTES - 4 <= at < HEADER_BYTES for at in changed)
    assert now[:4] == b"RF64"


@pytest.mark.parametrize("published", [0, FOUR_GIB // 3 + 10])
def test_repair_knows_files_on_either_side_of_the_border(sparse: Path, published: int) -> None:
    writer = WavWriter(sparse, rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.extend_silence(published)
    writer.publish()
    writer.extend_silence(FOUR_GIB // 3 + 99)
    writer.append(pack(ramp(10)))
    frames = published + FOUR_GIB // 3 + 109
    assert repair(sparse) == frames
    assert (tail(sparse, 10, "pcm24") == ramp(10)).all()
    assert frames_by_every_program(sparse, pcm=False, large=True) == {frames}
