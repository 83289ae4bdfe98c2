"""The library: sessions, takes, plans, bounces and exports as folders and files that any program can open.

Several processes may use a library at once. Whatever gets a name of its own (a session, a take, a bounce) gets it by
making its folder, which only one of them can do.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from sessions import journal, migrate, planshelf
from sessions.errors import LibraryError
from sessions.files import append_line, folder_bytes, sync_folder, write_atomic, write_new
from sessions.layout import (
    JOURNAL_FILE,
    ROOM_FILE,
    SUMS_FILE,
    TAKE_FILE,
    clip_file_name,
    parse_take_folder,
    take_folder_name,
)
from sessions.model import (
    Bounce,
    BounceKind,
    Comp,
    Document,
    ExportRecord,
    PlanKind,
    SampleFormat,
    Session,
    Take,
    Track,
    TrashEntry,
)
from sessions.names import safe_name, unique_name
from sessions.trash import Trash

D = TypeVar("D", bound=Document)

SESSION_FILE: Final = "session.json"
COMP_FILE: Final = "comp.json"
ROOM_BYTES: Final = 128 << 10
"""For a take's document, its temporary copy and the journal's end, with markers and gaps by the hundred."""
_NUMBERED: Final = re.compile(r"(?:mix|master|motif)-(\d{3,})(?:-\d+|\.json)")
"""A plan's file or a bounce's folder, and the take it belongs to."""


class Library:
    """The folder of sessions. Holds no state: every answer is read from disk."""

    def __init__(self, root: Path) -> None:
        """Use `root`, made if needed."""
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._trash = Trash(root)

    # ------------------------------------------------------------ sessions

    def sessions(self) -> list[Session]:
        """Every session that can be read, newest first; `lost` names the others."""
        found: list[Session] = []
        for session_id in self.session_ids():
            with contextlib.suppress(LibraryError):
                found.append(self._load_session(session_id))
        return sorted(found, key=lambda session: (session.sequence, session.created_utc, session.id), reverse=True)

    def lost(self) -> list[str]:
        """Folders of sessions and takes, relative to the library, that hold audio and that no list shows.

        Their documents are missing, damaged or from a newer OTO; `verify.check_library` says which.
        """
        gone = list(self.unreadable())
        for session_id in sorted(session.id for session in self.sessions()):
            taken = {(take.number, take.false_number) for take in self.takes(session_id)}
            folders = self._take_folders(session_id)
            gone += [
                str(folder.relative_to(self.root))
                for place, folder in sorted(folders.items())
                if place not in taken and any(folder.glob("*.wav"))
            ]
        return gone

    def unreadable(self) -> dict[str, LibraryError]:
        """Of the sessions that hold audio and that no list shows, by folder: why their documents can't be read."""
        found: dict[str, LibraryError] = {}
        for name in sorted(_names(self.root)):
            try:
                self._load_session(name)
            except LibraryError as error:
                if _has_takes(self.root / name):
                    found[name] = error
        return found

    def session_ids(self) -> list[str]:
        """The ids of all sessions, readable or not, in order of name."""
        return sorted(name for name in _names(self.root) if (self.root / name / SESSION_FILE).is_file())

    def session(self, id_or_name: str) -> Session:
        """A session by its id, or the newest with this name. Raises LibraryError("not_found", "newer", "damaged")."""
        if id_or_name in self.session_ids():
            return self._load_session(id_or_name)
        known = self.sessions()
        for session in known:
            if session.name.casefold() == id_or_name.casefold():
                return session
        names = ", ".join(f"'{session.name}'" for session in known[:5])
        hint = f"The newest sessions are {names}." if known else "The library is empty: record or import something."
        lost = self.lost()
        if lost:
            hint = f"'{lost[0]}' can't be read: 'oto doctor --library' says why, '--repair' mends what it can."
        raise LibraryError("not_found", f"There is no session '{id_or_name}'.", hint)

    def create_session(
        self,
        name: str = "",
        *,
        rate_hz: int = 48_000,
        sample_format: SampleFormat = "pcm24",
        device: str | None = None,
        tracks: Sequence[Track] = (),
    ) -> Session:
        """Make a session; without a name it is called by the date. Raises OSError."""
        now = datetime.now(UTC)
        session = Session(
            id=self.claim_session_folder(name),
            name=name.strip() or now.astimezone().date().isoformat(),
            created_utc=now.isoformat(timespec="milliseconds"),
            sequence=self.next_sequence(),
            rate_hz=rate_hz,
            sample_format=sample_format,
            device=device,
            tracks=tuple(tracks),
        )
        (self.session_path(session.id) / "takes").mkdir()
        self.save_session(session)
        return session

    def claim_session_folder(self, name: str) -> str:
        """Make an empty folder "date name" that no other session has, and return its name: the session's id."""
        date = datetime.now().astimezone().date().isoformat()
        return _claim(self.root, f"{date} {safe_name(name, '')}".strip()).name

    def next_sequence(self) -> int:
        """What the next session's `sequence` is."""
        return 1 + max((session.sequence for session in self.sessions()), default=0)

    def save_session(self, session: Session) -> None:
        """Write a session's document. Raises OSError."""
        _save(self.session_path(session.id) / SESSION_FILE, session)

    def session_path(self, session_id: str) -> Path:
        """The folder of a session. Raises LibraryError("not_found") when the id is none."""
        path = self.root / session_id
        if path.parent != self.root or session_id.startswith(".") or not path.is_dir():
            raise LibraryError("not_found", f"There is no session '{session_id}'.", "`oto sessions` lists them.")
        return path

    def session_bytes(self, session_id: str) -> int:
        """Size of everything in a session."""
        return folder_bytes(self.session_path(session_id))

    def trash_session(self, session_id: str) -> TrashEntry:
        """Move a session to the trash. Raises LibraryError("busy") while a take of it is being recorded."""
        session = self.session(session_id)
        path = self.session_path(session.id)
        for folder in self._take_folders(session.id).values():
            self._refuse_while_recording(folder)
        return self._trash.throw(path, "session", f"session '{session.name}'")

    # ------------------------------------------------------------ takes

    def takes(self, session_id: str) -> list[Take]:
        """The takes that can be read, in order of number; false ones after the take that has their number now."""
        found: list[Take] = []
        for folder in self._take_folders(session_id).values():
            with contextlib.suppress(LibraryError):
                found.append(self._load_take(session_id, folder))
        return sorted(found, key=lambda take: (take.number, take.false_number))

    def take(self, session_id: str, number: int, false_number: int = 0) -> Take:
        """One take; `false_number` tells false takes of the number apart. Raises LibraryError("not_found", ...)."""
        return self._load_take(session_id, self.take_path(session_id, number, false_number))

    def take_path(self, session_id: str, number: int, false_number: int = 0) -> Path:
        """The folder of a take. Raises LibraryError("not_found")."""
        folder = self.session_path(session_id) / "takes" / take_folder_name(number, false_number)
        if not folder.is_dir():
            raise LibraryError("not_found", f"Session '{session_id}' has no take {number}.", "`oto takes` lists them.")
        return folder

    def next_take_number(self, session_id: str) -> int:
        """One more than any number that a take, a plan, a bounce or the trash of this session speaks of."""
        session = self.session_path(session_id)
        used = [number for number, false_number in self._take_folders(session_id) if not false_number]
        named = map(_NUMBERED.fullmatch, [*_names(session / "plans"), *_names(session / "bounces")])
        used += [int(found[1]) for found in named if found]
        for entry in self._trash.entries():
            place = parse_take_folder(Path(entry.path).name)
            if place and not place[1] and entry.path.startswith(f"{session_id}/takes/"):
                used.append(place[0])
        return 1 + max(used, default=0)

    def begin_take(self, take: Take) -> Path:
        """Make a take's folder with its document and an empty journal, safe from a power cut, and return the folder.

        It keeps room on the disk for the take's last words, in case something else fills it up.

        Raises LibraryError("exists") when the number is taken, OSError.
        """
        takes = self.session_path(take.session) / "takes"
        takes.mkdir(exist_ok=True)
        folder = takes / take_folder_name(take.number)
        try:
            folder.mkdir()
        except FileExistsError as error:
            raise LibraryError(
                "exists", f"Take {take.number} of '{take.session}' is already there.", "Begin the next number."
            ) from error
        take = msgspec.structs.replace(take, false_take=False, false_number=0)
        start = journal.checkpoint(take)
        write_new(folder / JOURNAL_FILE, msgspec.json.encode(start) + b"\n" if start != journal.Checkpoint() else b"")
        _save(folder / TAKE_FILE, take)
        _keep_room_to_close(folder)
        sync_folder(takes)
        return folder

    def save_take(self, take: Take) -> None:
        """Write a take's document. Raises LibraryError("not_found"), OSError."""
        _save(self.take_path(take.session, take.number, take.false_number) / TAKE_FILE, take)

    def make_room_to_close(self, session_id: str, number: int) -> None:
        """Give back what `begin_take` kept free, so that a full disk still takes the take's end. Raises OSError."""
        (self.take_path(session_id, number) / ROOM_FILE).unlink(missing_ok=True)

    def finish_take(self, session_id: str, number: int) -> Take:
        """Fold the journal of a take that was stopped into its document, mark it complete and save it."""
        folder = self.take_path(session_id, number)
        self.make_room_to_close(session_id, number)
        take = journal.fold(self._load_take(session_id, folder), journal.read_journal(folder / JOURNAL_FILE))
        take = msgspec.structs.replace(take, status="complete")
        self.save_take(take)
        return take

    def resume_take(self, session_id: str, number: int) -> tuple[Take, int]:
        """Open a take that was interrupted so that it goes on: "recording" again, and the number of its next clip.

        The clip's files are named by `layout.clip_file_name(take, track, clip)`; its journal is appended to.
        Raises LibraryError: "not_found", "busy" when it is being recorded, "bad_input" when it was completed.
        """
        folder = self.take_path(session_id, number)
        take = self._load_take(session_id, folder)
        if take.status == "complete":
            raise LibraryError("bad_input", f"Take {number} was finished and can't go on.", "Record the next take.")
        (folder / SUMS_FILE).unlink(missing_ok=True)  # its files are not yet what they will be
        lines = journal.Journal(folder / JOURNAL_FILE)
        try:
            if take.status == "recovered":
                lines.append(journal.checkpoint(take))
                lines.sync()
        finally:
            lines.close()
        take = msgspec.structs.replace(take, status="recording")
        self.save_take(take)
        _keep_room_to_close(folder)
        present = set(_names(folder))
        clip = 1
        while any(clip_file_name(take, track.id, clip) in present for track in take.tracks):
            clip += 1
        return take, clip

    def add_take(self, prepared: Path, take: Take) -> Take:
        """Let a take appear that lies ready in a hidden folder of this library: it gets its number and document.

        Raises OSError; then there is no take, and `prepared` is where it was.
        """
        takes = self.session_path(take.session) / "takes"
        takes.mkdir(exist_ok=True)
        number = self.next_take_number(take.session)
        while True:
            folder = takes / take_folder_name(number)
            try:
                folder.mkdir()
                break
            except FileExistsError:
                number += 1
        try:
            take = msgspec.structs.replace(take, number=number)
            _save(prepared / TAKE_FILE, take)
            prepared.rename(folder)
        except BaseException:
            with contextlib.suppress(OSError):
                folder.rmdir()
            raise
        sync_folder(takes)
        return take

    def mark_false(self, session_id: str, number: int) -> Take:
        """Put a take out of the way: kept as "003 false 1", its number free again, its plans in the history.

        Raises LibraryError: "not_found", "busy" while it is being recorded; OSError.
        """
        folder = self.take_path(session_id, number)
        self._refuse_while_recording(folder)
        used = [false_number for other, false_number in self._take_folders(session_id) if other == number]
        take = msgspec.structs.replace(
            self._load_take(session_id, folder), false_take=True, false_number=1 + max(used, default=0)
        )
        target = folder.with_name(take_folder_name(number, take.false_number))
        folder.rename(target)
        sync_folder(folder.parent)
        self.save_take(take)
        for kind in ("mix", "master"):
            planshelf.shelve(self._plan_path(session_id, kind, number))
        return take

    def unmark_false(self, session_id: str, number: int, false_number: int) -> Take:
        """Let a false take count again, with its old number if that is free, else with the next one."""
        folder = self.take_path(session_id, number, false_number)
        if folder.with_name(take_folder_name(number)).exists():
            number = self.next_take_number(session_id)
        take = msgspec.structs.replace(
            self._load_take(session_id, folder), number=number, false_take=False, false_number=0
        )
        folder.rename(folder.with_name(take_folder_name(number)))
        sync_folder(folder.parent)
        self.save_take(take)
        return take

    def trash_take(self, session_id: str, number: int, false_number: int = 0) -> TrashEntry:
        """Move a take to the trash. Raises LibraryError: "not_found", "busy" while it is being recorded; OSError."""
        folder = self.take_path(session_id, number, false_number)
        self._refuse_while_recording(folder)
        session = self._load_session(session_id)
        return self._trash.throw(folder, "take", f"take {number} of '{session.name}'")

    # ------------------------------------------------------------ plans

    def load_plan(self, session_id: str, kind: PlanKind, take: int) -> bytes | None:
        """The plan that a take has now, as it was saved; None when it has none."""
        with contextlib.suppress(FileNotFoundError):
            return self._plan_path(session_id, kind, take).read_bytes()
        return None

    def save_plan(self, session_id: str, kind: PlanKind, take: int, data: bytes, *, same_step: bool = False) -> None:
        """Give a take a plan; the one it had goes into the history. Raises OSError.

        `same_step` goes on with the change before: both are undone together.
        """
        planshelf.save(self._plan_path(session_id, kind, take), data, same_step=same_step)

    def step_plan(self, session_id: str, kind: PlanKind, take: int, *, forward: bool) -> bytes | None:
        """Undo, or with `forward` redo, one change; the plan that counts now, None when there is nothing to undo."""
        return planshelf.step(self._plan_path(session_id, kind, take), forward=forward)

    def plan_history(self, session_id: str, kind: PlanKind, take: int) -> list[Path]:
        """Earlier plans of a take, oldest first."""
        return planshelf.history(self._plan_path(session_id, kind, take))

    def keep_plan(self, session_id: str, kind: PlanKind, take: int, letter: str, data: bytes) -> None:
        """Keep a plan of a take under a letter, to be heard beside others. Raises OSError."""
        planshelf.keep_as(self._plan_path(session_id, kind, take), letter, data)

    def kept_plan(self, session_id: str, kind: PlanKind, take: int, letter: str) -> bytes | None:
        """The plan kept under a letter; None when none was."""
        return planshelf.kept(self._plan_path(session_id, kind, take), letter)

    def kept_mix_plans(self, session_id: str) -> list[tuple[int, str, str]]:
        """Take, letter and fingerprint of every mix plan that is kept under a letter."""
        found: list[tuple[int, str, str]] = []
        for path in sorted((self.session_path(session_id) / "plans" / "history").glob("mix-*.[A-Z].json")):
            with contextlib.suppress(FileNotFoundError, ValueError):
                _, _, number = path.name.split(".")[0].partition("-")
                found.append((int(number), path.name.split(".")[1], planshelf.fingerprint(path.read_bytes())))
        return found

    def plan_versions(self, session_id: str) -> list[tuple[PlanKind, int, str]]:
        """Kind, take and version of every plan; a version is another word after every change, by whomever."""
        found: list[tuple[PlanKind, int, str]] = []
        folder = self.session_path(session_id) / "plans"
        for name in sorted(_names(folder)):
            if (numbered := _NUMBERED.fullmatch(name)) and name.endswith(".json"):
                with contextlib.suppress(FileNotFoundError):
                    state = (folder / name).stat()
                    kind: PlanKind = "mix" if name.startswith("mix") else "master"
                    found.append((kind, int(numbered[1]), f"{state.st_ino}.{state.st_mtime_ns}"))
        return found

    # ------------------------------------------------------------ the comp that is being put together

    def load_comp(self, session_id: str) -> Comp:
        """The comp that somebody is putting together; one without parts when nobody is."""
        with contextlib.suppress(FileNotFoundError):
            return migrate.load(self._comp_path(session_id).read_bytes(), Comp, COMP_FILE)
        return Comp()

    def save_comp(self, session_id: str, comp: Comp) -> None:
        """Keep the comp that is being put together; the one before goes into the history. Raises OSError."""
        path = self._comp_path(session_id)
        if not path.exists():
            planshelf.save(path, migrate.dump(Comp()))  # so that undo leads back to nothing
        planshelf.save(path, migrate.dump(comp))

    def step_comp(self, session_id: str, *, forward: bool) -> Comp | None:
        """Undo, or with `forward` redo, one change of it; None when there is no such step."""
        data = planshelf.step(self._comp_path(session_id), forward=forward)
        return None if data is None else migrate.load(data, Comp, COMP_FILE)

    # ------------------------------------------------------------ bounces and exports

    def bounces(self, session_id: str) -> list[Bounce]:
        """The finished bounces of a session, newest first."""
        found: list[Bounce] = []
        folder = self.session_path(session_id) / "bounces"
        for name in _names(folder):
            with contextlib.suppress(LibraryError):
                bounce = _load(folder / name / "bounce.json", Bounce)
                found.append(msgspec.structs.replace(bounce, id=name, session=session_id))
        return sorted(found, key=lambda bounce: (bounce.sequence, bounce.created_utc, bounce.id), reverse=True)

    def new_bounce(self, session_id: str, kind: BounceKind, take: int) -> tuple[str, Path]:
        """Make the folder of a new bounce ("mix-003-02"); it is listed after `save_bounce`. Raises OSError."""
        folder = self.session_path(session_id) / "bounces"
        folder.mkdir(exist_ok=True)
        start = f"{kind}-{take:03d}-"
        numbers = (name.removeprefix(start) for name in _names(folder) if name.startswith(start))
        number = 1 + max((int(text) for text in numbers if text.isdecimal()), default=0)
        while True:
            path = folder / f"{start}{number:02d}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            sync_folder(folder)
            return path.name, path

    def save_bounce(self, bounce: Bounce) -> None:
        """Write a bounce's document, which makes it one. Raises LibraryError("not_found"), OSError."""
        if not bounce.sequence:
            last = max((other.sequence for other in self.bounces(bounce.session)), default=0)
            bounce = msgspec.structs.replace(bounce, sequence=last + 1)
        _save(self.bounce_path(bounce.session, bounce.id) / "bounce.json", bounce)

    def bounce_path(self, session_id: str, bounce_id: str) -> Path:
        """The folder of a bounce. Raises LibraryError("not_found")."""
        folder = self.session_path(session_id) / "bounces"
        if bounce_id not in _names(folder):
            raise LibraryError("not_found", f"Session '{session_id}' has no bounce '{bounce_id}'.", "")
        return folder / bounce_id

    def append_export(self, session_id: str, record: ExportRecord) -> None:
        """Remember what was written to a drive. Raises OSError."""
        append_line(self.session_path(session_id) / "exports.jsonl", msgspec.json.encode(record))

    def exports(self, session_id: str) -> list[ExportRecord]:
        """What was written to drives, oldest first; a line that a crash tore is left out."""
        records: list[ExportRecord] = []
        with contextlib.suppress(FileNotFoundError):
            for line in (self.session_path(session_id) / "exports.jsonl").read_bytes().splitlines():
                with contextlib.suppress(LibraryError):
                    records.append(migrate.load(line, ExportRecord, "exports.jsonl"))
        return records

    # ------------------------------------------------------------ trash

    def trash_entries(self) -> list[TrashEntry]:
        """What is in the trash, newest first."""
        return self._trash.entries()

    def trash_bytes(self) -> int:
        """How much emptying the trash would free."""
        return self._trash.bytes()

    def trash_leftover(self, path: Path) -> TrashEntry:
        """Move a file or folder of the library that belongs to nothing to the trash. Raises OSError."""
        return self._trash.throw(path, "leftover", f"leftover '{path.relative_to(self.root)}'")

    def restore(self, entry: TrashEntry) -> Path:
        """Put something back where it was; a name that was given away meanwhile becomes the next free one.

        Raises LibraryError("not_found") when it, or the session that it belongs to, is not there; OSError.
        """
        name = Path(entry.path).name
        if entry.kind == "session":
            return self._trash.take_back(entry, lambda: _claim(self.root, name))
        if entry.kind == "leftover":
            parent = (self.root / entry.path).parent
            taken = [one.name for one in parent.iterdir()] if parent.is_dir() else []
            return self._trash.take_back(entry, lambda: parent / unique_name(name, taken))
        session_id = entry.path.split("/")[0]
        takes = self.session_path(session_id) / "takes"
        place = parse_take_folder(name)
        if place and (takes / name).exists():
            number, false_number = place
            used = self._take_folders(session_id)
            while (number, false_number) in used:
                number, false_number = (number, false_number + 1) if false_number else (number + 1, 0)
            name = take_folder_name(number, false_number)
        return self._trash.take_back(entry, lambda: _claim(takes, name))

    def restore_by_id(self, entry_id: str) -> Path:
        """Put the entry with this id back. Raises LibraryError("not_found"), OSError."""
        for entry in self.trash_entries():
            if entry.id == entry_id:
                return self.restore(entry)
        raise LibraryError("not_found", f"There is nothing called {entry_id!r} in the trash.", "'oto trash' lists it.")

    def empty_trash(self) -> int:
        """Delete what is in the trash for good, and return the bytes that were freed. Raises OSError."""
        return self._trash.empty()

    # ------------------------------------------------------------ inside

    def _load_session(self, session_id: str) -> Session:
        # The folder's name is the truth, so that a person may rename folders by hand.
        session = _load(self.session_path(session_id) / SESSION_FILE, Session)
        return session if session.id == session_id else msgspec.structs.replace(session, id=session_id)

    def _take_folders(self, session_id: str) -> dict[tuple[int, int], Path]:
        takes = self.session_path(session_id) / "takes"
        placed = ((parse_take_folder(name), takes / name) for name in _names(takes))
        return {place: folder for place, folder in placed if place}

    def _load_take(self, session_id: str, folder: Path) -> Take:
        take = _load(folder / TAKE_FILE, Take)
        number, false_number = parse_take_folder(folder.name) or (take.number, take.false_number)
        if (take.session, take.number, take.false_number) == (session_id, number, false_number):
            return take
        return msgspec.structs.replace(
            take, session=session_id, number=number, false_number=false_number, false_take=false_number > 0
        )

    def _refuse_while_recording(self, take_folder: Path) -> None:
        if journal.in_use(take_folder / JOURNAL_FILE):
            raise LibraryError("busy", f"Take {take_folder.name} is being recorded right now.", "Stop it first.")

    def _comp_path(self, session_id: str) -> Path:
        return self.session_path(session_id) / "plans" / COMP_FILE

    def _plan_path(self, session_id: str, kind: str, take: int) -> Path:
        return self.session_path(session_id) / "plans" / f"{kind}-{take:03d}.json"


def _names(folder: Path) -> Iterator[str]:
    """Names in a folder that are not hidden; none when there is no such folder."""
    try:
        names = [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (name for name in names if not name.startswith("."))


def _has_takes(folder: Path) -> bool:
    return next(folder.glob("takes/*/*.wav"), None) is not None


def _claim(parent: Path, name: str) -> Path:
    """An empty folder with this name, or with the next one that is free."""
    while True:
        folder = parent / unique_name(name, (path.name for path in parent.iterdir()))
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            sync_folder(parent)
            return folder


def _load(path: Path, kind: type[D]) -> D:
    name = f"{path.parent.name}/{path.name}"
    try:
        return migrate.load(path.read_bytes(), kind, name)
    except OSError as error:
        code = "not_found" if isinstance(error, FileNotFoundError) else "damaged"
        raise LibraryError(
            code, f"{name} can't be read: {error.strerror}.", "`oto doctor` looks the library over."
        ) from error


def _keep_room_to_close(folder: Path) -> None:
    with contextlib.suppress(OSError):  # of a resumed take it is there already; where there is none, REC still works
        write_new(folder / ROOM_FILE, os.urandom(ROOM_BYTES))


def _save(path: Path, document: Document) -> None:
    write_atomic(path, migrate.dump(document))
