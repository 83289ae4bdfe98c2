"""Who leads, where the recogniser has heard that several sing."""

import msgspec

from core.mix.ensemble import find_leader
from tests.core.mix.heard import level, player


def singer(name, *parts, by="model", **more):
    one = player(name, "lead_vocal", level(*parts), **more)
    sounding = [lufs > -60.0 for lufs in one.heard.loudness_curve]
    one.heard = msgspec.structs.replace(one.heard, activity=sum(sounding) / len(sounding))
    one.role_by, one.role_why = by, "Sounds like lead vocal (90%)."
    return one


def roles(*players):
    find_leader(players)
    return [each.role for each in players]


SHORT = ((6, -120.0), (2, -20.0), (2, -120.0))
LONG = ((1, -120.0), (3, -22.0), (3, -18.0), (3, -21.0))


def test_one_voice_leads():
    assert roles(singer("Audio 1", *SHORT)) == ["lead_vocal"]


def test_whoever_sings_longest_leads_and_the_reason_says_how_long():
    one, other = singer("Audio 1", *SHORT), singer("Audio 2", *LONG)
    assert roles(one, other) == ["backing_vocal", "lead_vocal"]
    assert one.role_why.endswith("Audio 2 leads (9 s against 2 s), so this one backs it.")


def test_a_lead_by_name_or_by_a_persons_word_stays_the_lead():
    assert roles(singer("Vox", *SHORT, by="rules"), singer("Audio 2", *LONG)) == ["lead_vocal", "backing_vocal"]
    assert roles(singer("Audio 1", *SHORT, by="person"), singer("Audio 2", *LONG)) == ["lead_vocal", "backing_vocal"]
    wanted = singer("Audio 1", *SHORT, priority="lead")
    assert roles(wanted, singer("Audio 2", *LONG)) == ["lead_vocal", "backing_vocal"]


def test_names_are_not_argued_with():
    assert roles(singer("Vox 1", *SHORT, by="rules"), singer("Vox 2", *LONG, by="rules")) == ["lead_vocal"] * 2


def test_a_second_microphone_of_the_leader_leads_too():
    assert roles(singer("Audio 1", *LONG), singer("Audio 2", *LONG)) == ["lead_vocal"] * 2
