"""The mix controller: what it is shown of every track, and where it would put each, with how far off that may be.

It corrects the rules: what it says is a difference to their place, and the less sure it is, the more of theirs stays.
What it is shown does not change with the input's gain; training and use share this code. The order of tracks does not
matter, because the network sees each track beside the mean and the extremes of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.analysis.hearing import ERB_HZ, excitation, specific_loudness
from core.analysis.track import TrackAnalysis
from core.models import runtime
from core.plans.roles import ROLES, Role

Array = NDArray[np.float32]
Floats = NDArray[np.float64]

NAME: Final = "mixing"
FEATURES_NAME: Final = "mixing-tracks-1"
MOST_TRACKS: Final = 32
"""More are mixed by the rules: it never saw so many."""

OCTAVES_HZ: Final = (31.5, 63.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)
_FAINTEST_DB: Final = -50.0
_ALL_HZ: Final = (0.0, 24_000.0)
_RANGES_HZ: Final = ((20.0, 250.0), (250.0, 2_000.0), (2_000.0, 16_000.0))
_FARTHEST: Final = 3.0
"""Numbers are limited to this many of their usual spreads."""

_MEASURED: Final[tuple[tuple[str, str, float, float], ...]] = (
    ("peakiness", "strokes", 14.0, 5.0),
    ("crest", "strokes", 17.0, 5.0),
    ("loud over mean", "strokes", 3.0, 2.0),
    ("movement", "strokes", 6.0, 3.0),
    ("onsets", "strokes", 1.2, 0.8),
    ("fall", "strokes", 7.0, 1.5),
    ("centroid", "spectrum", 0.0, 2.0),
    ("flatness", "spectrum", 0.15, 0.15),
    ("pitched", "spectrum", 0.4, 0.35),
    ("pitch", "spectrum", 0.0, 1.0),
    *((f"octave {hz:g}", "spectrum", -18.0, 14.0) for hz in OCTAVES_HZ),
    ("activity", "time", 0.6, 0.3),
    ("entry", "time", 0.1, 0.2),
    ("company", "company", 2.0, 0.8),
    ("alone", "company", 0.1, 0.2),
    ("tracks", "company", 3.2, 0.8),
    ("alike", "company", 0.5, 0.7),
    ("hidden", "company", 0.6, 0.25),
    ("hidden lows", "company", 0.6, 0.3),
    ("hidden middle", "company", 0.6, 0.3),
    ("hidden highs", "company", 0.6, 0.3),
    ("stereo", "space", 0.4, 0.5),
    ("decorrelation", "space", 0.1, 0.25),
    ("place", "rules", 0.0, 3.0),
)
"""What is measured: name, the group that a reason names, and the value and the spread that are usual."""

_SPACE: Final = sum(group == "space" for _, group, _, _ in _MEASURED)

SET: Final = ("is set", "set apart")
"""Whether a person set this track's level, and how far from the rules, against the other tracks that were set."""
COLUMNS: Final = (*(name for name, *_ in _MEASURED), *(f"role {role}" for role in ROLES), *SET)
FEATURES: Final = len(COLUMNS)
GROUPS: Final[dict[str, tuple[int, ...]]] = {
    group: tuple(at for at, (_, of, _, _) in enumerate(_MEASURED) if of == group)
    for group in dict.fromkeys(group for _, group, _, _ in _MEASURED)
} | {
    "role": tuple(at for at, name in enumerate(COLUMNS) if name.startswith("role ")),
    "set": tuple(at for at, name in enumerate(COLUMNS) if name in SET),
}
"""Columns that a reason speaks of together."""


@dataclass(frozen=True)
class Shown:
    """One track as the controller is shown it."""

    heard: TrackAnalysis
    """Not silent."""
    role: Role
    level_lufs: float
    """How loud it is while it plays."""
    place_lu: float
    """Where the rules would put its loudness, against any zero that all tracks share."""
    set_lu: float | None = None
    """Where a person has put it, against the same zero or any other."""


def vectors(tracks: Sequence[Shown]) -> Array:
    """What the network is fed: (tracks, FEATURES) numbers of about -3 to 3."""
    measured = np.array([_alone(track) for track in tracks]) if tracks else np.zeros((0, 0))
    if not len(measured):
        return np.zeros((0, FEATURES), np.float32)
    places = np.array([track.place_lu for track in tracks])
    own, space = measured[:, :-_SPACE], measured[:, -_SPACE:]
    values = np.column_stack((own, _together(tracks), space, places - places.mean()))
    usual, spread = (np.array([row[at] for row in _MEASURED]) for at in (2, 3))
    roles = np.array([[float(track.role == role) for role in ROLES] for track in tracks])
    known = np.clip((values - usual) / spread, -_FARTHEST, _FARTHEST)
    return np.column_stack((known, roles, _set(tracks))).astype(np.float32)


