"""The writer against other programs: Python's wave, libsndfile, ffmpeg and sox decide what is a good file."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessions.chunks import BextLoudness, WavInfo
from sessions.errors import LibraryError
from sessions.model import Marker, SampleFormat
from sessions.wav import PAGE_BYTES, WavWriter
from sessions.wavheader import HEADER_BYTES, WavFormat, blank_header, read_own, set_sizes
from sessions.wavread import read_info
from sessions.wavrepair import is_whole, repair
from tests.rig.programs import frames_read_by_every_program
from tests.sessions.helpers import ffprobe, frames_by_every_program, need, pack, ramp, samples

FORMATS: list[SampleFormat] = ["pcm24", "float32"]
IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def fresh(tmp_path: Path) -> Path:
    path = tmp_path / "01 Kick.wav"
    path.unlink(missing_ok=True)
    return path


@pytest.mark.parametrize("sample_format", FORMATS)
@pytest.mark.parametrize("frames", [0, 1, 2, 999, 1000])
def test_what_was_published_is_what_every_program_reads(
    tmp_path: Path, sample_format: SampleFormat, frames: int
) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format=sample_format)
    writer.append(pack(np.arange(frames), sample_format))
    assert writer.publish() == frames
    assert frames_by_every_program(path, pcm=sample_format == "pcm24") == {frames}
    writer.append(pack(np.arange(333), sample_format))
    if frames:  # to some programs a size of 0 means "read what is there", which is as good
        assert frames_by_every_program(path, pcm=sample_format == "pcm24") == {frames}
    writer.close([Marker(at_samples=0, name="Intro")])
    assert frames_by_every_program(path, pcm=sample_format == "pcm24") == {frames + 333}


@pytest.mark.parametrize("sample_format", FORMATS)
def test_a_header_that_runs_ahead_of_its_audio_hides_none_of_it(tmp_path: Path, sample_format: SampleFormat) -> None:
    need("sox", "ffmpeg")
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format=sample_format)
    for frames in (1_001, 3_001):
        writer.append(pack(ramp(frames - writer.frames, writer.frames), sample_format))
        header = path.read_bytes()[:HEADER_BYTES]
        writer.promise(480_000)
        if sample_format == "pcm24":  # Python's wave knows no float
            assert frames_read_by_every_program([path]) == {path: frames}
        else:
            assert len(soundfile.read(path)[0]) == frames
    assert path.read_bytes()[:HEADER_BYTES] == header, "a header that still covers its audio was written again"
    assert not is_whole(path)
    writer.close()
    assert is_whole(path)
    assert frames_by_every_program(path, pcm=sample_format == "pcm24") == {3_001}


def test_claimed_space_lengthens_no_file_and_is_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format="pcm24")
    writer.append(pack(ramp(1_000)))
    writer.publish()
    before = path.stat()
    writer.claim(1_000_000)
    claimed = path.stat()
    if claimed.st_blocks == before.st_blocks:
        pytest.skip("the temporary folder's file system claims no space")
    assert (claimed.st_size, claimed.st_blocks * 512 > 3_000_000) == (before.st_size, True)
    assert frames_by_every_program(path) == {1_000}
    writer.close()
    assert path.stat().st_blocks * 512 < 100_000


@given(done=st.integers(0, 20_000), frames=st.integers(0, 20_000), sample_format=st.sampled_from(FORMATS))
@IN_ONE_FOLDER
def test_whole_pages_are_as_many_frames_as_end_at_the_last_page_end(
    tmp_path: Path, done: int, frames: int, sample_format: SampleFormat
) -> None:
    writer = WavWriter(fresh(tmp_path), rate_hz=48_000, sample_format=sample_format)
    writer.extend_silence(done)
    whole = writer.whole_pages(frames)
    ends = [HEADER_BYTES + (done + more) * writer.format.frame_bytes for more in range(frames + 1)]
    expected = max((more for more, end in enumerate(ends) if end % PAGE_BYTES == 0), default=0)
    writer.close(sync=False)
    assert whole == expected


@given(values=st.lists(st.integers(-(1 << 23), (1 << 23) - 1), max_size=40))
@IN_ONE_FOLDER
def test_24_bit_samples_come_back_bit_for_bit(tmp_path: Path, values: list[int]) -> None:
    path = fresh(tmp_path)
    writer = WavWriter(path, rate_hz=96_000, sample_format="pcm24")
    writer.append(pack(np.array(values, dtype="<i4")))
    writer.close()
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (96_000, 3, 1)
        raw = file.readframes(len(values))
    assert [int.from_bytes(raw[at : at + 3], "little", signed=True) for at in range(0, len(raw), 3)] == values


@given(values=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=40))
@IN_ONE_FOLDER
def test_float_samples_come_back_bit_for_bit(tmp_path: Path, values: list[float]) -> None:
    path = fresh(tmp_path)
    writer = WavWriter(path, rate_hz=44_100, sample_format="float32")
    writer.append(np.array(values, dtype="<f4").tobytes())
    writer.close()
    assert soundfile.info(path).subtype == "FLOAT"
    assert soundfile.read(path, dtype="float32")[0].tobytes() == np.array(values, dtype="<f4").tobytes()


def test_stereo_is_interleaved_as_every_program_expects(tmp_path: Path) -> None:
    audio = np.stack([ramp(501), -ramp(501) - 1], axis=1)
    writer = WavWriter(tmp_path / "mix.wav", rate_hz=48_000, sample_format="pcm24", channels=2)
    writer.append(pack(audio))
    writer.close()
    assert (samples(tmp_path / "mix.wav") == audio).all()
    assert frames_by_every_program(tmp_path / "mix.wav") == {501}


def test_a_hole_is_silence_in_its_right_place_and_takes_no_space(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format="pcm24")
    writer.append(pack(ramp(101)))
    writer.publish()
    writer.extend_silence(10_000_001)
    writer.append(pack(ramp(50, 101)))
    writer.close()
    read = samples(path)
    assert (read[:101] == ramp(101)).all()
    assert not read[101:-50].any()
    assert (read[-50:] == ramp(50, 101)).all()
    assert len(read) == 10_000_152
    assert path.stat().st_blocks * 512 < 1_000_000


def test_torn_frames_are_refused(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format="pcm24")
    with pytest.raises(ValueError, match="whole frames"):
        writer.append(b"1234")
    assert writer.frames == 0


def test_audio_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"someone's song")
    with pytest.raises(LibraryError) as caught:
        WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format="pcm24")
    assert caught.value.code == "exists"
    assert (tmp_path / "a.wav").read_bytes() == b"someone's song"


def test_closing_twice_and_syncing_after_close_do_nothing(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format="pcm24")
    writer.append(pack(ramp(3)))
    writer.sync()
    writer.close()
    before = (tmp_path / "a.wav").read_bytes()
    writer.close()
    writer.sync()
    assert (tmp_path / "a.wav").read_bytes() == before


def test_syncing_from_another_thread_never_meets_a_closed_file(tmp_path: Path) -> None:
    for take in range(5):
        writer = WavWriter(tmp_path / f"{take}.wav", rate_hz=48_000, sample_format="pcm24")
        with ThreadPoolExecutor(2) as threads:
            syncing = [threads.submit(writer.sync) for _ in range(40)]
            for block in range(10):
                writer.append(pack(ramp(100, block * 100)))
                writer.publish()
            writer.close()
        assert [sync.result() for sync in syncing] == [None] * 40
        assert (samples(writer.path) == ramp(1000)).all()


# ---------------------------------------------------------------- what the file says of itself


INFO = WavInfo(
    description="Rehearsal, take 3: Gitarre übel",
    originator_reference="OTO Rehearsal",
    session_name="Rehearsal <&> friends",
    scene="Blue Monday",
    take_number=3,
    track_name="Gitarre übel",
    started_utc="2026-11-22T10:00:00+00:00",
    time_reference_samples=(1 << 33) + 12_345,
)
MARKERS = [Marker(at_samples=900, name="Refrain é"), Marker(at_samples=0), Marker(at_samples=400, name="Solo")]


@pytest.mark.parametrize("sample_format", FORMATS)
def test_ffmpeg_reads_the_broadcast_chunk(tmp_path: Path, sample_format: SampleFormat) -> None:
    need("ffprobe")
    writer = WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format=sample_format, info=INFO)
    writer.append(pack(np.arange(1000), sample_format))
    writer.publish()
    tags = ffprobe(tmp_path / "a.wav", "-show_entries", "format_tags")["format"]["tags"]
    local = datetime.fromisoformat(INFO.started_utc).astimezone()
    assert tags["time_reference"] == str(INFO.time_reference_samples)
    assert tags["encoded_by"] == "OTO"
    assert tags["originator_reference"] == "OTO Rehearsal"
    assert tags["comment"] == "Rehearsal, take 3: Gitarre ubel"
    assert (tags["date"], tags["creation_time"]) == (f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}")
    assert tags["coding_history"].startswith("A=PCM,F=48000,W=")


def test_ffmpeg_finds_the_markers_with_their_names(tmp_path: Path) -> None:
    need("ffprobe")
    writer = WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(1000)))
    writer.close([*MARKERS, Marker(at_samples=1000, name="past the end")])
    chapters = ffprobe(tmp_path / "a.wav", "-show_chapters")["chapters"]
    assert [(c["start"], c.get("tags", {}).get("title", "")) for c in chapters] == [
        (0, ""),
        (400, "Solo"),
        (900, "Refrain é"),
    ]


def test_the_ixml_names_project_scene_take_and_track(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(7)))
    writer.close(MARKERS)
    raw = path.read_bytes()
    at = raw.index(b"iXML")
    root = ElementTree.fromstring(raw[at + 8 : at + 8 + int.from_bytes(raw[at + 4 : at + 8], "little")])
    assert root.tag == "BWFXML"
    assert [root.findtext(key) for key in ("PROJECT", "SCENE", "TAKE")] == ["Rehearsal <&> friends", "Blue Monday", "3"]
    assert root.findtext("TRACK_LIST/TRACK/NAME") == "Gitarre übel"
    high = int(root.findtext("SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI", ""))
    low = int(root.findtext("SPEED/TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO", ""))
    assert (high << 32) + low == INFO.time_reference_samples


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(1001)))
    writer.close(MARKERS)
    found = read_info(tmp_path / "a.wav")
    assert (found.container, found.rate_hz, found.channels, found.bits, found.is_float) == (
        "RIFF",
        48_000,
        1,
        24,
        False,
    )
    assert (found.frames, found.data_offset) == (1001, HEADER_BYTES)
    assert found.bext
    assert found.bext.version == 1
    assert found.bext.time_reference_samples == INFO.time_reference_samples
    assert found.ixml
    assert found.ixml.track_names == {1: "Gitarre übel"}
    assert found.markers == tuple(sorted(MARKERS, key=lambda marker: marker.at_samples))


def test_measured_loudness_makes_the_broadcast_chunk_version_2(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format="float32", channels=2)
    writer.append(bytes(80))
    loudness = BextLoudness(integrated_lufs=-14.23, true_peak_dbtp=-1.0, momentary_max_lufs=-8.5)
    writer.close(loudness=loudness)
    raw = path.read_bytes()
    at = raw.index(b"bext") + 8
    fields = np.frombuffer(raw, "<i2", 5, at + 412)  # EBU Tech 3285 v2, table 1: after the UMID
    assert int.from_bytes(raw[at + 346 : at + 348], "little") == 2
    assert fields.tolist() == [-1423, 0x7FFF, -100, -850, 0x7FFF]
    bext = read_info(path).bext
    assert bext
    assert bext.loudness == loudness


@given(data=st.binary(max_size=300), cut=st.integers(0, 1500))
@IN_ONE_FOLDER
def test_no_file_makes_the_reader_do_worse_than_refuse(tmp_path: Path, data: bytes, cut: int) -> None:
    path = fresh(tmp_path)
    writer = WavWriter(path, rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(20)))
    writer.close(MARKERS)
    whole = path.read_bytes()
    for damaged in (data, b"RIFF" + data, whole[:cut] + data, whole[:cut] + data + whole[cut + len(data) :]):
        path.write_bytes(damaged)
        with contextlib.suppress(LibraryError):
            found = read_info(path)
            assert found.data_offset + found.data_bytes <= len(damaged)


def test_files_of_other_makers_are_read(tmp_path: Path) -> None:
    for name, form, subtype, bits in [
        ("a", "WAV", "PCM_16", 16),
        ("b", "RF64", "FLOAT", 32),
        ("c", "WAVEX", "PCM_24", 24),
    ]:
        soundfile.write(tmp_path / f"{name}.wav", np.zeros((77, 3)), 44_100, subtype=subtype, format=form)
        found = read_info(tmp_path / f"{name}.wav")
        assert (found.frames, found.channels, found.bits, found.is_float) == (77, 3, bits, subtype == "FLOAT")


# ---------------------------------------------------------------- repair


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 50)),
        st.tuples(st.just("silence"), st.integers(0, 50)),
        st.tuples(st.just("publish"), st.just(0)),
        st.tuples(st.just("promise"), st.integers(0, 100)),
        st.tuples(st.just("claim"), st.integers(1, 5_000)),
    ),
    max_size=12,
)


@given(steps=STEPS, sample_format=st.sampled_from(FORMATS), torn=st.integers(0, 5))
@IN_ONE_FOLDER
def test_repair_takes_in_all_whole_frames_that_are_there(
    tmp_path: Path, steps: list[tuple[str, int]], sample_format: SampleFormat, torn: int
) -> None:
    path = fresh(tmp_path)
    writer = WavWriter(path, rate_hz=48_000, sample_format=sample_format)
    expected = bytearray()
    for step, count in steps:
        if step == "append":
            block = pack(ramp(count, 3), sample_format)
            writer.append(block)
            expected += block
        elif step == "silence":
            writer.extend_silence(count)
            expected += bytes(count * writer.format.frame_bytes)
        elif step == "promise":
            writer.promise(count)
        elif step == "claim":
            writer.claim(count)
        else:
            writer.publish()
    copy = tmp_path / "copy.wav"  # what a kill leaves: the file without its writer, perhaps with a torn last frame
    content = path.read_bytes()[: HEADER_BYTES + len(expected)]
    copy.write_bytes(content + b"\x55" * min(torn, writer.format.frame_bytes - 1))
    writer.close(sync=False)
    frames = len(expected) // writer.format.frame_bytes
    for _ in range(2):
        assert repair(copy) == frames
        with copy.open("rb") as file:
            assert soundfile.info(file).frames == frames
        assert copy.read_bytes()[HEADER_BYTES:].rstrip(b"\0") == bytes(expected).rstrip(b"\0")


@given(frames=st.integers(0, 40), cut=st.integers(0, 1200), sample_format=st.sampled_from(FORMATS))
@IN_ONE_FOLDER
def test_a_kill_while_closing_loses_words_but_no_audio_and_invents_none(
    tmp_path: Path, frames: int, cut: int, sample_format: SampleFormat
) -> None:
    path = fresh(tmp_path)
    writer = WavWriter(path, rate_hz=48_000, sample_format=sample_format, info=INFO)
    writer.append(pack(ramp(frames), sample_format))
    writer.publish()
    header = path.read_bytes()[:HEADER_BYTES]
    audio_end = path.stat().st_size
    writer.close(MARKERS)
    closed = path.read_bytes()
    path.write_bytes(header + closed[HEADER_BYTES : audio_end + cut])
    assert repair(path) == frames
    assert path.read_bytes() == header + closed[HEADER_BYTES:audio_end]


@given(frames=st.integers(0, 40), lost=st.integers(0, 1200), sample_format=st.sampled_from(FORMATS))
@IN_ONE_FOLDER
def test_a_file_that_a_power_cut_left_shorter_than_its_header_says_keeps_what_is_there(
    tmp_path: Path, frames: int, lost: int, sample_format: SampleFormat
) -> None:
    path = fresh(tmp_path)
    writer = WavWriter(path, rate_hz=48_000, sample_format=sample_format, info=INFO)
    writer.append(pack(ramp(frames), sample_format))
    writer.close(MARKERS)
    closed = path.read_bytes()
    length = max(HEADER_BYTES, len(closed) - lost)
    path.write_bytes(closed[:length])
    left = min(frames, (length - HEADER_BYTES) // writer.format.frame_bytes)
    assert repair(path) == left
    assert soundfile.info(path).frames == left
    assert path.read_bytes()[HEADER_BYTES:].startswith(
        pack(ramp(frames), sample_format)[: left * writer.format.frame_bytes]
    )


def test_repair_leaves_a_closed_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(1001)))
    writer.close(MARKERS)
    before = path.read_bytes()
    assert repair(path, info=INFO, markers=MARKERS) == 1001
    assert path.read_bytes() == before


def test_a_repaired_file_can_get_the_words_that_closing_would_have_given_it(tmp_path: Path) -> None:
    for name in ("closed", "killed"):
        writer = WavWriter(tmp_path / name, rate_hz=48_000, sample_format="pcm24", info=INFO)
        writer.append(pack(ramp(1001)))
        if name == "closed":
            writer.close(MARKERS)
    assert repair(tmp_path / "killed", info=INFO, markers=MARKERS) == 1001
    assert (tmp_path / "killed").read_bytes() == (tmp_path / "closed").read_bytes()


@pytest.mark.parametrize("sample_format", FORMATS)
@pytest.mark.parametrize("lost", [0, 1, 500, 1023, 1024])
def test_a_file_whose_header_never_reached_the_disk_is_given_one(
    tmp_path: Path, sample_format: SampleFormat, lost: int
) -> None:
    path = tmp_path / "a.wav"
    writer = WavWriter(path, rate_hz=44_100, sample_format=sample_format, info=INFO)
    writer.append(pack(ramp(200), sample_format))
    writer.close()
    content = path.read_bytes()
    frames = 200 if lost else 0
    path.write_bytes(bytes(lost) + content[lost : HEADER_BYTES + 200 * writer.format.frame_bytes] if lost else b"")
    form = WavFormat(rate_hz=44_100, sample_format=sample_format)
    assert repair(path, otherwise=form, info=INFO) == frames
    assert frames_by_every_program(path, pcm=sample_format == "pcm24") == {frames}
    assert read_info(path).bext == _bext_of(tmp_path / "b.wav", sample_format)
    if lost:
        assert path.read_bytes() == content


def _bext_of(path: Path, sample_format: SampleFormat) -> object:
    WavWriter(path, rate_hz=44_100, sample_format=sample_format, info=INFO).close()
    return read_info(path).bext


@pytest.mark.parametrize("sample_format", ["pcm24", "float32"])
def test_a_header_in_which_any_bit_of_its_build_has_turned_is_none_of_ours(sample_format: SampleFormat) -> None:
    form = WavFormat(rate_hz=48_000, sample_format=sample_format)
    header = blank_header(form, WavInfo(description="A take"))
    set_sizes(header, 3_000, 0, form.frame_bytes)
    assert read_own(header) == (form, 3_000, HEADER_BYTES + 3_000)
    described = header.index(b"fmt ")
    frames = {*range(HEADER_BYTES - 12, HEADER_BYTES - 8)} if sample_format == "float32" else set()
    for at in [*range(4), *range(8, 20), *range(48, 56), *range(described, HEADER_BYTES - 4)]:
        for bit in range(8):
            turned = bytearray(header)
            turned[at] ^= 1 << bit
            assert at in frames or read_own(turned) is None, (at, bit)


def test_repair_never_touches_a_file_that_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(5000), 48_000)
    before = path.read_bytes()
    with pytest.raises(LibraryError) as caught:
        repair(path)
    assert caught.value.code == "bad_input"
    assert path.read_bytes() == before


# ---------------------------------------------------------------- a disk that is full


FULL_DISK = """
import resource, sys
from pathlib import Path
from sessions.model import Marker
from sessions.wav import WavWriter
limit, frame = int(sys.argv[2]), bytes([7, 8, 9])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
writer = WavWriter(Path(sys.argv[1]), rate_hz=48_000, sample_format="pcm24")
try:
    while True:
        writer.append(frame * 100)
        writer.publish()
except OSError:
    writer.publish()
    writer.close([Marker(at_samples=1, name="x")])
print(writer.frames)
"""


@pytest.mark.parametrize("room", [3000, 3001, 3002, 3003, 3005])
def test_a_full_disk_leaves_a_whole_file_with_everything_that_fitted(tmp_path: Path, room: int) -> None:
    path = tmp_path / "a.wav"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), str(HEADER_BYTES + room)],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    (frames,) = frames_by_every_program(path)
    assert room // 3 - frames <= 1  # an odd number of bytes needs one more for its pad
    assert path.read_bytes()[HEADER_BYTES : HEADER_BYTES + 3 * frames] == bytes([7, 8, 9]) * frames


def test_a_sync_may_begin_at_any_time_and_changes_nothing(tmp_path: Path) -> None:
    writer = WavWriter(tmp_path / "a.wav", rate_hz=48_000, sample_format="pcm24", info=INFO)
    writer.append(pack(ramp(5_000)))
    writer.begin_sync()
    writer.append(pack(ramp(5_000, 5_000)))
    writer.sync()
    writer.close()
    writer.begin_sync()
    assert (samples(tmp_path / "a.wav") == ramp(10_000)).all()
