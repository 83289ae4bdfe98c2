"""`oto panel`, `oto controls`: foot switches, buttons and MIDI controllers as the recorder's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.cli.command import Answer, Command, number
from core.cli.console import table
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from core.cli.console import Console
    from core.client import Client
    from core.protocol.topics import ControlsTopic, HeardControl

HEAR_WITHIN_S = 30.0
"""How long `learn` waits for a press."""
FOR_EVER_S = 86_400.0


def _panel_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="KIND:FILE",
        help="read this too: midi:/dev/ttyAMA0, keys:/dev/input/event3; more than once for several",
    )
    parser.add_argument(
        "--lamp", metavar="NAME|FOLDER", help="a light of /sys/class/leds (default: the setting 'lamp')"
    )
    parser.add_argument(
        "--give-back", action="store_true", help="only give back the light that a killed panel had taken"
    )


def _panel(options: Namespace, _console: Console) -> Answer:
    from core.panel.main import give_back_light, run
    from devices.controls.finding import control_at

    if options.give_back:
        give_back_light()
        return Answer({"ended": True}, "")
    run([control_at(word) for word in options.device], options.lamp)
    return Answer({"ended": True}, "")


def _controls_options(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="do", metavar="list|learn|forget|test", required=True)
    words.add_parser("list", help="what is plugged in, and what was learnt")
    learn = words.add_parser("learn", help="press a key of a control, and it does this from then on")
    learn.add_argument(
        "action", help="record, stop, record_or_stop, next_take, play, play_or_stop, mark, false_take, keep"
    )
    learn.add_argument(
        "--device", metavar="D", help="this one: its identity or a part of its name; needed for keyboards"
    )
    learn.add_argument("--control", metavar="C", help="this key, without pressing it: 'note 60 on channel 1'")
    learn.add_argument(
        "--seconds",
        type=number,
        default=HEAR_WITHIN_S,
        help=f"how long to wait for a press (default: {HEAR_WITHIN_S:g})",
    )
    forget = words.add_parser("forget", help="make a control do nothing again")
    forget.add_argument("device", metavar="D", help="its identity or a part of its name")
    forget.add_argument("control", nargs="?", metavar="C", help="one of its keys (default: all)")
    test = words.add_parser("test", help="show what is pressed and what it would do, and do nothing")
    test.add_argument(
        "--device", metavar="D", help="this one: its identity or a part of its name; needed for keyboards"
    )
    test.add_argument("--presses", type=int, metavar="N", help="end after so many (default: go on until Ctrl-C)")


def _controls(options: Namespace, console: Console) -> Answer:
    from core.client import Client
    from core.protocol.requests import ListenToControls
    from core.protocol.topics import ControlsTopic

    with Client() as client:
        topic = client.call(ListenToControls(on=False), ControlsTopic)
        match options.do:
            case "learn":
                return _learn(client, topic, options, console)
            case "forget":
                return _forget(client, topic, options)
            case "test":
                return _test(topic, options, console)
        return _listed(topic)


def _listed(topic: ControlsTopic) -> Answer:
    import msgspec

    from core.panel.actions import ABOUT

    names = {control.id: control.name for control in topic.present}
    rows: list[tuple[str, ...]] = [
        (one.name, one.id, "keyboard" if one.keyboard else one.kind, _learnt_words(topic, one.id))
        for one in topic.present
    ]
    rows += [
        (f"({device})", device, "not here", _learnt_words(topic, device))
        for device in dict.fromkeys(one.device for one in topic.learnt)
        if device not in names
    ]
    text = (
        table(("control", "identity", "kind", "learnt"), rows) if rows else "Nothing with keys or MIDI is plugged in."
    )
    if not topic.panel:
        text += f"\n{_NO_PANEL}"
    value = {
        "panel": topic.panel,
        "present": [msgspec.to_builtins(control) for control in topic.present],
        "learnt": [{**msgspec.to_builtins(one), "does": ABOUT[one.action]} for one in topic.learnt],
    }
    return Answer(value, text)


_NO_PANEL = "Nobody reads controls now: 'oto panel' does (on a box, oto-panel.service)."


def _learnt_words(topic: ControlsTopic, device: str) -> str:
    return ", ".join(f"{one.control}: {one.action}" for one in topic.learnt if one.device == device) or "-"


def _learn(client: Client, topic: ControlsTopic, options: Namespace, console: Console) -> Answer:
    from core.panel.actions import ABOUT
    from core.protocol.requests import TeachControl

    if options.action not in ABOUT:
        raise OtoError("usage", f"There is nothing called {options.action!r} to learn.", _choices(), Exit.USAGE)
    device = _device(topic, options.device) if options.device else None
    if options.control is not None:
        if device is None:
            raise OtoError("usage", "--control goes with --device.", "", Exit.USAGE)
        control = options.control
    else:
        console.say(f"Press what shall {options.action} from now on ({options.seconds:g} s).")
        heard = next(_presses(topic, device, options.seconds))
        device, control = heard.device, heard.control
    assert device is not None
    client.call(TeachControl(device=device, control=control, action=options.action))
    value = {"device": device, "control": control, "action": options.action}
    text = f"{control} of {device} is {options.action} now: {ABOUT[options.action]}."
    if any(one.id == device and one.keyboard for one in topic.present):
        text += f"\nEverything on that keyboard now reaches OTO alone. 'oto controls forget {device}' gives it back."
    return Answer(value, text)


def _choices() -> str:
    from core.panel.actions import ABOUT

    return "\n     ".join(f"{action:<16}{about}" for action, about in ABOUT.items())


def _forget(client: Client, topic: ControlsTopic, options: Namespace) -> Answer:
    import msgspec

    from core.protocol.requests import TeachControl

    device = _device(topic, options.device)
    gone = [one for one in topic.learnt if one.device == device and options.control in (None, one.control)]
    if not gone:
        raise OtoError("not_found", f"Nothing of {options.device!r} was learnt.", "'oto controls list' shows what was.")
    for one in gone:
        client.call(TeachControl(device=one.device, control=one.control, action=None))
    text = "\n".join(f"{one.control} of {one.device} does nothing now." for one in gone)
    return Answer([msgspec.to_builtins(one) for one in gone], text)


def _test(topic: ControlsTopic, options: Namespace, console: Console) -> Answer:
    actions = {(one.device, one.control): one.action for one in topic.learnt}
    device = _device(topic, options.device) if options.device else None
    console.say("Nothing that is pressed does anything now. Ctrl-C ends this.")
    found = []
    for heard in _presses(topic, device, None):
        action = actions.get((heard.device, heard.control))
        console.say(f"{heard.control} of {heard.device}: {action or 'not learnt'}")
        found.append({"device": heard.device, "control": heard.control, "action": action})
        if len(found) == options.presses:
            break
    return Answer(found, "")


def _presses(topic: ControlsTopic, device: str | None, seconds: float | None) -> Iterator[HeardControl]:
    """Presses from now on; while this goes on they do nothing. Raises OtoError("not_found") when none comes."""
    from core.client import Client
    from core.protocol.requests import Attach, ListenToControls
    from core.protocol.topics import ControlsTopic

    if not topic.panel:
        raise OtoError("not_found", _NO_PANEL, "Start it in another terminal, then repeat.", Exit.NOT_FOUND)
    with Client(timeout_s=seconds or FOR_EVER_S) as listener:
        listener.call(Attach(client="cli", topics=("controls",)))
        before = listener.call(ListenToControls(on=True, device=device), ControlsTopic).heard
        number = before.number if before is not None else 0
        try:
            for now in listener.topics():
                if isinstance(now, ControlsTopic) and now.heard is not None and now.heard.number > number:
                    number = now.heard.number
                    yield now.heard
        except OtoError as error:
            if error.code != "timeout":
                raise
            raise OtoError(
                "not_found",
                "Nothing was pressed on any control.",
                "'oto controls list' shows what is plugged in; a keyboard is heard only with --device.",
                Exit.NOT_FOUND,
            ) from error


def _device(topic: ControlsTopic, word: str) -> str:
    """The identity that is meant: itself, or the only one with this in its name."""
    ids = {one.id: one.name for one in topic.present} | {
        one.device: "" for one in topic.learnt if all(one.device != each.id for each in topic.present)
    }
    if word in ids:
        return word
    alike = [id for id, name in ids.items() if word.casefold() in f"{id} {name}".casefold()]
    if len(alike) == 1:
        return alike[0]
    raise OtoError(
        "not_found",
        f"There is {'no' if not alike else 'more than one'} control {word!r}.",
        "'oto controls list' shows their identities.",
        Exit.NOT_FOUND,
    )


COMMANDS = {
    "panel": Command(
        "read foot switches and MIDI, drive the box's light",
        "Run the panel: it reads the foot switches, buttons and MIDI controllers that were taught something and\n"
        "asks the engine for it; the light named by the setting 'lamp' is on when the box is ready, blinks slowly\n"
        "while it records and fast when something needs you. A box has it as a service. What nobody taught\n"
        "anything is not read; who reads /dev/input and /dev/snd needs the groups 'input' and 'audio'.",
        ("oto panel", "oto panel --device midi:/dev/ttyAMA0", "oto panel --lamp ACT"),
        _panel_options,
        _panel,
    ),
    "controls": Command(
        "teach foot switches, buttons and MIDI controllers",
        "List what is plugged in, teach a key of it to record, stop, play or mark, forget that, or try it out. A held\n"
        "pedal counts once. Keyboards are only heard when named with --device: one that is taught something is taken\n"
        "from everything else.",
        (
            "oto controls list",
            "oto controls learn record_or_stop",
            "oto controls forget 'FootSwitch'",
            "oto controls test",
        ),
        _controls_options,
        _controls,
    ),
}
