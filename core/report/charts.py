"""The report's drawings: which curves stand on which axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.analysis.features import BAND_HZ
from core.dsp.audio import Floats
from core.plans.document import MixPlan, Ride
from core.report.document import Piece, Report, ToneBand
from core.report.drawing import Axis, Plot, clock, frequency_axis, level_axis, time_axis
from core.report.gain import GainCurve
from core.report.text import minus

_QUIETEST_LUFS: Final = -60.0
_ALIGNED_HZ: Final = (45.0, 14_000.0)
"""Where two spectra are laid over each other; beyond, songs differ too much."""
_SPECTRUM_SPAN_DB: Final = 60.0
_FULL_SCALE: Final = Axis(-1.0, 1.0, ((1.0, "0 dBFS"), (0.5, "−6"), (0.0, ""), (-0.5, ""), (-1.0, "")))


@dataclass(frozen=True)
class Chart:
    """Drawings under one title, and what their colours mean."""

    title: str
    pictures: tuple[tuple[str, str], ...]
    """Caption and SVG of each."""
    key: tuple[tuple[str, str], ...] = ()
    """Look and meaning, for the legend."""
    remark: str = ""


def charts(report: Report) -> list[Chart]:
    """Every drawing that the report has data for, all of them on one axis of time."""
    time = time_axis(max(piece.portrait.loudness.duration_s for piece in (report.before, report.after)))
    drawn = [_waveforms(report, time), _loudness(report, time), _spectrum(report)]
    if report.gain:
        drawn.append(_gain(report.gain, time))
    if isinstance(report.plan, MixPlan):
        drawn.append(_rides(report.plan, time))
    return [chart for chart in drawn if chart.pictures]


def _waveforms(report: Report, time: Axis) -> Chart:
    pictures = tuple(
        (f"{look.capitalize()}: {piece.label}", _waveform(piece, look, time))
        for look, piece in (("before", report.before), ("after", report.after))
    )
    return Chart("Waveform", pictures, remark="Pale: peaks. Solid: RMS.")


def _waveform(piece: Piece, look: str, time: Axis) -> str:
    wave, loudness = piece.portrait.waveform, piece.portrait.loudness
    peak = "silence" if loudness.sample_peak_dbfs is None else f"peak {loudness.sample_peak_dbfs:.1f} dBFS"
    about = f"{clock(loudness.duration_s)}, {peak}."
    plot = Plot(f"wave-{look}", f"Waveform {look}", about, time, _FULL_SCALE, height_px=140)
    at = _middles(len(wave.low), loudness.duration_s)
    plot.area(at, wave.low, wave.high, f"{look} faint")
    plot.area(at, [-level for level in wave.rms], wave.rms, f"{look} solid")
    return plot.svg()


def _loudness(report: Report, time: Axis) -> Chart:
    before, after = report.before.portrait.curve, report.after.portrait.curve
    heard = [
        level
        for curve in (before, after)
        for level in (*curve.momentary_lufs, *curve.short_term_lufs)
        if level is not None and level > _QUIETEST_LUFS
    ]
    target = report.target()
    if not heard:
        return Chart("Loudness", ())
    levels = heard if target is None else [*heard, target.integrated_lufs]
    high = 5.0 * np.ceil((max(levels) + 1.0) / 5.0)
    low = min(5.0 * np.floor(float(np.quantile(heard, 0.1)) / 5.0 - 1.0), high - 20.0)
    integrated = report.after.portrait.loudness.integrated_lufs
    about = f"Integrated {integrated:.1f} LUFS." if integrated is not None else "Too short for an integrated loudness."
    plot = Plot("loudness", "Loudness over time", about, time, level_axis(low, high, 5.0, "LUFS"))
    for look, curve in (("before", before), ("after", after)):
        at = _ends(len(curve.momentary_lufs), curve.step_s)
        if look == "after":
            plot.line(at, curve.momentary_lufs, f"{look} thin")
        plot.line(at, curve.short_term_lufs, f"{look} line")
    key = [
        ("before line", "before, short-term (3 s)"),
        ("after line", "after, short-term (3 s)"),
        ("after thin", "after, momentary (0.4 s)"),
    ]
    if target:
        plot.rule(target.integrated_lufs, "target")
        key.append(("target line", f"{target.name}: {minus(f'{target.integrated_lufs:g}')} LUFS over the whole"))
    return Chart("Loudness", (("", plot.svg()),), tuple(key), "A reading stands where its window ends, as on a meter.")


def _spectrum(report: Report) -> Chart:
    curves = [
        (look, _aligned(np.array(piece.portrait.bands_db), report.tone))
        for look, piece in (("before", report.before), ("after", report.after))
        if piece.portrait.bands_db is not None
    ]
    if not curves:
        return Chart("Spectrum", ())
    shown = np.concatenate([curve for _, curve in curves] + ([_edges(report.tone)] if report.tone else []))
    high_db = 6.0 * np.ceil((float(shown.max()) + 1.0) / 6.0)
    low_db = 6.0 * np.floor((float(shown.min()) - 1.0) / 6.0)
    levels = level_axis(max(low_db, high_db - _SPECTRUM_SPAN_DB), high_db, 6.0, "dB")
    about = "Level per third octave from 25 Hz to 16 kHz."
    plot = Plot("spectrum", "Spectrum", about, frequency_axis(), levels, height_px=260)
    key = []
    if tone := report.tone:
        plot.area(tone.centre_hz, tone.low_db, tone.high_db, "wanted")
        key.append(("wanted", f"usual for {tone.name}"))
    for look, curve in curves:
        plot.line(BAND_HZ, [level if level > levels.low else None for level in curve], f"{look} line")
        key.append((f"{look} line", look))
    remark = "Third octaves of the whole, laid over each other between 45 Hz and 14 kHz, whatever their loudness."
    return Chart("Spectrum", (("", plot.svg()),), tuple(key), remark)


def _edges(tone: ToneBand) -> Floats:
    return np.array([*tone.low_db, *tone.high_db])


def _aligned(levels_db: Floats, tone: ToneBand | None) -> Floats:
    """Levels with their mean over the shared range at 0 dB, or at that of the usual ones."""
    centres = np.array(BAND_HZ)
    shared = (centres >= _ALIGNED_HZ[0]) & (centres <= _ALIGNED_HZ[1])
    wanted = 0.0
    if tone:
        wanted = float(np.interp(np.log(centres[shared]), np.log(tone.centre_hz), tone.middle_db).mean())
    aligned: Floats = levels_db - levels_db[shared].mean() + wanted
    return aligned


def _gain(curve: GainCurve, time: Axis) -> Chart:
    deepest = min((level for level in (*curve.level_db, *curve.peak_db) if level is not None), default=0.0)
    low = -3.0 * np.ceil((1.0 - deepest) / 3.0)
    about = f"Deepest {deepest:.1f} dB against the gain of quiet moments."
    levels = level_axis(max(low, -24.0), 3.0, 3.0 if low > -12.0 else 6.0, "dB")
    plot = Plot("gain", "Gain over time", about, time, levels, height_px=160)
    at = _ends(len(curve.level_db), curve.step_s)
    down = [None if peak is None else min(peak, 0.0) for peak in curve.peak_db]
    plot.area(at, down, [None if peak is None else 0.0 for peak in down], "reduced")
    plot.line(at, curve.level_db, "after line")
    key = (("reduced", "peaks turned down"), ("after line", "level"))
    remark = (
        "After against before, in tenths of a second. "
        f"0 dB is the gain of quiet moments, {minus(f'{curve.matched_db:+.1f}')} dB."
    )
    return Chart("Gain over time", (("", plot.svg()),), key, remark)


def _rides(plan: MixPlan, time: Axis) -> Chart:
    start_s = plan.span.start_s if plan.span else 0.0
    rides = [
        (name, ride)
        for name, ride in (
            *((strip.track, strip.ride) for strip in plan.strips),
            *((bus.name, bus.ride) for bus in plan.buses),
            ("Mix", plan.master_ride),
        )
        if ride and ride.points
    ]
    return Chart(
        "Fader rides",
        tuple((name, _ride(f"ride-{n}", name, ride, start_s, time)) for n, (name, ride) in enumerate(rides)),
    )


def _ride(name: str, title: str, ride: Ride, start_s: float, time: Axis) -> str:
    gains = [point.gain_db for point in ride.points]
    low, high = min(-3.0, *gains), max(3.0, *gains)
    about = f"{len(gains)} points between {min(gains):+.1f} and {max(gains):+.1f} dB."
    levels = level_axis(max(low, -24.0) - 1.0, high + 1.0, 3.0 if high - low < 12.0 else 6.0, "dB")
    plot = Plot(name, f"Fader ride of {title}", about, time, levels, height_px=110)
    times = [point.at_s - start_s for point in ride.points]
    ends = [min(0.0, times[0]), *times, max(time.high, times[-1])]
    plot.line(ends, [gains[0], *gains, gains[-1]], "after line")
    return plot.svg()


def _middles(count: int, duration_s: float) -> list[float]:
    """Middles of `count` equal stretches of the song."""
    return [(index + 0.5) * duration_s / count for index in range(count)]


def _ends(count: int, step_s: float) -> list[float]:
    return [(index + 1) * step_s for index in range(count)]
