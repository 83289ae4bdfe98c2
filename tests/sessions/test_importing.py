"""Recordings made elsewhere, written by libsndfile and by hand as recorders write them, against what arrives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.dsp import audio
from sessions import importing
from sessions.chunks import WavInfo, bext_body, chunk
from sessions.errors import LibraryError
from sessions.files import sha256_file
from sessions.importing import import_recordings
from sessions.model import Clip, Session, Take
from sessions.store import Library
from sessions.verify import check_library
from sessions.wavread import read_info
from tests.sessions.helpers import ramp

RATE_HZ = 48_000


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A folder as a recorder's card holds it, with what else lies on such cards."""
    folder = tmp_path / "ZOOM0012"
    folder.mkdir()
    (folder / "ZOOM0012.hprj").write_bytes(b"settings")
    (folder / "._ZOOM0012_Tr1.WAV").write_bytes(b"what macOS leaves")
    return folder


def write(path: Path, audio: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_24", **more: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate_hz, subtype=subtype, **more)
    return path


def noise(frames: int, channels: int = 1, bits: int = 24, seed: int = 0) -> np.ndarray:
    """Left-aligned integers of so many bits, as libsndfile takes them."""
    values = np.random.default_rng(seed).integers(-(1 << bits - 1), 1 << bits - 1, (frames, channels))
    return (values << 32 - bits).astype(np.int32)


def lose_sizes(path: Path) -> Path:
    """What a recorder leaves whose battery was pulled: the audio, and 0 where its length should be."""
    content = bytearray(path.read_bytes())
    at = content.index(b"data")
    content[4:8] = content[at + 4 : at + 8] = bytes(4)
    path.write_bytes(content)
    return path


def stamp(path: Path, samples: int, *, date: str = "2026-05-01T12:00:00", description: str = "") -> Path:
    """Give a WAV file a broadcast chunk, as a recorder would."""
    info = WavInfo(time_reference_samples=samples, started_utc=date, originator="ZOOM F8", description=description)
    return add_chunk(path, b"bext", bext_body(info, "", 602))


def add_chunk(path: Path, name: bytes, body: bytes) -> Path:
    content = path.read_bytes()
    content += b"\0" * (len(content) % 2) + chunk(name, body)
    path.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    return path


def only_take(library: Library, session: Session) -> Take:
    (take,) = library.takes(session.id)
    return take


def audio_of(library: Library, take: Take, clip: Clip, dtype: str = "int32") -> np.ndarray:
    return soundfile.read(library.take_path(take.session, take.number) / clip.file, dtype=dtype)[0]


# ---------------------------------------------------------------- what arrives


@pytest.mark.parametrize(
    ("suffix", "subtype", "bits"),
    [
        ("wav", "PCM_U8", 8),
        ("wav", "PCM_16", 16),
        ("wav", "PCM_24", 24),
        ("flac", "PCM_16", 16),
        ("flac", "PCM_24", 24),
        ("aiff", "PCM_24", 24),
        ("w64", "PCM_24", 24),
        ("caf", "ALAC_24", 24),
    ],
)
def test_up_to_24_bits_arrive_bit_for_bit(
    library: Library, tmp_path: Path, suffix: str, subtype: str, bits: int
) -> None:
    audio = noise(100_001, bits=bits)
    session = import_recordings(library, [write(tmp_path / f"Kick.{suffix}", audio, subtype=subtype)])
    take = only_take(library, session)
    (clip,) = take.clips
    assert (take.sample_format, session.sample_format, clip.frames, take.frames) == ("pcm24", "pcm24", 100_001, 100_001)
    assert (audio_of(library, take, clip) == audio[:, 0]).all()
    assert read_info(library.take_path(session.id, 1) / clip.file).bits == 24


def test_float_arrives_bit_for_bit_with_what_is_above_full_scale(library: Library, tmp_path: Path) -> None:
    audio = np.linspace(-3, 3, 5_001, dtype=np.float32)
    session = import_recordings(library, [write(tmp_path / "Loud.wav", audio, subtype="FLOAT")])
    take = only_take(library, session)
    assert take.sample_format == "float32"
    assert (audio_of(library, take, take.clips[0], "float32") == audio).all()


def test_32_bit_integers_arrive_as_float(library: Library, tmp_path: Path) -> None:
    audio = noise(1_000, bits=32)
    session = import_recordings(library, [write(tmp_path / "Deep.wav", audio, subtype="PCM_32")])
    take = only_take(library, session)
    assert take.sample_format == "float32"
    assert np.abs(audio_of(library, take, take.clips[0], "float64") - audio[:, 0] / 2**31).max() <= 2**-25


def test_24_bits_beside_float_arrive_exactly_and_every_file_is_what_its_take_says(
    library: Library, tmp_path: Path
) -> None:
    whole = noise(1_001, bits=24)
    paths = [
        write(tmp_path / "Kick.wav", whole, subtype="PCM_24"),
        write(tmp_path / "Loud.wav", np.linspace(-3, 3, 1_001, dtype=np.float32), subtype="FLOAT"),
    ]
    take = only_take(library, import_recordings(library, paths))
    kick = next(clip for clip in take.clips if "Kick" in clip.file)
    assert (audio_of(library, take, kick, "float64") * 2**31 == whole[:, 0]).all()
    assert check_library(library, hashes=True) == []


def test_a_folder_becomes_one_session_with_a_track_for_each_recording(library: Library, card: Path) -> None:
    lengths = {"01_Kick-In_48k.wav": 500, "02 Snare.flac": 700, "10_Lead Vox.aiff": 600, "sub/03_Keys.wav": 650}
    for seed, (name, frames) in enumerate(lengths.items()):
        write(card / name, noise(frames, channels=2 if "Keys" in name else 1, seed=seed))
    session = import_recordings(library, [card])
    take = only_take(library, session)
    assert (session.name, take.origin, take.status, take.number) == ("ZOOM0012", "imported", "complete", 1)
    assert [track.name for track in session.tracks] == ["Kick In", "Snare", "Lead Vox", "Keys L", "Keys R"]
    assert [clip.file for clip in take.clips] == [
        "01 Kick In.wav",
        "02 Snare.wav",
        "03 Lead Vox.wav",
        "04 Keys L.wav",
        "05 Keys R.wav",
    ]
    assert [clip.frames for clip in take.clips] == [500, 700, 600, 650, 650]
    assert {clip.start_samples for clip in take.clips} == {0}
    assert take.frames == 700
    assert (audio_of(library, take, take.clips[4]) == noise(650, 2, seed=3)[:, 1]).all()
    assert check_library(library) == []
    found = read_info(library.take_path(session.id, 1) / "03 Lead Vox.wav")
    assert found.ixml
    assert (found.ixml.project, found.ixml.track_names) == ("ZOOM0012", {1: "Lead Vox"})


def test_channels_of_a_polyphonic_file_are_named_by_its_ixml_or_its_description(library: Library, card: Path) -> None:
    poly = write(card / "ZOOM0001.wav", noise(400, channels=3))
    tracks = "".join(
        f"<TRACK><INTERLEAVE_INDEX>{n}</INTERLEAVE_INDEX><NAME>{name}</NAME></TRACK>"
        for n, name in [(2, "Snare"), (1, "Kick")]
    )
    add_chunk(poly, b"iXML", f"<BWFXML><TRACK_LIST>{tracks}</TRACK_LIST></BWFXML>".encode())
    described = "zSPEED=25\r\nzTRK1=Bass\r\nzTRK2=Keys\r\n"
    stamp(write(card / "ZOOM0002.wav", noise(400, channels=2)), 0, description=described)
    session = import_recordings(library, [card], name="Gig")
    assert session.name == "Gig"
    assert [track.name for track in session.tracks] == ["Kick", "Snare", "ZOOM0001 3", "Bass", "Keys"]


def test_the_originals_are_never_touched(library: Library, card: Path) -> None:
    write(card / "Kick.wav", noise(300))
    write(card / "Keys.wav", noise(300), rate_hz=44_100)

    def state() -> dict[str, tuple[str, int]]:
        return {path.name: (sha256_file(path), path.stat().st_mtime_ns) for path in card.iterdir()}

    before = state()
    import_recordings(library, [card])
    assert state() == before


# ---------------------------------------------------------------- time


def test_time_references_that_fit_together_keep_their_offsets(library: Library, card: Path) -> None:
    start = RATE_HZ * 3600
    for name, offset, frames in [("Kick.wav", 700, 48_000), ("Bass.wav", 0, 30_000), ("Solo.wav", 29_000, 10_000)]:
        stamp(write(card / name, noise(frames)), start + offset)
    take = only_take(library, import_recordings(library, [card]))
    names = {track.id: track.name for track in take.tracks}
    assert {names[clip.track]: clip.start_samples for clip in take.clips} == {"Kick": 700, "Bass": 0, "Solo": 29_000}
    assert (take.frames, take.time_reference_samples) == (48_700, start)


@pytest.mark.parametrize(
    ("second", "date"), [(RATE_HZ * 7200, "2026-05-01T12:00:00"), (RATE_HZ * 3600, "2026-05-02T12:00:00")]
)
def test_time_references_that_do_not_fit_together_are_not_believed(
    library: Library, card: Path, second: int, date: str
) -> None:
    stamp(write(card / "Kick.wav", noise(48_000)), RATE_HZ * 3600 - 100)
    stamp(write(card / "Bass.wav", noise(48_000)), second, date=date)
    take = only_take(library, import_recordings(library, [card]))
    assert [clip.start_samples for clip in take.clips] == [0, 0]


def split_files(card: Path, rate_hz: int = RATE_HZ) -> np.ndarray:
    """What a recorder leaves that splits files: two tracks in three files each."""
    audio = noise(90_000, seed=1)
    for track in (1, 2):
        for part, at in enumerate((0, 40_000, 60_000)):
            name = f"ZOOM0001_Tr{track}.WAV" if part == 0 else f"ZOOM0001_Tr{track}-{part:04d}.WAV"
            piece = audio[at : (40_000, 60_000, 90_000)[part]] >> (track - 1) & ~0xFF
            stamp(write(card / name, piece, rate_hz), 1_000_000 + at)
    return audio[:, 0]


def test_files_that_a_recorder_split_become_clips_of_one_track(library: Library, card: Path) -> None:
    audio = split_files(card)
    take = only_take(library, import_recordings(library, [card]))
    assert [track.name for track in take.tracks] == ["Track 1", "Track 2"]
    assert [(clip.file, clip.start_samples, clip.frames) for clip in take.clips[:3]] == [
        ("01 Track 1.wav", 0, 40_000),
        ("01 Track 1 (2).wav", 40_000, 20_000),
        ("01 Track 1 (3).wav", 60_000, 30_000),
    ]
    joined = np.concatenate([audio_of(library, take, clip) for clip in take.clips[:3]])
    assert (joined == audio).all()
    assert take.frames == 90_000


def test_split_files_with_a_gap_between_stay_apart(library: Library, card: Path) -> None:
    stamp(write(card / "ZOOM0001_Tr1.WAV", noise(100)), 1_000)
    stamp(write(card / "ZOOM0001_Tr1-0001.WAV", noise(100)), 1_101)
    take = only_take(library, import_recordings(library, [card]))
    assert len(take.tracks) == 2


def test_split_files_are_converted_as_if_they_were_one(library: Library, card: Path, tmp_path: Path) -> None:
    audio = split_files(card, rate_hz=44_100)
    whole = write(tmp_path / "whole" / "Whole.wav", audio & ~0xFF, 44_100)
    pieces = only_take(library, import_recordings(library, [card], rate_hz=RATE_HZ))
    single = only_take(library, import_recordings(library, [whole], rate_hz=RATE_HZ))
    clips = pieces.clips[:3]
    assert [clip.start_samples for clip in clips] == [0, clips[0].frames, clips[0].frames + clips[1].frames]
    joined = np.concatenate([audio_of(library, pieces, clip, "float32") for clip in clips])
    assert np.abs(joined - audio_of(library, single, single.clips[0], "float32")).max() < 1e-6


# ---------------------------------------------------------------- rates


def test_the_session_takes_the_rate_that_most_files_have(library: Library, card: Path) -> None:
    for name, rate_hz in [("A.wav", 44_100), ("B.wav", 96_000), ("C.wav", 44_100)]:
        write(card / name, noise(441), rate_hz)
    session = import_recordings(library, [card])
    take = only_take(library, session)
    assert (session.rate_hz, take.rate_hz) == (44_100, 44_100)
    assert {soundfile.info(library.take_path(session.id, 1) / clip.file).samplerate for clip in take.clips} == {44_100}


@pytest.mark.parametrize("from_hz", [44_100, 96_000, 22_050])
def test_conversion_keeps_pitch_level_and_length(library: Library, tmp_path: Path, from_hz: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(from_hz * 2) / from_hz)
    session = import_recordings(library, [write(tmp_path / "Tone.wav", tone, from_hz)], rate_hz=RATE_HZ)
    take = only_take(library, session)
    assert abs(take.frames - 2 * RATE_HZ) <= 1
    heard = audio_of(library, take, take.clips[0], "float64")[1_000:95_000]
    expected = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(1_000, 95_000) / RATE_HZ)
    assert np.abs(heard - expected).max() < 1e-5  # in time, too


