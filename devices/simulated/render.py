"""The band's audio, rendered once per sample rate and shared by whoever plays it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devices.child import kill, module_command, start
from devices.errors import DeviceError

BAND: Final = tuple(module_command("devices.simulated.band"))
RENDER_WITHIN_S: Final = 600.0

_NOT_THE_BAND: Final = frozenset({"__init__.py", "folder.py", "identity.py", "render.py", "stream.py"})


def cache() -> Path:
    """Where OTO keeps what can be made again: in `OTO_HOME`, or ~/OTO."""
    return Path(os.environ.get("OTO_HOME") or Path.home() / "OTO").expanduser().absolute() / "cache"


def band_folder(rate_hz: int, *, command: Sequence[str] = BAND) -> Path:
    """The folder with the band's recordings at this rate, rendered by a process of its own when it is not there yet.

    `command` starts that process; the folder to fill and "--rate HZ" are put behind it.
    Raises DeviceError: "no_space" when the disk is full, "device_lost" when it can't be rendered.
    """
    folder = cache() / f"band-{rate_hz}-{_version()}"
    if folder.is_dir():
        return folder
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with (cache() / "band.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                _render(folder, rate_hz, command)
    except OSError as error:
        raise DeviceError(
            "no_space" if error.errno == errno.ENOSPC else "device_lost",
            f"The simulated band could not be kept in {cache()}: {error.strerror}.",
            "Make room there, or choose a real interface.",
        ) from error
    return folder


def _render(folder: Path, rate_hz: int, command: Sequence[str]) -> None:
    for left in cache().glob("band-partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix="band-partial-", dir=cache()))
    try:
        process = start([*command, str(partial), "--rate", str(rate_hz)])
        try:
            failed = process.wait(timeout=RENDER_WITHIN_S) != 0
        except subprocess.TimeoutExpired:
            failed = True
        finally:
            kill(process)
        if failed:
            raise DeviceError(
                "device_lost",
                f"The simulated band could not be rendered at {rate_hz} Hz.",
                "Make room on the disk and try again, or choose a real interface.",
            )
        # A power cut must not leave a folder that looks whole.
        for path in partial.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        for outdated in cache().glob(f"band-{rate_hz}-*"):
            shutil.rmtree(outdated, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _version() -> str:
    """Changes with the band's own code, so that a song that was changed is rendered again."""
    digest = hashlib.blake2b(digest_size=6)
    here = Path(__file__).parent
    for path in sorted(here.rglob("*.py")):
        if path.relative_to(here).as_posix() not in _NOT_THE_BAND:
            digest.update(path.read_bytes())
    return digest.hexdigest()
