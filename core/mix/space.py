"""Near or far: three reverbs by role, one delay, their times from the song's tempo."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

import msgspec

from core.mix.draft import Draft
from core.mix.ensemble import Player
from core.mix.presets import Style
from core.mix.stems import is_wide
from core.mix.tempo import Tempo
from core.plans.document import Priority
from core.plans.parameters import BEATS

USUAL_BPM: Final = 110.0
DECAY_RANGE: Final = (0.75, 1.35)
"""How much shorter or longer a tempo may make a reverb."""
PRIORITY_DB: Final[dict[Priority, float]] = {"lead": -2.0, "normal": 0.0, "background": 3.0}
"""Who leads stands near, who is background far."""
OWN_SPACE_DB: Final = -4.0
"""For a kit with room microphones."""
USUAL_DELAY_MS: Final = 380.0
SLAP_MS: Final = 110.0
SURE_TEMPO: Final = 0.4


class Space(msgspec.Struct, frozen=True):
    """One reverb as it is at a usual tempo."""

    decay_s: float
    decay_why: str
    predelay_ms: float
    predelay_why: str
    lowcut_hz: float
    lowcut_why: str


SPACES: Final[dict[str, Space]] = {
    "room": Space(
        0.5, "Short: glues a band that was recorded close.", 0.0, "No gap: the room is where they play.", 150.0,
        "Keeps the bass dry.",
    ),
    "plate": Space(
        1.4, "Long enough to carry a voice, short enough to leave its words alone.", 25.0,
        "Lets the word through before its echo.", 250.0, "Keeps the chest of the voice dry.",
    ),
    "hall": Space(2.2, "Depth behind the band.", 35.0, "Keeps the front in front.", 300.0, "Keeps the lows clear."),
}  # fmt: skip


def set_sends(draft: Draft, player: Player, style: Style, *, ensemble: bool, roomy: bool) -> None:
    """Reverb by role, post fader, and a delay for lead voices where the style asks.

    Who is alone stays dry. A stereo recording gets no reverb: it brings the space that it was made in, a room or the
    effects of a keyboard, and a second one behind it only blurs where things stand. `roomy` says that microphones
    heard the room in which the kit stood.
    """
    if not (player.audible and ensemble):
        return
    preset = player.preset
    own = player.finished or is_wide(player.heard)
    change_db = style.reverb_db + PRIORITY_DB[player.priority]
    told = "" if style.reverb_db == 0.0 else f"; {style.why}"
    if player.priority != "normal":
        told += f"; {player.priority}"
    if roomy and player.is_drum:
        change_db += OWN_SPACE_DB
        told += "; the room was recorded too"
    for name, level_db in (("room", preset.room_db), ("plate", preset.plate_db), ("hall", preset.hall_db)):
        if level_db is not None and not own:
            why = f"{-level_db - change_db:.0f} dB below the dry sound, usual for {preset.called}{told}."
            draft.propose_send(f"send_{name}_db", level_db + change_db, why)
    if player.role == "lead_vocal" and style.delay_db is not None:
        draft.propose_send("send_delay_db", style.delay_db, f"Style {style.why}.", 0.5)


def is_roomy(players: Collection[Player]) -> bool:
    """Whether a room microphone is among the tracks."""
    return any(player.audible and player.role == "room" for player in players)


def set_return(draft: Draft, name: str, style: Style, tempo: Tempo | None) -> None:
    """How a reverb or the delay sounds."""
    if name == "delay":
        _set_delay(draft, style, tempo)
        return
    space = SPACES[name]
    decay_s, why = space.decay_s * style.decay, space.decay_why
    if style.decay != 1.0:
        why += f" Style {style.why}."
    if tempo is not None:
        times = min(max(math.sqrt(USUAL_BPM / tempo.bpm), DECAY_RANGE[0]), DECAY_RANGE[1])
        decay_s *= times
        why += f" At {tempo.bpm:.0f} BPM {abs(times - 1.0):.0%} {'shorter' if times < 1.0 else 'longer'} than usual."
    draft.propose("decay_s", decay_s, why, 0.6)
    predelay_ms, why = space.predelay_ms, space.predelay_why
    if tempo is not None and predelay_ms > 0.0:
        predelay_ms, part = _note_near(predelay_ms, tempo)
        why += f" 1/{part} at {tempo.bpm:.0f} BPM."
    draft.propose("predelay_ms", predelay_ms, why, 0.6)
    draft.propose("lowcut_hz", space.lowcut_hz, space.lowcut_why, 0.6)


def _set_delay(draft: Draft, style: Style, tempo: Tempo | None) -> None:
    why = f"Style {style.why}."
    if style.slap:
        draft.propose("time_ms", SLAP_MS, f"One short repeat. {why}", 0.5)
        draft.propose("feedback", 0.0, f"One repeat. {why}", 0.5)
        draft.propose("damping_hz", 3_000.0, f"As dull as a tape's second head. {why}", 0.5)
        return
    time_ms = USUAL_DELAY_MS
    if tempo is not None and tempo.confidence >= SURE_TEMPO:
        lasts_ms = {note: beats * 60_000.0 / tempo.bpm for note, beats in BEATS.items() if "triplet" not in note}
        note = min(lasts_ms, key=lambda one: abs(math.log(lasts_ms[one] / USUAL_DELAY_MS)))
        time_ms = lasts_ms[note]
        draft.choose("sync", note, f"{time_ms:.0f} ms at {tempo.bpm:.0f} BPM. {why}", tempo.confidence)
    draft.propose("time_ms", time_ms, why, 0.5)
    draft.propose("feedback", 0.25, f"Two repeats are heard. {why}", 0.5)
    draft.propose("damping_hz", 3_500.0, "Repeats are duller than the voice.", 0.5)


def _note_near(wanted_ms: float, tempo: Tempo) -> tuple[float, int]:
    """The time of a half, quarter, ... 1/128 note that is nearest to a wanted one, and which note it is."""
    whole_ms = 4.0 * 60_000.0 / tempo.bpm
    part = min((2**n for n in range(1, 8)), key=lambda one: abs(math.log(whole_ms / one / wanted_ms)))
    return whole_ms / part, part
