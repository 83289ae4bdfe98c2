"""The mastering engineer made of rules: listens to a mix once or twice and proposes the settings of the master strip.

What is fine stays as it is. Every setting says what was measured; what a person set is kept and worked around.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.analysis.features import BAND_HZ
from core.analysis.loudness import LoudnessMeter
from core.analysis.spectrum import Spectrum, SpectrumMeter
from core.desk.sources import FileSource, Source
from core.dsp.audio import Chain
from core.errors import Exit, OtoError
from core.master import tone
from core.master.chain import master_chain
from core.master.forecast import Forecast, LimiterForecast
from core.master.render import processed
from core.plans.document import MasterPlan, Setting, Settings, Target, value_of
from core.plans.parameters import MASTER, by_name
from core.progress import Progress
from core.version import VERSION

WORKING_LUFS: Final = -18.0
"""Loudness at which the compressor is met."""
QUIET_LUFS: Final = -35.0
"""A mix below this is lifted before anything else."""
MASTERED_PLR_DB: Final = 10.0
"""A song whose peaks stand less than this above its loudness has been limited before."""
SOME_LIMITING_DB: Final = 2.0
"""Limiting at the loudest hundredth of the time from which on a little compression before it sounds better."""
MUCH_LIMITING_DB: Final = 5.0
"""The same, from which on it may be heard."""
MOST_LIMITING_DB: Final = 8.0
"""The same, that no target is worth."""
RUMBLE_DB: Final = -14.0
"""Level of the third octave at 25 Hz, against the whole, that no instrument of a band makes."""
WIDE_LOWS_DB: Final = -12.0
"""Side against middle below `MONO_BELOW_HZ` that costs bass wherever left and right meet."""
MONO_BELOW_HZ: Final = 110.0

_KNOBS: Final = by_name(MASTER)
_CLOSE_ENOUGH_LU: Final = 0.02


@dataclass(frozen=True)
class _Heard:
    """What listening to a song found."""

    forecast: LimiterForecast
    integrated_lufs: float
    peak_dbtp: float


class _Draft:
    """The settings as they come together; what is kept of the previous plan is never overruled."""

    def __init__(self, previous: MasterPlan | None) -> None:
        old = previous.settings if previous else {}
        self._kept = {name for name, setting in old.items() if setting.by == "person" or setting.locked}
        self.settings: Settings = {name: old[name] for name in old if name in self._kept}

    def set(self, name: str, value: float | bool, why: str, confidence: float) -> None:
        """Set a knob by rule, within its range."""
        if name in self._kept:
            return
        knob = _KNOBS[name]
        if not isinstance(value, bool):
            value = round(min(max(value, knob.low), knob.high), 2)
        self.settings[name] = Setting(value=value, unit=knob.unit, by="rules", why=why, confidence=confidence)

    def keeps(self, name: str) -> bool:
        """Whether a person (or a lock) decides this knob."""
        return name in self._kept


def propose_master(
    source: Source,
    target: Target,
    *,
    reference: Path | None = None,
    previous: MasterPlan | None = None,
    progress: Progress | None = None,
) -> MasterPlan:
    """Propose how to master a mix for `target`, or towards a reference song.

    With a reference, its loudness takes the place of the target's; the target's ceiling stays. Settings of `previous`
    that a person made or locked are kept. Raises OtoError: "not_found" and "bad_input" for files that can't be used,
    "cancelled" when `progress` says so.
    """
    draft = _Draft(previous)
    notes: list[str] = []
    meter = SpectrumMeter(source.rate_hz, source.channels)
    heard = _listen(source, Chain([]), meter, _part(progress, 0.0, 0.5), f"listening to {source.name}")
    spectrum = meter.result()
    model = _listen_to_reference(reference) if reference else None
    if model:
        target = Target(
            name="reference",
            integrated_lufs=round(model[1], 1),
            true_peak_dbtp=target.true_peak_dbtp,
            why=f"As loud as {model[2]} ({model[1]:.1f} LUFS), with the ceiling of {target.name}.",
        )
    _limiter(draft, target)
    if heard is None:
        notes.append("There is nothing to measure: silence, or less than 0.4 s. The level stays as it is.")
    else:
        if heard.integrated_lufs < QUIET_LUFS:
            _to_working_level(draft, heard)
        mastered = heard.peak_dbtp - heard.integrated_lufs <= MASTERED_PLR_DB
        if model:
            _towards_reference(draft, spectrum, model[0], model[2], source.rate_hz)
        elif mastered:
            notes.append(
                f"Peaks stand only {heard.peak_dbtp - heard.integrated_lufs:.1f} dB above the loudness: this has been "
                "mastered before, so only its level is changed."
            )
        else:
            _balance(draft, spectrum, source.rate_hz)
        if not mastered:
            _clean_lows(draft, spectrum)
            _image(draft, spectrum, notes)
            _glue(draft, heard, target)
        if _shapes(draft.settings):
            shaping = master_chain(draft.settings, source.rate_hz, source.channels).shaping
            heard = _listen(source, shaping, None, _part(progress, 0.5, 0.5), "listening to the shaped mix") or heard
        _loudness(draft, heard, target, notes)
    return MasterPlan(
        oto_version=VERSION,
        target=target,
        reference=str(reference) if reference else None,
        settings={name: draft.settings[name] for name in _KNOBS if name in draft.settings},
        notes=tuple(notes),
    )


# ---------------------------------------------------------------- listening


def _listen(
    source: Source, chain: Chain, spectrum: SpectrumMeter | None, progress: Progress | None, doing: str
) -> _Heard | None:
    """Measure a source behind a chain; None for silence and what is too short to have a loudness."""
    forecast = LimiterForecast(source.rate_hz, source.channels)
    for block in processed(source, chain, progress, doing):
        if spectrum:
            spectrum.add(block)
        forecast.add(block)
    forecast.finish()
    lufs, peak = forecast.unlimited_lufs(), forecast.peak_dbtp()
    return None if lufs is None or peak is None else _Heard(forecast=forecast, integrated_lufs=lufs, peak_dbtp=peak)


def _listen_to_reference(path: Path) -> tuple[Spectrum, float, str]:
    """Spectrum, loudness and name of a reference song."""
    reference = FileSource(path)
    spectrum = SpectrumMeter(reference.rate_hz, reference.channels)
    meter = LoudnessMeter(reference.rate_hz, reference.channels)
    for block in processed(reference, Chain([]), None, ""):
        spectrum.add(block)
        meter.add(block)
    lufs = meter.result().integrated_lufs
    if lufs is None:
        raise OtoError(
            "bad_input",
            f"{path.name} is silent or too short to be a reference.",
            "Choose another song.",
            Exit.BAD_INPUT,
        )
    return spectrum.result(), lufs, reference.name


# ---------------------------------------------------------------- the rules


def _balance(draft: _Draft, spectrum: Spectrum, rate_hz: int) -> None:
    """Take back part of what stands far out of a sensible balance."""
    heard = tone.heard_bands(rate_hz)
    levels = spectrum.levels_db()
    distance = tone.distance_db(levels, tone.balance_curve(), heard)
    for band, gain_db in tone.fit_equaliser(tone.balance_correction(levels, heard), heard, rate_hz).items():
        off_db = float(distance[_nearest_band(tone.band_frequency_hz(band))])
        side = "above" if off_db > 0 else "below"
        why = (
            f"{_region(band)} the mix is {abs(off_db):.1f} dB {side} the balance of finished songs; "
            f"half of what lies beyond {tone.TOLERANCE_DB:g} dB is corrected."
        )
        _equalise(draft, band, gain_db, why, 0.6)


def _towards_reference(draft: _Draft, spectrum: Spectrum, model: Spectrum, name: str, rate_hz: int) -> None:
    """Match most of the reference's long-term spectrum and width."""
    heard = tone.heard_bands(rate_hz)
    levels, wanted = spectrum.levels_db(), model.levels_db()
    distance = tone.distance_db(levels, wanted, heard)
    for band, gain_db in tone.fit_equaliser(tone.reference_correction(levels, wanted, heard), heard, rate_hz).items():
        off_db = float(distance[_nearest_band(tone.band_frequency_hz(band))])
        side = "above" if off_db > 0 else "below"
        why = f"{_region(band)} the mix is {abs(off_db):.1f} dB {side} {name}."
        _equalise(draft, band, gain_db, why, 0.8)
    own_db, model_db = (each.side_db(150.0, 14_000.0) for each in (spectrum, model))
    if own_db is not None and model_db is not None and abs(model_db - own_db) > 1.0:
        factor = 10 ** (tone.REFERENCE_STRENGTH * (model_db - own_db) / 20)
        why = f"The sides are {own_db:.1f} dB against the middle, in {name} {model_db:.1f} dB."
        draft.set("width", min(max(factor, 0.5), 1.5), why, 0.7)


