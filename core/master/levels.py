"""How loud, and at what price: glue before the limiter, the ceiling, and the gain that ends at the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.master.draft import Draft
from core.master.forecast import Forecast, LimiterForecast
from core.plans.document import Target

if TYPE_CHECKING:
    from core.models.mastering import Advice

WORKING_LUFS: Final = -18.0
"""Loudness at which the compressor is met."""
SOME_LIMITING_DB: Final = 2.0
"""Limiting at the loudest hundredth of the time from which on a little compression before it sounds better."""
MUCH_LIMITING_DB: Final = 5.0
"""The same, from which on it may be heard."""
STROKES_PLR_DB: Final = 18.0
"""Peaks this far above the loudness are single strokes: compression that lets them pass only lowers what is between."""
PRESSED_DB: Final = 3.0
"""Crest that was lost, from which on a person should know."""
MOST_PRESSED_DB: Final = 6.0
"""The same, from which on nothing more is compressed."""
QUICK_MS: Final = 2.0
SLOW_MS: Final = 30.0
_CLOSE_ENOUGH_LU: Final = 0.02
_CLOSE_ENOUGH_DB: Final = 0.06
"""Of limiting, below the most."""


@dataclass(frozen=True)
class Heard:
    """What listening to a song found."""

    forecast: LimiterForecast
    integrated_lufs: float
    peak_dbtp: float

    @property
    def plr_db(self) -> float:
        """How far the peaks stand above the loudness."""
        return self.peak_dbtp - self.integrated_lufs


def to_working_level(draft: Draft, heard: Heard) -> None:
    """Bring a mix to the level that the compressor expects."""
    why = f"Brings the mix from {heard.integrated_lufs:.1f} to {WORKING_LUFS:g} LUFS, the level to work at."
    draft.set("input_gain_db", WORKING_LUFS - heard.integrated_lufs, why, 0.9)


def glue(draft: Draft, heard: Heard, target: Target, strength: float = 1.0) -> None:
    """Compress a little where the limiter alone would have too much to do; `strength` is 0 to 1."""
    alone = draft.foretell(heard.forecast, target.integrated_lufs - heard.integrated_lufs)
    if alone.busy_db <= SOME_LIMITING_DB or strength == 0.0:
        return
    ratio, aim_db = (1.5, 2.0) if alone.busy_db <= MUCH_LIMITING_DB else (2.5, 4.0)
    attack_ms = QUICK_MS if heard.plr_db > STROKES_PLR_DB else SLOW_MS
    ratio, aim_db = 1.0 + strength * (ratio - 1.0), strength * aim_db
    to_working_level(draft, heard)
    threshold_db = draft.value("input_gain_db", 0.0) + heard.forecast.loud_peak_dbfs() - aim_db / (1 - 1 / ratio)
    why = (
        f"Reaching {target.integrated_lufs:g} LUFS by limiting alone would turn peaks down by {alone.busy_db:.1f} dB; "
        f"about {aim_db:g} dB of compression takes part of that, {_attack_words(attack_ms)}."
    )
    for name, value in (
        ("comp_threshold_db", threshold_db),
        ("comp_ratio", ratio),
        ("comp_attack_ms", attack_ms),
        ("comp_release_ms", 150.0),
        ("comp_sidechain_hz", 90.0),
    ):
        draft.set(name, value, why, 0.6)


def _attack_words(attack_ms: float) -> str:
    return "slow enough to let strokes through" if attack_ms == SLOW_MS else "quick enough to catch single strokes"


def left_to_press(draft: Draft, crest: Advice) -> float:
    """How much of the usual compression a song still bears, 0 to 1, after the model heard how far it was pressed."""
    pressed_db = max(crest.change_db, 0.0)
    if pressed_db >= PRESSED_DB:
        draft.notes.append(
            f"The model hears {crest.heard_db:.1f} dB of the peaks as lost to a compressor or limiter, "
            f"{crest.spread_db:.1f} dB more or less. No master gives them back: take a mix without it, if there is one."
        )
    return max(1.0 - pressed_db / MOST_PRESSED_DB, 0.0)


def hold_peaks(draft: Draft, target: Target) -> None:
    """Put the limiter in, at the target's ceiling."""
    draft.set("limiter_on", True, f"Nothing may exceed {target.true_peak_dbtp:g} dBTP.", 1.0)
    draft.set("limiter_ceiling_dbtp", target.true_peak_dbtp, f"The ceiling of {target.name}.", 1.0)
    draft.set(
        "limiter_release_ms",
        100.0,
        "For what stays loud; a single stroke's is over sooner, so that the song does not pump.",
        0.7,
    )


