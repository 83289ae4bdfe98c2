"""The recorder's keys as commands: rec, stop, mark, next, false-take, keep. Each asks the running engine one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, no_options, number
from core.cli.wire import ask

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


def _rec_options(parser: ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="name of the take")
    parser.add_argument("--pre-roll", type=number, metavar="SECONDS", help="how much before now belongs to the take")
    parser.add_argument("--seconds", type=number, help="stop after this long, to the sample")
    parser.add_argument("--overdub", type=int, metavar="TAKE", help="play this take meanwhile")
    parser.add_argument("--count-in", type=int, default=0, metavar="BARS", help="bars of click before the take")


def _rec(options: Namespace, _console: Console) -> Answer:
    take = ask(
        "record",
        name=options.name,
        preroll_s=options.pre_roll,
        seconds=options.seconds,
        overdub_of=options.overdub,
        count_in_bars=options.count_in,
    )
    return Answer({"take": take}, f"Recording take {take}.")


def _stop(_options: Namespace, _console: Console) -> Answer:
    take = ask("stop")
    return Answer({"take": take}, "Stopped." if take is None else f"Take {take} is finished and kept.")


def _name_option(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="", help="what is here: chorus, wrong note")


def _mark(options: Namespace, _console: Console) -> Answer:
    marker: dict[str, Any] = ask("mark", name=options.name)
    return Answer(marker, f"Marked {marker.get('name') or 'here'}.")


def _next(options: Namespace, _console: Console) -> Answer:
    transport = ask("status")["transport"]
    if transport.get("state") != "recording":
        from core.errors import Exit, OtoError

        raise OtoError(
            "not_recording",
            "Nothing is being recorded, so there is no next take.",
            "'oto rec' starts one.",
            Exit.FAILED,
        )
    take = ask("record", name=options.name)
    return Answer({"take": take}, f"Take {take} goes on from the last one without a gap.")


def _false_take(_options: Namespace, _console: Console) -> Answer:
    take = ask("false_take")
    return Answer({"take": take}, "Marked as a false take: kept, and its number is free again.")


def _keep_options(parser: ArgumentParser) -> None:
    parser.add_argument("seconds", type=number, help="how far back")


def _keep(options: Namespace, _console: Console) -> Answer:
    take = ask("keep_last", seconds=options.seconds)
    return Answer({"take": take}, f"Kept the last {options.seconds:g} s as take {take}.")


COMMANDS = {
    "rec": Command(
        "start a take on the running engine",
        "Start a take on the running engine; while it records, start the next take without a gap.",
        ("oto rec", "oto rec --name 'Slow version' --pre-roll 5", "oto rec --overdub 3 --count-in 2"),
        _rec_options,
        _rec,
    ),
    "stop": Command(
        "stop recording or playback",
        "Stop what the running engine records or plays. A take that ends here is finished before the command returns.",
        ("oto stop", "oto stop --json"),
        no_options,
        _stop,
    ),
    "mark": Command(
        "set a marker now",
        "Set a marker at this moment of the take that is recorded or played.",
        ("oto mark", "oto mark 'second chorus'"),
        _name_option,
        _mark,
    ),
    "next": Command(
        "end this take and go on with the next, without a gap",
        "End the take that is being recorded and go on with the next one; not a sample is lost between them.",
        ("oto next", "oto next 'Take with the bridge'"),
        _name_option,
        _next,
    ),
    "false-take": Command(
        "mark this or the last take as false",
        "Mark the take being recorded (which stops) or the last one as a false take: its files are kept aside and its\n"
        "number can be used again.",
        ("oto false-take",),
        no_options,
        _false_take,
    ),
    "keep": Command(
        "make a take of what was just played",
        "Make a take of the last seconds that were heard but not recorded. How far back that reaches is the setting\n"
        "'retro_s', or the pre-roll.",
        ("oto keep 120", "oto keep 30 --json"),
        _keep_options,
        _keep,
    ),
}
