"""Measures the file that ships on what it never saw and writes its card: `python -m training.roles.evaluate`.

The figures also replace the section between two marks in docs/models.md. Test data is read here and in `robustness`
alone.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Final

import msgspec
import numpy as np

from core.models.card import faults_of
from core.models.runtime import FILES
from training.data.pictures import load
from training.data.places import REPOSITORY, training_root
from training.roles.answers import pooled, tracks_of
from training.roles.card import card_of
from training.roles.export import run, session
from training.roles.measure import Figures, RoleFigures, StyleFigures, figures, role_figures, style_figures, views
from training.roles.train import shards

DOC: Final = REPOSITORY / "docs" / "models.md"
BEGIN: Final = "<!-- roles: written by training.roles.evaluate -->"
END: Final = "<!-- /roles -->"
TIMED_PICTURES: Final = 96
TIMED_ROUNDS: Final = 7


def cost_ms(path: object, mel: np.ndarray) -> tuple[float, float]:
    """Median (wall, CPU) milliseconds per track of six pictures, on two threads."""
    ready = session(path)  # type: ignore[arg-type]
    run(ready, mel[:12], batch=6)
    walls, cpus = [], []
    for _ in range(TIMED_ROUNDS):
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        run(ready, mel, batch=6)
        walls.append(time.perf_counter() - wall_s)
        cpus.append(time.process_time() - cpu_s)
    tracks = len(mel) / 6
    return float(np.median(walls)) / tracks * 1e3, float(np.median(cpus)) / tracks * 1e3


def tables(
    measured: list[Figures], roles: list[RoleFigures], styles: list[StyleFigures], drift: dict[str, float]
) -> str:
    """The figures in Markdown."""
    heads = "on what it never saw | tracks (songs or sources) | roles | macro accuracy | rules | largest class | float"
    lines = _table(f"{heads} | top-2 | calibration error (by chance)")
    lines += [
        f"| {of.name} | {of.tracks} ({of.groups}) | {of.labels} "
        f"| {percent(of.macro)} ({_range(of, of.macro_interval)}) "
        f"| {percent(of.rules)} ({_range(of, of.rules_interval)}) "
        f"| {percent(of.largest)} | {percent(of.float_macro)} | {percent(of.top2)} "
        f"| {percent(of.calibration)} ({percent(of.calibration_by_chance)}) |"
        for of in measured
    ]
    lines += ["", *_table('with "don\'t know" | tracks answered | of those right | not a role, answered "other"')]
    lines += [
        f"| {of.name} | {percent(of.answered)} | {percent(of.answered_right)} | {percent(of.doubted)} |"
        for of in measured
    ]
    lines += ["", *_table("role | songs and sources | clean | bled and noisy | soundfont | most often taken for")]
    lines += [
        f"| {_words(of.label)} | {of.groups} | {_of(of.clean)} | {_of(of.harmed)} | {_of(of.font)} "
        f"| {_words(of.taken_for)} |"
        for of in roles
    ]
    lines += ["", *_table("style of the test songs | songs | clean | bled and noisy")]
    lines += [f"| {of.style} | {of.songs} | {_of(of.clean)} | {_of(of.harmed)} |" for of in styles]
    sizes = f"{drift['int8_bytes'] / 1e3:.0f} kB against {drift['float_bytes'] / 1e3:.0f} kB"
    cpu = f"{drift['int8_cpu_ms']:.1f} ms of CPU against {drift['float_cpu_ms']:.1f} ms"
    wall = f"{drift['int8_wall_ms']:.1f} against {drift['float_wall_ms']:.1f} ms on the clock"
    lines += [
        "",
        f"int8 against float: {sizes}. The best guess differs on {percent(drift['changed'])} of the test tracks,",
        f"its probability by {drift['p99']:.3f} at the 99th percentile. A track of six pictures takes {cpu} ({wall}),",
        "on two threads of two busy x86-64 cores.",
    ]
    return "\n".join(lines)


def replace_section(begin: str, end: str, text: str) -> None:
    """Put text between two marks of docs/models.md; without the marks the document stays as it is."""
    document = DOC.read_text()
    if begin in document and end in document:
        before, rest = document.split(begin, 1)
        DOC.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end, 1)[1]}")


def _table(heads: str) -> list[str]:
    return [f"| {heads} |", "|---" * (heads.count("|") + 1) + "|"]


def _words(label: str) -> str:
    return label.replace("_", " ")


def percent(share: float) -> str:
    """A share in words; a dash where there is none."""
    return "-" if np.isnan(share) else f"{share:.1%}".replace("%", " %")


def _range(of: Figures, ends: tuple[float, float]) -> str:
    """Words for an interval; a single source has none."""
    return f"{ends[0] * 100:.0f} to {ends[1] * 100:.0f} %" if of.groups > 1 else "one source"


def _of(counts: tuple[int, int]) -> str:
    return f"{counts[0]} of {counts[1]}" if counts[1] else "-"


def main() -> None:
    """Measure, write the card and the tables."""
    folder = training_root() / "roles"
    calibration = json.loads((folder / "calibration.json").read_text())
    test = load(shards("test"))
    tracks = tracks_of(test)
    file = FILES / "roles.onnx"
    logits, float_logits = run(session(file), test.mel), run(session(folder / "float.onnx"), test.mel)
    answers = pooled(logits, tracks.of_picture, calibration["temperature"])
    float_answers = pooled(float_logits, tracks.of_picture, calibration["temperature"])
    measured = [figures(view, tracks, answers, float_answers, calibration["unsure"]) for view in views(tracks)]
    roles, styles = role_figures(tracks, answers), style_figures(tracks, answers)
    mel = test.mel[:TIMED_PICTURES]
    int8_cost, float_cost = cost_ms(file, mel), cost_ms(folder / "float.onnx", mel)
    best = float_answers.argmax(axis=1)
    moved = np.abs(answers - float_answers)[np.arange(best.size), best]
    drift = {
        "int8_bytes": file.stat().st_size, "float_bytes": (folder / "float.onnx").stat().st_size,
        "changed": float(np.mean(answers.argmax(axis=1) != best)), "p99": float(np.percentile(moved, 99)),
        "int8_wall_ms": int8_cost[0], "int8_cpu_ms": int8_cost[1],
        "float_wall_ms": float_cost[0], "float_cpu_ms": float_cost[1],
    }  # fmt: skip
    card = card_of(file, calibration, measured, roles, styles)
    faults = faults_of(card)
    if faults:
        raise SystemExit(f"the card can't be written: {'; '.join(faults)}")
    (FILES / "roles.json").write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
    text = tables(measured, roles, styles, drift)
    (folder / "figures.json").write_text(json.dumps([asdict(each) for each in measured] + [drift], indent=1))
    replace_section(BEGIN, END, text)
    print(text)
    print(card.verdict)


if __name__ == "__main__":
    main()
