"""Sources: files, takes laid on their timeline, rate conversion."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from core.desk.sources import ClipSource, FileSource, ResampledSource, at_rate, file_sources, take_sources
from core.errors import OtoError
from sessions.model import Clip, Take, TakeTrack


@dataclass
class Memory:
    """A source made of an array."""

    audio: np.ndarray
    rate_hz: int = 48_000
    name: str = "memory"
    reads: list = field(default_factory=list)

    @property
    def channels(self):
        return self.audio.shape[0]

    @property
    def frames(self):
        return self.audio.shape[1]

    def read(self, start, frames):
        self.reads.append((start, frames))
        out = np.zeros((self.channels, frames), np.float32)
        first, last = max(start, 0), min(start + frames, self.frames)
        if first < last:
            out[:, first - start : last - start] = self.audio[:, first:last]
        return out


def noise(channels, frames, seed=0):
    return (0.2 * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def write(path, audio, rate_hz=48_000, subtype="FLOAT"):
    soundfile.write(path, audio.T, rate_hz, subtype)
    return path


def take(number, frames, tracks, clips, **more):
    return Take(
        number=number, session="s", status="complete", rate_hz=more.pop("rate_hz", 48_000), sample_format="float32",
        started_utc="2026-01-01T00:00:00Z", frames=frames, tracks=tuple(tracks), clips=tuple(clips), **more,
    )  # fmt: skip


@dataclass
class Shelf:
    """A library as the desk sees it."""

    root: Path
    takes: dict

    def take(self, session_id, number):
        return self.takes[number]

    def take_path(self, session_id, number):
        return self.root / str(number)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_file_reads_bit_for_bit_from_anywhere_and_is_silent_outside(tmp_path, channels):
    audio = noise(channels, 5_000)
    source = FileSource(write(tmp_path / "Kick.wav", audio))
    assert (source.name, source.channels, source.frames, source.rate_hz) == ("Kick", channels, 5_000, 48_000)
    for start, frames in [(0, 100), (100, 200), (4_900, 300), (50, 10), (-20, 50), (6_000, 5)]:
        expected = np.zeros((channels, frames), np.float32)
        for at in range(max(start, 0), min(start + frames, 5_000)):
            expected[:, at - start] = audio[:, at]
        assert np.array_equal(source.read(start, frames), expected)


def test_what_is_no_audio_or_has_too_many_channels_or_is_missing_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("not audio")
    for path, code in [
        (tmp_path / "notes.txt", "bad_input"),
        (write(tmp_path / "three.wav", noise(3, 10)), "bad_input"),
        (tmp_path / "gone.wav", "not_found"),
    ]:
        with pytest.raises(OtoError) as refused:
            file_sources([path])
        assert refused.value.code == code
        assert path.name in refused.value.message


def test_a_file_with_a_nan_is_refused_where_it_is_read(tmp_path):
    audio = noise(1, 1_000)
    audio[0, 500] = np.nan
    source = FileSource(write(tmp_path / "bad.wav", audio))
    assert source.read(0, 500).shape == (1, 500)
    with pytest.raises(OtoError):
        source.read(400, 200)


def test_integers_that_were_written_as_floats_are_read_and_what_is_louder_is_refused_by_name(tmp_path):
    audio = np.full((1, 1_000), 2.0**31, np.float32)
    assert FileSource(write(tmp_path / "integers.wav", audio)).read(0, 1_000).max() == 2.0**31
    audio[0, 480] = -1e30
    with pytest.raises(OtoError, match=r"absurd\.wav holds a sample beyond \+200 dBFS at 0\.010 s") as refused:
        FileSource(write(tmp_path / "absurd.wav", audio)).read(100, 900)
    assert refused.value.code == "bad_input"


def test_files_of_the_same_name_get_names_of_their_own(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    paths = [write(tmp_path / folder / "Kick.wav", noise(1, 10)) for folder in "ab"]
    names = [source.name for source in file_sources(paths)]
    assert names[0] == "Kick"
    assert len(set(names)) == 2


def test_clips_lie_where_they_were_recorded_and_gaps_are_silence(tmp_path):
    first, second = noise(1, 1_000, 1), noise(1, 500, 2)
    clips = [
        (200, FileSource(write(tmp_path / "1.wav", first))),
        (3_000, FileSource(write(tmp_path / "2.wav", second))),
    ]
    source = ClipSource("Bass", clips, frames=4_000, rate_hz=48_000)
    expected = np.zeros((1, 4_000), np.float32)
    expected[:, 200:1_200] = first
    expected[:, 3_000:3_500] = second
    assert np.array_equal(source.read(0, 4_000), expected)
    pieces = [source.read(at, 333) for at in range(0, 4_000, 333)]
    assert np.array_equal(np.concatenate(pieces, axis=1)[:, :4_000], expected)


def test_an_overdub_lies_over_the_take_it_was_played_to(tmp_path):
    band, vocal, again = noise(1, 2_000, 1), noise(1, 1_500, 2), noise(1, 1_600, 3)
    for number, files in {1: {"Kick.wav": band, "Vox.wav": vocal}, 2: {"Vox.wav": again, "Choir.wav": vocal}}.items():
        (tmp_path / str(number)).mkdir()
        for name, audio in files.items():
            write(tmp_path / str(number) / name, audio)
    kick, vox, choir = (TakeTrack(id=i, name=n) for i, n in [("t1", "Kick"), ("t2", "Vox"), ("t3", "Choir")])
    takes = {
        1: take(1, 2_000, [kick, vox], [
            Clip(track="t1", file="Kick.wav", start_samples=0, frames=2_000),
            Clip(track="t2", file="Vox.wav", start_samples=0, frames=1_500),
        ]),
        2: take(2, 1_700, [vox, choir], [
            Clip(track="t2", file="Vox.wav", start_samples=100, frames=1_600),
            Clip(track="t3", file="Choir.wav", start_samples=0, frames=1_500),
        ], overdub_of=1),
    }  # fmt: skip
    sources = take_sources(Shelf(tmp_path, takes), "s", 2)
    assert [source.name for source in sources] == ["Kick", "Vox", "Choir"]
    assert np.array_equal(sources[0].read(0, 2_000), band)
    # The newer recording of a track replaces the older one.
    assert np.array_equal(sources[1].read(100, 1_600), again)
    assert not sources[1].read(0, 100).any()


def test_tracks_of_one_name_are_told_apart_and_tracks_without_audio_left_out(tmp_path):
    (tmp_path / "1").mkdir()
    clips = []
    for number in (1, 2):
        write(tmp_path / "1" / f"{number}.wav", noise(1, 100, number))
        clips.append(Clip(track=f"t{number}", file=f"{number}.wav", start_samples=0, frames=100))
    tracks = [TakeTrack(id=f"t{number}", name="Guitar") for number in (1, 2, 3)]
    sources = take_sources(Shelf(tmp_path, {1: take(1, 100, tracks, clips)}), "s", 1)
    assert len(sources) == 2
    assert len({source.name for source in sources}) == 2


@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 48_000), (48_000, 44_100), (96_000, 48_000), (22_050, 48_000)])
def test_a_converted_source_equals_soxr_on_the_whole_file_however_it_is_read(from_hz, to_hz):
    audio = noise(2, from_hz // 2)
    whole = soxr.resample(audio.T, from_hz, to_hz, quality="VHQ").T
    source = at_rate(Memory(audio, from_hz), to_hz)
    assert (source.rate_hz, source.channels) == (to_hz, 2)
    assert abs(source.frames - whole.shape[1]) <= 1
    got = source.read(0, source.frames)
    assert np.abs(got[:, : whole.shape[1]] - whole[:, : got.shape[1]]).max() < 1e-6
    # Backwards, ahead, and over the end.
    assert np.array_equal(source.read(100, 500), got[:, 100:600])
    assert np.array_equal(source.read(5_000, 700), got[:, 5_000:5_700])
    assert np.array_equal(source.read(source.frames - 10, 20)[:, :10], got[:, -10:])
    assert not source.read(source.frames, 50).any()
    assert not source.read(-50, 50).any()


@given(sizes=st.lists(st.integers(1, 4_000), min_size=1, max_size=10))
@settings(max_examples=15, deadline=None)
def test_conversion_does_not_depend_on_the_size_of_the_reads(sizes):
    audio = noise(1, 30_000)
    whole = ResampledSource(Memory(audio, 44_100), 48_000)
    cut = ResampledSource(Memory(audio, 44_100), 48_000)
    total = sum(sizes)
    at, pieces = 0, []
    for size in sizes:
        pieces.append(cut.read(at, size))
        at += size
    assert np.array_equal(np.concatenate(pieces, axis=1), whole.read(0, total))


def test_a_source_at_the_right_rate_is_left_alone():
    source = Memory(noise(1, 10))
    assert at_rate(source, 48_000) is source
