"""Faders that move: the singer's, so that no word drowns or shouts, and the master's where a take ends in noise.

A ride follows what is left of the singer's unevenness behind the compressor, slowly (4 s), by a part of it, and never
by more than 3 dB. It moves only while the voice sounds; in a pause it rests at or below the fader, so that whatever
else the microphone hears is never lifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.analysis.bleed import BleedMap
from core.mix.draft import Draft
from core.mix.dynamics import reduction_curve_db
from core.mix.ensemble import FRONT, Player
from core.mix.sections import STEPS_PER_S, padded, runs, singing, sum_lufs
from core.plans.document import Ride, RidePoint, Span

Floats = NDArray[np.float64]

FURTHEST_DB: Final = 3.0
PART: Final = 0.6
"""Of the unevenness that is taken out: a song breathes."""
EVEN_DB: Final = 1.0
"""Nobody hears this much."""
LEAST_RIDE_DB: Final = 0.75
GATE_LU: Final = 10.0
"""Steps further below their phrase are its breaths and its edges."""
SMOOTH_STEPS: Final = 20
"""Half of the window in which loudness is heard."""
FOLLOW: Final = 0.5
"""How much the singer rises with the band: half of what it grows by in a chorus."""
BAND_STEPS: Final = 40
MOST_BAND_DB: Final = 4.0
RISE_STEPS: Final = 3
"""The fader is up when the word begins."""
STRAIGHT_DB: Final = 0.3
"""Points that a straight line meets this closely are left out."""

FADE_LONGEST_S: Final = 4.0
FADE_SHORTEST_S: Final = 0.5
FADE_TO_DB: Final = -90.0
"""Silence, on a fader."""
OVER_NOISE_DB: Final = 8.0
NOISE_BELOW_MUSIC_DB: Final = 25.0
END_STEPS: Final = 20
"""The last two seconds tell whether there is music in them."""


def kept_ride(ride: Ride | None) -> Ride | None:
    """A ride that a person drew or locked stays."""
    return ride if ride is not None and (ride.by == "person" or ride.locked) else None


def vocal_rides(
    drafts: Mapping[Player, Draft], through_db: Mapping[Player, float], bleed: BleedMap
) -> dict[Player, Ride]:
    """A ride for every lead voice that needs one. `through_db` is each audible strip's gain behind its fader."""
    found = {}
    for player, draft in drafts.items():
        if player.role not in FRONT or player not in through_db:
            continue
        heard = player.heard
        reduction_db = reduction_curve_db(draft, heard, draft.value("trim_db"))
        others = {one: gain for one, gain in through_db.items() if one is not player and one.role not in FRONT}
        loudest_bleed_db = max((other.level_db for other in bleed.on(player.name)), default=-np.inf)
        evened_lufs = np.array(heard.loudness_curve) - reduction_db
        ride = vocal_ride(player, evened_lufs, sum_lufs(others), draft.hands, bleed_db=loudest_bleed_db)
        if ride is not None:
            found[player] = ride
    return found


def vocal_ride(
    player: Player, heard_lufs: Floats, band_lufs: Floats, hands: float, *, bleed_db: float = -np.inf
) -> Ride | None:
    """The ride of a lead voice, or None where it sings evenly enough.

    `heard_lufs` is its loudness per 100 ms behind the compressor, `band_lufs` that of everybody else as they stand in
    the mix.
    """
    sung = singing(player, bleed_db)
    phrases = runs(sung)
    if not phrases or hands == 0.0:
        return None
    power = 10.0 ** (heard_lufs[: sung.size] / 10.0)
    middle_lufs = 10.0 * np.log10(power[sung].mean())
    grown_db = _grown(padded(band_lufs, max(sung.size, band_lufs.size), -120.0)[: sung.size], sung)
    wanted = np.zeros(sung.size)
    uneven: list[float] = []
    for start, end in phrases:
        own = 10.0 * np.log10(_phrase_power(power[start:end])) - middle_lufs
        uneven += own.tolist()
        off = own - FOLLOW * grown_db[start:end]
        wanted[start:end] = -PART * np.sign(off) * np.maximum(np.abs(off) - EVEN_DB / 2.0, 0.0)
    # Whole again around nothing: a ride moves words against each other, the fader sets the singer's level.
    wanted[sung] -= 10.0 * np.log10((power[sung] * 10.0 ** (wanted[sung] / 10.0)).mean() / power[sung].mean())
    wanted = hands * np.clip(wanted, -FURTHEST_DB, FURTHEST_DB)
    if np.abs(wanted[sung]).max() < LEAST_RIDE_DB * hands:
        return None
    points = _points(wanted, phrases)
    gains = [point.gain_db for point in points]
    low, high = np.percentile(uneven, (5.0, 95.0))
    grown = float(grown_db[sung].max())
    follows = (
        f" Where the others grow by {grown:.1f} dB, the singer follows by half of that." if grown >= EVEN_DB else ""
    )
    return Ride(
        points=tuple(points),
        by="rules",
        why=(
            f"{len(phrases)} phrases lie {low:+.1f} to {high:+.1f} dB around the singer's middle behind the "
            f"compressor: the fader moves {min(gains):+.1f} to {max(gains):+.1f} dB while the voice sounds and rests "
            f"in the pauses.{follows}"
        ),
        confidence=0.6,
    )


