"""`oto doctor`: looks at everything that OTO needs, and says what to do about what is missing."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from core import paths
from core.cli.command import Answer, Command
from core.cli.console import size
from core.errors import Exit, OtoError, as_oto_error

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from core.cli.console import Console

PROBE_TIMEOUT_S: Final = 60.0
LOW_DISK_BYTES: Final = 2_000_000_000
FULL_DISK_BYTES: Final = 200_000_000
SOON_FULL_DAYS: Final = 14
DAY_S: Final = 86_400.0
PACE_DAYS: Final = 28.0
PACE_MIN_DAYS: Final = 7.0
REALTIME_PRIORITY: Final = 70
NEEDED_FORMATS: Final = ("WAV", "RF64", "FLAC", "OGG", "MP3")


class Finding(NamedTuple):
    """What one check found."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    do: str = ""
    """What to do about it."""


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("python", "ok", version)
    return Finding("python", "warn", f"{version}; OTO is tested with 3.11 to 3.13", "Install one of those.")


def _portaudio() -> Finding:
    ended, said = _probe("import sounddevice; print(sounddevice.get_portaudio_version()[1])")
    if ended == 0:
        return Finding("portaudio", "ok", said)
    return Finding("portaudio", "fail", said, "Install it: apt install libportaudio2")


def _libsndfile() -> Finding:
    ended, said = _probe("import soundfile as s; print(s.__libsndfile_version__, *s.available_formats())")
    if ended != 0:
        return Finding("libsndfile", "fail", said, "Install the Python package soundfile again.")
    version, *formats = said.split()
    missing = [name for name in NEEDED_FORMATS if name not in formats]
    if missing:
        return Finding("libsndfile", "warn", f"{version} can't write {', '.join(missing)}", "Update soundfile.")
    return Finding("libsndfile", "ok", f"{version}, writes {', '.join(NEEDED_FORMATS)}")


def _onnxruntime() -> Finding:
    ended, said = _probe("import onnxruntime; print(onnxruntime.__version__)")
    if ended == 0:
        return Finding("onnxruntime", "ok", said)
    what = "it crashed this processor when loaded" if ended < 0 else said
    return Finding("onnxruntime", "warn", what, "OTO mixes by rules alone until another version is installed.")


