"""`oto models`: the learned models, what they are worth, and whether this box can use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command
from core.cli.console import size, table
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console
    from core.models.card import Card, Metric

HASH_DIGITS = 12
"""Of a hash, for a person; the whole of it is in the card."""


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("show", nargs="?", choices=("show",), help="print a model's card")
    parser.add_argument("name", nargs="?", metavar="NAME", help="which model")


def _models(options: Namespace, _console: Console) -> Answer:
    from core.models.runtime import NAMES, runtime_version

    if options.show is not None:
        return _show(options.name)
    models = [_model(name) for name in NAMES]
    rows = [
        (
            model["name"],
            model["version"] or "-",
            "-" if model["bytes"] is None else size(model["bytes"]),
            (model["sha256"] or "-")[:HASH_DIGITS],
            "yes" if model["usable"] else "no",
            ", ".join(model["beats"]) or "-",
        )
        for model in models
    ]
    words = "".join(f"\n{model['why']}" for model in models if not model["usable"])
    text = table(("model", "version", "size", "hash", "usable", "beats"), rows) + (f"\n{words}" if words else "")
    return Answer({"models": models, "onnxruntime": runtime_version()}, text)


def _model(name: str) -> dict[str, Any]:
    from core.models.runtime import FILES, inspect

    card, fault = inspect(name)
    file = FILES / f"{name}.onnx"
    out_of_use = "" if card is None or card.in_use else f"The model '{name}' is not in use: {card.verdict}"
    return {
        "name": name,
        "version": card.version if card else None,
        "what": card.what if card else None,
        "bytes": file.stat().st_size if file.is_file() else None,
        "sha256": card.sha256 if card else None,
        "opset": card.opset if card else None,
        "usable": not fault and not out_of_use,
        "why": fault or out_of_use or None,
        "beats": list(card.beats()) if card else [],
        "verdict": card.verdict if card else None,
    }


def _show(name: str | None) -> Answer:
    from core.models.runtime import NAMES, inspect

    if name not in NAMES:
        raise OtoError("not_found", f"There is no model {name!r}.", f"There are {', '.join(NAMES)}.", Exit.NOT_FOUND)
    card, fault = inspect(name)
    if card is None:
        raise OtoError("not_found", fault, "Names and rules do its work until OTO is installed anew.", Exit.NOT_FOUND)
    import msgspec

    return Answer({"card": msgspec.to_builtins(card), "fault": fault or None}, _words(card, fault))


def _words(card: Card, fault: str) -> str:
    """A card to read."""
    lines = [f"{card.name} {card.version}: {card.what}", card.verdict]
    lines += ["not in use"] if not card.in_use else []
    lines += [fault] if fault else []
    if card.metrics:
        lines += ["", table(("measured", "value", "95 %", "without it"), [_row(metric) for metric in card.metrics])]
    lines += ["", "limits:", *(f"  {limit}" for limit in card.limits)]
    lines += ["", "made from:"]
    lines += [f"  {data.name} ({data.licence}), {data.used_for}: {data.amount}".rstrip(": ") for data in card.data]
    lines += ["", f"labels: {', '.join(card.labels)}"] if card.labels else []
    lines += ["", f"made by {card.training}", f"opset {card.opset}, checked with onnxruntime {card.onnxruntime}"]
    return "\n".join([*lines, f"sha256 {card.sha256}"])


def _row(metric: Metric) -> tuple[str, ...]:
    interval = f"{metric.low:g} to {metric.high:g}" if metric.low is not None and metric.high is not None else "-"
    without = ", ".join(f"{name} {value:g}" for name, value in metric.baselines.items())
    return metric.what, f"{metric.value:g} {metric.unit}".strip(), interval, without or "-"


COMMANDS = {
    "models": Command(
        "the learned models",
        "List the learned models: version, size, hash, what they beat on songs that they never heard, and whether\n"
        "this box can use them; if not, why. 'show NAME' prints a model's card: what it was measured at, what it was\n"
        "made from under which licences, and what it can't do. Without a model OTO works by rules and says so.",
        ("oto models", "oto models --json", "oto models show roles"),
        _options,
        _models,
    ),
}
