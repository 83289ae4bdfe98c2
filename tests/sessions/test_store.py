from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from sessions.errors import LibraryError
from sessions.journal import ClipEnded, ClipStarted, Journal, MarkerAdded, TakeEnded
from sessions.layout import JOURNAL_FILE, clip_file_name, clip_info, markers_from, start_of
from sessions.model import ExportedFile, ExportRecord, Marker, Session
from sessions.store import Library
from sessions.wav import WavWriter
from tests.sessions.helpers import new_bounce, new_take

ROOT = Path(__file__).parents[2]


def error_code(call: object, *arguments: object) -> str:
    with pytest.raises(LibraryError) as caught:
        call(*arguments)  # type: ignore[operator]
    assert caught.value.message.endswith(".")
    return caught.value.code


# ---------------------------------------------------------------- sessions


def test_sessions_are_listed_newest_first_whatever_the_clock_says(library: Library) -> None:
    first, second, third = (library.create_session(name) for name in ("A", "C", "B"))
    library.save_session(msgspec.structs.replace(first, created_utc="2031-01-01T00:00:00+00:00"))
    assert [session.id for session in library.sessions()] == [third.id, second.id, first.id]


def test_a_session_is_found_by_id_and_by_name_the_newest_first(library: Library) -> None:
    old, new = library.create_session("Gig"), library.create_session("Gig")
    assert library.session(old.id) == old
    assert library.session("gig") == new
    assert error_code(library.session, "Gag") == "not_found"


@pytest.mark.parametrize("name", ["..", ".", "", "../library", ".trash", "/etc", "a/b"])
def test_no_id_leads_out_of_the_library(library: Library, name: str) -> None:
    library.create_session("Gig")
    assert error_code(library.session_path, name) == "not_found"
    assert error_code(library.session, name) == "not_found"


def test_names_that_a_disk_may_confuse_get_folders_of_their_own(library: Library) -> None:
    ids = [library.create_session(name).id for name in ("Rehearsal", "REHEARSAL", "Rehearsal", "Re:hearsal/?", "", "")]
    assert len({session_id.casefold() for session_id in ids}) == 6
    assert all((library.root / session_id / "session.json").is_file() for session_id in ids)
    assert library.session(ids[3]).name == "Re:hearsal/?"
    assert library.session(ids[4]).name == ids[4]


def test_a_folder_renamed_by_hand_is_the_session_that_it_was(library: Library, session: Session) -> None:
    library.begin_take(new_take(session))
    (library.root / session.id).rename(library.root / "The big day")
    (found,) = library.sessions()
    assert found == msgspec.structs.replace(session, id="The big day")
    assert [take.session for take in library.takes("The big day")] == ["The big day"]


RACE = """
import sys
from pathlib import Path
from sessions.model import Take
from sessions.store import Library
library, session_id = Library(Path(sys.argv[1])), sys.argv[2]
sys.stdin.readline()
for _ in range(15):
    print(library.create_session("Same").id)
    print(library.new_bounce(session_id, "mix", 1)[0])
"""


def test_processes_that_create_at_once_never_share_a_folder(library: Library, session: Session) -> None:
    command = [sys.executable, "-c", RACE, str(library.root), session.id]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    made = [name for child in children for name in child.communicate(timeout=30)[0].split("\n") if name]
    assert len(made) == len(set(made)) == 90
    assert len(library.sessions()) == 46


# ---------------------------------------------------------------- takes


def test_a_take_lives_from_begin_to_finish(library: Library, session: Session) -> None:
    take = new_take(session, number=library.next_take_number(session.id))
    folder = library.begin_take(take)
    assert folder == library.session_path(session.id) / "takes" / "001"
    assert library.take(session.id, 1) == take
    lines = Journal(folder / JOURNAL_FILE)
    lines.append(ClipStarted(track="t1", file=clip_file_name(take, "t1"), start_samples=0))
    lines.append(MarkerAdded(at_samples=7, name="Solo"))
    lines.append(ClipEnded(file=clip_file_name(take, "t1"), frames=99))
    lines.append(TakeEnded(frames=99))
    lines.close()
    library.save_take(msgspec.structs.replace(take, name="Named meanwhile"))
    done = library.finish_take(session.id, 1)
    assert (done.status, done.frames, done.name, len(done.clips), len(done.markers)) == (
        "complete",
        99,
        "Named meanwhile",
        1,
        1,
    )
    assert library.takes(session.id) == [done]
    assert library.next_take_number(session.id) == 2


def test_a_take_number_is_given_once(library: Library, session: Session) -> None:
    library.begin_take(new_take(session))
    assert error_code(library.begin_take, new_take(session)) == "exists"
    assert error_code(library.take, session.id, 2) == "not_found"