# ---------------------------------------------------------------- what goes wrong


def nothing_changed(library: Library) -> bool:
    return library.sessions() == [] and list(library.root.iterdir()) == []


def test_files_that_cannot_be_read_are_all_named_and_nothing_is_left_behind(library: Library, card: Path) -> None:
    write(card / "Good.wav", noise(10))
    for name in ("bad one.wav", "bad two.flac"):
        (card / name).write_bytes(b"RIFF this is no audio")
    write(card / "empty.wav", noise(0))
    with pytest.raises(LibraryError) as caught:
        import_recordings(library, [card])
    assert caught.value.code == "bad_input"
    assert all(name in caught.value.message for name in ("3 of 4", "bad one.wav", "bad two.flac", "empty.wav"))
    assert nothing_changed(library)


def test_a_file_that_breaks_off_is_found_on_the_way_and_nothing_is_left_behind(library: Library, card: Path) -> None:
    write(card / "A.wav", noise(1_000))
    flac = write(card / "B.flac", noise(200_000))
    flac.write_bytes(flac.read_bytes()[: flac.stat().st_size // 2])
    with pytest.raises(LibraryError) as caught:
        import_recordings(library, [card])
    assert caught.value.code == "bad_input"
    assert "B.flac" in caught.value.message
    assert nothing_changed(library)


@pytest.mark.parametrize(
    ("wrong", "said"), [(np.nan, "not a number"), (np.inf, "not a number"), (-1e30, "beyond +200 dBFS")]
)
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
def test_a_file_that_no_mix_could_use_is_named_and_nothing_is_left_behind(
    library: Library, card: Path, wrong: float, said: str, rate_hz: int
) -> None:
    samples = np.zeros(2 * RATE_HZ, np.float32)
    samples[RATE_HZ * 3 // 2] = wrong
    write(card / "A.wav", noise(1_000))
    write(card / "Keys.wav", samples, subtype="FLOAT")
    with pytest.raises(LibraryError) as caught:
        import_recordings(library, [card], rate_hz=rate_hz)
    assert caught.value.code == "bad_input"
    assert all(word in caught.value.message for word in ("Keys.wav", said, "1.500 s", "Nothing was imported"))
    assert nothing_changed(library)
    assert importing.LOUDEST == audio.LOUDEST


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: folder / "missing.wav", "not_found"),
        (lambda folder: folder, "bad_input"),  # nothing but a recorder's settings in it
    ],
)
def test_paths_without_audio_are_refused(library: Library, card: Path, make: Callable[[Path], Path], code: str) -> None:
    with pytest.raises(LibraryError) as caught:
        import_recordings(library, [make(card)])
    assert caught.value.code == code
    assert nothing_changed(library)


