"""A pedal at a real engine: bytes in at one end, a take out at the other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.panel.main import Panel
from core.protocol.requests import Attach, CreateSession, ListenToControls, Stop, TeachControl
from core.protocol.topics import ControlsTopic
from tests.rig.engine import REPOSITORY, EngineRig

NOTE = b"\x90\x3c\x40"
RELEASE = b"\x80\x3c\x40"
CONTROL = "note 60 on channel 1"


class PanelRig:
    """`oto panel` beside an engine, with a pipe for a MIDI controller and a folder for a light."""

    def __init__(self, engine: EngineRig, folder: Path) -> None:
        self.engine = engine
        self.pipe = folder / "pedal"
        os.mkfifo(self.pipe)
        self.device = f"midi:{self.pipe}"
        self.lamp = folder / "leds" / "ACT"
        self.lamp.mkdir(parents=True)
        (self.lamp / "trigger").write_text("none [mmc0] heartbeat\n")
        (self.lamp / "brightness").write_text("0\n")
        (self.lamp / "max_brightness").write_text("1\n")
        self.env = {**os.environ, "OTO_HOME": str(engine.home), "XDG_RUNTIME_DIR": str(folder)}
        self.process: subprocess.Popen[bytes] | None = None
        self.sender = -1

    def start(self) -> None:
        command = [sys.executable, "-m", "core.cli.main", "panel"]
        command += ["--device", self.device, "--lamp", str(self.lamp)]
        self.process = subprocess.Popen(command, env=self.env, cwd=REPOSITORY, stdin=subprocess.DEVNULL)
        self.wait(lambda topic: any(one.id == self.device for one in topic.present), "the pedal to be known")

    def end(self) -> None:
        if self.process is not None:
            self.process.terminate()
            assert self.process.wait(20) == 0
            self.process = None
        if self.sender >= 0:
            os.close(self.sender)
            self.sender = -1

    def topic(self) -> ControlsTopic:
        topic: ControlsTopic = self.engine.call(ListenToControls(on=False), ControlsTopic)
        return topic

    def wait(self, true: Callable[[ControlsTopic], bool], what: str) -> ControlsTopic:
        return until(self.topic, true, what)

    def teach(self, action: str | None) -> None:
        self.engine.call(TeachControl(device=self.device, control=CONTROL, action=action))  # type: ignore[arg-type]

    def plug_in(self) -> None:
        """The panel opens a pipe that was taught something; then somebody can write there."""

        def opened() -> bool:
            with contextlib.suppress(OSError):
                self.sender = os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
            return self.sender >= 0

        until(opened, bool, "the panel to read the pedal")

    def step(self) -> None:
        os.write(self.sender, NOTE + RELEASE)


def until(look, true, what, seconds=30.0):
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        seen = look()
        if true(seen):
            return seen
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds:g} s for {what}")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRig]:
    folder = tmp_path_factory.mktemp("studio")
    stage = folder / "stage"
    stage.mkdir()
    noise = np.random.default_rng(1).standard_normal(48_000) * 0.1
    soundfile.write(stage / "01 Voice.wav", noise, 48_000, subtype="PCM_24")
    with EngineRig(folder / "home", f"sim:{stage}") as engine:
        yield engine


@pytest.fixture
def rig(engine: EngineRig, tmp_path: Path) -> Iterator[PanelRig]:
    engine.call(CreateSession(name="Rehearsal"))
    panel = PanelRig(engine, tmp_path)
    panel.start()
    try:
        yield panel
    finally:
        panel.end()
        engine.call(Stop())


def test_a_pedal_records_and_stops_and_the_light_says_so(rig: PanelRig) -> None:
    brightness = rig.lamp / "brightness"
    rig.teach("record_or_stop")
    rig.plug_in()
    rig.step()
    rig.engine.wait(lambda status: status.transport.state == "recording", "the take to start")
    until(brightness.read_text, lambda text: text == "0", "the light to go out")
    until(brightness.read_text, lambda text: text == "1", "the light to come on")
    time.sleep(0.2)  # steps closer together than a foot can be are one
    rig.step()
    status = rig.engine.wait(lambda status: status.transport.state == "idle", "the take to end")
    assert [take.number for take in status.takes.takes] == [1]
    rig.end()
    assert (rig.lamp / "trigger").read_text() == "mmc0"


def test_what_was_taught_nothing_is_not_even_read(rig: PanelRig) -> None:
    with pytest.raises(OSError, match="No such device or address"):  # ENXIO: nobody reads at the other end
        os.open(rig.pipe, os.O_WRONLY | os.O_NONBLOCK)


def test_while_somebody_listens_a_press_is_told_and_does_nothing(rig: PanelRig) -> None:
    rig.teach("record")
    with rig.engine.client() as learner:
        learner.call(Attach(client="test", topics=("controls",)))
        learner.call(ListenToControls(on=True))
        rig.plug_in()
        rig.wait(lambda topic: topic.listening, "the engine to listen")
        rig.step()
        heard = rig.wait(lambda topic: topic.heard is not None, "the press").heard
        assert heard is not None
        assert (heard.device, heard.control) == (rig.device, CONTROL)
        assert rig.engine.status().transport.state == "idle"
    rig.wait(lambda topic: not topic.listening, "the engine to listen no more")


def test_a_pedal_that_is_pulled_and_plugged_in_again_works_again(rig: PanelRig) -> None:
    rig.teach("record")
    rig.plug_in()
    os.write(rig.sender, NOTE[:2])  # in the middle of a message
    os.close(rig.sender)
    rig.sender = -1
    rig.plug_in()
    rig.step()
    rig.engine.wait(lambda status: status.transport.state == "recording", "the take to start")


def test_the_panel_outlives_the_engine_and_its_light_calls_for_help_meanwhile(rig: PanelRig) -> None:
    rig.teach("record")
    rig.plug_in()
    rig.engine.end()
    changes = [0.0]
    seen = ""

    def quick() -> bool:
        nonlocal seen
        text = (rig.lamp / "brightness").read_text()
        if text and text != seen:
            seen = text
            changes.append(time.monotonic())
        return len(changes) > 8

    until(quick, bool, "the light to blink")
    rig.engine.start()
    rig.wait(lambda topic: any(one.id == rig.device for one in topic.present), "the pedal to be known again")
    until(lambda: (rig.step(), rig.engine.status())[1], lambda s: s.transport.state == "recording", "the take to start")


def test_a_panel_that_is_killed_takes_no_light_along(rig: PanelRig) -> None:
    trigger = rig.lamp / "trigger"
    assert rig.process is not None
    until(trigger.read_text, lambda text: text == "none", "the panel to take the light")
    rig.process.kill()
    rig.process.wait(20)
    command = [sys.executable, "-m", "core.cli.main", "panel", "--give-back"]
    subprocess.run(command, env=rig.env, cwd=REPOSITORY, check=True, timeout=60)
    assert trigger.read_text() == "mmc0"
    rig.start()
    until(trigger.read_text, lambda text: text == "none", "the next panel to take the light")
    rig.process.kill()
    rig.process.wait(20)
    rig.start()
    rig.end()
    assert trigger.read_text() == "mmc0"


async def test_it_ends_when_it_is_told_to_in_the_moment_that_something_changes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("OTO_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    panel = Panel([])
    work = asyncio.create_task(panel.run())
    await asyncio.sleep(0.2)
    panel._look_now.set()
    work.cancel()
    done, _ = await asyncio.wait([work], timeout=5.0)
    assert done == {work}
