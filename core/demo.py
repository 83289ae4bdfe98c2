"""The whole path once, without hardware: a simulated band is recorded, mixed, mastered and exported.

It goes the way a person's music goes: an engine records, its queue hands the work to a worker, and files are verified
where they arrive. Only the interface is simulated, and it plays as fast as the machine can record.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, Final

from core import paths
from core.cli.console import Console, clock, level
from core.cli.link import SILENCE_S, end_engine, follow
from core.cli.record import take_in_one_go
from core.client import Client, ensure_engine
from core.errors import OtoError
from core.protocol.requests import StartJob
from core.protocol.topics import JobKind
from devices.simulated.band import song_duration_s

STUDIO: Final = "studio"
SESSION: Final = "Demo"
DEVICE: Final = "sim:fast:once"
TARGET: Final = "streaming"
FORMATS: Final = ("wav24", "flac")


def run(out: Path, seconds: float | None, console: Console) -> dict[str, Any]:
    """Make the demo in `out` (the song's `seconds`, or all of it) with a studio of its own in `out`/studio.

    Returns {"session", "take", "mix", "master", "exports"} as `oto demo --json` prints it. Sets `OTO_HOME` of this
    process. Raises OtoError; the engine is ended either way.
    """
    out.mkdir(parents=True, exist_ok=True)
    os.environ["OTO_HOME"] = str(out / STUDIO)
    console.say(f"A studio of its own in {paths.home()}; the simulated band sets up (the first time takes a while).")
    ensure_engine()
    try:
        take = take_in_one_go(
            console, device=DEVICE, session=SESSION, seconds=song_duration_s() if seconds is None else seconds
        )
        console.say(f"Recorded {len(take['files'])} tracks, {clock(take['frames'] / take['rate_hz'])}.")
        mix = _job("mix", take, {"stems": True, "propose": True}, console)
        console.say(f"Mixed at {level(mix['integrated_lufs'], 'LUFS')}; why it sounds so: {mix['plan']}")
        master = _job("master", take, {"target": TARGET}, console)
        loudness = f"{level(master['integrated_lufs'], 'LUFS')}, {level(master['true_peak_dbtp'], 'dBTP')}"
        console.say(f"Mastered for {TARGET}: {loudness}.")
        export = _job("export", take, {"to": str(out), "formats": list(FORMATS)}, console)
        console.say(f"Exported and read back: {len(export['exports'])} files.")
    finally:
        with contextlib.suppress(OtoError):
            end_engine()
    return {"session": take["session"], "take": take, "mix": mix, "master": master, "exports": export["exports"]}


def _job(kind: JobKind, take: dict[str, Any], options: dict[str, Any], console: Console) -> dict[str, Any]:
    with Client(timeout_s=SILENCE_S) as client:
        request = StartJob(kind=kind, session=take["session"], take=take["take"], options=options)
        return follow(client, request, console)
