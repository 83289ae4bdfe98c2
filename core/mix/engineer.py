"""The rule-based engineer: listens to every track and proposes a mix in which each setting has its reason.

It is the baseline that learned models must beat and the fallback when there is none. Nothing here touches audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from core.analysis.bleed import BleedMap
from core.analysis.roles import guess_role
from core.analysis.track import Source, TrackAnalysis, analyse_source
from core.errors import Exit, OtoError
from core.mix import balance, dynamics, gating, placement, tone
from core.mix.draft import Draft, kept_settings
from core.mix.ensemble import Player, find_companions
from core.mix.notes import input_notes, left_out_notes
from core.mix.preparing import prepare
from core.mix.presets import STYLE, STYLES, Style, StyleName
from core.plans.document import BusStrip, By, MixPlan, Settings, Strip
from core.plans.parameters import BUS, SENDS, STRIP, by_name, parameters_of
from core.plans.roles import ROLES, Role
from core.progress import Progress, report
from core.version import VERSION

MIX_LUFS: Final = -23.0
"""Loudness that a mix is built to, so that its peaks leave mastering its room."""
MIX_PEAK_DBFS: Final = -8.0
"""Where the mix may peak by estimate, so that it stays below -6 dBFS in fact."""

LISTENING_SHARE: Final = 0.8
"""Of the progress; the rest is comparing the tracks with each other."""

_STRIP = by_name(STRIP)
_BUS = by_name(BUS)


def propose_mix(
    sources: Sequence[Source],
    *,
    roles: Mapping[str, str] | None = None,
    style: str = "natural",
    hands: float = 1.0,
    previous: MixPlan | None = None,
    analyses: Mapping[str, TrackAnalysis] | None = None,
    progress: Progress | None = None,
) -> MixPlan:
    """Propose a mix of `sources`, one strip per source in their order.

    `roles` are a person's, by track name, and win over names and sounds; so do roles, settings and mutes that a person
    or a lock put into `previous`. `hands` scales every proposal between neutral (0) and
    whole (1), in steps of a hundredth. `analyses`, by track
    name, saves listening again. Raises OtoError: "bad_input" for no sources or an unknown style or role, "cancelled".
    """
    _check(sources, roles or {}, style, hands)
    hands = round(hands, 2)
    look = STYLE[cast("StyleName", style)]
    before = {strip.track: strip for strip in previous.strips} if previous else {}
    players = []
    listening = _between(progress, 0.0, LISTENING_SHARE)
    for at, source in enumerate(sources):
        report(listening, at / len(sources), f"Listening to {source.name}")
        heard = (analyses or {}).get(source.name) or analyse_source(source, progress=_part(listening, at, len(sources)))
        players.append(_player(source.name, heard, (roles or {}).get(source.name), before.get(source.name)))
    find_companions(players)

    drafts = {player: Draft(_STRIP, _kept(before.get(player.name)), hands) for player in players}
    prepared = prepare(sources, drafts, previous=previous, progress=_between(progress, LISTENING_SHARE, 1.0))
    report(progress, 1.0, "Finding the balance")
    targets = balance.targets_lu(players, look)
    gains = {player: target - balance.level_lufs(player.heard) for player, target in targets.items()}
    notes = [*input_notes(players), *prepared.notes, *left_out_notes(previous, players)]
    for player in gains:
        tone.set_tone(drafts[player], player, look)
    if gains:
        notes += tone.unmask(drafts, gains)
    master = Draft(_BUS, kept_settings(previous.master) if previous else {}, hands)
    _set_levels(drafts, gains, targets, look, master, prepared.bleed)
    placement.set_pans(drafts, look)
    for player, draft in drafts.items():
        placement.set_sends(draft, player, look, ensemble=len(gains) > 1)
        placement.set_bus(draft, player)
        if player.role == "click" and not player.muted and hands > 0.0:
            draft.choose("mute", True, "A click is for the players, not for the song.")
    return MixPlan(
        oto_version=VERSION,
        session=previous.session if previous else None,
        take=previous.take if previous else None,
        style=style,
        hands=hands,
        strips=tuple(_strip(player, draft) for player, draft in drafts.items()),
        buses=_buses([draft.settings for draft in drafts.values()], previous, look, hands),
        master=master.settings,
        span=prepared.span,
        notes=tuple(notes),
    )


def _check(sources: Sequence[Source], roles: Mapping[str, str], style: str, hands: float) -> None:
    if not sources:
        raise OtoError(
            "bad_input", "There is nothing to mix: no track.", "Record something or name files.", Exit.BAD_INPUT
        )
    if style not in STYLES:
        raise OtoError("bad_input", f"There is no style '{style}'.", f"Styles are {', '.join(STYLES)}.", Exit.USAGE)
    if not 0.0 <= hands <= 1.0:
        raise OtoError("bad_input", f"Hands go from 0 to 1, not {hands:g}.", "1 is the whole proposal.", Exit.USAGE)
    for name, role in roles.items():
        if role not in ROLES:
            raise OtoError(
                "bad_input", f"{name}: there is no role '{role}'.", f"Roles are {', '.join(ROLES)}.", Exit.USAGE
            )


def _player(name: str, heard: TrackAnalysis, given: str | None, before: Strip | None) -> Player:
    """Who it is: a person's word, else the earlier plan's if a person chose it there, else a guess."""
    muted = before is not None and "mute" in before.settings and before.settings["mute"].value is True
    role_by: By = "person"
    confidence: float | None = None
    if given is None and before is not None and before.role_by == "person":
        given = before.role
    if given is None:
        guess = guess_role(name, heard)
        given, confidence, role_by = guess.role, guess.confidence, "rules"
    return Player(
        name=name, role=cast("Role", given), role_confidence=confidence, role_by=role_by, heard=heard, muted=muted
    )


def _kept(before: Strip | None) -> Settings:
    """What stays of an earlier strip: what a person set or locked, and a mute, whoever set it."""
    if before is None:
        return {}
    muted = {"mute": before.settings["mute"]} if "mute" in before.settings else {}
    return muted | kept_settings(before.settings)


def _set_levels(
    drafts: Mapping[Player, Draft],
    gains: Mapping[Player, float],
    targets: Mapping[Player, float],
    style: Style,
    master: Draft,
    bleed: BleedMap,
) -> None:
    """Trim, dynamics and fader of every audible strip, so that the whole comes out at the level a mix should have."""
    if not gains:
        return
    through: dict[Player, float] = {}
    full: dict[Player, float] = {}
    for player in gains:
        draft = drafts[player]
        trim_db = dynamics.set_trim(draft, player)
        gating.set_gate(draft, player, trim_db, bleed)
        changed_db = dynamics.set_compressor(draft, player, trim_db, style)
        changed_db += tone.loudness_change_lu(draft, player.heard)
        through[player] = trim_db + changed_db
        # What the whole proposal would do, from what the hands left of it.
        share = draft.hands or 1.0
        full[player] = (trim_db if draft.is_kept("trim_db") else trim_db / share) + changed_db / share
    common_db = _common_db(drafts, gains, full)
    middle = sorted(targets.values())[len(targets) // 2]
    for player, gain_db in gains.items():
        why = _fader_why(player, targets[player] - middle)
        confidence = 0.5 + 0.3 * (1.0 if player.role_confidence is None else player.role_confidence)
        draft = drafts[player]
        through[player] += draft.propose("fader_db", gain_db + common_db - full[player], why, confidence, amount=True)
    peak_dbfs = balance.mix_peak_dbfs(through)
    if peak_dbfs > MIX_PEAK_DBFS:
        why = f"The strips would peak near {peak_dbfs:.1f} dBFS together: this leaves mastering its room."
        master.propose("fader_db", MIX_PEAK_DBFS - peak_dbfs, why, 0.7, amount=True)


def _common_db(drafts: Mapping[Player, Draft], gains: Mapping[Player, float], full: Mapping[Player, float]) -> float:
    """One gain for all: around the faders that a person set, else to the loudness a mix is built to."""
    set_by_person = sorted(
        drafts[player].value("fader_db") + full[player] - gain_db
        for player, gain_db in gains.items()
        if drafts[player].is_kept("fader_db")
    )
    if set_by_person:
        return set_by_person[len(set_by_person) // 2]
    return MIX_LUFS - balance.mix_loudness_lufs(gains)


def _fader_why(player: Player, above_middle_lu: float) -> str:
    heard, preset = player.heard, player.preset
    level = balance.level_lufs(heard)
    where = f"{abs(above_middle_lu):.1f} LU {'above' if above_middle_lu >= 0.0 else 'below'} the song's middle strip"
    parts = []
    if player.role not in balance.FRONT and heard.sample_peak_dbfs is not None and heard.centroid_hz is not None:
        parts.append(f"it peaks {heard.sample_peak_dbfs - level:.1f} dB over its loudness")
        parts.append(f"its weight lies at {heard.centroid_hz:.0f} Hz")
    if player.together:
        parts.append(f"it shares its sound with {', '.join(other.name for other in player.together)}")
    told = f" ({', '.join(parts)})" if parts else ""
    return f"{level:.1f} LUFS while it plays; the place for {preset.called} is {where}{told}."


def _strip(player: Player, draft: Draft) -> Strip:
    return Strip(
        track=player.name,
        role=player.role,
        role_confidence=player.role_confidence,
        role_by=player.role_by,
        settings=draft.settings,
    )


def _buses(strips: Sequence[Settings], previous: MixPlan | None, style: Style, hands: float) -> tuple[BusStrip, ...]:
    """The buses and reverbs that are used, and those of an earlier plan that a person touched."""
    before = {bus.name: kept_settings(bus.settings) for bus in previous.buses} if previous else {}
    used = {str(settings["bus"].value) for settings in strips} - {"master"}
    used |= {name for name in SENDS if any(f"send_{name}_db" in settings for settings in strips)}
    used |= {name for name, kept in before.items() if kept}
    buses = []
    for name in ("drums", "music", "vocals", *SENDS):
        if name in used:
            draft = Draft(parameters_of(name), before.get(name, {}), hands)
            if name in placement.RETURNS:
                placement.set_return(draft, name, style)
            buses.append(BusStrip(name=name, settings=draft.settings))
    return tuple(buses)


def _part(progress: Progress | None, at: int, count: int) -> Progress | None:
    """Progress of one source as a share of the whole."""
    return _between(progress, at / count, (at + 1) / count)


def _between(progress: Progress | None, start: float, end: float) -> Progress | None:
    """A step's own progress as a part of the whole's."""
    if progress is None:
        return None
    whole = progress
    return lambda fraction, doing: whole(start + (end - start) * fraction, doing)
