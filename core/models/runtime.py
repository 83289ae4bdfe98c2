"""Loads a network and runs it, or says in words why that can't be: nobody's mix may fail because of a model.

A file is taken for a model only if its hash, its opset and its features are those on its card, and if it has once run
in a process of its own with the onnxruntime that is installed: an import that kills its process must not kill a worker.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from core import paths
from core.models.card import MOST_BYTES, Card, read_card
from core.models.onnxfile import opset_of

FILES: Final = Path(__file__).with_name("files")
"""NAME.onnx and NAME.json, its card."""
NAMES: Final = ("roles", "mixing", "mastering")
"""Every model that OTO has a use for."""
THREADS: Final = 2
PROBE_TIMEOUT_S: Final = 120.0
PROBED_FILE: Final = "onnxruntime.json"
PACKAGE: Final = "onnxruntime"

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Unusable:
    """A model that can't be used."""

    name: str
    why: str
    """A sentence for a person."""
    card: Card | None = None
    """None when there is none that can be read."""
    rejected: bool = False
    """Nothing is wrong with it: its card keeps it out of use, which is no news to a person who mixes."""


class Model:
    """A network that is ready to run."""

    def __init__(self, card: Card, session: Any) -> None:
        self.card = card
        self._session = session

    def run(self, **inputs: Array) -> dict[str, Array]:
        """Outputs by name for inputs by name, of the shapes on the card."""
        names = [output.name for output in self.card.outputs]
        return dict(zip(names, self._session.run(names, inputs), strict=True))


def load(name: str, *, features: str = "", folder: Path | None = None) -> Model | Unusable:
    """A model that is fed by `features`, ready to run, or why there is none. Never raises.

    The first load after onnxruntime or the model has changed takes a second more: it is tried in a process of its own.
    """
    card, fault = _described(name, features, folder or FILES)
    if card is None or fault:
        return Unusable(name, fault, card)
    if not card.in_use:
        return Unusable(name, f"The model '{name}' is not in use: {card.verdict}", card, rejected=True)
    file = (folder or FILES) / f"{name}.onnx"
    fault = _probe(file, card)
    if fault:
        return Unusable(name, _unusable(name, fault), card)
    try:
        return Model(card, _session(file))
    except Exception as error:  # onnxruntime has an exception class per cause and no base
        return Unusable(name, f"The model '{name}' can't be loaded: {_line(error)}.", card)


def inspect(name: str, *, features: str = "", folder: Path | None = None) -> tuple[Card | None, str]:
    """The card of a model, and why it could not be run ("" if it could), whether it is in use or not. Never raises.

    `features` "" takes the model whatever it is fed by.
    """
    place = folder or FILES
    card, fault = _described(name, features, place)
    if card is None or fault:
        return card, fault
    return card, _unusable(name, _probe(place / f"{name}.onnx", card))


def _described(name: str, features: str, place: Path) -> tuple[Card | None, str]:
    """The card of a model, and why it can't be the model of its file; nothing is run."""
    file = place / f"{name}.onnx"
    try:
        card = read_card(place / f"{name}.json")
        content = file.read_bytes()
    except FileNotFoundError as error:
        return None, f"There is no model '{name}' here: {Path(error.filename).name} is missing."
    except (OSError, ValueError) as error:
        return None, f"The model '{name}' can't be read: {_line(error)}."
    return card, _unusable(name, _fault_of_file(card, content, features) or _fault_of_runtime(card))


def _unusable(name: str, fault: str) -> str:
    return f"The model '{name}' can't be used: {fault}." if fault else ""


def _fault_of_file(card: Card, content: bytes, features: str) -> str:
    if hashlib.sha256(content).hexdigest() != card.sha256:
        return f"{card.name}.onnx is not the file that its card describes (another hash), so it is damaged or changed"
    if len(content) > MOST_BYTES:
        return f"{card.name}.onnx has {len(content)} bytes, more than {MOST_BYTES}"
    if features and card.features != features:
        return f"it was trained on the features '{card.features}', and this OTO has '{features}'"
    try:
        opset = opset_of(content)
    except ValueError as error:
        return f"{card.name}.onnx: {error}"
    if opset != card.opset:
        return f"{card.name}.onnx is of opset {opset}, its card says {card.opset}"
    return ""