def reach_loudness(draft: Draft, heard: Heard, target: Target, most_limiting_db: float) -> None:
    """Find the gain that ends at the target's loudness, or at what limiting can give without damage."""
    wanted = target.integrated_lufs
    if draft.keeps("loudness_gain_db"):
        found = draft.foretell(heard.forecast, draft.value("loudness_gain_db", 0.0))
    else:
        found = _gain_for(draft, heard, wanted, most_limiting_db)
        why = (
            f"From {heard.integrated_lufs:.1f} LUFS to {wanted:g} LUFS; "
            f"the limiter turns the loudest moments down by {found.busy_db:.1f} dB and takes {found.lost_lu:.1f} LU."
        )
        draft.set("loudness_gain_db", found.gain_db, why, 0.95)
    ends = found.integrated_lufs
    if ends is not None and abs(ends - wanted) > 0.1:
        if draft.keeps("loudness_gain_db"):
            draft.notes.append(f"With the gain that was set by hand the master is at {ends:.1f} LUFS.")
        elif ends < wanted:
            draft.notes.append(
                f"The master stays at {ends:.1f} LUFS: {wanted:g} would need more than {most_limiting_db:g} dB of "
                "limiting and cost the song its punch. Lower the drums' peaks in the mix."
            )
    elif found.busy_db > MUCH_LIMITING_DB:
        draft.notes.append(
            f"Reaching {wanted:g} LUFS takes {found.busy_db:.1f} dB of limiting in the loudest moments. "
            "Listen to the drums."
        )
    gain_db = found.gain_db + draft.value("input_gain_db", 0.0)
    if gain_db > 20.0:
        draft.notes.append(f"The mix is quiet: {gain_db:.0f} dB of gain lift its noise as well.")


def _gain_for(draft: Draft, heard: Heard, wanted_lufs: float, most_limiting_db: float) -> Forecast:
    """The gain that ends at a loudness, by the secant method; less where no target is worth the limiting it takes."""
    found = draft.foretell(heard.forecast, wanted_lufs - heard.integrated_lufs)
    slope = 1.0
    for _ in range(8):
        missing = wanted_lufs - (found.integrated_lufs if found.integrated_lufs is not None else wanted_lufs)
        if abs(missing) < _CLOSE_ENOUGH_LU or found.busy_db > most_limiting_db:
            break
        nearer = draft.foretell(heard.forecast, found.gain_db + missing / slope)
        if nearer.integrated_lufs is not None and found.integrated_lufs is not None:
            gained = (nearer.integrated_lufs - found.integrated_lufs) / (nearer.gain_db - found.gain_db)
            slope = min(max(gained, 0.1), 1.0)
        found = nearer
    if found.busy_db <= most_limiting_db:
        return found
    return _busiest(draft, heard, found, most_limiting_db)


def _busiest(draft: Draft, heard: Heard, above: Forecast, most_limiting_db: float) -> Forecast:
    """The highest gain that takes no more than so much limiting, by false position; `above` takes more."""
    # Less gain by as much as is limited leaves next to nothing to limit.
    below = draft.foretell(heard.forecast, above.gain_db - above.busy_db)
    for _ in range(6):
        slope = (above.gain_db - below.gain_db) / (above.busy_db - below.busy_db)
        # Aimed a little lower, where every answer is good.
        wanted_db = most_limiting_db - _CLOSE_ENOUGH_DB / 2
        nearer = draft.foretell(heard.forecast, below.gain_db + slope * (wanted_db - below.busy_db))
        if nearer.busy_db > most_limiting_db:
            above = nearer
        elif nearer.busy_db > most_limiting_db - _CLOSE_ENOUGH_DB:
            return nearer
        else:
            below = nearer
    return below
