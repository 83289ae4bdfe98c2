"""Hashes of a take: any sha256sum reads them, rot is found by them, and they are written once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from sessions.layout import SUMS_FILE, clip_file_name, clip_info
from sessions.mend import mend_library
from sessions.model import Clip, Session, Take
from sessions.store import Library
from sessions.sums import lacks_sums, make_sums, read_sums
from sessions.verify import check_library
from sessions.wav import WavWriter
from sessions.wavheader import HEADER_BYTES
from tests.sessions.helpers import new_take, pack, ramp


@pytest.fixture
def take(library: Library, session: Session) -> Take:
    """A finished take with two tracks."""
    take = new_take(session, 1)
    folder = library.begin_take(take)
    clips = []
    for order, track in enumerate(take.tracks):
        file = clip_file_name(take, track.id)
        writer = WavWriter(
            folder / file, rate_hz=48_000, sample_format="pcm24", info=clip_info(take, track, session.name)
        )
        writer.append(pack(ramp(3_000, order)))
        writer.close(sync=False)
        clips.append(Clip(track=track.id, file=file, start_samples=0, frames=3_000))
    library.make_room_to_close(session.id, 1)
    take = msgspec.structs.replace(take, status="complete", clips=tuple(clips), frames=3_000)
    library.save_take(take)
    return take


@pytest.fixture
def folder(library: Library, take: Take) -> Path:
    return library.take_path(take.session, 1)


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 4]))


def test_sha256sum_reads_what_was_written(folder: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("no sha256sum")
    assert sorted(make_sums(folder)) == sorted(path.name for path in folder.glob("*.wav"))
    subprocess.run(["sha256sum", "--check", "--strict", SUMS_FILE], cwd=folder, check=True, capture_output=True)


def test_what_was_hashed_is_not_read_or_written_again(folder: Path, take: Take) -> None:
    make_sums(folder)
    before = (folder / SUMS_FILE).stat()
    assert not lacks_sums(folder, take)
    pieces: list[int] = []
    assert make_sums(folder, pieces.append) == []
    assert pieces == []
    assert (folder / SUMS_FILE).stat().st_mtime_ns == before.st_mtime_ns
    assert (folder / SUMS_FILE).stat().st_ino == before.st_ino


def test_a_single_bit_that_rots_is_found_and_named(library: Library, folder: Path, take: Take) -> None:
    make_sums(folder)
    assert check_library(library, hashes=True) == []
    flip(folder / take.clips[1].file, HEADER_BYTES + 4_001)
    (finding,) = check_library(library, hashes=True)
    assert (finding.code, finding.path) == ("hash", f"{take.session}/takes/001/{take.clips[1].file}")
    mending = mend_library(library)
    assert [one.code for one in mending.left] == ["hash"]
    assert not mending.mended


def test_a_header_that_is_mended_is_no_rot(library: Library, folder: Path, take: Take) -> None:
    make_sums(folder)
    file = folder / take.clips[0].file
    flip(file, 5)  # of the size of the whole
    assert [one.code for one in check_library(library, hashes=True)] == ["header"]
    assert [one.code for one in mend_library(library).mended] == ["header"]
    make_sums(folder)
    assert check_library(library, hashes=True) == []


def test_work_that_is_cut_short_leaves_nothing_behind(folder: Path) -> None:
    def enough(_: int) -> None:
        raise KeyboardInterrupt

    before = sorted(path.name for path in folder.iterdir())
    with pytest.raises(KeyboardInterrupt):
        make_sums(folder, enough)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_take_that_is_set_aside_meanwhile_keeps_its_own_hashes(library: Library, folder: Path, take: Take) -> None:
    def set_aside(_: int) -> None:
        if not (folder.parent / "001 false 1").exists():
            library.mark_false(take.session, 1)
            library.begin_take(msgspec.structs.replace(take, status="recording", clips=()))

    make_sums(folder, set_aside)
    assert not (folder / SUMS_FILE).exists()
    assert len(read_sums(library.take_path(take.session, 1, 1))) == 2


def test_a_take_that_is_being_recorded_has_none(library: Library, folder: Path, take: Take) -> None:
    library.save_take(msgspec.structs.replace(take, status="recording"))
    assert make_sums(folder) == []


def test_a_take_that_goes_on_after_a_crash_is_hashed_anew(library: Library, folder: Path, take: Take) -> None:
    make_sums(folder)
    library.save_take(msgspec.structs.replace(take, status="recovered"))
    library.resume_take(take.session, 1)
    assert not (folder / SUMS_FILE).exists()


def test_lines_that_make_no_sense_are_left_out(folder: Path, take: Take) -> None:
    (folder / SUMS_FILE).write_bytes(b"\xff\xfe\nnonsense\n" + b"0" * 64 + b"  " + take.clips[0].file.encode() + b"\n")
    assert read_sums(folder) == {take.clips[0].file: "0" * 64}
    assert make_sums(folder) == [take.clips[1].file]