def _fault_of_runtime(card: Card) -> str:
    installed = runtime_version()
    if installed is None:
        return "onnxruntime is not installed"
    if _numbers(installed) < _numbers(card.onnxruntime):
        return f"it was checked with onnxruntime {card.onnxruntime}, and {installed} is older"
    return ""


def runtime_version() -> str | None:
    """Version of the onnxruntime that an import would get, without importing it; None when there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PACKAGE) if find_spec(PACKAGE) is not None else None
    except (PackageNotFoundError, ValueError):
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """Major and minor version."""
    return tuple(int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")[:2])


# ---------------------------------------------------------------- running


def _session(file: Path) -> Any:
    """A session on few threads that sleep while they wait: a box has few cores, and a recording comes first."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def try_out(file: Path) -> None:
    """Run a model once on zeros and say on stdout how far it came; what the process of the probe does."""
    import onnxruntime

    print(f"imported {onnxruntime.__version__}", flush=True)
    session = _session(file)
    zeros = {
        one.name: np.zeros([n if isinstance(n, int) else 1 for n in one.shape], np.float32)
        for one in session.get_inputs()
    }
    session.run(None, zeros)
    print("ran", flush=True)


class _Probed(msgspec.Struct, frozen=True):
    """How a probe ended."""

    runtime: str
    """The onnxruntime that was installed then: version, place and age of the package."""
    model: str
    """SHA-256 of the model's file."""
    fault: str
    """Empty if it ran."""


def _probe(file: Path, card: Card) -> str:
    """Why a process that runs this model ends badly, "" if it does not; remembered until one of both changes."""
    runtime = _installed_runtime()
    known = _remembered()
    for probed in known:
        if (probed.runtime, probed.model) == (runtime, card.sha256):
            return probed.fault
    code = f"from pathlib import Path; from core.models.runtime import try_out; try_out(Path({str(file)!r}))"
    # "" is wherever one stands, and -P leaves that out.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"trying it out did not end well ({_line(error)})"
    said = done.stdout.split()
    fault = "" if said[-1:] == ["ran"] and done.returncode == 0 else _words_of(done, imported=bool(said))
    current = [one for one in known if one.runtime == runtime and one.model != card.sha256]
    with contextlib.suppress(OSError):
        _remember([*current, _Probed(runtime, card.sha256, fault)])
    return fault


def _words_of(done: subprocess.CompletedProcess[str], *, imported: bool) -> str:
    step = "running it" if imported else "importing onnxruntime"
    if done.returncode < 0:
        with contextlib.suppress(ValueError):
            return f"{step} kills the process ({signal.Signals(-done.returncode).name})"
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"{step} fails ({last.rstrip('.')[:200]})"


def _installed_runtime() -> str:
    """What tells one installation of onnxruntime on this Python from another, without importing it."""
    spec = find_spec(PACKAGE)
    place = Path(spec.origin) if spec is not None and spec.origin else None
    changed = place.stat().st_mtime_ns if place is not None and place.exists() else 0
    return f"{runtime_version()} {place} {changed} {sys.version_info.major}.{sys.version_info.minor}"


def _remembered() -> list[_Probed]:
    try:
        return msgspec.json.decode((paths.cache() / PROBED_FILE).read_bytes(), type=list[_Probed])
    except (OSError, ValueError):
        return []


def _remember(probed: list[_Probed]) -> None:
    """Keep how probes ended, if there is a studio: a command on plain files does not found one."""
    if not paths.home().is_dir():
        return
    from sessions.files import write_atomic

    paths.cache().mkdir(parents=True, exist_ok=True)
    write_atomic(paths.cache() / PROBED_FILE, msgspec.json.encode(probed))


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