def _clean_lows(draft: _Draft, spectrum: Spectrum) -> None:
    rumble_db = float(spectrum.levels_db()[0])
    if rumble_db > RUMBLE_DB:
        why = f"Around {BAND_HZ[0]:.0f} Hz the mix is as strong as {rumble_db:.1f} dB of the whole: rumble, not music."
        draft.set("highpass_hz", 30.0, why, 0.7)
    low_db = spectrum.side_db(20.0, MONO_BELOW_HZ)
    if low_db is not None and low_db > WIDE_LOWS_DB:
        why = (
            f"Below {MONO_BELOW_HZ:.0f} Hz the sides are only {-low_db:.1f} dB under the middle: bass that mono loses."
        )
        draft.set("mono_below_hz", MONO_BELOW_HZ, why, 0.7)


def _image(draft: _Draft, spectrum: Spectrum, notes: list[str]) -> None:
    if spectrum.correlation is not None and spectrum.correlation < 0.0:
        why = f"Left and right work against each other (correlation {spectrum.correlation:.2f}): mono would lose parts."
        draft.set("width", 0.7, why, 0.6)
        notes.append("Left and right partly cancel each other. A microphone or channel may have its polarity inverted.")


def _to_working_level(draft: _Draft, heard: _Heard) -> None:
    why = f"Brings the mix from {heard.integrated_lufs:.1f} to {WORKING_LUFS:g} LUFS, the level to work at."
    draft.set("input_gain_db", WORKING_LUFS - heard.integrated_lufs, why, 0.9)


