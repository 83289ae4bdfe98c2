"""From pictures to answers and figures: pooling as at run time, accuracy, calibration, confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.data.pictures import Pictures
from training.roles.labels import LABELS, index_of

Floats = NDArray[np.float64]
BINS: Final = 10


@dataclass(frozen=True)
class Tracks:
    """One row per track (a stem or a clip in one condition)."""

    truth: NDArray[np.int64]
    """Output, NO_LABEL for "other"."""
    group: NDArray[np.str_]
    kind: NDArray[np.str_]
    harmed: NDArray[np.bool_]
    rule: NDArray[np.int64]
    """Output that the rules say, -2 where they say none of LABELS."""
    of_picture: NDArray[np.int64]
    """The track of each picture."""


def tracks_of(pictures: Pictures) -> Tracks:
    """Gather pictures to tracks."""
    keys = np.char.add(pictures.track, np.where(pictures.harmed, "/harmed", "/clean"))
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    rules = [index_of(rule) if rule in LABELS else -2 for rule in pictures.rule[first]]
    truth = np.array([index_of(label) for label in pictures.label[first]], dtype=np.int64)
    return Tracks(truth, pictures.group[first], pictures.kind[first], pictures.harmed[first], np.array(rules), of)


def pooled(logits: Floats, of_picture: NDArray[np.int64], temperature: float = 1.0) -> Floats:
    """Probabilities per track (tracks, 20): the mean of its pictures' log-probabilities, normalised."""
    logs = _log_softmax(logits / temperature)
    counts = np.bincount(of_picture)
    sums = np.zeros((counts.size, logits.shape[1]))
    np.add.at(sums, of_picture, logs)
    return np.exp(_log_softmax(sums / counts[:, None]))


def macro_accuracy(truth: NDArray[np.int64], answer: NDArray[np.int64]) -> float:
    """Mean over the labels that occur of the share of their tracks that is answered right."""
    present = np.unique(truth[truth >= 0])
    return float(np.mean([np.mean(answer[truth == label] == label) for label in present])) if present.size else 0.0


def top2(truth: NDArray[np.int64], probability: Floats) -> float:
    """Macro share of tracks whose label is one of the two best guesses."""
    best = np.argsort(-probability, axis=1)[:, :2]
    hit = np.where((best == truth[:, None]).any(axis=1), truth, -3)
    return macro_accuracy(truth, hit)


def calibration_error(truth: NDArray[np.int64], probability: Floats) -> float:
    """Expected calibration error in ten equal bins of confidence (Guo et al. 2017, eq. 3)."""
    confidence, right = probability.max(axis=1), probability.argmax(axis=1) == truth
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(sum(
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b) for b in np.unique(bins)
    ))  # fmt: skip


def calibration_by_chance(probability: Floats, seed: int = 4, draws: int = 400) -> float:
    """The error that as many tracks would show on the mean if every confidence were true: few tracks show much."""
    rng = np.random.default_rng(seed)
    confidence = probability.max(axis=1)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    right = rng.random((draws, confidence.size)) < confidence
    missed = np.stack([(right[:, bins == b] - confidence[bins == b]).sum(axis=1) for b in np.unique(bins)])
    return float(np.abs(missed).sum(axis=0).mean() / confidence.size)


def interval(
    groups: NDArray[np.str_], statistic: Callable[[NDArray[np.int64]], float], seed: int = 4, draws: int = 400
) -> tuple[float, float]:
    """95 % bootstrap interval of `statistic(rows)`, drawing whole groups (songs, sources) with replacement."""
    rng = np.random.default_rng(seed)
    names = np.unique(groups)
    rows_of = {name: np.flatnonzero(groups == name) for name in names}
    values = []
    for _ in range(draws):
        rows = np.concatenate([rows_of[name] for name in rng.choice(names, len(names))])
        values.append(statistic(rows))
    return float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5))


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
