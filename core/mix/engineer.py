"""The rule-based engineer: listens to every track and proposes a mix in which each setting has its reason.

It is the baseline that learned models must beat and the fallback when there is none. Nothing here touches audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from core.analysis.track import Source, TrackAnalysis, analyse_source
from core.errors import Exit, OtoError
from core.mix import balance, dynamics, groups, levels, placement, rides, space, tone
from core.mix.draft import Draft, kept_settings
from core.mix.ensemble import Player, find_companions, find_leader
from core.mix.notes import input_notes, left_out_notes, song_notes
from core.mix.preparing import prepare
from core.mix.presets import STYLE, STYLES, StyleName
from core.mix.sections import find_sections
from core.mix.stems import find_stems
from core.mix.taste import Taste, note, of_role
from core.mix.tempo import find_tempo
from core.mix.unmasking import unmask
from core.models.mixing import Advice, Controller, Shown
from core.models.roles import Recognition, decide_role
from core.plans.document import MixPlan, Priority, Ride, Settings, Strip
from core.plans.parameters import BUS, STRIP, by_name
from core.plans.roles import ROLES, Role
from core.progress import Progress, report
from core.version import VERSION

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
    priorities: Mapping[str, Priority] | None = None,
    previous: MixPlan | None = None,
    analyses: Mapping[str, TrackAnalysis] | None = None,
    recognised: Mapping[str, Recognition] | None = None,
    controller: Controller | None = None,
    taste: Taste | None = None,
    progress: Progress | None = None,
) -> MixPlan:
    """Propose a mix of `sources`, one strip per source in their order.

    `roles` and `priorities` are a person's, by track name, and win over names and sounds; so do roles, priorities,
    settings, rides and mutes that a person or a lock put into `previous`. `hands` scales every proposal between neutral
    (0) and whole (1), in steps of a hundredth. `analyses`, by track name, saves listening again; `recognised` is what
    the recogniser said of tracks, `controller` moves the rules' balance by what it learned, `taste` is what the
    studio's owner made of earlier proposals. Raises OtoError:
    "bad_input" for no sources, an unknown style or role, or a priority for a track that isn't there; "cancelled".
    """
    _check(sources, roles or {}, priorities or {}, style, hands)
    hands = round(hands, 2)
    look = STYLE[cast("StyleName", style)]
    before = {strip.track: strip for strip in previous.strips} if previous else {}
    players = []
    listening = _between(progress, 0.0, LISTENING_SHARE)
    for at, source in enumerate(sources):
        report(listening, at / len(sources), f"Listening to {source.name}")
        heard = (analyses or {}).get(source.name) or analyse_source(source, progress=_part(listening, at, len(sources)))
        given = (roles or {}).get(source.name), (priorities or {}).get(source.name)
        recognition = (recognised or {}).get(source.name)
        players.append(_player(source.name, heard, recognition, *given, before.get(source.name)))
    find_leader(players)
    find_companions(players)

    drafts = {
        player: Draft(_STRIP, _kept(before.get(player.name)), hands, of_role(taste or {}, player.role))
        for player in players
    }
    prepared = prepare(sources, drafts, previous=previous, progress=_between(progress, LISTENING_SHARE, 1.0))
    report(progress, 1.0, "Finding the balance")
    stems = find_stems(players)
    tempo = find_tempo(players)
    targets = balance.targets_lu(players, look)
    advised = _advised(controller, targets, drafts)
    targets = {player: place + (advised[player].change_lu if advised else 0.0) for player, place in targets.items()}
    gains = {player: target - balance.level_lufs(player.heard) for player, target in targets.items()}
    for player in gains:
        tone.set_tone(drafts[player], player)
        drafts[player].lean_where_nothing_is_proposed()
    competing = unmask(drafts, gains)
    through = levels.set_levels(drafts, gains, targets, look, prepared.bleed, advised)
    placement.set_pans(drafts, gains, look)
    roomy = space.is_roomy(players)
    for player, draft in drafts.items():
        space.set_sends(draft, player, look, ensemble=len(gains) > 1, roomy=roomy)
        placement.set_bus(draft, player)
        if player.role == "click" and not player.muted and hands > 0.0:
            draft.choose("mute", True, "A click is for the players, not for the song.")
    ridden = rides.vocal_rides(drafts, through, prepared.bleed)
    master = Draft(_BUS, kept_settings(previous.master) if previous else {}, hands)
    groups.set_colour(master, look)
    levels.set_headroom(master, through)
    fade = rides.kept_ride(previous.master_ride) if previous else None
    return MixPlan(
        oto_version=VERSION,
        session=previous.session if previous else None,
        take=previous.take if previous else None,
        style=style,
        hands=hands,
        strips=tuple(
            _strip(player, draft, _kept_ride(before.get(player.name)) or ridden.get(player))
            for player, draft in drafts.items()
        ),
        buses=groups.buses(drafts, through, previous, look, tempo, hands),
        master=master.settings,
        master_ride=fade or rides.fade_out(through, prepared.span, hands),
        span=prepared.span,
        tempo_bpm=tempo.bpm if tempo else previous.tempo_bpm if previous else None,
        notes=(
            *input_notes(players),
            *prepared.notes,
            *stems,
            *left_out_notes(previous, players),
            *song_notes(find_sections(through), tempo),
            *competing,
            *note([draft.settings for draft in drafts.values()]),
        ),
    )


def _check(
    sources: Sequence[Source], roles: Mapping[str, str], priorities: Mapping[str, str], style: str, hands: float
) -> None:
    if not sources:
        raise OtoError(
            "bad_input", "There is nothing to mix: no track.", "Record something or name files.", Exit.BAD_INPUT
        )
    if style not in STYLES:
        raise OtoError("bad_input", f"There is no style '{style}'.", f"Styles are {', '.join(STYLES)}.", Exit.BAD_INPUT)
    if not 0.0 <= hands <= 1.0:
        raise OtoError("bad_input", f"Hands go from 0 to 1, not {hands:g}.", "1 is the whole proposal.", Exit.BAD_INPUT)
    names = [source.name for source in sources]
    for name in priorities:
        if name not in names:
            raise OtoError(
                "bad_input", f"There is no track '{name}'.", f"Tracks are {', '.join(names)}.", Exit.BAD_INPUT
            )
    for name, role in roles.items():
        if role not in ROLES:
            raise OtoError(
                "bad_input", f"{name}: there is no role '{role}'.", f"Roles are {', '.join(ROLES)}.", Exit.BAD_INPUT
            )


def _player(
    name: str,
    heard: TrackAnalysis,
    recognition: Recognition | None,
    given: str | None,
    priority: Priority | None,
    before: Strip | None,
) -> Player:
    """Who it is: a person's word, else the earlier plan's if a person chose it there, else a guess."""
    muted = before is not None and "mute" in before.settings and before.settings["mute"].value is True
    if given is None and before is not None and before.role_by == "person":
        given = before.role
    guess = None if given is not None else decide_role(name, heard, recognition)
    return Player(
        name=name,
        role=guess.role if guess else cast("Role", given),
        role_confidence=guess.confidence if guess else None,
        role_by=guess.by if guess else "person",
        role_why=guess.why if guess else "",
        role_note=guess.note if guess else "",
        heard=heard,
        muted=muted,
        priority=priority or (before.priority if before else "normal"),
    )


def _advised(
    controller: Controller | None, places: Mapping[Player, float], drafts: Mapping[Player, Draft]
) -> dict[Player, Advice]:
    """What the controller makes of the rules' places, knowing the faders that a person has set."""
    if controller is None:
        return {}
    shown = []
    for player, place_lu in places.items():
        draft, level_lufs = drafts[player], balance.level_lufs(player.heard)
        kept = draft.is_kept("fader_db")
        set_lu = level_lufs + dynamics.set_trim(draft, player) + draft.value("fader_db") if kept else None
        shown.append(Shown(player.heard, player.role, level_lufs, place_lu, set_lu))
    return dict(zip(places, controller.advise(shown), strict=False))


def _kept(before: Strip | None) -> Settings:
    """What stays of an earlier strip: what a person set or locked, and a mute, whoever set it."""
    if before is None:
        return {}
    muted = {"mute": before.settings["mute"]} if "mute" in before.settings else {}
    return muted | kept_settings(before.settings)


def _kept_ride(before: Strip | None) -> Ride | None:
    return rides.kept_ride(before.ride) if before else None


def _strip(player: Player, draft: Draft, ride: Ride | None) -> Strip:
    return Strip(
        track=player.name,
        role=player.role,
        role_confidence=player.role_confidence,
        role_by=player.role_by,
        role_why=player.role_why,
        priority=player.priority,
        settings=draft.settings,
        ride=ride,
    )


def _part(progress: Progress | None, at: int, count: int) -> Progress | None:
    """Progress of one source as a share of the whole."""
    return _between(progress, at / count, (at + 1) / count)


def _between(progress: Progress | None, start: float, end: float) -> Progress | None:
    """A step's own progress as a part of the whole's."""
    if progress is None:
        return None
    whole = progress
    return lambda fraction, doing: whole(start + (end - start) * fraction, doing)
