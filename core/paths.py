"""Where OTO keeps things. `OTO_HOME` moves all of it, so that two studios can run side by side."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM_SOCKET = Path("/run/oto/engine.sock")


def home() -> Path:
    """The folder that holds the library, the settings and the socket: `OTO_HOME`, or ~/OTO."""
    return Path(os.environ.get("OTO_HOME") or Path.home() / "OTO").expanduser().absolute()


def library() -> Path:
    """The folder of sessions."""
    return home() / "library"


def settings_file() -> Path:
    """The settings document."""
    return home() / "settings.json"


def studio_file() -> Path:
    """What a person wants of the studio on this terminal: keys, a screen reader."""
    return home() / "studio.toml"


def studio_log() -> Path:
    """Where a studio on a terminal writes what went wrong in it."""
    return home() / "studio.log"


def jobs_folder() -> Path:
    """The queue of jobs, one file each."""
    return home() / "jobs"


def cache() -> Path:
    """What can be made again at any time: the simulated band's audio, overviews."""
    return home() / "cache"


def scratch() -> Path:
    """Where large files lie while they are worked on: on the disk, since /tmp may be in memory.

    Work on plain files founds no studio: without one it is /var/tmp, which no system keeps in memory (FHS 3.0, 5.15).
    """
    if not home().is_dir():
        return Path("/var/tmp")
    cache().mkdir(exist_ok=True)
    return cache()


def log_file() -> Path:
    """Where an engine that was started by a command writes what it would say on a terminal."""
    return home() / "engine.log"


def engine_socket() -> Path:
    """The engine's socket: with `OTO_HOME` set, there; else the box's service if there is one, else our own home."""
    if "OTO_HOME" not in os.environ and SYSTEM_SOCKET.parent.is_dir():
        return SYSTEM_SOCKET
    return home() / "engine.sock"
