"""Songs mastered to sit together."""

import numpy as np
import pytest
import soundfile as sf

from core.analysis.spectrum import SpectrumMeter
from core.errors import OtoError
from core.master.album import MOST_BELOW_LU, master_album
from core.master.targets import TARGETS
from tests.core.analysis.meters import ffmpeg_reading, needs_ffmpeg
from tests.core.master.songs import RATE_HZ, ArraySource, song

STREAMING = TARGETS["streaming"]
GAP_S = 1.5


@pytest.fixture(scope="module")
def sources():
    """A loud song, one 4 dB quieter and brighter, and one far too quiet; with silence at their ends."""
    loud = song(5.0, seed=1, peak_dbfs=-3.0)
    bright = song(5.0, seed=2, peak_dbfs=-7.0)
    frequencies = np.fft.rfftfreq(bright.shape[1], 1 / RATE_HZ)
    tilt = (1 + frequencies / 800) / (1 + frequencies / 8_000)
    bright = (0.5 * np.fft.irfft(np.fft.rfft(bright, axis=1) * tilt, axis=1)).astype(np.float32)
    quiet = song(5.0, seed=3, peak_dbfs=-20.0)
    padded = [np.pad(audio, ((0, 0), (RATE_HZ // 2, RATE_HZ))) for audio in (loud, bright, quiet)]
    return [ArraySource(audio, name=name) for audio, name in zip(padded, ("loud", "bright", "quiet"), strict=True)]


@pytest.fixture(scope="module")
def album(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("album")
    outs = [folder / f"{n}.wav" for n in range(3)]
    return master_album(sources, outs, STREAMING, gap_s=GAP_S)


def lufs(album):
    return [made.result.loudness.integrated_lufs for made in album.songs]


def test_the_loudest_song_is_at_the_target_and_the_others_keep_their_distance_within_reason(album):
    loud, bright, quiet = lufs(album)
    assert loud == pytest.approx(STREAMING.integrated_lufs, abs=0.2)
    assert bright == pytest.approx(album.songs[1].plan.target.integrated_lufs, abs=0.2)
    assert loud - MOST_BELOW_LU - 0.2 < quiet < bright < loud
    assert quiet == pytest.approx(loud - MOST_BELOW_LU, abs=0.4)
    assert all(made.result.loudness.true_peak_dbtp <= STREAMING.true_peak_dbtp + 0.1 for made in album.songs)


def test_the_gap_is_what_lies_between_the_last_sound_and_the_next_first(album):
    played = np.concatenate([sf.read(made.result.out, dtype="float32")[0] for made in album.songs])
    sounding = np.flatnonzero(np.abs(played).max(axis=1) > 1e-4)
    gaps = np.diff(sounding)
    assert sorted(gaps[gaps > RATE_HZ]) == pytest.approx([GAP_S * RATE_HZ] * 2, abs=0.05 * RATE_HZ)
    assert sounding[0] < 0.02 * RATE_HZ
    starts = [made.start_s for made in album.songs]
    assert starts == pytest.approx([0.0, *np.cumsum([made.result.frames / RATE_HZ for made in album.songs])[:-1]])


def test_tone_moves_towards_the_middle_and_the_reason_says_so(album, sources):
    def levels(audio):
        meter = SpectrumMeter(RATE_HZ, 2)
        meter.add(np.ascontiguousarray(audio))
        return meter.result().levels_db()[4:26]

    before = np.array([levels(source.audio) for source in sources])
    after = np.array([levels(sf.read(made.result.out, dtype="float32")[0].T) for made in album.songs])
    assert after.std(axis=0).mean() < 0.8 * before.std(axis=0).mean()
    assert "the middle of the album" in album.songs[1].plan.curve.why
    assert all(made.plan.target.name == STREAMING.name for made in album.songs)


@needs_ffmpeg
def test_the_albums_loudness_is_that_of_its_songs_played_in_order(album, tmp_path):
    played = np.concatenate([sf.read(made.result.out, dtype="float32")[0] for made in album.songs])
    sf.write(tmp_path / "album.wav", played, RATE_HZ, subtype="FLOAT")
    integrated, _, peak = ffmpeg_reading(tmp_path / "album.wav")
    assert album.loudness.integrated_lufs == pytest.approx(integrated, abs=0.15)
    assert album.loudness.true_peak_dbtp == pytest.approx(peak, abs=0.15)


def test_one_song_is_an_album_of_its_own(tmp_path):
    alone = master_album([ArraySource(song(4.0))], [tmp_path / "a.wav"], STREAMING)
    assert lufs(alone)[0] == pytest.approx(STREAMING.integrated_lufs, abs=0.2)


@pytest.mark.parametrize(
    ("songs", "told"),
    [
        ([], "needs songs"),
        ([ArraySource(song(1.0)), ArraySource(song(1.0, rate_hz=44_100), 44_100)], "rates"),
        ([ArraySource(np.zeros((2, RATE_HZ), np.float32))], "silent"),
    ],
    ids=["none", "two rates", "silence"],
)
def test_what_makes_no_album_is_refused(songs, told, tmp_path):
    with pytest.raises(OtoError, match=told):
        master_album(songs, [tmp_path / f"{n}.wav" for n in range(len(songs))], STREAMING)
    assert not list(tmp_path.iterdir())