def _alone(track: Shown) -> list[float]:
    """What is measured of one track: strokes, spectrum, time, then space."""
    heard = track.heard
    active = heard.active_steps()
    curve = np.array(heard.loudness_curve)[active]
    peak_dbfs = heard.sample_peak_dbfs if heard.sample_peak_dbfs is not None else track.level_lufs
    loud = heard.loud_lufs if heard.loud_lufs is not None else track.level_lufs
    mean = heard.active_lufs if heard.active_lufs is not None else track.level_lufs
    pitch = 0.0 if heard.pitch_hz is None else heard.pitched * math.log2(heard.pitch_hz / 220.0)
    own_space = heard.channels == 2 and (heard.correlation or 0.0) < 0.995
    return [
        peak_dbfs - track.level_lufs,
        heard.crest_db or 0.0,
        loud - mean,
        float(np.maximum(curve, loud - 40.0).std()) if curve.size else 0.0,
        math.log2(1.0 + heard.onsets_per_s),
        math.log2(1.0 + (heard.fall_ms if heard.fall_ms is not None else 1_000.0)),
        math.log2((heard.centroid_hz or 700.0) / 700.0),
        heard.flatness,
        heard.pitched,
        pitch,
        *_octaves_db(heard),
        heard.activity,
        float(np.argmax(active)) / active.size if active.any() else 0.0,
        float(own_space),
        1.0 - (heard.correlation if heard.correlation is not None else 1.0),
    ]


def _octaves_db(heard: TrackAnalysis) -> Floats:
    """Level of every octave against the whole."""
    powers = 10.0 ** (np.array(heard.bands_db or (0.0,) * len(BAND_HZ)) / 10.0)
    bands = np.array(BAND_HZ)
    edge = math.sqrt(2.0)
    sums = [powers[(bands >= hz / edge) & (bands < hz * edge)].sum() for hz in OCTAVES_HZ]
    level: Floats = 10.0 * np.log10(np.maximum(sums, 10.0 ** (_FAINTEST_DB / 10.0)))
    return level


def _together(tracks: Sequence[Shown]) -> Floats:
    """What is measured of every track among the others, (tracks, 8): company to hidden highs."""
    steps = max(len(track.heard.loudness_curve) for track in tracks)
    active = np.zeros((len(tracks), steps))
    for at, track in enumerate(tracks):
        sounding = track.heard.active_steps()
        active[at, : sounding.size] = sounding
    others = active.sum(axis=0) - active
    sounding = np.maximum(active.sum(axis=1), 1.0)
    company = (active * others).sum(axis=1) / sounding
    alone = (active * (others == 0)).sum(axis=1) / sounding
    alike = [sum(other.role == track.role for other in tracks) - 1 for track in tracks]
    count = np.full(len(tracks), math.log2(1.0 + len(tracks)))
    return np.column_stack((np.log2(1.0 + company), alone, count, np.log2(1.0 + np.array(alike)), hidden(tracks)))


def hidden(tracks: Sequence[Shown]) -> Floats:
    """Share of each track's loudness that the others hide, all at the rules' places (`core.analysis.hearing`).

    (tracks, 4): of all it plays, of its lows, its middle and its highs; 0 where it has none.
    """
    powers = [track.heard.ear_powers() * 10.0 ** ((track.place_lu - track.level_lufs) / 10.0) for track in tracks]
    excited = np.zeros((len(powers), max(len(power) for power in powers), len(ERB_HZ)))
    for at, power in enumerate(powers):
        excited[at, : len(power)] = excitation(power)
    everybody = excited.sum(axis=0)
    shares = np.zeros((len(tracks), 1 + len(_RANGES_HZ)))
    for at, own in enumerate(excited):
        alone = specific_loudness(own).sum(axis=0)
        left = specific_loudness(own, np.maximum(everybody - own, 0.0)).sum(axis=0)
        for column, (low_hz, high_hz) in enumerate((_ALL_HZ, *_RANGES_HZ)):
            within = np.searchsorted((low_hz, high_hz), ERB_HZ, side="right") == 1
            whole = alone[within].sum()
            shares[at, column] = 1.0 - left[within].sum() / whole if whole > 0.0 else 0.0
    return shares


def _set(tracks: Sequence[Shown]) -> Floats:
    """(tracks, 2) for `SET`."""
    apart = {at: track.set_lu - track.place_lu for at, track in enumerate(tracks) if track.set_lu is not None}
    middle = float(np.mean(list(apart.values()))) if apart else 0.0
    rows = [[1.0, (apart[at] - middle) / 3.0] if at in apart else [0.0, 0.0] for at in range(len(tracks))]
    return np.asarray(np.clip(np.array(rows), -_FARTHEST, _FARTHEST))


# ---------------------------------------------------------------- what it advises