def test_a_cancelled_import_leaves_nothing_behind(library: Library, card: Path) -> None:
    write(card / "Kick.wav", noise(300_000))
    seen: list[float] = []

    def cancel_half_way(fraction: float, doing: str) -> bool:
        seen.append(fraction)
        assert doing == "Importing Kick.wav"
        return fraction < 0.5

    with pytest.raises(LibraryError) as caught:
        import_recordings(library, [card], progress=cancel_half_way)
    assert caught.value.code == "cancelled"
    assert seen == sorted(seen)
    assert nothing_changed(library)


def test_a_killed_import_shows_nothing_and_the_next_one_clears_up(library: Library, card: Path) -> None:
    write(card / "Kick.wav", noise(300_000))
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sessions.importing import import_recordings; from sessions.store import Library\n"
        "def die(fraction, doing):\n"
        "    return fraction < 0.5 or os.kill(os.getpid(), signal.SIGKILL)\n"
        "import_recordings(Library(Path(sys.argv[1])), [Path(sys.argv[2])], progress=die)\n"
    )
    command = [sys.executable, "-c", code, str(library.root), str(card)]
    assert subprocess.run(command, timeout=60, cwd=Path(__file__).parents[2]).returncode == -signal.SIGKILL
    assert library.sessions() == []
    assert [path.name[0] for path in library.root.iterdir()] == ["."]
    session = import_recordings(library, [card])
    assert [path.name for path in library.root.iterdir()] == [session.id]


