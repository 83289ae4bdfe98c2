"""WAV files read straight from their bytes: the same bits as libsndfile, and nothing that isn't such a file."""

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.desk.pcm import Pcm
from core.desk.sources import FileSource
from core.errors import OtoError


def written(path, container="WAV", subtype="PCM_24", channels=1, frames=1_000, seed=0):
    random = np.random.default_rng(seed)
    numbers = random.integers(-(1 << 23), 1 << 23, (frames, channels), dtype=np.int32)
    numbers[:2] = [[-(1 << 23)], [(1 << 23) - 1]]
    soundfile.write(path, numbers << 8, 48_000, subtype, format=container)
    return path


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    container=st.sampled_from(["WAV", "WAVEX", "RF64"]),
    subtype=st.sampled_from(["PCM_16", "PCM_24", "FLOAT"]),
    channels=st.integers(1, 2),
    start=st.integers(0, 999),
    frames=st.integers(1, 1_000),
)
def test_any_stretch_holds_the_bits_that_libsndfile_reads(tmp_path, container, subtype, channels, start, frames):
    path = written(tmp_path / "a.wav", container, subtype, channels)
    frames = min(frames, 1_000 - start)
    pcm = Pcm.of(path, channels=channels, frames=1_000)
    expected, _ = soundfile.read(path, frames, start, dtype="float32", always_2d=True)
    assert np.array_equal(pcm.read(start, frames), expected.T)


@pytest.mark.parametrize(
    ("name", "container", "subtype"),
    [
        ("a.wav", "WAV", "PCM_32"),
        ("a.wav", "WAV", "DOUBLE"),
        ("a.flac", "FLAC", "PCM_24"),
        ("a.aiff", "AIFF", "PCM_24"),
    ],
)
def test_other_files_are_left_to_libsndfile(tmp_path, name, container, subtype):
    path = written(tmp_path / name, container, subtype)
    assert Pcm.of(path, channels=1, frames=1_000) is None
    assert FileSource(path).read(0, 1_000).any()


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path):
    source = FileSource(written(tmp_path / "guitar.wav"))
    (tmp_path / "guitar.wav").write_bytes((tmp_path / "guitar.wav").read_bytes()[:2_000])
    with pytest.raises(OtoError, match=r"guitar\.wav"):
        source.read(500, 400)
