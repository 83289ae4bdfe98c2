"""What pedals, buttons and MIDI controllers do: the dialogs of the Box screen that teach them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

from textual.app import ComposeResult
from textual.containers import Vertical

from core.protocol.requests import ListenToControls, TeachControl
from core.protocol.topics import ControlAction, ControlsTopic, HeardControl, Learnt
from tui import words
from tui.look import Look
from tui.screens.dialogs import Choice, Dialog, Pick

if TYPE_CHECKING:
    from tui.app import Studio

LEARN: Final = "learn "
FORGET: Final = "forget "
ANY: Final = ""
LOOK_EVERY_S: Final = 0.1

LABELS: Final[dict[ControlAction, str]] = {
    "record": "Record; while recording, the next take",
    "stop": "Stop",
    "record_or_stop": "Record or stop: one pedal for everything",
    "next_take": "Next take, while recording",
    "play": "Play the newest take",
    "play_or_stop": "Play or stop",
    "mark": "Marker",
    "false_take": "False take",
    "keep": "Keep what was just played",
}


async def teach(studio: Studio, look: Look) -> None:
    """Ask what to learn or forget, again and again, until Esc."""
    at: str | None = None
    while True:
        topic = studio.picture.controls
        if not topic.panel:
            studio.say("warning", "Nobody reads pedals and MIDI now.", "'oto panel' does; a box has it as a service.")
            return
        at = await studio.ask(Pick(look, "Pedals, buttons, MIDI: what to learn or forget?", choices(topic), start=at))
        if at is None:
            return
        if at.startswith(FORGET):
            one = topic.learnt[int(at.removeprefix(FORGET))]
            await studio.call(TeachControl(device=one.device, control=one.control, action=None))
            continue
        action = cast("ControlAction", at.removeprefix(LEARN))
        device = await _which(studio, look, topic)
        if device is None:
            continue
        heard = await _heard(studio, look, LABELS[action], device or None)
        if heard is not None:
            await studio.call(TeachControl(device=heard.device, control=heard.control, action=action))


def choices(topic: ControlsTopic) -> list[Choice]:
    """Everything that can be learnt, with what does it now, then what can be forgotten."""
    names = {control.id: control.name for control in topic.present}

    def told(one: Learnt | HeardControl) -> str:
        return f"{one.control} of {names.get(one.device, f'{one.device}, not plugged in')}"

    learn = [
        Choice(LEARN + action, LABELS[action], ", ".join(told(one) for one in topic.learnt if one.action == action))
        for action in get_args(ControlAction)
    ]
    forget = [
        Choice(f"{FORGET}{number}", f"Forget {told(one)}", LABELS[one.action])
        for number, one in enumerate(topic.learnt)
    ]
    return learn + forget


async def _which(studio: Studio, look: Look, topic: ControlsTopic) -> str | None:
    """Which control to listen to; asked only where a keyboard could be meant, since it is taken whole."""
    keyboards = [control for control in topic.present if control.keyboard]
    if not keyboards:
        return ANY
    others = len(topic.present) - len(keyboards)
    offered = [Choice(ANY, "Whatever is pressed", f"{others} controls, no keyboard")]
    offered += [
        Choice(one.id, words.clean(one.name), "a keyboard, or says so: all of its keys will reach OTO alone")
        for one in keyboards
    ]
    return await studio.ask(Pick(look, "Listen to what?", offered))


async def _heard(studio: Studio, look: Look, label: str, device: str | None) -> HeardControl | None:
    """Wait for a press; None when it was left with Esc."""
    before = studio.picture.controls.heard
    await studio.call(ListenToControls(on=True, device=device))
    try:
        answer = await studio.ask(Hearing(look, label, before.number if before is not None else 0))
    finally:
        await studio.call(ListenToControls(on=False))
    return studio.picture.controls.heard if answer is not None else None


class Hearing(Dialog[str]):
    """Waits for a press. What is typed meanwhile does nothing, since the pedal may be what types it."""

    def __init__(self, look: Look, label: str, before: int) -> None:
        """`before` is the number of the last press that was heard earlier."""
        super().__init__(look, label, "Nothing that is pressed does anything now. Esc leaves.")
        self._before = before

    def compose(self) -> ComposeResult:
        """Title, what to do, hint."""
        with Vertical(classes="box"):
            yield self._text("title", [(self.heading, "title")])
            yield self._text("asked", [("Press the pedal, button or pad now.", "accent")])
            yield self._text("hint", [(self._hint, "dim")])

    def on_mount(self) -> None:
        """Look for it."""
        self.set_interval(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        heard = cast("Studio", self.app).picture.controls.heard
        if heard is not None and heard.number > self._before:
            self.dismiss("heard")