def test_memory_stays_small_whatever_the_length(library: Library, tmp_path: Path) -> None:
    path = write(tmp_path / "Long.wav", np.zeros((1, 2), np.int32))
    with soundfile.SoundFile(path, "w", RATE_HZ, 2, "PCM_24") as file:
        for at in range(0, 4_000_000, 400_000):
            file.write(np.stack([ramp(400_000, at), ramp(400_000, at)], axis=1).astype(np.int32) << 8)
    tracemalloc.start()
    try:
        import_recordings(library, [path])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000  # the audio is 24 MB


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_recorder_that_lost_its_power_loses_no_audio(library: Library, tmp_path: Path, subtype: str) -> None:
    path = write(tmp_path / "Room.wav", noise(70_001, 2, 16), subtype=subtype)
    whole = soundfile.read(path, dtype="int32")[0]
    lose_sizes(path)
    path.write_bytes(path.read_bytes() + b"\x01")  # in the middle of a sample
    before = sha256_file(path)
    session = import_recordings(library, [path])
    take = library.takes(session.id)[0]
    for clip, channel in zip(take.clips, whole.T, strict=True):
        arrived = soundfile.read(library.take_path(session.id, 1) / clip.file, dtype="int32")[0]
        np.testing.assert_array_equal(arrived, channel)
    assert sha256_file(path) == before


