"""What a person meant by SESSION or FILES: paths win, and what could be both is asked about, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from core.errors import Exit, OtoError

SUFFIXES = {".wav", ".rf64", ".w64", ".bwf", ".flac", ".aif", ".aiff", ".aifc", ".caf", ".au", ".ogg", ".opus", ".mp3"}
"""Names of audio files; only used to pick files out of a folder."""

PLAN_SUFFIX: Final = ".plan.json"
"""What a plan is called by that lies beside its audio."""


class Files(NamedTuple):
    """Audio files, in the order they were given; a folder stands for what is in it."""

    paths: tuple[Path, ...]

    def without_mixes(self, given: Sequence[str]) -> tuple[Files, tuple[Path, ...]]:
        """What remains to be mixed, and what OTO itself has put into the folders among `given`: audio with its plan."""
        named = {Path(word).absolute() for word in given}
        made = tuple(file for file in self.paths if file not in named and file.with_suffix(PLAN_SUFFIX).is_file())
        return Files(tuple(file for file in self.paths if file not in made)), made


class InLibrary(NamedTuple):
    """A session, by id or name."""

    session: str


def existing_file(path: Path) -> Path:
    """The file, absolute. Raises OtoError: "not_found" when there is none, "bad_input" for a folder."""
    if path.is_dir():
        raise OtoError("bad_input", f"{path} is a folder; a file is wanted here.", "", Exit.BAD_INPUT)
    if not path.is_file():
        raise OtoError("not_found", f"There is no file {path}.", "", Exit.NOT_FOUND)
    return _readable_name(path.absolute())


def _readable_name(path: Path) -> Path:
    """The path itself. Raises OtoError("bad_input") for a name that no text can hold, as old archives have them."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        words = f"The name of {path} is not in UTF-8, so nothing can be made of it."
        raise OtoError("bad_input", words, "Rename it, or the folder it is in.", Exit.BAD_INPUT) from None
    return path


def resolve(words: Sequence[str], *, session: Path | None, has_take: bool = False) -> Files | InLibrary:
    """Decide what the words name; `session` is the folder of the one that the library knows by the first, if any.

    Several words are files. One word is a file or folder when such a path exists, else a session. A folder that is a
    session's own means that session, and so does what could be both where a take was named. Raises OtoError:
    "bad_input" when one word is both, "not_found" for a path that is not there.
    """
    if not all(words):  # a script's variable that is not set would else mean the folder that one is in
        raise OtoError("usage", "Which session or files? A name is empty.", "'.' is this folder.", Exit.USAGE)
    first = Path(words[0])
    if len(words) == 1:
        if (first / "session.json").is_file():
            return InLibrary(first.resolve().name)
        if session is not None and has_take:
            return InLibrary(session.name)
        if session is not None and first.exists():
            raise OtoError(
                "bad_input",
                f"{words[0]!r} is a session and also a file or folder here.",
                f"Write ./{words[0]} for the files here, or {session} for the session.",
                Exit.BAD_INPUT,
            )
        if not first.exists() and "/" not in words[0] and first.suffix.lower() not in SUFFIXES:
            return InLibrary(words[0])
    return Files(tuple(file for word in words for file in audio_files(Path(word))))


def audio_files(path: Path) -> list[Path]:
    """A file itself, or the audio files in a folder by name. Raises OtoError("not_found") when there is nothing."""
    if not path.is_dir():
        return [existing_file(path)]
    found = sorted(
        file.absolute()
        for file in path.iterdir()
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    )
    if not found:
        raise OtoError("not_found", f"There are no audio files in {path}.", "", Exit.NOT_FOUND)
    return [_readable_name(file) for file in found]
