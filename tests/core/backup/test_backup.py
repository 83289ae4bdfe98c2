"""Backups: everything comes back as it was, nothing is copied twice or replaced, and any moment may be the last."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backup import make
from core.backup.make import back_up
from core.backup.restore import restore
from core.backup.shelf import FOLDER, BackupList, Shelf, find, is_inside, stored_name
from core.errors import OtoError
from devices.drives import FAT_MAX_FILE_BYTES, drive_at
from sessions.journal import Journal
from sessions.layout import JOURNAL_FILE
from sessions.store import Library
from tests.core.backup.conftest import contents, record
from tests.sessions.helpers import new_take

ROOT = Path(__file__).parents[3]


def bring_back(stick: Path, home: Path, number: int | None = None) -> dict[str, bytes]:
    """What a new box has after a restore."""
    done = restore(find(stick), home, number=number)
    assert done.damaged == ()
    return contents(home)


def test_another_box_gets_everything_back_byte_for_byte(studio: Path, stick: Path, tmp_path: Path) -> None:
    made = back_up(studio, stick)
    assert (made.number, made.files, made.left_out) == (1, len(contents(studio)), ())
    assert bring_back(stick, tmp_path / "new") == contents(studio)
    assert [one.name for one in Library(tmp_path / "new" / "library").sessions()] == ["Gig: 'Zum Löwen'?", "Rehearsal"]


def test_what_is_there_already_is_not_copied_again_whatever_it_is_called_now(studio: Path, stick: Path) -> None:
    back_up(studio, stick)
    again = back_up(studio, stick)
    assert (again.number, again.copied_files, again.copied_bytes) == (2, 0, 0)
    library = Library(studio / "library")
    session = library.session("Rehearsal")
    library.mark_false(session.id, 1)
    record(library, session, 1, frames=3_000)
    third = back_up(studio, stick)
    assert third.copied_files == 4, "the take's two files and document, and the document of the false one"


def test_every_backup_stays_usable_and_nothing_on_the_drive_is_replaced(
    studio: Path, stick: Path, tmp_path: Path
) -> None:
    back_up(studio, stick)
    first, on_stick = contents(studio), contents(stick)
    library = Library(studio / "library")
    record(library, library.session("Rehearsal"), 2)
    (studio / "settings.json").write_text('{"rate_hz": 48000}')
    back_up(studio, stick)
    now = contents(stick)
    assert {path: now[path] for path in on_stick if not path.endswith("kept.jsonl")} == {
        path: data for path, data in on_stick.items() if not path.endswith("kept.jsonl")
    }
    assert bring_back(stick, tmp_path / "old", number=1) == first
    assert bring_back(stick, tmp_path / "new") == contents(studio)


def test_a_restore_replaces_nothing_and_says_what_became_of_each(studio: Path, stick: Path) -> None:
    back_up(studio, stick)
    library = Library(studio / "library")
    session = library.session("Rehearsal")
    library.save_plan(session.id, "mix", 1, b'{"changed":1}')
    (studio / "settings.json").write_text("{}")
    before = contents(studio)
    done = restore(find(stick), studio)
    assert {one.name: one.state for one in done.sessions} == {
        session.id: "renamed",
        library.session("Gig: 'Zum Löwen'?").id: "there",
    }
    assert [(one.state, one.here) for one in done.settings] == [("renamed", "settings (restored).json")]
    after = contents(studio)
    assert {path: after[path] for path in before} == before
    assert library.session(f"{session.id} (2)").name == "Rehearsal (restored)"
    assert library.load_plan(f"{session.id} (2)", "mix", 1) == b"{}"
    assert {one.state for one in (*restore(find(stick), studio).sessions, *done.settings[1:])} == {"there"}
    assert contents(studio) == after


def test_single_sessions_come_back_alone(studio: Path, stick: Path, tmp_path: Path) -> None:
    back_up(studio, stick)
    session = Library(studio / "library").session("Rehearsal").id
    done = restore(find(stick), tmp_path / "new", only=[session])
    assert ([one.name for one in done.sessions], done.settings) == ([session], ())
    assert Library(tmp_path / "new" / "library").session_ids() == [session]
    with pytest.raises(OtoError, match="has no session 'nowhere'"):
        restore(find(stick), tmp_path / "new", only=["nowhere"])


def test_what_is_not_finished_is_left_out_and_said(studio: Path, stick: Path, tmp_path: Path) -> None:
    library = Library(studio / "library")
    session = library.session("Rehearsal")
    folder = library.begin_take(new_take(session, 2))
    library.new_bounce(session.id, "mix", 1)
    (studio / "library" / "link").symlink_to("/etc")
    (library.session_path(session.id) / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"")
    (library.session_path(session.id) / "\x1b[2J.txt").write_bytes(b"")
    running = Journal(folder / JOURNAL_FILE)
    made = back_up(studio, stick)
    running.close()
    assert sorted(what.split("/")[-1] for what in made.left_out) == [
        "002 is being recorded",
        "?[2J.txt has a name that can't be written down",
        "caf?.txt has a name that can't be written down",
        "mix-001-02 is being rendered",
    ]
    bring_back(stick, tmp_path / "new")
    assert [take.number for take in Library(tmp_path / "new" / "library").takes(session.id)] == [1]


def test_what_cannot_fit_is_refused_before_a_byte_is_written(
    studio: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = studio / "library" / Library(studio / "library").session_ids()[0] / "takes" / "001" / "long.wav"
    with large.open("wb") as file:
        file.truncate(FAT_MAX_FILE_BYTES + 1)
    drive = drive_at(stick)
    for changes, words in (
        ({"max_file_bytes": FAT_MAX_FILE_BYTES}, "4 GiB in one file"),
        ({"free_bytes": 1 << 20}, "needs 4.3"),
    ):
        fake = type(drive)(**{**{name: getattr(drive, name) for name in drive.__dataclass_fields__}, **changes})
        monkeypatch.setattr(make, "drive_at", lambda _path, fake=fake: fake)
        with pytest.raises(OtoError, match=words) as caught:
            back_up(studio, stick)
        assert "Nothing was written" in caught.value.message
        assert list(stick.iterdir()) == []


def test_files_that_rot_or_vanish_on_the_drive_are_named_and_the_rest_comes_back(
    studio: Path, stick: Path, tmp_path: Path
) -> None:
    back_up(studio, stick)
    kick, snare = sorted((stick / FOLDER / "files").rglob("0? *.wav"))[:2]
    data = bytearray(kick.read_bytes())
    data[-1] ^= 1
    kick.write_bytes(data)
    snare.unlink()
    done = restore(find(stick), tmp_path / "new")
    assert [path.rpartition("/")[2] for path in done.damaged] == ["01 Kick.wav", "02 Snare.wav"]
    assert len(contents(tmp_path / "new")) == len(contents(studio)) - 1
    repaired = back_up(studio, stick)
    assert repaired.copied_files == 1, "what has vanished; a file that has rotted in place is found by reading only"


def test_a_damaged_list_costs_only_itself(studio: Path, stick: Path, tmp_path: Path) -> None:
    back_up(studio, stick)
    back_up(studio, stick)
    (stick / FOLDER / "lists" / "000002.json").write_bytes(b"\0" * 100)
    assert bring_back(stick, tmp_path / "new") == contents(studio)
    assert back_up(studio, stick).number == 3


@pytest.mark.parametrize("key", ["path", "stored"])
@pytest.mark.parametrize(
    "escape", ["../x", "/etc/passwd", "library/../../x", "a//b", "library/./b/c", "", "library/a/\x1b[2J"]
)
def test_a_backup_cannot_lead_out_of_itself(studio: Path, stick: Path, tmp_path: Path, key: str, escape: str) -> None:
    back_up(studio, stick)
    file = stick / FOLDER / "lists" / "000001.json"
    listed = msgspec.json.decode(file.read_bytes(), type=BackupList)
    bad = msgspec.structs.replace(listed.entries[-1], **{key: escape})
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(listed, entries=(bad,))))
    with pytest.raises(OtoError, match="outside of itself"):
        restore(find(stick), tmp_path / "new", number=1)


def test_links_on_a_drive_are_not_followed(studio: Path, stick: Path, tmp_path: Path) -> None:
    back_up(studio, stick)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    kick = sorted((stick / FOLDER / "files").rglob("01 Kick.wav"))[0]
    kick.unlink()
    kick.symlink_to(secret)
    folder = sorted((stick / FOLDER / "files").rglob("bounces"))[0]
    folder.rename(stick / "elsewhere")
    folder.symlink_to(stick / "elsewhere")
    done = restore(find(stick), tmp_path / "new")
    assert len(done.damaged) == 3
    assert b"secret" not in contents(tmp_path / "new").values()


def test_a_backup_within_the_library_is_refused(studio: Path) -> None:
    with pytest.raises(OtoError, match="lost with it"):
        back_up(studio, studio / "library")


@given(name=st.text(min_size=1).filter(lambda name: "/" not in name and name not in (".", "..")))
def test_names_on_the_drive_are_plain(name: str) -> None:
    stored = stored_name(name)
    assert is_inside(stored)
    assert not set(stored) & set('\\/:*?"<>|')
    assert len(stored.encode()) <= 130


SCRIPT = """
import sys
from pathlib import Path
from core.backup.make import back_up
back_up(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_backup_that_is_killed_at_any_moment_leaves_those_before_it_and_goes_on(
    studio: Path, stick: Path, tmp_path: Path
) -> None:
    back_up(studio, stick)
    first = contents(studio)
    library = Library(studio / "library")
    for number in range(2, 6):
        record(library, library.session("Rehearsal"), number, frames=20_000)
    command = [sys.executable, "-c", SCRIPT, str(studio), str(stick)]
    random_moments = random.Random(7)
    kills = 0
    for attempt in range(4):
        process = subprocess.Popen(command, cwd=ROOT)
        before = time.monotonic()
        while process.poll() is None and not list((stick / FOLDER).rglob(".*oto-partial")):
            if time.monotonic() - before > 60:
                break
        time.sleep(random_moments.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        shelf = Shelf(stick / FOLDER)
        assert bring_back(stick, tmp_path / f"old {attempt}", number=1) == first
        if len(shelf.numbers()) > 1:
            break
    assert kills > 0
    back_up(studio, stick)
    assert bring_back(stick, tmp_path / "new") == contents(studio)
    copies = [path.name for path in (stick / FOLDER / "files").rglob("*.wav")]
    assert len(copies) - len([path for path in contents(studio) if path.endswith(".wav")]) <= kills