def _probe(code: str) -> tuple[int, str]:
    """Run Python code where a crash or a hang harms nobody: exit status (negative for a signal) and its last line."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return 1, "it hung when it was loaded"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode, lines[-1] if lines else ""


def _interfaces() -> Finding:
    from devices.base import SIMULATED
    from devices.discovery import enumerate_interfaces

    found = [interface for interface in enumerate_interfaces() if interface.id != SIMULATED and interface.inputs]
    if not found:
        hint = "Plug one in. To try OTO without: oto record --device sim"
        return Finding("interfaces", "warn", "none but the simulated band", hint)
    return Finding("interfaces", "ok", "; ".join(f"{each.name} ({each.inputs} in)" for each in found))


def _realtime() -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    if os.geteuid() == 0 or limit == resource.RLIM_INFINITY or limit >= REALTIME_PRIORITY:
        return Finding("real-time", "ok", "the capture thread may have real-time priority")
    do = "Add your user to the group 'audio' with 'rtprio 95' in /etc/security/limits.d, or run OTO's service."
    return Finding("real-time", "warn", "not allowed; under heavy load input may be lost", do)


def _disk() -> Finding:
    place = paths.home()
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    found = f"{size(usage.free)} free at {paths.home()}"
    pace = bytes_per_day(paths.library(), time.time())
    if pace:
        found += f"; at the pace of the last weeks ({size(7 * pace)} a week) full in {usage.free / pace:.0f} days"
    if not os.access(place, os.W_OK):
        return Finding("disk", "fail", f"{place} can't be written", "Change its owner, or set OTO_HOME.")
    if usage.free < FULL_DISK_BYTES:
        return Finding("disk", "fail", found, "Export and remove sessions, and empty the trash.")
    if usage.free < LOW_DISK_BYTES or (pace and usage.free / pace < SOON_FULL_DAYS):
        return Finding("disk", "warn", found, "That is soon full: export and remove sessions.")
    return Finding("disk", "ok", found)


def bytes_per_day(library: Path, now_s: float) -> float | None:
    """How fast a library has grown in the last weeks, by the times of its files; None where those can't tell.

    They can't when nothing is older than a week, or when a file is from the future: the clock was set meanwhile.
    """
    files = [path.stat() for path in library.rglob("*") if path.is_file() and not path.is_symlink()]
    if not files:
        return None
    days = min((now_s - min(file.st_mtime for file in files)) / DAY_S, PACE_DAYS)
    if days < PACE_MIN_DAYS or max(file.st_mtime for file in files) > now_s + DAY_S:
        return None
    return sum(file.st_size for file in files if file.st_mtime >= now_s - days * DAY_S) / days


def _library() -> Finding:
    if not paths.library().is_dir():
        return Finding("library", "ok", "none yet; the first take makes one")
    from core.cli.care import read_plan
    from sessions.store import Library
    from sessions.verify import check_library

    problems = check_library(Library(paths.library()), read_plan=read_plan)
    if problems:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        hint = "Nothing was changed. 'oto doctor --library' names everything; --repair mends what is safe to mend."
        return Finding("library", "warn", f"{first.path} {first.message}{more}", hint)
    return Finding("library", "ok", str(paths.library()))


def _engine() -> Finding:
    from core.cli.wire import ask

    try:
        status = ask("status")
    except OtoError as error:
        if error.code == "no_engine":
            return Finding("engine", "ok", "not running; commands start one when they need it")
        return Finding("engine", "fail", error.message, error.hint)
    return Finding("engine", "ok", f"version {status['version']}, {status['transport']['state']}")


CHECKS: Final[tuple[tuple[str, Callable[[], Finding]], ...]] = (
    ("python", _python),
    ("portaudio", _portaudio),
    ("libsndfile", _libsndfile),
    ("onnxruntime", _onnxruntime),
    ("interfaces", _interfaces),
    ("real-time", _realtime),
    ("disk", _disk),
    ("library", _library),
    ("engine", _engine),
)


def _options(parser: ArgumentParser) -> None:
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--library", action="store_true", help="look the library over whole, hashes too")
    choice.add_argument("--repair", action="store_true", help="the same, and mend what is safe to mend")


def _doctor(options: Namespace, console: Console) -> Answer:
    if options.library or options.repair:
        from core.cli.care import look_over

        return look_over(console, repair=options.repair)
    findings: list[Finding] = []
    for number, (name, check) in enumerate(CHECKS):
        console.progress(number / len(CHECKS), f"looking at {name}")
        try:
            findings.append(check())
        except Exception as error:
            findings.append(Finding(name, "fail", as_oto_error(error).message, as_oto_error(error).hint))
    width = max(len(name) for name, _ in CHECKS)
    lines = [
        f"{finding.state:<4}  {finding.name:<{width}}  {finding.found}"
        + (f"\n{'':<{width + 8}}{finding.do}" if finding.do else "")
        for finding in findings
    ]
    states = {finding.state for finding in findings}
    worst = next(state for state in ("fail", "warn", "ok") if state in states)
    value = {"state": worst, "checks": [finding._asdict() for finding in findings]}
    return Answer(value, "\n".join(lines), Exit.FAILED if worst == "fail" else Exit.OK)


COMMANDS = {
    "doctor": Command(
        "check that everything OTO needs is there",
        "Check Python, the audio and file libraries, interfaces, real-time permission, disk, library and engine, and\n"
        "say what to do about what is missing. Changes nothing. Ends with 1 if something that OTO needs fails.\n\n"
        "--library reads every document, plan and header, and every file that has a hash. --repair also mends:\n"
        "documents are made again from journals and audio files, headers put right, leftovers go to the trash. No\n"
        "audio is changed, nothing deleted, and what only you can decide is named. Ends with 1 if something is wrong\n"
        "then.",
        ("oto doctor", "oto doctor --repair", "oto doctor --json | jq '.checks[] | select(.state != \"ok\")'"),
        _options,
        _doctor,
    ),
}
