"""Mending a library: what is safe is mended, what is not is named, and no sample of audio changes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.files import sha256_file
from sessions.journal import ClipEnded, ClipStarted, Journal, MarkerAdded
from sessions.layout import JOURNAL_FILE, TAKE_FILE, clip_file_name, clip_info, markers_from
from sessions.mend import mend_library
from sessions.model import Gap, Session, Take, Track
from sessions.store import SESSION_FILE, Library
from sessions.verify import check_library
from sessions.wav import WavWriter
from sessions.wavheader import HEADER_BYTES
from sessions.wavread import read_info
from tests.sessions.helpers import new_bounce, new_take, pack, ramp, samples

FRAMES = 501


class Plan(msgspec.Struct):
    """What these tests take for a plan."""

    gain_db: float


def read_plan(data: bytes) -> Plan:
    return msgspec.json.decode(data, type=Plan)


def record(library: Library, session: Session, number: int) -> Take:
    """A finished take as the recorder leaves it, its second track in two clips."""
    take = new_take(session, number, name=f"Song {number}")
    folder = library.begin_take(take)
    lines = Journal(folder / JOURNAL_FILE)
    lines.append(MarkerAdded(at_samples=100, name="Solo"))
    take = msgspec.structs.replace(take, markers=())
    for clip, start in ((1, 0), (2, 48_000)):
        for track in take.tracks[clip - 1 :]:
            file = clip_file_name(take, track.id, clip)
            info = clip_info(take, track, session.name, start)
            lines.append(ClipStarted(track=track.id, file=file, start_samples=start))
            writer = WavWriter(folder / file, rate_hz=48_000, sample_format="pcm24", info=info)
            writer.append(pack(ramp(FRAMES, number * 10_000 + clip * 1_000)))
            writer.close(markers_from(take.markers, start))
            lines.append(ClipEnded(file=file, frames=FRAMES))
    lines.close()
    return library.finish_take(session.id, number)


def bounce(library: Library, session: Session) -> None:
    bounce_id, folder = library.new_bounce(session.id, "mix", 1)
    (folder / "mix.wav").write_bytes(b"rendered")
    (folder / "plan.json").write_bytes(b'{"gain_db":0}')
    library.save_bounce(new_bounce(session.id, bounce_id, sha256=sha256_file(folder / "mix.wav")))


def furnish(root: Path) -> Library:
    """A library with two takes, plans with a history and a bounce."""
    library = Library(root)
    tracks = [Track(id="t1", name="Kick", input=1), Track(id="t2", name="Snare/Top", input=2)]
    session = library.create_session("Rehearsal", tracks=tracks)
    record(library, session, 1)
    record(library, session, 2)
    for gain in (1, 2, 3):
        library.save_plan(session.id, "mix", 1, b'{"gain_db":%d}' % gain)
    bounce(library, session)
    return library


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnish(tmp_path_factory.mktemp("pristine") / "library").root


@pytest.fixture
def furnished(tmp_path: Path, pristine: Path) -> Library:
    return Library(shutil.copytree(pristine, tmp_path / "library"))


@pytest.fixture
def place(furnished: Library) -> Path:
    (session,) = furnished.session_ids()
    return furnished.session_path(session)


def check(library: Library) -> list[str]:
    return [f"{one.code} {one.path}" for one in check_library(library, hashes=True, read_plan=read_plan)]


def test_a_library_in_order_is_left_as_it_is(furnished: Library) -> None:
    before = contents(furnished.root)
    assert mend_library(furnished, read_plan=read_plan) == mend_library(Library(furnished.root))
    assert contents(furnished.root) == before
    assert check(furnished) == []


@pytest.mark.parametrize("harm", [None, b"", b"{", b"\0" * 300])
def test_a_take_is_made_again_from_its_journal_and_files(furnished: Library, place: Path, harm: bytes | None) -> None:
    before = furnished.take(place.name, 1)
    file = place / "takes" / "001" / TAKE_FILE
    file.unlink() if harm is None else file.write_bytes(harm)
    mended = mend_library(furnished, read_plan=read_plan)
    assert [one.code for one in mended.mended] == ["take_document"]
    assert mended.left == ()
    after = furnished.take(place.name, 1)
    lost = {"status": "recovered", "notes": after.notes}
    assert after == msgspec.structs.replace(before, **lost)
    assert "damaged" in after.notes
    if harm is not None:
        assert (file.parent / f"{TAKE_FILE}.damaged").read_bytes() == harm


def test_without_a_journal_the_files_say_where_their_clips_lie(furnished: Library, place: Path) -> None:
    before = furnished.take(place.name, 2)
    (place / "takes" / "002" / TAKE_FILE).unlink()
    (place / "takes" / "002" / JOURNAL_FILE).unlink()
    mend_library(furnished)
    after = furnished.take(place.name, 2)
    assert sorted(after.clips, key=lambda clip: clip.file) == sorted(before.clips, key=lambda clip: clip.file)
    assert (after.tracks, after.started_utc, after.frames) == (before.tracks, before.started_utc, before.frames)


def test_a_session_is_made_again_from_its_takes_and_keeps_its_place(furnished: Library, place: Path) -> None:
    later = furnished.create_session("Later")
    before = furnished.session(place.name)
    (place / SESSION_FILE).write_bytes(b"\0")
    mended = mend_library(furnished, read_plan=read_plan)
    assert [one.code for one in mended.mended] == ["session_document"]
    after = furnished.session(place.name)
    assert (after.name, after.tracks, after.rate_hz) == (before.name, before.tracks, before.rate_hz)
    assert [session.id for session in furnished.sessions()] == [later.id, place.name]


def test_a_session_without_its_document_is_found_and_made_again(furnished: Library, place: Path) -> None:
    (place / SESSION_FILE).unlink()
    assert furnished.sessions() == []
    assert mend_library(furnished).left == ()
    assert [session.name for session in furnished.sessions()] == ["Rehearsal"]


def test_a_file_that_was_cut_short_opens_again_and_the_take_says_what_is_missing(
    furnished: Library, place: Path
) -> None:
    path = place / "takes" / "001" / "01 Kick.wav"
    audio = samples(path)
    path.write_bytes(path.read_bytes()[: HEADER_BYTES + 3 * 200 + 2])
    mended = mend_library(furnished, read_plan=read_plan)
    assert [one.code for one in mended.mended] == ["header"]
    assert (mended.left, check(furnished)) == ((), [])
    assert (samples(path) == audio[:200]).all()
    take = furnished.take(place.name, 1)
    assert Gap(at_samples=200, frames=FRAMES - 200, cause="disk_error") in take.gaps
    assert take.losses.disk_errors == 1
    assert read_info(path).ixml is not None


@pytest.mark.parametrize("at", [0, 4, 8, 12, 16, 40, 48, 52, 700, HEADER_BYTES - 8, HEADER_BYTES - 4])
def test_a_damaged_header_is_written_anew_around_untouched_audio(furnished: Library, place: Path, at: int) -> None:
    path = place / "takes" / "001" / "01 Kick.wav"
    audio, data = samples(path), bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    mend_library(furnished, read_plan=read_plan)
    assert path.read_bytes()[HEADER_BYTES:] == data[HEADER_BYTES:]
    assert (samples(path) == audio).all()
    assert check(furnished) == []


def test_a_file_of_another_maker_is_named_and_not_touched(furnished: Library, place: Path) -> None:
    path = place / "takes" / "001" / "01 Kick.wav"
    path.write_bytes(b"ID3" + random.Random(1).randbytes(5_000))
    before = path.read_bytes()
    (left,) = mend_library(furnished).left
    assert (left.path.endswith("01 Kick.wav"), left.remedy) == (True, "")
    assert path.read_bytes() == before


@pytest.mark.parametrize("left_bytes", [0, 4, 500, HEADER_BYTES])
def test_a_file_that_lost_all_its_audio_is_promised_nothing(furnished: Library, place: Path, left_bytes: int) -> None:
    path = place / "takes" / "001" / "01 Kick.wav"
    path.write_bytes(path.read_bytes()[:left_bytes])
    (found,) = check_library(furnished)
    assert (found.path.endswith("01 Kick.wav"), found.remedy) == (True, "")
    mended = mend_library(furnished, read_plan=read_plan)
    assert (mended.mended, mended.left) == ((), (found,))
    assert path.stat().st_size == left_bytes


def test_a_damaged_plan_gives_way_to_the_newest_that_reads(furnished: Library, place: Path) -> None:
    plan = place / "plans" / "mix-001.json"
    newest = furnished.plan_history(place.name, "mix", 1)[-1]
    plan.write_bytes(b"{")
    newest.write_bytes(b"[]")
    mended = mend_library(furnished, read_plan=read_plan)
    assert {one.code for one in mended.mended} == {"plan", "old_plan"}
    assert (furnished.load_plan(place.name, "mix", 1), check(furnished)) == (b'{"gain_db":1}', [])
    assert plan.with_name("mix-001.json.damaged").read_bytes() == b"{"


def test_what_an_interrupted_write_or_import_left_goes_to_the_trash_and_comes_back(
    furnished: Library, place: Path
) -> None:
    (place / ".session.json.0badcafe.tmp").write_bytes(b"half")
    (furnished.root / ".import-12345678").mkdir()
    (place / "takes" / "003").mkdir()
    mended = mend_library(furnished, read_plan=read_plan)
    assert [one.code for one in mended.mended] == ["leftover"] * 3
    assert check(furnished) == []
    for entry in furnished.trash_entries():
        furnished.restore(entry)
    assert len(check(furnished)) == 3
    assert furnished.trash_entries() == []


def test_a_stray_file_and_a_wrong_hash_are_named_and_stay(furnished: Library, place: Path) -> None:
    shutil.copy(place / "takes" / "001" / "01 Kick.wav", place / "takes" / "002" / "loop.wav")
    (place / "bounces" / "mix-001-01" / "mix.wav").write_bytes(b"other")
    before = contents(furnished.root)
    mended = mend_library(furnished, read_plan=read_plan)
    assert mended.mended == ()
    assert sorted(one.code for one in mended.left) == ["hash", "stray"]
    assert contents(furnished.root) == before


def test_a_take_that_is_being_recorded_is_left_alone(furnished: Library, place: Path) -> None:
    session = furnished.session(place.name)
    folder = furnished.begin_take(new_take(session, 3))
    running = Journal(folder / JOURNAL_FILE)
    (folder / "01 Kick.wav").write_bytes(b"RIFF")
    before = contents(folder)
    assert mend_library(furnished) == mend_library(furnished)
    assert contents(folder) == before
    running.close()


DAMAGE = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(["cut", "flip", "remove", "zero"]), st.integers(0, 1 << 30)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(damage=DAMAGE)
def test_whatever_happens_to_a_library_audio_stays_and_every_take_loads_or_is_named(
    damage: list[tuple[int, str, int]], pristine: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("damaged") / "library"
    shutil.copytree(pristine, root)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for which, how, where in damage:
        harm(files[which % len(files)], how, where)
    audio = {path: path.read_bytes() for path in root.rglob("*.wav")}

    library = Library(root)
    mended = mend_library(library, read_plan=read_plan)

    for path, before in audio.items():
        whole = (len(before) - HEADER_BYTES) // 3 * 3 if len(before) > HEADER_BYTES else 0
        kept = min(whole, FRAMES * 3)
        assert path.read_bytes()[HEADER_BYTES : HEADER_BYTES + kept] == before[HEADER_BYTES : HEADER_BYTES + kept]
    named = " ".join(one.path for one in mended.left)
    (session,) = (path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    loaded = {(take.number, take.false_number) for take in library.takes(session.name)}
    for folder in sorted((session / "takes").iterdir()):
        assert (int(folder.name), 0) in loaded or folder.name in named
        if f"takes/{folder.name}" not in named:
            for clip in library.take(session.name, int(folder.name)).clips:
                assert len(samples(folder / clip.file)) == clip.frames
    assert len(library.sessions()) == 1 or session.name in named
    again = mend_library(library, read_plan=read_plan)
    assert (again.mended, again.left) == ((), mended.left)


def harm(path: Path, how: str, where: int) -> None:
    if not path.exists():
        return
    data = bytearray(path.read_bytes())
    at = where % max(len(data), 1)
    if how == "remove":
        path.unlink()
    elif how == "cut":
        path.write_bytes(data[:at])
    elif how == "zero":
        path.write_bytes(data[:at] + bytes(len(data) - at))
    elif data:
        data[at] ^= 1 << where % 8
        path.write_bytes(data)


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
