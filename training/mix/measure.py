"""How near each way of balancing comes to a song's author: track by track, and the whole mix as it is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import balance as desk
from core.analysis.roles import guess_role
from core.mix.balance import level_lufs
from core.mix.engineer import propose_mix
from core.models.mixing import Controller, Shown, hidden

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]

WAYS: Final = ("unity sum", "equal loudness", "role medians", "rules", "model")
FEATURES: Final = (*desk.FEATURES, "masking", "spectral distance")
WINDOWS: Final = (512, 2_048, 8_192)
"""Of the multi-resolution spectral distance, at the song's rate."""
_FLOOR_DB: Final = -60.0


@dataclass(frozen=True)
class Judged:
    """One song, each way of `WAYS`."""

    song: str
    errors_lu: dict[str, list[float]]
    """Per stem, the median offset removed."""
    apart: dict[str, list[float]]
    """Of the whole mix, in the order of `FEATURES`."""

    def mean(self, way: str) -> float:
        """LU per stem."""
        return float(np.mean(self.errors_lu[way]))


def judge(song: str, stems: list[desk.Stem], medians: dict[str, float], controller: Controller) -> Judged:
    """Every way's gains against the author's, with trims and faders alone, so that balance alone is judged."""
    sources = [stem.source for stem in stems]
    analyses = {stem.source.name: stem.analysis for stem in stems}
    levels = [level_lufs(stem.analysis) for stem in stems]
    roles = [guess_role(stem.source.name, stem.analysis).role for stem in stems]
    gains = {
        "unity sum": [0.0] * len(stems),
        "equal loudness": [-level for level in levels],
        "role medians": [medians.get(role, 0.0) - level for role, level in zip(roles, levels, strict=True)],
        "rules": desk.strip_gains_db(propose_mix(sources, analyses=analyses)),
        "model": desk.strip_gains_db(propose_mix(sources, analyses=analyses, controller=controller)),
    }
    author = [stem.author_lufs for stem in stems]
    authors_gains = [-stem.source.gain_db for stem in stems]
    rate_hz = stems[0].source.rate_hz
    target = heard(stems, authors_gains, rate_hz)
    errors, apart = {}, {}
    for way, gain in gains.items():
        errors[way] = desk.errors_lu(author, [level + by for level, by in zip(levels, gain, strict=True)])
        mix = heard(stems, gain, rate_hz)
        masking = float(np.abs(mix.hidden - target.hidden).mean())
        spectral = float(np.mean([np.abs(a - b).mean() for a, b in zip(mix.spectra, target.spectra, strict=True)]))
        apart[way] = [*mix.features.apart(target.features), 100.0 * masking, spectral]
    return Judged(song, errors, apart)


@dataclass(frozen=True)
class Heard:
    """A whole mix, its loudness apart."""

    features: desk.MixFeatures
    hidden: Floats
    """(stems,): share of each that the others hide."""
    spectra: list[Floats]
    """Per window, in dB against the mix's mean power."""


def heard(stems: Sequence[desk.Stem], gains_db: list[float], rate_hz: int) -> Heard:
    """The stems with these gains and nothing else."""
    audio = desk.summed(list(stems), gains_db)
    shown = [
        Shown(stem.analysis, "other", level_lufs(stem.analysis), level_lufs(stem.analysis) + gain)
        for stem, gain in zip(stems, gains_db, strict=True)
    ]
    return Heard(desk.mix_features(audio, rate_hz), hidden(shown)[:, 0], [_spectrum(audio, size) for size in WINDOWS])


def _spectrum(audio: Audio, size: int) -> Floats:
    """(windows, bins): level in dB against the mean of all."""
    middle = audio.mean(axis=0)
    framed = middle[: middle.size // size * size].reshape(-1, size) * np.hanning(size).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(framed, axis=1))).astype(np.float64)
    return np.asarray(np.maximum(10.0 * np.log10(power / power.mean() + 1e-12), _FLOOR_DB))
