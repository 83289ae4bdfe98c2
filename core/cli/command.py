"""What a command is: its words for `--help`, its options, and a function from options to an answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


class Answer(NamedTuple):
    """What a command found out or did."""

    value: Any
    """JSON-able; what `--json` prints."""
    text: str
    """The same for a person."""
    exit_code: int = 0


class Command(NamedTuple):
    """One command of `oto`."""

    summary: str
    """One line for the list of commands."""
    about: str
    """What it does, what it touches and what it leaves alone."""
    examples: tuple[str, ...]
    declare: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Console], Answer]


def no_options(_parser: ArgumentParser) -> None:
    """Declare nothing: the command has no options of its own."""


def number(text: str) -> float:
    """An option's value: "nan" and "inf" are none, since a take of that many seconds would never end."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def place(text: str) -> Path:
    """An option's value: an empty name, as a variable that is not set gives it, is not the folder one is in."""
    if not text:
        from argparse import ArgumentTypeError

        raise ArgumentTypeError("the name is empty; '.' is this folder")
    return Path(text)
