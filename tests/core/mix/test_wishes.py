"""What a person wants and has set survives every later proposal."""

import msgspec
import pytest

from core.errors import OtoError
from core.jobs.work import priorities
from core.mix.balance import level_lufs
from core.mix.engineer import propose_mix
from core.plans.document import Ride, RidePoint, Setting, Span, value_of


def strip(plan, name):
    return next(strip for strip in plan.strips if strip.track == name)


def gain_db(plan, name):
    return sum(value_of(strip(plan, name).settings, knob, 0.0) for knob in ("trim_db", "fader_db"))


def above_the_hat(plan, name, analyses):
    levels = [level_lufs(analyses[one]) + gain_db(plan, one) for one in (name, "Hat")]
    return levels[0] - levels[1]


def mine(*points):
    return Ride(points=tuple(RidePoint(at_s=at, gain_db=gain) for at, gain in points), by="person", why="mine")


def test_a_lead_comes_up_and_a_background_goes_back(sources, analyses, plan):
    wished = propose_mix(sources, analyses=analyses, priorities={"Gtr 1": "lead", "Gtr 2": "background"})
    assert [strip(wished, name).priority for name in ("Gtr 1", "Gtr 2", "Bass")] == ["lead", "background", "normal"]
    before, after = (above_the_hat(one, "Gtr 1", analyses) for one in (plan, wished))
    assert 1.2 < after - before < 3.5
    before, after = (above_the_hat(one, "Gtr 2", analyses) for one in (plan, wished))
    assert -4.0 < after - before < -1.2
    assert "you want it in front" in strip(wished, "Gtr 1").settings["fader_db"].why
    assert "you want it behind" in strip(wished, "Gtr 2").settings["fader_db"].why


def test_a_priority_survives_until_it_is_changed(sources, analyses):
    wished = propose_mix(sources, analyses=analyses, priorities={"Gtr 1": "lead"})
    again = propose_mix(sources, analyses=analyses, previous=wished, style="warm")
    assert strip(again, "Gtr 1").priority == "lead"
    back = propose_mix(sources, analyses=analyses, previous=wished, priorities={"Gtr 1": "normal"})
    assert strip(back, "Gtr 1").priority == "normal"


@pytest.mark.parametrize("locked", [False, True])
def test_rides_and_the_span_that_a_person_drew_or_locked_stay(sources, analyses, plan, locked):
    drawn = mine((0.0, -2.0), (4.0, 1.0))
    if locked:
        drawn = msgspec.structs.replace(drawn, by="rules", locked=True)
    span = Span(start_s=1.0, end_s=7.0, by="person", why="mine")
    before = msgspec.structs.replace(
        plan,
        strips=tuple(msgspec.structs.replace(one, ride=drawn) if one.track == "Bass" else one for one in plan.strips),
        buses=tuple(msgspec.structs.replace(bus, ride=drawn) if bus.name == "drums" else bus for bus in plan.buses),
        master_ride=drawn,
        span=span,
    )
    again = propose_mix(sources, analyses=analyses, previous=before)
    assert strip(again, "Bass").ride == drawn
    assert next(bus for bus in again.buses if bus.name == "drums").ride == drawn
    assert again.master_ride == drawn
    assert again.span == span


def test_a_ride_that_oto_drew_is_drawn_anew(sources, analyses, plan):
    old = msgspec.structs.replace(mine((0.0, -2.0), (4.0, 1.0)), by="rules")
    strips = tuple(msgspec.structs.replace(one, ride=old) if one.track == "Bass" else one for one in plan.strips)
    again = propose_mix(sources, analyses=analyses, previous=msgspec.structs.replace(plan, strips=strips))
    assert strip(again, "Bass").ride is None


def test_what_a_person_set_on_a_bus_or_an_effect_stays_and_the_rest_is_proposed_around_it(sources, analyses, plan):
    decay = Setting(value=3.3, unit="s", by="person")
    buses = tuple(
        msgspec.structs.replace(bus, settings=bus.settings | {"decay_s": decay}) if bus.name == "plate" else bus
        for bus in plan.buses
    )
    again = propose_mix(sources, analyses=analyses, previous=msgspec.structs.replace(plan, buses=buses), style="big")
    plate = next(bus for bus in again.buses if bus.name == "plate")
    assert plate.settings["decay_s"] == decay
    assert plate.settings["predelay_ms"].by == "rules"


def test_wishes_for_tracks_that_are_not_there_and_contradictions_are_refused(sources):
    with pytest.raises(OtoError, match="no track 'Cowbell'"):
        propose_mix(sources, priorities={"Cowbell": "lead"})
    with pytest.raises(OtoError, match="can't lead and be background"):
        priorities(["Gtr 1"], ["Gtr 1"])
    assert priorities(["Gtr 1"], ["Keys L"]) == {"Gtr 1": "lead", "Keys L": "background"}
