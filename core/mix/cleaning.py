"""What went wrong at the input and can be mended: clipped peaks, mains hum."""

from __future__ import annotations

from typing import Final

from core.mix.draft import Draft
from core.mix.ensemble import Player

HUM_HEARD_DB: Final = -55.0
"""Hum closer than this below the playing is heard, at the latest when the playing stops."""
HUM_IS_MUSIC_DB: Final = -12.0
"""A tone that never stops and is as loud as this against the playing is a note."""


def set_declip(draft: Draft, player: Player) -> None:
    """Rebuild the peaks that the converter cut off."""
    count = player.heard.clipped_samples
    if player.audible and count and draft.hands > 0.0:
        draft.choose("declip", True, f"{count} samples sit flat at full scale: their peaks are rebuilt.")


def set_hum(draft: Draft, player: Player) -> None:
    """Take mains hum out where it is heard against the playing."""
    heard = player.heard
    if not player.audible or heard.hum_hz is None or heard.hum_dbfs is None or heard.rms_dbfs is None:
        return
    below_db = heard.hum_dbfs - heard.rms_dbfs
    if draft.hands > 0.0 and HUM_HEARD_DB < below_db < HUM_IS_MUSIC_DB:
        why = (
            f"{heard.hum_hz} Hz hum and its harmonics at {heard.hum_dbfs:.1f} dBFS, {-below_db:.0f} dB below the "
            "playing: taken out."
        )
        draft.choose("hum_hz", str(heard.hum_hz), why, 0.8 if heard.noise_floor_dbfs is not None else 0.5)