def test_a_silent_channel_of_a_recorder_that_lost_its_power_is_not_looked_through_for_chunks(
    library: Library, tmp_path: Path
) -> None:
    path = write(tmp_path / "Unused.wav", np.zeros((10_000_000, 1), np.int32), subtype="PCM_16")
    lose_sizes(path)
    began_s = time.process_time()
    read_info(path)
    assert time.process_time() - began_s < 0.1
    session = import_recordings(library, [path])
    assert library.takes(session.id)[0].frames == 10_000_000


def test_a_finished_file_without_audio_is_not_filled_with_what_is_told_behind_it(
    library: Library, tmp_path: Path
) -> None:
    path = write(tmp_path / "Empty.wav", noise(0))
    content = path.read_bytes() + chunk(b"iXML", b"<BWFXML><NOTE>not used</NOTE></BWFXML>" * 20)
    path.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    assert read_info(path).data_bytes == 0
    with pytest.raises(LibraryError, match="holds no audio"):
        import_recordings(library, [path])
    assert nothing_changed(library)


def test_a_name_that_is_no_text_is_what_is_wrong_and_not_the_audio(library: Library, card: Path) -> None:
    path = write(card / "Kick.wav", noise(1_000))
    path.rename(os.fsdecode(os.fsencode(card) + b"/Kick\xe4.wav"))
    with pytest.raises(LibraryError, match="not in UTF-8: rename it"):
        import_recordings(library, [card])
    assert nothing_changed(library)
