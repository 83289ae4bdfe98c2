"""What went wrong at the input and can be mended (clipped peaks, mains hum), and what is none of the song."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.analysis.extent import find_extent
from core.analysis.track import Source
from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.plans.document import Span

HUM_HEARD_DB: Final = -50.0
"""Hum closer than this below the playing is heard, at the latest when the playing stops."""
HUM_IS_MUSIC_DB: Final = -12.0
"""A tone that never stops and is as loud as this against the playing is a note."""
STEADY_DB: Final = 6.0
"""Pauses that move more than this hold decays, and their tones are music."""
LEAST_HEAD_S: Final = 0.5
LEAST_TAIL_S: Final = 2.0
"""Less than this before and after the song is not worth cutting."""


def set_declip(draft: Draft, player: Player) -> None:
    """Rebuild the peaks that the converter cut off."""
    count = player.heard.clipped_samples
    if player.audible and count and draft.hands > 0.0:
        draft.choose("declip", True, f"{count} samples sit flat at full scale: their peaks are rebuilt.")


def set_hum(draft: Draft, player: Player) -> None:
    """Take mains hum out where it is heard against the playing and is what the pauses are filled with."""
    heard = player.heard
    if not player.audible or heard.hum_hz is None or heard.hum_dbfs is None or heard.rms_dbfs is None:
        return
    if heard.noise_floor_dbfs is None or (heard.noise_spread_db or 0.0) > STEADY_DB:
        return
    below_db = heard.hum_dbfs - heard.rms_dbfs
    if draft.hands > 0.0 and HUM_HEARD_DB < below_db < HUM_IS_MUSIC_DB:
        why = (
            f"{heard.hum_hz} Hz hum and its harmonics at {heard.hum_dbfs:.1f} dBFS, {-below_db:.0f} dB below the "
            "playing and steady in the pauses: taken out."
        )
        draft.choose("hum_hz", str(heard.hum_hz), why, 0.8)


def song_span(sources: Sequence[Source], players: Sequence[Player]) -> Span | None:
    """The part of the take that is the song, or None where that is all of it, or in doubt."""
    heard = [(source, player) for source, player in zip(sources, players, strict=True) if player.audible]
    extent = find_extent(
        [source for source, _ in heard],
        [player.heard for _, player in heard],
        voices=[at for at, (_, player) in enumerate(heard) if player.is_vocal],
    )
    if extent is None:
        return None
    take_s = max(source.frames / source.rate_hz for source in sources)
    start_s = extent.start_s if extent.counted_in or extent.start_s >= LEAST_HEAD_S else 0.0
    end_s = extent.end_s if take_s - extent.end_s >= LEAST_TAIL_S else take_s
    why = []
    if extent.counted_in:
        how = "aloud" if extent.voiced else "with sticks"
        why.append(f"a count of {extent.counted_in} {how} leads to the first beat at {start_s:.1f} s")
    elif start_s > 0.0:
        why.append(f"the band begins at {start_s:.1f} s")
    if end_s < take_s:
        why.append(f"the last sound has died away at {end_s:.1f} s of {take_s:.1f} s")
    if not why:
        return None
    if extent.asides:
        why.append("talk or noodling apart from it stays outside")
    told = ", ".join(why)
    sure = 0.6 if extent.voiced or extent.asides else 0.8
    return Span(start_s=start_s, end_s=end_s, by="rules", why=f"{told[0].upper()}{told[1:]}.", confidence=sure)