def _glue(draft: _Draft, heard: _Heard, target: Target) -> None:
    """Compress a little where the limiter alone would have too much to do."""
    alone = _at(draft.settings, heard.forecast, target.integrated_lufs - heard.integrated_lufs)
    if alone.busy_db <= SOME_LIMITING_DB:
        return
    ratio, aim_db = (1.5, 2.0) if alone.busy_db <= MUCH_LIMITING_DB else (2.5, 4.0)
    _to_working_level(draft, heard)
    threshold_db = (
        value_of(draft.settings, "input_gain_db", 0.0) + heard.forecast.loud_peak_dbfs() - aim_db / (1 - 1 / ratio)
    )
    why = (
        f"Reaching {target.integrated_lufs:g} LUFS by limiting alone would turn peaks down by {alone.busy_db:.1f} dB; "
        f"about {aim_db:g} dB of slow compression takes part of that."
    )
    for name, value in (
        ("comp_threshold_db", threshold_db),
        ("comp_ratio", ratio),
        ("comp_attack_ms", 30.0),
        ("comp_release_ms", 150.0),
        ("comp_sidechain_hz", 90.0),
    ):
        draft.set(name, value, why, 0.6)


def _limiter(draft: _Draft, target: Target) -> None:
    draft.set("limiter_on", True, f"Nothing may exceed {target.true_peak_dbtp:g} dBTP.", 1.0)
    draft.set("limiter_ceiling_dbtp", target.true_peak_dbtp, f"The ceiling of {target.name}.", 1.0)
    draft.set("limiter_release_ms", 100.0, "Slow enough for bass, fast enough that the song does not pump.", 0.7)


