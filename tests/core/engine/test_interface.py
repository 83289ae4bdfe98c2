"""What is plugged in, also when a listing lacks it: an interface that is in use, and one that hangs and goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from core.engine.board import Board
from core.engine.interface import InterfaceKeeper, with_hidden
from core.errors import OtoError
from core.protocol.requests import CreateSession, EditSettings, Record, SelectDevice, Stop, TrashSession
from core.protocol.topics import DeviceTopic, NoticesTopic
from core.settings import Settings
from devices.base import Interface
from devices.discovery import simulated
from devices.errors import DeviceError
from tests.rig import signals

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


@pytest.fixture
def cd_stage(tmp_path):
    """An interface that runs at 44.1 kHz and at nothing else."""
    folder = tmp_path / "cd"
    folder.mkdir()
    signals.write_noise(folder / "01 Voice.wav", channels=1, seconds=20.0, rate_hz=44_100)
    return f"sim:{folder}"


def test_an_interface_with_a_rate_of_its_own_is_used_at_that_when_no_session_says_another(start_engine, cd_stage):
    engine = start_engine(cd_stage)
    assert engine.status().device.rate_hz == 44_100
    engine.call(Record())
    engine.call(Stop())
    status = engine.status()
    assert (status.session.session.rate_hz, status.takes.takes[0].rate_hz) == (44_100, 44_100)
    assert "48000 Hz: the new session is at 44100 Hz" in status.notices.notices[-1].message


def test_a_new_session_is_at_a_rate_that_the_interface_can_and_an_old_one_keeps_its_own(start_engine, stage, cd_stage):
    engine = start_engine(f"sim:{stage}")
    engine.call(Record())
    engine.call(Stop())
    with pytest.raises(OtoError) as refused:
        engine.call(SelectDevice(device=cd_stage))
    assert "44100 Hz" in refused.value.message
    engine.call(CreateSession(name="At its rate"))
    engine.wait(lambda status: status.device.current is not None, "the interface")
    assert engine.status().session.session.rate_hz == engine.status().device.rate_hz == 44_100


def test_a_session_that_has_no_take_yet_goes_over_to_the_rate_of_the_interface_that_is_chosen(
    start_engine, stage, cd_stage
):
    engine = start_engine(f"sim:{stage}")
    engine.call(CreateSession(name="Empty"))
    engine.call(SelectDevice(device=cd_stage))
    assert engine.status().session.session.rate_hz == engine.status().device.rate_hz == 44_100


def test_with_no_session_the_settings_say_the_rate_at_once(start_engine):
    engine = start_engine("sim")
    engine.call(EditSettings(changes={"rate_hz": 44_100}))
    assert engine.status().device.rate_hz == 44_100
    session = engine.call(CreateSession(name="Gone"))
    engine.call(EditSettings(changes={"rate_hz": 48_000}))
    assert engine.status().device.rate_hz == 44_100
    engine.call(TrashSession(session=session["id"]))
    assert engine.status().device.rate_hz == 48_000


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


class Ended:
    """A capture whose stream has ended."""

    def close(self) -> None:
        pass


class Asking:
    """Asks for the interface when it hears that it is gone, as a take does whose files are finished at once."""

    def __init__(self, keeper: InterfaceKeeper) -> None:
        self.keeper = keeper
        self.found: list[object] = []

    def interface_lost(self, capture: object) -> None:
        self.found.append(self.keeper.capture)
        asyncio.get_running_loop().call_soon(lambda: self.found.append(self.keeper.capture))


async def test_whoever_hears_that_the_interface_is_gone_finds_none_that_a_take_could_go_on_with(tmp_path, monkeypatch):
    keeper = InterfaceKeeper(Board(), Settings, tmp_path)
    monkeypatch.setattr(keeper, "look", lambda: asyncio.sleep(0))
    keeper.capture, keeper._open = Ended(), CARD
    keeper.listener = asking = Asking(keeper)
    await keeper._lose(DeviceError("device_lost", "it has delivered nothing for a second.", ""))
    await asyncio.sleep(0.05)
    assert asking.found == [None, None]
    assert "HiFiBerry" in keeper._board.get(NoticesTopic).notices[-1].message
    assert keeper._board.get(DeviceTopic).current is None


async def test_what_was_opened_meanwhile_is_not_given_up_for_what_ended_before(tmp_path, monkeypatch):
    keeper = InterfaceKeeper(Board(), Settings, tmp_path)
    monkeypatch.setattr(keeper, "look", lambda: asyncio.sleep(0))
    keeper.capture, keeper._open = Ended(), CARD
    keeper.listener = asking = Asking(keeper)
    async with keeper._opening:
        losing = asyncio.create_task(keeper._lose(DeviceError("device_lost", "gone", "")))
        await asyncio.sleep(0)
        fresh = keeper.capture = Ended()
    await losing
    assert keeper.capture is fresh
    assert not asking.found
