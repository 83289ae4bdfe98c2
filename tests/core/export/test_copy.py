"""A verified copy: whole and proven under its final name, or not there at all."""

from __future__ import annotations

import errno
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Exit, OtoError
from core.export.copy import SYNC_BYTES, copy_verified, told_as_drive_errors

MakeDrive = Callable[[int], Path]


def song(folder: Path, count: int) -> Path:
    path = folder / "source.bin"
    block = hashlib.sha256(b"song").digest() * 32_768
    path.write_bytes((block * (count // len(block) + 1))[:count])
    return path


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=5_000), name=st.sampled_from(["song.wav", "Ça va.flac", "no suffix", "a.b.c.mp3"]))
def test_a_copy_has_the_bytes_and_the_hash_of_its_source(
    data: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("copy")
    (folder / "in").write_bytes(data)
    (folder / "drive").mkdir()
    copied = copy_verified(folder / "in", folder / "drive", name)
    assert copied.path == folder / "drive" / name
    assert copied.path.read_bytes() == data
    assert (copied.bytes, copied.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert [path.name for path in (folder / "drive").iterdir()] == [name]


def test_a_name_that_is_taken_stays_and_the_copy_gets_a_number(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "Song.wav").write_text("precious")
    source = song(tmp_path, 1_000)
    names = [copy_verified(source, drive, "Song.wav").path.name for _ in range(2)]
    assert names == ["Song (2).wav", "Song (3).wav"]
    assert (drive / "Song.wav").read_text() == "precious"


def test_a_name_that_differs_only_in_case_counts_as_taken_because_fat_says_so(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "SONG.WAV").write_text("precious")
    copied = copy_verified(song(tmp_path, 10), tmp_path / "drive", "song.wav")
    assert copied.path.name == "song (2).wav"


def test_progress_counts_every_byte_twice_once_synced_and_once_read_back(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    count = 2 * SYNC_BYTES + 12_345
    moved: list[int] = []
    copy_verified(song(tmp_path, count), tmp_path / "drive", "song.wav", moved=moved.append)
    assert sum(moved) == 2 * count
    assert max(moved) <= SYNC_BYTES


def test_a_drive_that_gives_back_other_bytes_is_found_out_and_keeps_nothing(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    count = 100_000
    written = 0

    def rot(moved: int) -> None:
        nonlocal written
        written += moved
        if written == count:
            (partial,) = drive.iterdir()
            data = bytearray(partial.read_bytes())
            data[50_000] ^= 1
            partial.write_bytes(data)

    with pytest.raises(OtoError) as caught:
        copy_verified(song(tmp_path, count), drive, "song.wav", moved=rot)
    assert caught.value.code == "verify_failed"
    assert caught.value.exit_code is Exit.VERIFY_FAILED
    assert list(drive.iterdir()) == []


def test_work_that_is_cancelled_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()

    def stop(_moved: int) -> None:
        raise OtoError("cancelled", "Enough.")

    with pytest.raises(OtoError, match="Enough"):
        copy_verified(song(tmp_path, 3 * SYNC_BYTES), tmp_path / "drive", "song.wav", moved=stop)
    assert list((tmp_path / "drive").iterdir()) == []


def test_what_an_earlier_crash_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    source = song(tmp_path, 1_000)
    leftovers: list[str] = []
    copy_verified(source, drive, "song.wav", moved=lambda _count: leftovers.extend(p.name for p in drive.iterdir()))
    (drive / "song.wav").unlink()
    (drive / leftovers[0]).write_text("half a song")
    copy_verified(source, drive, "song.wav")
    assert [path.name for path in drive.iterdir()] == ["song.wav"]
    assert (drive / "song.wav").read_bytes() == source.read_bytes()


def test_a_folder_that_is_not_there_is_a_lost_drive(tmp_path: Path) -> None:
    with pytest.raises(OtoError) as caught:
        copy_verified(song(tmp_path, 10), tmp_path / "gone", "song.wav")
    assert caught.value.code == "drive_lost"


@pytest.mark.rig
def test_a_real_drive_that_fills_up_keeps_no_half_file(tmp_path: Path, make_drive: MakeDrive) -> None:
    drive = make_drive(4 << 20)
    before = {path.name for path in drive.iterdir()}
    with pytest.raises(OtoError) as caught:
        copy_verified(song(tmp_path, 12 << 20), drive, "song.wav")
    assert caught.value.code == "no_space"
    assert {path.name for path in drive.iterdir()} == before


@pytest.mark.rig
@pytest.mark.parametrize("when", ["while it is written", "while it is read back"])
def test_a_real_drive_that_is_unmounted_in_the_middle_keeps_no_half_file(
    when: str, tmp_path: Path, make_drive: MakeDrive
) -> None:
    drive = make_drive(64 << 20)
    count = 2 * SYNC_BYTES
    source = song(tmp_path, count)
    moved_before = count + 1 if when == "while it is read back" else 0
    moved_total = 0

    def pull(moved: int) -> None:
        nonlocal moved_total
        if moved_total <= moved_before < moved_total + moved:
            subprocess.run(["umount", "-l", drive], check=True, timeout=30)
        moved_total += moved

    with pytest.raises(OtoError) as caught:
        copy_verified(source, drive, "song.wav", moved=pull)
    assert caught.value.code == "drive_lost"
    assert "untouched" in caught.value.hint
    assert list(drive.iterdir()) == []
    image = tmp_path / "drive-0.img"
    subprocess.run(["mount", "-o", "loop", image, drive], check=True, timeout=30)
    assert {path.name for path in drive.iterdir()} == {"lost+found"}


def test_a_write_protected_drive_is_not_called_pulled() -> None:
    with pytest.raises(OtoError, match="can't be written") as refused, told_as_drive_errors("song.wav"):
        raise OSError(errno.EROFS, "Read-only file system")
    assert "write-protected" in refused.value.hint
    assert "pulled" not in refused.value.message
