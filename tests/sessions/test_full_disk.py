"""A disk that is really full: a small mounted file system."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sessions.errors import LibraryError
from sessions.importing import import_recordings
from sessions.journal import Journal, MarkerAdded
from sessions.layout import JOURNAL_FILE, ROOM_FILE
from sessions.model import Marker
from sessions.recover import recover
from sessions.store import Library
from sessions.wav import WavWriter
from sessions.wavheader import HEADER_BYTES
from tests.sessions.helpers import frames_by_every_program, new_take, pack, ramp, samples

pytestmark = pytest.mark.rig


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, text=True, timeout=10
    )
    if mounted.returncode:
        pytest.skip(f"this box may not mount: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True, timeout=10)


def append_until_full(writer: WavWriter, block: int) -> None:
    try:
        while True:
            writer.append(pack(ramp(block, writer.frames)))
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the loop ends no other way


def fill_up(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("block", [1_000, 1_365, 7])
def test_a_recording_that_fills_the_disk_is_a_whole_file_with_all_that_fitted(small_disk: Path, block: int) -> None:
    path = small_disk / "a.wav"
    writer = WavWriter(path, rate_hz=48_000, sample_format="pcm24")
    append_until_full(writer, block)
    assert writer.publish() >= writer.frames - 1
    writer.close([Marker(at_samples=1, name="Solo")])
    (frames,) = frames_by_every_program(path)
    assert frames == (256 * 1024 - HEADER_BYTES) // 3
    assert (samples(path) == ramp(frames)).all()


def begin(library: Library) -> Path:
    """A take of no tracks that is being recorded; its folder."""
    session = library.create_session("Gig")
    return library.begin_take(new_take(library.session(session.id), tracks=()))


def set_markers(journal: Journal, count: int) -> None:
    for at_samples in range(count):
        journal.append(MarkerAdded(at_samples=at_samples, name="Solo"))


def test_a_take_is_finished_on_a_disk_that_something_else_fills_to_the_last_byte(small_disk: Path) -> None:
    library = Library(small_disk / "library")
    folder = begin(library)
    journal = Journal(folder / JOURNAL_FILE)
    fill_up(small_disk / "ballast")
    with pytest.raises(OSError, match="No space"):
        set_markers(journal, 200)
    (session,) = library.session_ids()
    library.make_room_to_close(session, 1)
    set_markers(journal, 200)
    journal.close()
    take = library.finish_take(session, 1)
    assert library.take(session, 1) == take
    assert (take.status, take.markers[-1].at_samples) == ("complete", 199)
    assert not (folder / ROOM_FILE).exists()


def test_a_take_is_recovered_on_a_full_disk(small_disk: Path) -> None:
    library = Library(small_disk / "library")
    begin(library)
    fill_up(small_disk / "ballast")
    (recovered,) = recover(library)
    assert "tried again" not in recovered.message
    assert library.take(recovered.take.session, 1).status == "recovered"


def test_its_document_waits_for_room_where_none_was_kept(small_disk: Path) -> None:
    library = Library(small_disk / "library")
    (begin(library) / ROOM_FILE).unlink()
    ballast = small_disk / "ballast"
    fill_up(ballast)
    (recovered,) = recover(library)
    assert "tried again next time" in recovered.message
    assert library.take(recovered.take.session, 1).status == "recording"
    ballast.unlink()
    assert "tried again" not in recover(library)[0].message
    assert library.take(recovered.take.session, 1).status == "recovered"


def test_an_import_that_fills_the_disk_says_so_and_leaves_nothing_behind(small_disk: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    for number in range(100):
        soundfile.write(card / f"Mic {number}.wav", np.zeros(100), 48_000, subtype="PCM_24")
    library = Library(small_disk / "library")
    with pytest.raises(LibraryError) as caught:
        import_recordings(library, [card])
    assert caught.value.code == "no_space"
    assert list(library.root.iterdir()) == []