@dataclass(frozen=True)
class Advice:
    """Where the controller would put one track, against the rules."""

    heard_lu: float
    """How much louder it would have the track."""
    spread_lu: float
    """How far off that is on the mean."""
    even_lu: float
    """Spread at which the rules count as much."""
    because: tuple[tuple[str, float, str], ...]
    """What moved it most, in that order: the group, by how many LU, and what was measured in words."""

    @property
    def trust(self) -> float:
        """0..1: its weight beside the rules, which take over smoothly as the spread grows."""
        return self.even_lu**2 / (self.even_lu**2 + self.spread_lu**2)

    @property
    def change_lu(self) -> float:
        """What is done of it."""
        return self.trust * self.heard_lu

    @property
    def confidence(self) -> float:
        """How probable it is that the change brings the track nearer to its author's place (Laplace distribution)."""
        return 1.0 - 0.5 * math.exp(-abs(self.heard_lu - self.change_lu / 2.0) / self.spread_lu)

    @property
    def why(self) -> str:
        """The numbers above in a sentence."""
        way = "louder" if self.heard_lu >= 0.0 else "softer"
        causes = ", ".join(f"{words} ({moved:+.1f} LU)" for _, moved, words in self.because)
        return (
            f"The mix controller would have it {abs(self.heard_lu):.1f} LU {way}, {self.spread_lu:.1f} more or less, "
            f"so {abs(self.change_lu):.1f} LU of that is done{'; what moved it: ' + causes if causes else ''}."
        )


NAMED_CAUSES: Final = 2
LEAST_CAUSE_LU: Final = 0.1


class Controller:
    """The network, ready to be asked."""

    def __init__(self, model: runtime.Model) -> None:
        self._model = model
        self.name = f"{model.card.name} {model.card.version}"
        self.fault = ""
        """Why it gave no advice when it was asked, as a sentence."""

    def advise(self, tracks: Sequence[Shown]) -> list[Advice]:
        """Advice per track of a song, in their order; the mean of all changes is 0.

        Empty for a single track, for more than `MOST_TRACKS`, and where the network failed, which `fault` tells.
        Causes are found by asking again with a group of numbers as they usually are.
        """
        if not 2 <= len(tracks) <= MOST_TRACKS:
            return []
        fed = vectors(tracks)
        usual = np.repeat(fed[None], 1 + len(GROUPS), axis=0)
        for at, columns in enumerate(GROUPS.values(), start=1):
            usual[at][:, columns] = 0.0
        try:
            said = self._model.run(tracks=usual)
        except Exception as error:  # onnxruntime has an exception class per cause and no base
            self.fault = f"The model '{NAME}' failed while it was asked ({type(error).__name__})."
            return []
        places = said["change_lu"].astype(np.float64)
        places -= places.mean(axis=1, keepdims=True)
        moved = places[:1] - places[1:]
        even_lu = self._model.card.thresholds["even_lu"]
        return [
            Advice(float(place), float(spread), even_lu, _because(causes, track, row))
            for place, spread, causes, track, row in zip(
                places[0], said["spread_lu"][0], moved.T, tracks, fed, strict=True
            )
        ]


def _because(moved_lu: Floats, track: Shown, fed: Array) -> tuple[tuple[str, float, str], ...]:
    """The groups that moved a track most, with what was measured."""
    groups = list(GROUPS)
    order = sorted(range(len(groups)), key=lambda group: -abs(moved_lu[group]))
    told = [group for group in order[:NAMED_CAUSES] if abs(moved_lu[group]) >= LEAST_CAUSE_LU]
    return tuple((groups[at], float(moved_lu[at]), _measured(groups[at], track, fed)) for at in told)


def _measured(group: str, track: Shown, fed: Array) -> str:
    """What the group's numbers say of a track."""
    known = {name: float(fed[at]) * spread + usual for at, (name, _, usual, spread) in enumerate(_MEASURED)}
    heard = track.heard
    return {
        "strokes": f"peaks {known['peakiness']:.0f} dB over its loudness, {heard.onsets_per_s:.1f} strokes a second",
        "spectrum": f"weight at {heard.centroid_hz or 0.0:.0f} Hz",
        "time": f"sounds {heard.activity:.0%} of the time",
        "company": f"{known['hidden']:.0%} of it is hidden by the others",
        "space": "recorded in stereo" if known["stereo"] > 0.5 else "one channel",
        "rules": f"the rules' place, {known['place']:+.1f} LU from the mean",
        "role": track.role.replace("_", " "),
        "set": "the levels that you set",
    }[group]


def controller(folder: Path | None = None) -> Controller | runtime.Unusable:
    """The controller of this OTO, or why there is none. Never raises."""
    model = runtime.load(NAME, features=FEATURES_NAME, folder=folder)
    if isinstance(model, runtime.Unusable):
        return model
    if "even_lu" not in model.card.thresholds:
        return runtime.Unusable(NAME, f"The card of '{NAME}' does not fit its use: a threshold is missing.", model.card)
    return Controller(model)


def took_part(asked: Controller | runtime.Unusable | None) -> tuple[str, ...]:
    """The controller as a plan names it, if it gave advice."""
    return (asked.name,) if isinstance(asked, Controller) and not asked.fault else ()


def missing(asked: Controller | runtime.Unusable | None) -> tuple[str, ...]:
    """A note for a person who should have had the controller's advice and did not get it."""
    if isinstance(asked, Controller):
        fault = asked.fault
    else:
        fault = asked.why if asked is not None and not asked.rejected else ""
    return (f"{fault} The rules found the balance.",) if fault else ()
