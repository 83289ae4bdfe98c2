"""What the recogniser is worth: figures per group of tracks beside rules, the largest class and the float model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.roles.answers import (
    Tracks,
    calibration_by_chance,
    calibration_error,
    interval,
    macro_accuracy,
    pooled,
    top2,
)
from training.roles.labels import LABELS, NO_LABEL

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
DOUBT_COST: Final = 0.5
"""Of a "don't know" against a wrong role, when the threshold is fitted."""
STYLES: Final = {
    "eif": "electronic pop with singing", "fof": "metal", "lmms": "electronic and acoustic demo songs",
    "mdn": "funk band", "mod": "tracker music",
}  # fmt: skip
"""By the first letters of a song's name."""
THRESHOLDS: Final = np.arange(0.2, 0.71, 0.02)


@dataclass(frozen=True)
class View:
    """A part of the tracks that is reported together."""

    name: str
    rows: Rows


def views(tracks: Tracks) -> list[View]:
    """Songs' stems, all real recordings, and the soundfont; each clean and harmed."""
    font = tracks.kind == "soundfont"
    parts = {"songs": tracks.kind == "stem", "all recordings": ~font, "held-out soundfont": font}
    return [
        View(f"{name}, {'bled and noisy' if harmed else 'clean'}", np.flatnonzero(part & (tracks.harmed == harmed)))
        for name, part in parts.items()
        for harmed in (False, True)
    ]


@dataclass(frozen=True)
class Figures:
    """Figures of one view; shares 0..1."""

    name: str
    tracks: int
    groups: int
    labels: int
    macro: float
    macro_interval: tuple[float, float]
    top2: float
    plain: float
    calibration: float
    calibration_by_chance: float
    """What as many tracks would show if every confidence were true."""
    rules: float
    rules_interval: tuple[float, float]
    largest: float
    largest_plain: float
    float_macro: float
    answered: float
    """Share of tracks with a known role whose confidence reaches the threshold."""
    answered_right: float
    """Share of those that are right (plain)."""
    doubted: float
    """Share of the effects, noises and whole bands that are answered "other"."""


def figures(view: View, tracks: Tracks, probability: Floats, float_probability: Floats, unsure: float) -> Figures:
    """The figures of a view; `probability` (tracks, 20) of the model that ships, `float_probability` before int8."""
    known = view.rows[tracks.truth[view.rows] != NO_LABEL]
    strange = view.rows[tracks.truth[view.rows] == NO_LABEL]
    truth, answer = tracks.truth, probability.argmax(axis=1)
    sure = probability.max(axis=1) >= unsure
    right = answer[known] == truth[known]
    common = Counter(truth[known].tolist()).most_common(1)[0][0]

    def macro_of(said: NDArray[np.int64]) -> tuple[float, tuple[float, float]]:
        at = interval(tracks.group[known], lambda rows: macro_accuracy(truth[known[rows]], said[known[rows]]))
        return macro_accuracy(truth[known], said[known]), at

    macro, macro_interval = macro_of(answer)
    rules, rules_interval = macro_of(tracks.rule)
    return Figures(
        name=view.name,
        tracks=known.size,
        groups=np.unique(tracks.group[known]).size,
        labels=np.unique(truth[known]).size,
        macro=macro,
        macro_interval=macro_interval,
        top2=top2(truth[known], probability[known]),
        plain=float(right.mean()),
        calibration=calibration_error(truth[known], probability[known]),
        calibration_by_chance=calibration_by_chance(probability[known]),
        rules=rules,
        rules_interval=rules_interval,
        largest=macro_accuracy(truth[known], np.full(known.size, common)),
        largest_plain=float(np.mean(truth[known] == common)),
        float_macro=macro_accuracy(truth[known], float_probability[known].argmax(axis=1)),
        answered=float(sure[known].mean()),
        answered_right=float(right[sure[known]].mean()) if sure[known].any() else 0.0,
        doubted=float((~sure[strange]).mean()) if strange.size else float("nan"),
    )


@dataclass(frozen=True)
class RoleFigures:
    """How one role fares on the recordings."""

    label: str
    clean: tuple[int, int]
    """Right and all, clean."""
    harmed: tuple[int, int]
    font: tuple[int, int]
    groups: int
    taken_for: str
    """What it is most often mistaken for on recordings, empty if never."""


def role_figures(tracks: Tracks, probability: Floats) -> list[RoleFigures]:
    """Per label: counts and the commonest mistake."""
    answer, font = probability.argmax(axis=1), tracks.kind == "soundfont"
    found = []
    for at, label in enumerate(LABELS):
        of = tracks.truth == at

        def count(part: NDArray[np.bool_], at: int = at) -> tuple[int, int]:
            return int((answer[part] == at).sum()), int(part.sum())

        wrong = Counter(LABELS[said] for said in answer[of & ~font] if said != at)
        found.append(RoleFigures(
            label, count(of & ~font & ~tracks.harmed), count(of & ~font & tracks.harmed), count(of & font),
            np.unique(tracks.group[of & ~font]).size, wrong.most_common(1)[0][0] if wrong else "",
        ))  # fmt: skip
    return found


@dataclass(frozen=True)
class StyleFigures:
    """How the stems of one family of songs fare: right and all."""

    style: str
    songs: int
    clean: tuple[int, int]
    harmed: tuple[int, int]


def style_figures(tracks: Tracks, probability: Floats) -> list[StyleFigures]:
    """Per style of STYLES: stems with a known role that are answered right."""
    right = probability.argmax(axis=1) == tracks.truth
    found = []
    for family, style in STYLES.items():
        of = (tracks.kind == "stem") & (tracks.truth != NO_LABEL) & np.char.startswith(tracks.group, f"{family}_")
        clean, harmed = (
            (int(right[part].sum()), int(part.sum())) for part in (of & ~tracks.harmed, of & tracks.harmed)
        )
        if of.any():
            found.append(StyleFigures(style, np.unique(tracks.group[of]).size, clean, harmed))
    return found


def fit_unsure(truth: NDArray[np.int64], probability: Floats) -> float:
    """The threshold of least cost: a wrong role costs 1, "don't know" DOUBT_COST, and nothing where it is right."""
    known, right, sure = truth != NO_LABEL, probability.argmax(axis=1) == truth, probability.max(axis=1)
    costs = [np.mean(np.where(sure >= t, ~(known & right), DOUBT_COST * known)) for t in THRESHOLDS]
    return round(float(THRESHOLDS[int(np.argmin(costs))]), 2)


def fit_temperature(logits: Floats, tracks: Tracks) -> float:
    """The temperature under which the pooled answers on validation are most likely (Guo et al. 2017)."""
    known = tracks.truth != NO_LABEL
    grid = np.exp(np.linspace(np.log(0.3), np.log(3.0), 70))

    def surprise(temperature: float) -> float:
        chosen = pooled(logits, tracks.of_picture, temperature)[known, tracks.truth[known]]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    return round(float(min(grid, key=surprise)), 3)
