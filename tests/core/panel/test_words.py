"""What a press means by what the tape does, and what the light says: tables."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from core.panel.actions import ABOUT, request_for
from core.panel.signals import PERIOD_S, is_on, signal_of
from core.protocol.requests import FalseTake, KeepLast, Mark, Play, Record, Stop
from core.protocol.topics import (
    ControlAction,
    DeviceInfo,
    DeviceTopic,
    Losses,
    Problem,
    SettingsTopic,
    Take,
    TakesTopic,
    TransportTopic,
)

SETTINGS = SettingsTopic(values={"preroll_s": 10.0, "retro_s": 0.0})
INTERFACE = DeviceInfo(id="usb:1:2:3", name="X", host_api="ALSA", inputs=8, outputs=2, default_rate_hz=48_000)
DEVICE = DeviceTopic(current=INTERFACE)


def take(number: int, **fields: object) -> Take:
    about = {"session": "s", "status": "complete", "rate_hz": 48_000, "sample_format": "pcm24", "started_utc": ""}
    return Take(number=number, tracks=(), **{**about, **fields})


TAKES = TakesTopic(takes=(take(1), take(2), take(2, false_take=True, false_number=1)))


@pytest.mark.parametrize(
    ("action", "state", "request_"),
    [
        ("record", "idle", Record()),
        ("record", "recording", Record()),
        ("stop", "idle", Stop()),
        ("record_or_stop", "idle", Record()),
        ("record_or_stop", "recording", Stop()),
        ("record_or_stop", "counting_in", Stop()),
        ("record_or_stop", "playing", Record()),
        ("next_take", "recording", Record()),
        ("next_take", "idle", None),
        ("play", "idle", Play(take=2, at_s=0.0)),
        ("play_or_stop", "idle", Play(take=2, at_s=0.0)),
        ("play_or_stop", "playing", Stop()),
        ("mark", "recording", Mark()),
        ("mark", "idle", None),
        ("false_take", "idle", FalseTake()),
        ("keep", "idle", KeepLast(seconds=10.0)),
    ],
)
def test_a_press_asks_for_what_fits_the_moment(action, state, request_):
    assert request_for(action, TransportTopic(state=state), TAKES, SETTINGS) == request_


def test_every_action_is_explained():
    assert tuple(ABOUT) == get_args(ControlAction)


def test_with_no_take_there_is_nothing_to_play():
    assert request_for("play", TransportTopic(state="idle"), TakesTopic(), SETTINGS) is None


@pytest.mark.parametrize(
    ("transport", "device", "says"),
    [
        (TransportTopic(state="idle"), DEVICE, "ready"),
        (TransportTopic(state="playing"), DEVICE, "ready"),
        (TransportTopic(state="recording", remaining_s=7_200.0), DEVICE, "recording"),
        (TransportTopic(state="counting_in"), DEVICE, "recording"),
        (TransportTopic(state="recording", losses=Losses(ring_overruns=1)), DEVICE, "trouble"),
        (TransportTopic(state="recording", mirror="failed"), DEVICE, "trouble"),
        (TransportTopic(state="recording", remaining_s=300.0), DEVICE, "trouble"),
        (TransportTopic(state="recording"), DeviceTopic(), "trouble"),
        (TransportTopic(state="idle", losses=Losses(overflows=3)), DEVICE, "ready"),
        (TransportTopic(state="no_device"), DeviceTopic(), "trouble"),
        (TransportTopic(state="idle"), DeviceTopic(problem=Problem(code="busy", message="Taken.")), "trouble"),
        (None, None, "trouble"),
    ],
)
def test_the_light_says_ready_recording_or_trouble(transport, device, says):
    assert signal_of(transport, device) == says


@pytest.mark.parametrize(("says", "changes"), [("ready", 0), ("recording", 20), ("trouble", 80)])
def test_how_often_the_light_changes_in_ten_seconds(says, changes):
    moments = [is_on(says, at_ms / 1000) for at_ms in range(0, 10_000, 5)]
    seen = sum(now != before for before, now in itertools.pairwise(moments))
    assert abs(seen - changes) <= 1
    assert PERIOD_S[says] == (20 / changes if changes else 0.0)
