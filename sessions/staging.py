"""Hidden folders in which something is prepared before it appears in the library whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_START: Final = ".import-"


@contextlib.contextmanager
def staging(root: Path, start: str = _START) -> Iterator[Path]:
    """A hidden folder in `root`, gone at the end unless it was moved to its place. Raises OSError."""
    folder, lock = _locked_folder(root, start)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def clear_abandoned(root: Path, start: str = _START) -> None:
    """Remove the hidden folders of processes that were killed. They hold copies only; originals are never touched."""
    for folder in root.glob(f"{start}*"):
        with contextlib.suppress(OSError), _locked(folder):
            shutil.rmtree(folder)


def abandoned(root: Path) -> list[Path]:
    """The hidden folders of processes that were killed."""
    found = []
    for folder in sorted(root.glob(f"{_START}*")):
        with contextlib.suppress(OSError), _locked(folder):
            found.append(folder)
    return found


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock. Raises BlockingIOError when a living process has it, OSError."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _locked_folder(root: Path, start: str) -> tuple[Path, int]:
    while True:
        folder = root / f"{start}{secrets.token_hex(4)}"
        folder.mkdir()
        # Until the lock is held, another process may take the folder for an abandoned one and remove it.
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.is_dir():
                return folder, lock
            os.close(lock)
