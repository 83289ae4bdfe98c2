"""The simulated band: what is written, that it is always the same, and that it sounds like what it says."""

import hashlib
import itertools
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from devices.simulated import stage
from devices.simulated.arrangement import Score, arrange, pitch_hz
from devices.simulated.band import CHANNEL_NAMES, channel_path, render_band, song_duration_s

RATE_HZ = 48_000
SECONDS = 34.0
"""Far enough into the first chorus."""


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        packed = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, 3)
    samples = np.zeros((len(packed), 4), np.uint8)
    samples[:, 1:] = packed
    return samples.view("<i4")[:, 0] / 2.0**31


def db(value: float) -> float:
    return 20 * np.log10(max(value, 1e-12))


def rms_db(audio: np.ndarray) -> float:
    return db(float(np.sqrt(np.mean(audio**2))))


@pytest.fixture(scope="module")
def score() -> Score:
    return arrange()


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("band")
    render_band(folder, RATE_HZ, SECONDS)
    return {name: read(channel_path(folder, name)) for name in CHANNEL_NAMES}


def section(score: Score, audio: np.ndarray, name: str) -> np.ndarray:
    start_s, end_s = next((start, end) for label, start, end in score.sections if label == name)
    return audio[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]


def measured_hz(audio: np.ndarray, near_hz: float) -> float:
    """Strongest pitch within a tone of `near_hz`: the frequency whose first five harmonics hold most, in fine steps."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size), 1 << 19))
    candidates = near_hz * 2 ** (np.arange(-200, 201) / 1200)
    bins = np.rint(np.arange(1, 6) * candidates[:, None] * (1 << 19) / RATE_HZ).astype(int)
    return float(candidates[spectrum[bins].sum(axis=1).argmax()])


def cents(hz: float, reference_hz: float) -> float:
    return float(1200 * np.log2(hz / reference_hz))


def test_its_channels_are_known_without_loading_numpy() -> None:
    program = "import sys; from devices.simulated.band import CHANNEL_NAMES as n; print(len(n), 'numpy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.split() == [str(len(CHANNEL_NAMES)), "False"]


@pytest.mark.parametrize("rate_hz", [44_100, 192_000])
def test_it_writes_one_24_bit_file_per_channel_in_the_order_of_the_inputs(tmp_path: Path, rate_hz: int) -> None:
    render_band(tmp_path, rate_hz, 0.5)
    assert [path.stem[3:] for path in sorted(tmp_path.iterdir())] == list(CHANNEL_NAMES)
    for path in tmp_path.iterdir():
        with wave.open(str(path)) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 3, rate_hz)
            assert file.getnframes() == round(0.5 * rate_hz)


def test_it_refuses_rates_that_no_interface_has(tmp_path: Path) -> None:
    for rate_hz in (8_000, 384_000):
        with pytest.raises(ValueError, match=str(rate_hz)):
            render_band(tmp_path, rate_hz, 1.0)


def test_the_song_is_of_a_song_s_length() -> None:
    assert 100 < song_duration_s() < 130


def test_the_same_arguments_give_the_same_bytes_and_another_seed_another_take(tmp_path: Path) -> None:
    def digests(name: str, seed: int) -> list[str]:
        render_band(tmp_path / name, RATE_HZ, 2.6, seed)
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((tmp_path / name).iterdir())]

    first = digests("first", 1)
    assert digests("again", 1) == first
    assert all(a != b for a, b in zip(digests("other", 2), first, strict=True))


def test_a_shorter_take_is_the_beginning_of_the_longer_one(tmp_path: Path, band: dict[str, np.ndarray]) -> None:
    render_band(tmp_path, RATE_HZ, 12.1)
    for name in CHANNEL_NAMES:
        short = read(channel_path(tmp_path, name))
        assert np.abs(short - band[name][: short.size]).max() < 2.0**-19, name


def test_it_sounds_as_loud_at_another_rate(tmp_path: Path, band: dict[str, np.ndarray]) -> None:
    render_band(tmp_path, 96_000, 5.0)
    for name in ("Kick", "Hat", "Overhead L", "Guitar Clean", "Guitar Amp", "Keys L"):
        there = read(channel_path(tmp_path, name))
        assert rms_db(there) == pytest.approx(rms_db(band[name][: 5 * RATE_HZ]), abs=1.0), name


def test_one_input_is_hot_and_clips_now_and_then_and_no_other_does(band: dict[str, np.ndarray]) -> None:
    for name, audio in band.items():
        at_full_scale = np.flatnonzero(np.abs(audio) >= 1 - 2.0**-22)
        if name == "Snare":
            overs = 1 + int(np.count_nonzero(np.diff(at_full_scale) > RATE_HZ // 10))
            assert 2 <= overs <= 20
        else:
            assert at_full_scale.size == 0, name


def test_levels_are_those_of_real_takes_with_a_quiet_singer(band: dict[str, np.ndarray]) -> None:
    peaks_db = {name: db(float(np.abs(audio).max())) for name, audio in band.items()}
    assert -29 < peaks_db.pop("Lead Vocal") < -20
    peaks_db.pop("Snare")
    for name, peak_db in peaks_db.items():
        assert -20 < peak_db < -5, name


def test_nothing_stands_still_or_is_digitally_silent(band: dict[str, np.ndarray]) -> None:
    for name, audio in band.items():
        assert abs(float(audio.mean())) < 1e-4, name
        for second in np.array_split(audio, int(SECONDS * 4)):
            assert rms_db(second) > -95, name


def test_somebody_can_always_be_heard_once_the_count_in_has_begun(band: dict[str, np.ndarray]) -> None:
    together = sum(band.values())
    assert isinstance(together, np.ndarray)
    # Beats are 0.54 s apart.
    assert min(rms_db(part) for part in np.array_split(together, int(SECONDS / 0.6))) > -54


def test_sections_differ_in_loudness(score: Score, band: dict[str, np.ndarray]) -> None:
    together = sum(band[name] for name in CHANNEL_NAMES if name != "Snare")
    assert isinstance(together, np.ndarray)
    intro, verse, chorus = (rms_db(section(score, together, name)) for name in ("intro", "verse 1", "chorus 1"))
    assert intro + 1.5 < verse
    assert verse + 2.0 < chorus


@pytest.mark.parametrize("overhead", ["Overhead L", "Overhead R"])
def test_the_snare_reaches_the_overheads_when_its_distance_says(
    score: Score, band: dict[str, np.ndarray], overhead: str
) -> None:
    snare = stage.PIECES["snare"]
    way_m = stage.distance_m(snare, stage.MICROPHONES[overhead].at) - stage.distance_m(
        snare, stage.MICROPHONES["Snare"].at
    )
    expected = way_m / stage.SOUND_M_PER_S * RATE_HZ
    lags = []
    for hit in score.hits:
        if hit.piece == "snare" and hit.velocity > 0.6 and hit.at_s < SECONDS - 1:
            where = slice(int(hit.at_s * RATE_HZ), int((hit.at_s + 0.08) * RATE_HZ))
            close, far = (np.diff(band[name][where]) for name in ("Snare", overhead))
            size = 2 * close.size
            alike = np.fft.irfft(np.fft.rfft(far, size) * np.conj(np.fft.rfft(close, size)), size)
            lags.append(int(np.abs(alike[:400]).argmax()))
    assert len(lags) >= 10
    assert abs(float(np.median(lags)) - expected) <= 3


def test_drum_microphones_and_the_singers_hear_the_kit(score: Score, band: dict[str, np.ndarray]) -> None:
    # In the intro nobody sings and the amplifier only hums; hat and kick play.
    hits = [hit for hit in score.hits if hit.piece in ("kick", "hat") and 2.5 < hit.at_s < 10]
    for name in (
        "Kick",
        "Snare",
        "Hat",
        "Rack Tom",
        "Floor Tom",
        "Overhead L",
        "Overhead R",
        "Lead Vocal",
        "Backing Vocal",
    ):
        energy = np.convolve(band[name] ** 2, np.ones(480), "same")
        during = np.median([energy[int((hit.at_s + 0.02) * RATE_HZ)] for hit in hits])
        before = np.median([energy[int((hit.at_s - 0.03) * RATE_HZ)] for hit in hits])
        assert during > 2 * before, name
    # The hat is nearer to the left overhead, and louder there.
    alone = [hit for hit in hits if hit.piece == "hat"]
    left, right = (
        sum(float(np.sum(np.diff(band[name][int(h.at_s * RATE_HZ) :][:4_800]) ** 2)) for h in alone)
        for name in ("Overhead L", "Overhead R")
    )
    assert left > 1.5 * right


def test_the_bass_is_dry(score: Score, band: dict[str, np.ndarray]) -> None:
    # Nobody else comes through a cable: before the bass plays there is the preamp alone.
    first_s = score.bass[0].at_s
    assert rms_db(band["Bass DI"][: int((first_s - 0.01) * RATE_HZ)]) == pytest.approx(
        stage.INPUTS["Bass DI"].noise_dbfs, abs=1
    )


def test_the_amplifier_hums_and_hisses_before_it_plays(score: Score, band: dict[str, np.ndarray]) -> None:
    idle = band["Guitar Amp"][: 2 * RATE_HZ]
    assert score.amp[0].at_s > 2
    spectrum = np.abs(np.fft.rfft(idle * np.hanning(idle.size)))
    for hz in (50, 100, 150):
        around = np.concatenate((spectrum[2 * hz - 20 : 2 * hz - 5], spectrum[2 * hz + 6 : 2 * hz + 20]))
        assert spectrum[2 * hz] > 10 * np.median(around)
    assert -75 < rms_db(np.diff(idle)) < -45


def test_the_bass_plays_what_is_written(score: Score, band: dict[str, np.ndarray]) -> None:
    errors = []
    for note in score.bass:
        if note.duration_s > 0.22 and note.at_s < SECONDS - 1:
            start = int((note.at_s + 0.02) * RATE_HZ)
            played = band["Bass DI"][start : start + int((note.duration_s - 0.03) * RATE_HZ)]
            errors.append(cents(measured_hz(played, pitch_hz(note.pitch)), pitch_hz(note.pitch)))
    assert len(errors) > 30
    assert np.abs(errors).max() < 15
    assert abs(float(np.median(errors))) < 3


def test_the_singer_hits_the_notes(score: Score, band: dict[str, np.ndarray]) -> None:
    errors = []
    for note in score.lead:
        if note.duration_s > 0.5 and note.at_s < SECONDS - 2:
            start = int((note.at_s + 0.15) * RATE_HZ)
            held = band["Lead Vocal"][start : start + int((note.duration_s - 0.3) * RATE_HZ)]
            errors.append(cents(measured_hz(held, pitch_hz(note.pitch)), pitch_hz(note.pitch)))
    assert len(errors) > 12
    assert np.percentile(np.abs(errors), 90) < 45
    assert abs(float(np.median(errors))) < 12


def test_the_stereo_piano_moves_from_side_to_side(score: Score, band: dict[str, np.ndarray]) -> None:
    left, right = (section(score, band[name], "verse 1") for name in ("Keys L", "Keys R"))
    frames = RATE_HZ // 20
    levels = [
        rms_db(a) - rms_db(b)
        for a, b in itertools.islice(
            zip(np.array_split(left, left.size // frames), np.array_split(right, right.size // frames), strict=True), 60
        )
    ]
    assert max(levels) > 2
    assert min(levels) < -2
