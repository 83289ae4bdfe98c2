"""A model's card: everything that is to be known of a network, as data beside its file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

MOST_BYTES: Final = 2_000_000
"""Of a model's file."""


class Tensor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input or output of a network."""

    name: str
    shape: tuple[int | str, ...]
    """A word stands for a size that is free."""
    what: str


class Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that the network was trained or tested on."""

    name: str
    licence: str
    used_for: str
    """"training", "validation" or "test"."""
    amount: str = ""


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure on what the network never saw, beside what the same measure gives without it."""

    what: str
    value: float
    low: float | None = None
    """Ends of the 95 % confidence interval over songs; None where there is none."""
    high: float | None = None
    unit: str = ""
    better: str = "higher"
    """"higher" or "lower"."""
    baselines: dict[str, float] = {}

    def beaten(self) -> tuple[str, ...]:
        """The baselines that the network is better than on this measure."""
        sign = 1.0 if self.better == "higher" else -1.0
        return tuple(name for name, value in self.baselines.items() if sign * self.value > sign * value)


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model is, what it was made of, what it can and can't do, and how its file is recognised."""

    schema: int = 1
    name: str
    version: str
    what: str
    """One sentence for a musician: what it hears and what that is used for."""
    in_use: bool
    """False for a model that did not beat the rules on what it never saw: it is shipped to be looked at only."""
    verdict: str
    """One sentence: what it beats, or why it is not in use."""
    sha256: str
    """Of the file NAME.onnx."""
    opset: int
    onnxruntime: str
    """Version that it was checked with; an older one is refused."""
    features: str = ""
    """Names what its inputs are made by, so that it is never fed by something else than in training."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    labels: tuple[str, ...] = ()
    """Names of the classes, in the order of its output."""
    temperature: float = 1.0
    """What its logits are divided by, so that its confidence is its accuracy."""
    thresholds: dict[str, float] = {}
    training: str
    """The command that makes it again."""
    data: tuple[Data, ...]
    metrics: tuple[Metric, ...]
    limits: tuple[str, ...]
    """What it can't do, as sentences."""

    def beats(self) -> tuple[str, ...]:
        """The baselines that it is better than on every measure that names them."""
        named = {name for metric in self.metrics for name in metric.baselines}
        lost = {name for metric in self.metrics for name in metric.baselines if name not in metric.beaten()}
        return tuple(sorted(named - lost))


def read_card(path: Path) -> Card:
    """Read and check a card. Raises ValueError that says what is wrong with it, OSError."""
    try:
        card = msgspec.json.decode(path.read_bytes(), type=Card)
    except ValueError as error:
        raise ValueError(f"{path.name} is not a card: {error}") from error
    faults = faults_of(card)
    if faults:
        raise ValueError(f"{path.name} is not a card: {'; '.join(faults)}")
    if card.name != path.stem:
        raise ValueError(f"{path.name} is the card of {card.name!r}")
    return card


def faults_of(card: Card) -> list[str]:
    """What is missing or can't be true in a card."""
    said = {"what": card.what, "verdict": card.verdict, "version": card.version, "training": card.training}
    faults = [f"'{name}' says nothing" for name, words in said.items() if not words.strip()]
    if not re.fullmatch("[0-9a-f]{64}", card.sha256):
        faults.append("'sha256' is no SHA-256")
    if not re.fullmatch(r"\d+\.\d+(\.\d+)?", card.onnxruntime):
        faults.append("'onnxruntime' is no version")
    if not card.inputs or not card.outputs:
        faults.append("it has no inputs or no outputs")
    if not card.temperature > 0.0:
        faults.append("'temperature' is not above 0")
    if len(set(card.labels)) != len(card.labels):
        faults.append("a label is there twice")
    if not card.limits:
        faults.append("it says nothing about its limits")
    faults += [f"{data.name} has no licence" for data in card.data if not data.licence.strip()]
    faults += [f"{one.what}: 'better' is 'higher' or 'lower'" for one in card.metrics if one.better not in _SENSES]
    for metric in card.metrics:
        low = metric.value if metric.low is None else metric.low
        high = metric.value if metric.high is None else metric.high
        if not low <= metric.value <= high:
            faults.append(f"{metric.what}: {metric.value} is not between {low} and {high}")
    return faults


_SENSES: Final = ("higher", "lower")
