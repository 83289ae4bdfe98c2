"""Towards songs that a person likes: what they have in common where they are loud, and the curve that goes there.

That a song is best matched by its loudest parts, middle and side apart, is the idea of Matchering (S. Grishakov, 2016,
by its published description). Here the parts are sections of 3 s, several references make one, and tone and width can
be followed apart, each by as much as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import Spectrum
from core.desk.sources import FileSource
from core.dsp.audio import Chain, Floats
from core.errors import Exit, OtoError
from core.master.forecast import LimiterForecast
from core.master.render import processed
from core.master.sections import SectionMeter
from core.plans.document import ToneCurve
from core.progress import Progress, part

_MOST_TONE_DB: Final = 12.0
_MOST_WIDTH_DB: Final = 9.0
_LEAST_DB: Final = 0.3
"""A curve that stays under this everywhere is not worth its filter."""
_SILENT_DB: Final = -70.0
"""A band this far below the whole holds nothing that a gain could bring forward."""
_NO_SIDE_DB: Final = -40.0
"""Sides this far below the middle are none."""
_EDGES_HZ: Final = (31.0, 17_000.0)
"""Beyond, the curve goes on as it is at the edge: what a codec or a room took away does not come back."""


@dataclass(frozen=True)
class Strengths:
    """How much of each aspect of a reference is followed, 0 to 1."""

    tone: float = 1.0
    dynamics: float = 1.0
    width: float = 1.0
    loudness: float = 1.0

    def __post_init__(self) -> None:
        for aspect in ("tone", "dynamics", "width", "loudness"):
            if not 0.0 <= getattr(self, aspect) <= 1.0:
                raise OtoError(
                    "bad_input",
                    f"The strength of {aspect} is {100 * getattr(self, aspect):g} %; it is between 0 and 100 %.",
                    "",
                    Exit.BAD_INPUT,
                )


FULLY: Final = Strengths()


@dataclass(frozen=True)
class Model:
    """What one or several references have in common."""

    name: str
    """Of one song, or "the middle of" several."""
    names: tuple[str, ...]
    levels_db: Floats
    """Per band, against the whole."""
    side_db: Floats
    """Per band, sides against the middle."""
    integrated_lufs: float
    plr_db: float
    """Peak above loudness."""


def listen_to_references(paths: Sequence[Path], progress: Progress | None = None) -> Model:
    """Measure references, each once, and take the mean of them in dB.

    Raises OtoError: "not_found" and "bad_input" for what can't be used, "cancelled" when `progress` says so.
    """
    models = []
    for done, path in enumerate(paths):
        models.append(_listen(path, part(progress, done / len(paths), 1 / len(paths))))
    return middle_of(models)


def middle_of(models: Sequence[Model]) -> Model:
    """One model of several: the mean of each in dB."""
    names = tuple(name for model in models for name in model.names)
    return Model(
        name=names[0] if len(names) == 1 else f"the middle of {len(names)} songs",
        names=names,
        levels_db=np.mean([model.levels_db for model in models], axis=0),
        side_db=np.mean([model.side_db for model in models], axis=0),
        integrated_lufs=float(np.mean([model.integrated_lufs for model in models])),
        plr_db=float(np.mean([model.plr_db for model in models])),
    )


def model_of(name: str, loudest: Spectrum, integrated_lufs: float, peak_db: float) -> Model:
    """A song that was listened to, as something to come close to."""
    return Model(
        name=name,
        names=(name,),
        levels_db=loudest.levels_db(),
        side_db=side_levels_db(loudest),
        integrated_lufs=integrated_lufs,
        plr_db=peak_db - integrated_lufs,
    )


def side_levels_db(spectrum: Spectrum) -> Floats:
    """Sides against the middle per band, in dB, no lower than what counts as none."""
    middle, side = np.array(spectrum.middle), np.array(spectrum.side)
    ratio = side / np.maximum(middle, 1e-30)
    levels: Floats = 10 * np.log10(np.clip(ratio, 10 ** (_NO_SIDE_DB / 10), 10 ** (-_NO_SIDE_DB / 10)))
    return levels


def matching_curve(own: Spectrum, model: Model, strengths: Strengths, rate_hz: int) -> ToneCurve | None:
    """The curve that gives a song the model's tone and width, as far as the strengths say; None where there is nothing.

    Tone and width are taken apart: the power of a band is moved by the first, how it is shared between middle and
    sides by the second.
    """
    levels = own.levels_db()
    tone = strengths.tone * np.clip(_even(model.levels_db - levels, levels), -_MOST_TONE_DB, _MOST_TONE_DB)
    own_side = side_levels_db(own)
    has_sides = own_side > _NO_SIDE_DB
    width = np.where(has_sides, np.clip(model.side_db - own_side, -_MOST_WIDTH_DB, _MOST_WIDTH_DB), 0.0)
    width = strengths.width * _smooth(width)
    before, after = 10 ** (own_side / 10), 10 ** ((own_side + width) / 10)
    share = np.where(has_sides, 10 * np.log10((1 + before) / (1 + after)), 0.0)
    inside = (np.array(BAND_HZ) > _EDGES_HZ[0]) & (np.array(BAND_HZ) < min(_EDGES_HZ[1], 0.45 * rate_hz))
    middle_db, side_db = (np.round(gains[inside], 2) for gains in (tone + share, tone + share + width))
    if max(np.abs(middle_db).max(), np.abs(side_db).max()) < _LEAST_DB:
        return None
    frequencies = np.array(BAND_HZ)[inside]
    return ToneCurve(
        freq_hz=tuple(round(float(f), 1) for f in frequencies),
        mid_db=tuple(map(float, middle_db)),
        side_db=tuple(map(float, side_db)),
        by="rules",
        why=_reason(model.name, strengths, frequencies, tone[inside], width[inside]),
        confidence=0.8,
    )


def _reason(name: str, strengths: Strengths, frequencies: Floats, tone: Floats, width: Floats) -> str:
    at = int(np.abs(tone).argmax())
    text = (
        f"Matched to the loudest parts of {name}: tone {100 * strengths.tone:.0f} %, width "
        f"{100 * strengths.width:.0f} %. Most of the tone: {tone[at]:+.1f} dB at {_hertz(frequencies[at])}"
    )
    at = int(np.abs(width).argmax())
    return text + (f"; of the width: {width[at]:+.1f} dB of sides at {_hertz(frequencies[at])}." if width[at] else ".")


def _even(difference_db: Floats, levels_db: Floats) -> Floats:
    """The difference with its overall level set aside, and nothing asked of bands that hold nothing."""
    sounding = levels_db > _SILENT_DB
    weights = 10 ** (np.maximum(levels_db, -30.0) / 20) * sounding
    return np.where(sounding, difference_db - np.average(difference_db, weights=weights), 0.0)


def _smooth(values: Floats) -> Floats:
    """Over about an octave: width is heard broadly."""
    return np.convolve(np.pad(values, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")


def _hertz(frequency_hz: float) -> str:
    return f"{frequency_hz / 1000:.1f} kHz" if frequency_hz >= 1000 else f"{frequency_hz:.0f} Hz"


def _listen(path: Path, progress: Progress | None) -> Model:
    source = FileSource(path)
    sections = SectionMeter(source.rate_hz, source.channels)
    forecast = LimiterForecast(source.rate_hz, source.channels, rough=True)
    for block in processed(source, Chain([]), progress, f"listening to {source.name}"):
        sections.add(block)
        forecast.add(block)
    forecast.finish()
    lufs, peak = forecast.unlimited_lufs(), forecast.peak_dbtp()
    if lufs is None or peak is None:
        raise OtoError(
            "bad_input",
            f"{path.name} is silent or too short to be a reference.",
            "Choose another song.",
            Exit.BAD_INPUT,
        )
    return model_of(source.name, sections.spectra()[1], lufs, peak)