def test_a_folder_without_a_document_hides_no_other_take(library: Library, session: Session) -> None:
    library.begin_take(new_take(session))
    (library.session_path(session.id) / "takes" / "002").mkdir()
    (library.session_path(session.id) / "takes" / "notes").mkdir()
    assert [take.number for take in library.takes(session.id)] == [1]
    assert library.next_take_number(session.id) == 3


def test_a_false_take_is_kept_and_frees_its_number_and_its_plan(library: Library, session: Session) -> None:
    for attempt in (1, 2):
        take = new_take(session, status="complete", notes=f"attempt {attempt}")
        (library.begin_take(take) / "01 Kick.wav").write_bytes(b"audio")
        library.save_plan(session.id, "mix", 1, b"plan %d" % attempt)
        false = library.mark_false(session.id, 1)
        assert (false.number, false.false_take, false.false_number) == (1, True, attempt)
        assert (library.session_path(session.id) / "takes" / f"001 false {attempt}" / "01 Kick.wav").is_file()
        assert library.next_take_number(session.id) == 1
        assert library.load_plan(session.id, "mix", 1) is None
    library.begin_take(new_take(session, notes="good"))
    assert [(t.notes, t.false_take) for t in library.takes(session.id)] == [
        ("good", False),
        ("attempt 1", True),
        ("attempt 2", True),
    ]
    assert library.take(session.id, 1).notes == "good"
    again = library.unmark_false(session.id, 1, 2)
    assert (again.number, again.false_take, again.notes) == (2, False, "attempt 2")
    assert library.take(session.id, 2) == again
    assert [path.read_bytes() for path in library.plan_history(session.id, "mix", 1)] == [b"plan 1", b"plan 2"]


def test_what_is_being_recorded_is_neither_trashed_nor_marked_false(library: Library, session: Session) -> None:
    lines = Journal(library.begin_take(new_take(session)) / JOURNAL_FILE)
    assert error_code(library.trash_take, session.id, 1) == "busy"
    assert error_code(library.mark_false, session.id, 1) == "busy"
    assert error_code(library.trash_session, session.id) == "busy"
    assert error_code(library.resume_take, session.id, 1) == "busy"
    lines.close()
    library.trash_take(session.id, 1)


def test_an_interrupted_take_goes_on_with_its_next_clip(library: Library, session: Session) -> None:
    take = new_take(session)
    folder = library.begin_take(take)
    assert library.resume_take(session.id, 1) == (take, 1)
    recovered = msgspec.structs.replace(
        take, status="recovered", frames=50, markers=(Marker(at_samples=3, name="kept"),)
    )
    for clip in (1, 2):
        WavWriter(folder / clip_file_name(take, "t2", clip), rate_hz=48_000, sample_format="pcm24").close()
        library.save_take(recovered)
        resumed, following = library.resume_take(session.id, 1)
        assert (resumed.status, following) == ("recording", clip + 1)
    lines = Journal(folder / JOURNAL_FILE)
    lines.append(ClipStarted(track="t1", file="01 Kick (3).wav", start_samples=80))
    lines.append(MarkerAdded(at_samples=90, name="new"))
    lines.append(ClipEnded(file="01 Kick (3).wav", frames=20))
    lines.close()
    done = library.finish_take(session.id, 1)
    assert [marker.name for marker in done.markers] == ["kept", "new"]
    assert done.frames == 100
    assert error_code(library.resume_take, session.id, 1) == "bad_input"


def test_numbers_that_plans_bounces_or_the_trash_speak_of_are_not_given_again(
    library: Library, session: Session
) -> None:
    for number in (1, 2, 3):
        library.begin_take(new_take(session, number=number))
    library.trash_take(session.id, 3)
    assert library.next_take_number(session.id) == 4
    library.save_plan(session.id, "master", 7, b"{}")
    assert library.next_take_number(session.id) == 8
    library.new_bounce(session.id, "mix", 11)
    assert library.next_take_number(session.id) == 12


def test_a_clip_says_when_it_starts_and_is_placed_by_what_it_says(session: Session) -> None:
    take = new_take(session, time_reference_samples=48_000 * (86_400 - 10))
    for start in (0, 48_000 * 5, 48_000 * 20):
        info = clip_info(take, take.tracks[0], "Rehearsal", start)
        assert 0 <= info.time_reference_samples < 48_000 * 86_400
        assert start_of(take, info.time_reference_samples) == start
    assert clip_info(take, take.tracks[0], "R", 48_000 * 20).started_utc == "2026-11-22T10:00:20+00:00"
    assert markers_from([Marker(at_samples=9), Marker(at_samples=30, name="x")], 10) == (
        Marker(at_samples=20, name="x"),
    )


