"""What is plugged in, also when a listing lacks it: an interface that is in use, and one that hangs and goes on."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from core.engine.interface import with_hidden
from devices.base import Interface
from devices.discovery import simulated

PATIENCE_S = 80.0

CARD = Interface(
    id="alsa:sndrpihifiberry,0",
    name="HiFiBerry",
    host_api="ALSA",
    inputs=2,
    outputs=2,
    default_rate_hz=48_000,
    rates_hz=(48_000,),
)


def test_a_card_that_we_record_from_is_plugged_in_although_portaudio_lists_only_what_is_free():
    assert with_hidden([simulated()], CARD) == [CARD, simulated()]


def test_what_is_listed_is_listed_once_and_what_is_not_open_only_by_the_listing():
    assert with_hidden([CARD, simulated()], CARD) == [CARD, simulated()]
    assert with_hidden([simulated()], None) == [simulated()]


def test_a_client_that_left_jack_is_gone_while_we_record_from_it_and_a_folder_that_plays_is_never_plugged_in():
    for other in (replace(CARD, id="jack:rig", host_api="JACK"), replace(CARD, id="sim:fast:/stage", host_api="OTO")):
        assert with_hidden([simulated()], other) == [simulated()]


@pytest.mark.rig
@pytest.mark.timeout(300)
def test_a_jack_server_that_hung_and_goes_on_is_found_again(start_engine, jack_rig):
    rig = jack_rig(2)
    engine = start_engine("jack:system")
    os.kill(rig.pid, signal.SIGSTOP)
    engine.wait(lambda status: status.device.current is None, "the loss to be noticed", PATIENCE_S)

    def is_unlisted(status):
        return "jack:system" not in [one.id for one in status.device.available]

    engine.wait(is_unlisted, "a listing without it", PATIENCE_S)
    os.kill(rig.pid, signal.SIGCONT)
    engine.wait(lambda status: status.device.current is not None, "the interface", PATIENCE_S)