def _loudness(draft: _Draft, heard: _Heard, target: Target, notes: list[str]) -> None:
    """Find the gain that ends at the target's loudness, or at what limiting can give without damage."""
    if draft.keeps("loudness_gain_db"):
        found = _at(draft.settings, heard.forecast, value_of(draft.settings, "loudness_gain_db", 0.0))
    else:
        found = _gain_for(draft.settings, heard, target.integrated_lufs)
        why = (
            f"From {heard.integrated_lufs:.1f} LUFS to {target.integrated_lufs:g} LUFS; "
            f"the limiter turns the loudest moments down by {found.busy_db:.1f} dB and takes {found.lost_lu:.1f} LU."
        )
        draft.set("loudness_gain_db", found.gain_db, why, 0.95)
    ends = found.integrated_lufs
    if ends is not None and abs(ends - target.integrated_lufs) > 0.1:
        if draft.keeps("loudness_gain_db"):
            notes.append(f"With the gain that was set by hand the master is at {ends:.1f} LUFS.")
        elif ends < target.integrated_lufs:
            notes.append(
                f"The master stays at {ends:.1f} LUFS: {target.integrated_lufs:g} would need more than "
                f"{MOST_LIMITING_DB:g} dB of limiting and cost the song its punch. Lower the drums' peaks in the mix."
            )
    elif found.busy_db > MUCH_LIMITING_DB:
        notes.append(
            f"Reaching {target.integrated_lufs:g} LUFS takes {found.busy_db:.1f} dB of limiting in the loudest "
            "moments. Listen to the drums."
        )
    gain_db = found.gain_db + value_of(draft.settings, "input_gain_db", 0.0)
    if gain_db > 20.0:
        notes.append(f"The mix is quiet: {gain_db:.0f} dB of gain lift its noise as well.")


# ---------------------------------------------------------------- helpers


def _gain_for(settings: Settings, heard: _Heard, wanted_lufs: float) -> Forecast:
    """The gain that ends at a loudness, by the secant method; less where no target is worth the limiting it takes."""
    gain_db = wanted_lufs - heard.integrated_lufs
    found = _at(settings, heard.forecast, gain_db)
    slope = 1.0
    for _ in range(8):
        missing = wanted_lufs - (found.integrated_lufs if found.integrated_lufs is not None else wanted_lufs)
        if abs(missing) < _CLOSE_ENOUGH_LU or found.busy_db > MOST_LIMITING_DB:
            break
        nearer = _at(settings, heard.forecast, found.gain_db + missing / slope)
        if nearer.integrated_lufs is not None and found.integrated_lufs is not None:
            gained = (nearer.integrated_lufs - found.integrated_lufs) / (nearer.gain_db - found.gain_db)
            slope = min(max(gained, 0.1), 1.0)
        found = nearer
    if found.busy_db <= MOST_LIMITING_DB:
        return found
    low, high = found.gain_db - found.busy_db, found.gain_db
    for _ in range(8):
        middle = _at(settings, heard.forecast, (low + high) / 2)
        low, high = (middle.gain_db, high) if middle.busy_db <= MOST_LIMITING_DB else (low, middle.gain_db)
    return _at(settings, heard.forecast, low)


def _at(settings: Settings, forecast: LimiterForecast, gain_db: float) -> Forecast:
    """The forecast with the plan's limiter; one that is off has its ceiling out of reach."""
    limiter = settings.get("limiter_on")
    ceiling_dbtp = value_of(settings, "limiter_ceiling_dbtp", 0.0) if limiter and limiter.value else math.inf
    return forecast.at(gain_db, ceiling_dbtp=ceiling_dbtp, release_ms=value_of(settings, "limiter_release_ms", 100.0))


def _shapes(settings: Settings) -> bool:
    """Whether anything happens before the loudness gain."""
    return any(not name.startswith(("limiter_", "loudness_")) for name in settings)


def _equalise(draft: _Draft, band: int, gain_db: float, why: str, confidence: float) -> None:
    """Set a band of the EQ, unless a person has moved it: the correction was made for where it stands."""
    names = (f"eq{band}_freq_hz", f"eq{band}_gain_db", f"eq{band}_q")
    if any(draft.keeps(name) for name in names):
        return
    draft.set(names[0], tone.band_frequency_hz(band), why, confidence)
    draft.set(names[1], gain_db, why, confidence)
    draft.set(names[2], float(_KNOBS[names[2]].neutral), why, confidence)


def _region(band: int) -> str:
    frequency = tone.band_frequency_hz(band)
    text = f"{frequency / 1000:g} kHz" if frequency >= 1000 else f"{frequency:g} Hz"
    return {1: f"Below {text}", 6: f"Above {text}"}.get(band, f"Around {text}")


def _nearest_band(frequency_hz: float) -> int:
    return min(range(len(BAND_HZ)), key=lambda i: abs(math.log(BAND_HZ[i] / frequency_hz)))


def _part(progress: Progress | None, start: float, part: float) -> Progress | None:
    return None if progress is None else lambda fraction, doing: progress(start + part * fraction, doing)
