"""What does not change while the engine runs: the system it runs on, and the learned models that came with this OTO."""

from __future__ import annotations

import contextlib
import platform
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from core.protocol.topics import ModelInfo

CARDS: Final = Path(__file__).parents[1] / "models" / "files"
"""A text beside each network; the engine reads what it says and loads neither."""


class _Card(msgspec.Struct, frozen=True):
    """What a screen tells of a card."""

    name: str
    version: str
    in_use: bool


def models(folder: Path = CARDS) -> tuple[ModelInfo, ...]:
    """The models whose cards can be read, by name; one is used if its card says so and onnxruntime is installed."""
    runs = find_spec("onnxruntime") is not None
    found: list[ModelInfo] = []
    for path in sorted(folder.glob("*.json")):
        with contextlib.suppress(OSError, ValueError):
            card = msgspec.json.decode(path.read_bytes(), type=_Card)
            found.append(ModelInfo(name=card.name, version=card.version, used=card.in_use and runs))
    return tuple(found)


def system() -> str:
    """The operating system, its kernel and Python, as far as they say."""
    name = platform.system()
    with contextlib.suppress(OSError):
        release = platform.freedesktop_os_release()
        name = " ".join(release[key] for key in ("NAME", "VERSION_ID") if key in release)
    return f"{name}, kernel {platform.release()}, Python {platform.python_version()}"