def _phrase_power(power: Floats) -> Floats:
    """The slow course of a phrase's power, its breaths and edges left out."""
    voiced = power > power.mean() * 10.0 ** (-GATE_LU / 10.0)
    smooth = _around(np.where(voiced, power, 0.0), SMOOTH_STEPS) / np.maximum(
        _around(voiced.astype(np.float64), SMOOTH_STEPS), 1.0 / power.size
    )
    # Twice, so that it turns without corners.
    return _around(np.maximum(smooth, power.mean() * 10.0 ** (-GATE_LU / 10.0)), SMOOTH_STEPS // 2)


def _grown(band_lufs: Floats, sung: NDArray[np.bool_]) -> Floats:
    """How much louder than usual everybody else is, per step."""
    smooth = 10.0 * np.log10(_around(10.0 ** (band_lufs / 10.0), BAND_STEPS) + 1e-12)
    grown: Floats = np.clip(smooth - np.median(smooth[sung]), -MOST_BAND_DB, MOST_BAND_DB)
    return grown


def _around(values: Floats, reach: int) -> Floats:
    """Means over the steps around each one, fewer at the ends."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(values.size)
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach + 1, values.size)
    means: Floats = (sums[last] - sums[first]) / (last - first)
    return means


def _points(wanted_db: Floats, phrases: Sequence[tuple[int, int]]) -> list[RidePoint]:
    """Each phrase's line, and rest between: no higher than the fader, nor than the phrase before and after."""
    found: list[tuple[float, float]] = []
    lines = [_line(wanted_db[start:end]) for start, end in phrases]
    for at, (start, end) in enumerate(phrases):
        before = lines[at - 1][-1][1] if at else 0.0
        rest_before = min(0.0, before, lines[at][0][1])
        rest_after = min(0.0, lines[at][-1][1], lines[at + 1][0][1] if at + 1 < len(phrases) else 0.0)
        if start > 0:
            found.append((max(start - RISE_STEPS, 0.0), rest_before))
        found += [(start + step, gain_db) for step, gain_db in lines[at]]
        found.append((end + RISE_STEPS - 1.0, rest_after))
    return [RidePoint(at_s=round(step / STEPS_PER_S, 2), gain_db=round(gain_db, 2)) for step, gain_db in found]


def _line(gains_db: Floats) -> list[tuple[int, float]]:
    """As few points as a curve needs (Ramer, 1972; Douglas and Peucker, 1973), the first and the last among them."""
    kept = {0, gains_db.size - 1}
    open_spans = [(0, gains_db.size - 1)]
    while open_spans:
        first, last = open_spans.pop()
        inside = np.arange(first, last + 1)
        straight = np.interp(inside, (first, last), gains_db[[first, last]])
        off = np.abs(gains_db[first : last + 1] - straight)
        worst = first + int(np.argmax(off))
        if off.max(initial=0.0) > STRAIGHT_DB and first < worst < last:
            kept.add(worst)
            open_spans += [(first, worst), (worst, last)]
    return [(at, float(gains_db[at])) for at in sorted(kept)]


def fade_out(levels_db: Mapping[Player, float], span: Span | None, hands: float) -> Ride | None:
    """A fade of the master where the take ends in noise or room; None where it ends in music or in silence."""
    summed = sum_lufs(levels_db)
    steps = summed.size if span is None else min(summed.size, int(span.end_s * STEPS_PER_S))
    if hands == 0.0 or steps < 2 * END_STEPS:
        return None
    curve = 10.0 * np.log10(_around(10.0 ** (summed[:steps] / 10.0), 2))
    music_lufs = float(np.percentile(curve, 90.0))
    noise_lufs = float(np.median(curve[-END_STEPS:]))
    if noise_lufs > music_lufs - NOISE_BELOW_MUSIC_DB or noise_lufs < -100.0:
        return None
    music = np.flatnonzero(curve > noise_lufs + OVER_NOISE_DB)
    start = int(music[-1]) + 1
    left_s = (steps - start) / STEPS_PER_S
    if left_s < FADE_SHORTEST_S:
        return None
    length_s = min(left_s, FADE_LONGEST_S)
    start_s = start / STEPS_PER_S
    return Ride(
        points=(
            RidePoint(at_s=round(start_s, 2), gain_db=0.0),
            RidePoint(at_s=round(start_s + 0.5 * length_s, 2), gain_db=-18.0),
            RidePoint(at_s=round(start_s + length_s, 2), gain_db=FADE_TO_DB),
        ),
        by="rules",
        why=(
            f"From {start_s:.1f} s on there is only noise, {music_lufs - noise_lufs:.0f} dB below the music, for "
            f"{left_s:.1f} s: faded out in {length_s:.1f} s."
        ),
        confidence=0.7,
    )