# ---------------------------------------------------------------- plans, bounces, exports


def test_every_plan_that_a_take_had_is_kept(library: Library, session: Session) -> None:
    assert library.load_plan(session.id, "mix", 1) is None
    for text in (b"one", b"two", b"two", b"three"):
        library.save_plan(session.id, "mix", 1, text)
    library.save_plan(session.id, "mix", 10, b"other")
    assert library.load_plan(session.id, "mix", 1) == b"three"
    assert [path.read_bytes() for path in library.plan_history(session.id, "mix", 1)] == [b"one", b"two"]


def test_a_bounce_appears_when_it_is_finished_newest_first(library: Library, session: Session) -> None:
    first_id, folder = library.new_bounce(session.id, "mix", 1)
    second_id, _ = library.new_bounce(session.id, "mix", 1)
    assert (first_id, second_id, folder.name) == ("mix-001-01", "mix-001-02", "mix-001-01")
    assert library.new_bounce(session.id, "master", 1)[0] == "master-001-01"
    assert library.bounces(session.id) == []
    first = new_bounce(session.id, first_id, created_utc="2026-11-22T10:00:00+00:00")
    second = new_bounce(session.id, second_id, created_utc="2026-11-22T10:00:01+00:00")
    library.save_bounce(first)
    library.save_bounce(second)
    assert library.bounces(session.id) == [
        msgspec.structs.replace(second, sequence=2),
        msgspec.structs.replace(first, sequence=1),
    ]
    assert library.bounce_path(session.id, first_id) == folder
    assert error_code(library.bounce_path, session.id, "../takes") == "not_found"


def test_exports_are_remembered_in_order_and_a_torn_line_costs_only_itself(library: Library, session: Session) -> None:
    file = ExportedFile(path="/media/stick/song.wav", bytes=5, sha256="00")
    records = [ExportRecord(created_utc=str(n), destination="/media/stick", files=(file,)) for n in range(3)]
    assert library.exports(session.id) == []
    library.append_export(session.id, records[0])
    with (library.session_path(session.id) / "exports.jsonl").open("ab") as lines:
        lines.write(b'{"created_utc":')
    library.append_export(session.id, records[1])
    library.append_export(session.id, records[2])
    assert library.exports(session.id) == records


# ---------------------------------------------------------------- trash


def test_what_is_trashed_can_be_put_back_until_the_trash_is_emptied(library: Library, session: Session) -> None:
    (library.begin_take(new_take(session)) / "01 Kick.wav").write_bytes(bytes(1000))
    before = library.session_bytes(session.id)
    entry = library.trash_session(session.id)
    assert (entry.title, entry.bytes) == ("session 'Rehearsal'", before)
    assert library.trash_entries() == [entry]
    assert library.trash_bytes() >= 1000
    assert library.sessions() == []
    library.restore(entry)
    assert library.sessions() == [session]
    assert library.trash_entries() == []
    assert error_code(library.restore, entry) == "not_found"
    library.trash_take(session.id, 1)
    assert library.empty_trash() >= 1000
    assert (library.trash_bytes(), library.trash_entries(), library.takes(session.id)) == (0, [], [])


def test_a_take_whose_number_was_given_away_comes_back_as_the_next(library: Library, session: Session) -> None:
    library.begin_take(new_take(session, notes="old"))
    entry = library.trash_take(session.id, 1)
    library.begin_take(new_take(session, notes="new"))
    assert library.restore(entry).name == "002"
    assert [(take.number, take.notes) for take in library.takes(session.id)] == [(1, "new"), (2, "old")]


def test_a_session_whose_folder_was_given_away_comes_back_beside_it(library: Library, session: Session) -> None:
    entry = library.trash_session(session.id)
    other = library.create_session("Rehearsal")
    assert other.id == session.id
    library.restore(entry)
    assert {found.id for found in library.sessions()} == {session.id, f"{session.id} (2)"}


def test_a_take_waits_in_the_trash_for_its_session(library: Library, session: Session) -> None:
    library.begin_take(new_take(session))
    take, whole = library.trash_take(session.id, 1), library.trash_session(session.id)
    assert error_code(library.restore, take) == "not_found"
    library.restore(whole)
    library.restore(take)
    assert len(library.takes(session.id)) == 1


# ---------------------------------------------------------------- lightness


def test_the_library_loads_nothing_heavy() -> None:
    code = (
        "import sys, sessions.store, sessions.recover, sessions.verify, sessions.wav\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, cwd=ROOT, check=True
    )
    loaded = set(done.stdout.split())
    assert "sessions" in loaded
    assert not loaded & {"numpy", "soundfile", "soxr", "scipy", "core", "devices", "tui"}
