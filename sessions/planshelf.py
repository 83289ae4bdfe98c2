"""Plans on disk: the one that counts, every one before it, and the way back and forth between them.

A plan that is replaced is copied into `history/` and never changed there. Which of those copies undo and redo lead to
is kept beside them, so that the way back has no end, outlives restarts and is the same for everyone at the studio.
Plans that are compared are kept there too, under letters.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sessions.files import write_atomic, write_new


class _Steps(msgspec.Struct, frozen=True):
    """Numbers of copies in the history."""

    past: tuple[int, ...] = ()
    """Where undo leads, the next step last."""
    future: tuple[int, ...] = ()
    """Where redo leads, the next step last."""


def save(path: Path, data: bytes, *, same_step: bool = False) -> None:
    """Make `data` the plan at `path`; the one before can be undone to, unless this goes on with the last change.

    Raises OSError.
    """
    now = _read(path)
    if now == data:
        return
    path.parent.mkdir(exist_ok=True)
    steps = _steps(path)
    if now is not None and not (same_step and steps.past):
        _keep_steps(path, _Steps(past=(*steps.past, _keep(path, now))))
    elif steps.future:
        _keep_steps(path, _Steps(past=steps.past))
    write_atomic(path, data)


def step(path: Path, *, forward: bool) -> bytes | None:
    """Undo, or with `forward` redo, one step: the plan that counts now; None when there is no such step."""
    now, steps = _read(path), _steps(path)
    ahead = steps.future if forward else steps.past
    if now is None or not ahead:
        return None
    data = _read(_copy(path, ahead[-1]))
    if data is None:
        return None
    kept = _keep(path, now)
    if forward:
        steps = _Steps((*steps.past, kept), steps.future[:-1])
    else:
        steps = _Steps(steps.past[:-1], (*steps.future, kept))
    _keep_steps(path, steps)
    write_atomic(path, data)
    return data


def shelve(path: Path) -> None:
    """Keep the plan at `path` in the history alone: its take is no longer one."""
    now = _read(path)
    if now is not None:
        _keep(path, now)
        path.unlink()
        _steps_file(path).unlink(missing_ok=True)
    for lettered in sorted((path.parent / "history").glob(f"{path.stem}.[A-Z].json")):
        _keep(path, lettered.read_bytes())
        lettered.unlink()


def keep_as(path: Path, letter: str, data: bytes) -> None:
    """Keep a plan beside the one at `path` under a letter, in place of what had the letter. Raises OSError."""
    (path.parent / "history").mkdir(parents=True, exist_ok=True)
    write_atomic(_lettered(path, letter), data)


def kept(path: Path, letter: str) -> bytes | None:
    """The plan that was kept under a letter; None when none was."""
    return _read(_lettered(path, letter))


def fingerprint(data: bytes) -> str:
    """A word that two plans have in common only if they are the same to the byte."""
    return hashlib.sha256(data.strip()).hexdigest()[:16]


def history(path: Path) -> list[Path]:
    """Plans that were at `path` before, oldest first."""
    return [_copy(path, number) for number in _numbers(path)]


def _read(path: Path) -> bytes | None:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _keep(path: Path, data: bytes) -> int:
    """Copy a plan into the history and return the copy's number."""
    (path.parent / "history").mkdir(exist_ok=True)
    number = 1 + max(_numbers(path), default=0)
    write_new(_copy(path, number), data)
    return number


def _copy(path: Path, number: int) -> Path:
    return path.parent / "history" / f"{path.stem}.{number:06d}.json"


def _lettered(path: Path, letter: str) -> Path:
    return path.parent / "history" / f"{path.stem}.{letter}.json"


def _numbers(path: Path) -> list[int]:
    return sorted(_numbered(path))


def _numbered(path: Path) -> Iterator[int]:
    for copy in (path.parent / "history").glob(f"{path.stem}.*.json"):
        number = copy.name.split(".")[1]
        if number.isdecimal():
            yield int(number)


def _steps_file(path: Path) -> Path:
    return path.parent / "history" / f"{path.stem}.steps"


def _steps(path: Path) -> _Steps:
    with contextlib.suppress(OSError, ValueError):
        return msgspec.json.decode(_steps_file(path).read_bytes(), type=_Steps)
    return _Steps()


def _keep_steps(path: Path, steps: _Steps) -> None:
    _steps_file(path).parent.mkdir(exist_ok=True)
    write_atomic(_steps_file(path), msgspec.json.encode(steps))
