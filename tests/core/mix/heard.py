"""Players whose analysis is written down instead of heard: quick, and exact to the step."""

import numpy as np

from core.analysis.hearing import ERB_HZ
from core.analysis.track import EAR_FLOOR_DBFS, TrackAnalysis
from core.mix.ensemble import Player

STEPS_PER_S = 10


def analysis(curve_lufs, *, onsets_s=(), ear_dbfs=None, **more):
    """A track with this loudness per 100 ms and, if given, this level per ERB band in every second."""
    curve = np.asarray(curve_lufs, dtype=np.float64)
    seconds = max(curve.size // STEPS_PER_S, 1)
    bands = np.full(len(ERB_HZ), -60.0) if ear_dbfs is None else np.asarray(ear_dbfs)
    levels = np.clip(np.round(bands) - EAR_FLOOR_DBFS, 0, 255).astype(np.uint8)
    measured = {
        "rate_hz": 48_000,
        "sample_peak_dbfs": float(curve.max()) + 12.0,
        "rms_dbfs": float(curve.max()),
        "loud_lufs": float(curve.max()),
        "active_lufs": float(curve.max()),
        "centroid_hz": 600.0,
    }
    return TrackAnalysis(
        channels=1,
        duration_s=curve.size / STEPS_PER_S,
        loudness_curve=tuple(curve.tolist()),
        peak_curve_dbfs=tuple((curve + 10.0).tolist()),
        onsets_s=tuple(onsets_s),
        ear_levels=np.tile(levels, seconds).tobytes(),
        **(measured | more),
    )


def player(name, role, curve_lufs, *, priority="normal", **more):
    return Player(
        name=name,
        role=role,
        role_confidence=1.0,
        role_by="rules",
        priority=priority,
        heard=analysis(curve_lufs, **more),
    )


def level(*parts):
    """A loudness curve from (seconds, LUFS) parts."""
    return np.concatenate([np.full(round(seconds * STEPS_PER_S), lufs) for seconds, lufs in parts])


def bands(low_hz, high_hz, inside_dbfs, outside_dbfs=-110.0):
    """Levels per ERB band: one inside a range of frequencies, another outside."""
    return np.where((low_hz <= ERB_HZ) & (high_hz >= ERB_HZ), inside_dbfs, outside_dbfs)
