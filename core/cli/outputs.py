"""Where a command puts what it made: under a free name, or the one that was asked for, and only when it is whole."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from core.cli.inputs import PLAN_SUFFIX
from core.errors import Exit, OtoError

OTHER_FORMATS = frozenset(
    (".flac", ".mp3", ".ogg", ".opus", ".aif", ".aiff", ".aifc", ".caf", ".au", ".w64", ".m4a", ".aac", ".mp4", ".wma")
)
"""Suffixes that a program would believe, and that a WAV must not have."""


def fresh(path: Path) -> Path:
    """The path, or the same with " (2)", " (3)", ... when it is taken."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return candidate


def chosen_out(asked: Path | None, otherwise: Path, inputs: tuple[Path, ...]) -> Path:
    """The file to write: what was asked for, else a name that is still free. Never one of the inputs."""
    if asked is None:
        return fresh(otherwise.absolute())
    out = asked.absolute()
    if out.is_dir():
        out = fresh(out / otherwise.name)
    if any(out.exists() and out.samefile(file) for file in inputs):
        raise OtoError("bad_input", f"{out.name} is one of the inputs and won't be replaced.", "", Exit.BAD_INPUT)
    if out.exists() and not out.is_file():
        raise OtoError("bad_input", f"{out} is no file and won't be replaced.", "", Exit.BAD_INPUT)
    if out.suffix.lower() in OTHER_FORMATS:
        raise OtoError(
            "bad_input",
            f"{out.name} would be a WAV by another name: that is what is written here.",
            f"Say {out.stem}.wav. 'oto export' makes FLAC, MP3, Ogg and Opus of a session.",
            Exit.BAD_INPUT,
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    return out


def stems_folder(asked: Path | None, inputs: tuple[Path, ...], mix: Path | None = None) -> Path | None:
    """The folder for stems, if they are wanted. They are called as the inputs: never where these or the `mix` are."""
    if asked is None:
        return None
    folder = asked.absolute()
    if folder.exists() and not folder.is_dir():
        raise OtoError("bad_input", f"{folder} is a file; stems go into a folder.", "", Exit.BAD_INPUT)
    if folder.resolve() in {home.resolve() for file in inputs for home in (file.parent, file.resolve().parent)}:
        raise OtoError(
            "bad_input",
            f"The inputs are in {folder}, and stems of the same names would replace them.",
            "Choose another folder for --stems.",
            Exit.BAD_INPUT,
        )
    names = {file.stem.casefold() for file in inputs}
    if mix is not None and mix.stem.casefold() in names and folder.resolve() == mix.parent.resolve():
        raise OtoError(
            "bad_input",
            f"The mix and the stem of an input would both be {mix}.",
            "Choose another folder for --stems, or another name with --out.",
            Exit.BAD_INPUT,
        )
    return folder


@contextlib.contextmanager
def partial(out: Path) -> Iterator[Path]:
    """A hidden name beside `out` to write to; it becomes `out` only when the work succeeded."""
    making = out.with_name(f".{out.stem}.partial{out.suffix}")
    try:
        yield making
        making.replace(out)
    finally:
        making.unlink(missing_ok=True)


def copy(source: Path, out: Path) -> Path:
    """Copy a bounce to where the person wants it; the bounce stays in the session."""
    out = chosen_out(out, Path(source.name), (source,))
    with partial(out) as making:
        shutil.copyfile(source, making)
    return out


def keep_plan(data: bytes, out: Path) -> Path:
    """Write the plan beside its audio ("mix.plan.json"); another plan there may have been edited, and stays."""
    path = out.with_suffix(PLAN_SUFFIX)
    if path.exists() and path.read_bytes() != data:
        path = fresh(path)
    path.write_bytes(data)
    return path
