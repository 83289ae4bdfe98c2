"""The band's audio, rendered once per sample rate and shared by whoever plays it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from devices.child import module_command, start
from devices.errors import DeviceError

RENDER_WITHIN_S: Final = 600.0

_NOT_THE_BAND: Final = frozenset({"__init__.py", "folder.py", "render.py", "stream.py"})


def cache() -> Path:
    """Where OTO keeps what can be made again: in `OTO_HOME`, or ~/OTO."""
    return Path(os.environ.get("OTO_HOME") or Path.home() / "OTO").expanduser().absolute() / "cache"


def band_folder(rate_hz: int) -> Path:
    """The folder with the band's recordings at this rate, rendered by a process of its own when it is not there yet.

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
                _render(folder, rate_hz)
    except OSError as error:
        raise DeviceError(
            "no_space" if error.errno == 28 else "device_lost",
            f"The simulated band could not be kept in {cache()}: {error.strerror}.",
            "Make room there, or choose a real interface.",
        ) from error
    return folder


def _render(folder: Path, rate_hz: int) -> None:
    for left in cache().glob("band-partial-*"):
        shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix="band-partial-", dir=cache()))
    try:
        command = module_command("devices.simulated.band", str(partial), "--rate", str(rate_hz))
        with start(command) as process:
            try:
                failed = process.wait(timeout=RENDER_WITHIN_S) != 0
            finally:
                process.kill()
        if failed:
            raise DeviceError(
                "device_lost",
                f"The simulated band could not be rendered at {rate_hz} Hz.",
                "Make room on the disk and try again, or choose a real interface.",
            )
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
