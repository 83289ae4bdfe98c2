"""What a person should know besides the settings: what went wrong at the inputs, what OTO is unsure of."""

from __future__ import annotations

from collections.abc import Sequence

from core.analysis.roles import UNSURE
from core.mix.dynamics import loud_peak_dbfs
from core.mix.ensemble import FAINT_DBFS, Player
from core.mix.sections import Section
from core.mix.tempo import Tempo
from core.plans.document import MixPlan

LOW_DBFS = -40.0
HUM_BELOW_DB = 55.0
MOST_SECTIONS = 12
"""Of an evening on one take nobody reads more."""


def input_notes(players: Sequence[Player]) -> list[str]:
    """One sentence for everything that deserves attention at the next recording."""
    notes = []
    for player in players:
        heard, name = player.heard, player.name
        if heard.sample_peak_dbfs is None:
            notes.append(f"{name} is silent: nothing was set.")
            continue
        if heard.sample_peak_dbfs <= FAINT_DBFS:
            notes.append(
                f"{name} never peaks above {heard.sample_peak_dbfs:.0f} dBFS, so it holds only its input's noise: "
                "nothing was set."
            )
            continue
        if heard.clipped_samples:
            notes.append(
                f"{name} clipped {heard.clipped_samples} samples at the input: "
                "turn the interface's gain down next time."
            )
        if player.audible and loud_peak_dbfs(heard) < LOW_DBFS:
            notes.append(
                f"{name} was recorded low (loud moments peak at {loud_peak_dbfs(heard):.0f} dBFS): turn its gain up "
                "next time, its noise comes up with it."
            )
        if heard.hum_hz and heard.hum_dbfs is not None and heard.rms_dbfs is not None:
            below_db = heard.rms_dbfs - heard.hum_dbfs
            if below_db < HUM_BELOW_DB:
                notes.append(
                    f"{name} has {heard.hum_hz} Hz hum, {below_db:.0f} dB below the playing: "
                    "check its cable and supply."
                )
        if player.role_note:
            notes.append(player.role_note)
        if player.role_by == "rules" and (player.role_confidence or 0.0) < UNSURE:
            notes.append(
                f"OTO can't tell what {name} is and balanced it by its sound alone: name it or give it a role."
            )
    return notes


def left_out_notes(previous: MixPlan | None, players: Sequence[Player]) -> list[str]:
    """Strips of the earlier plan that have no track here."""
    names = {player.name for player in players}
    gone = [strip.track for strip in previous.strips if strip.track not in names] if previous else []
    return [f"{', '.join(gone)}: in the earlier plan but not among these tracks, left out."] if gone else []


def song_notes(sections: Sequence[Section], tempo: Tempo | None) -> list[str]:
    """How the song is built and how fast it is."""
    notes = []
    if len(sections) > 1:
        told = "; ".join(
            f"{_clock(one.start_s)} {'sung' if one.sung else 'played'}, {len(one.playing)} tracks, "
            f"{one.loudness_lufs:.0f} LUFS"
            for one in sections[:MOST_SECTIONS]
        )
        more = f"; and {len(sections) - MOST_SECTIONS} more" if len(sections) > MOST_SECTIONS else ""
        notes.append(f"Sections by who sounds: {told}{more}.")
    if tempo is not None:
        notes.append(f"The strokes agree on {tempo.bpm:.1f} BPM ({tempo.confidence:.0%} sure).")
    return notes


def _clock(time_s: float) -> str:
    return f"{int(time_s) // 60}:{int(time_s) % 60:02d}"
