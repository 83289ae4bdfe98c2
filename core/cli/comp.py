"""`oto comp`: the best parts of several takes of a session as a new take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from core import paths
from core.cli.command import Answer, Command, number
from core.cli.console import clock
from core.errors import Exit, OtoError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console
    from sessions.model import CompPart, Take

_PART: Final = re.compile(r"(\d+)(?:f(\d+))?:(.*)")
_TIME: Final = re.compile(r"(?:(\d+):)?(?:(\d+):)?(\d+(?:\.\d+)?)")
_OFFSET: Final = re.compile(r"(\d+):([+-]?\d+(?:\.\d+)?)")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="id or name")
    parser.add_argument(
        "--part",
        action="append",
        required=True,
        metavar="TAKE:FROM-TO",
        help="a stretch of a take, by times (1:12.5), markers by their names, 'start' and 'end' (repeatable, in order)",
    )
    parser.add_argument(
        "--offset",
        action="append",
        default=[],
        metavar="TAKE:MS",
        help="times in this take are meant this much later (repeatable)",
    )
    parser.add_argument("--fade", type=number, default=15.0, metavar="MS", help="how long a seam takes (default: 15)")
    parser.add_argument("--name", default="", help="name of the new take")


def _comp(options: Namespace, console: Console) -> Answer:
    import msgspec

    from core.cli.link import do
    from sessions.model import Comp

    takes = _takes(options.session)
    offsets_ms = dict(_offset(text) for text in options.offset)
    comp = Comp(parts=tuple(part_of(text, takes, offsets_ms) for text in options.part), fade_ms=options.fade)
    wanted = {"comp": msgspec.json.encode(comp).decode(), "name": options.name}
    value = do("comp", options.session, None, wanted, console)
    length = clock(value["frames"] / value["rate_hz"])
    lines = [f"Take {value['take']} is made of {len(value['parts'])} parts, {length}.", *value["notes"]]
    return Answer(value, "\n  ".join(lines))


def _takes(session: str) -> list[Take]:
    from core.cli.link import engine_if_any
    from core.protocol.requests import ListTakes
    from sessions.model import Take
    from sessions.store import Library

    client = engine_if_any()
    if client is not None:
        with client:
            return client.call(ListTakes(session=session), type=list[Take])
    library = Library(paths.library())
    return library.takes(library.session(session).id)


def part_of(text: str, takes: Sequence[Take], offsets_ms: dict[int, float]) -> CompPart:
    """What "3:0:00-1:12" or "5:Chorus-end" stands for; "3f1:..." is a false take. Raises OtoError."""
    from sessions.model import CompPart

    found = _PART.fullmatch(text)
    if found is None:
        raise _not_understood(text, "A part is TAKE:FROM-TO, such as 3:0:00-1:12 or 5:Chorus-end.")
    number, false_number = int(found[1]), int(found[2] or 0)
    take = next((one for one in takes if (one.number, one.false_number) == (number, false_number)), None)
    if take is None:
        raise OtoError("not_found", f"There is no take {number} to take a part of.", "'oto takes' lists them.")
    offset = round(offsets_ms.get(number, 0.0) / 1000.0 * take.rate_hz)
    words = found[3].split("-")
    for cut in range(1, len(words)):  # a marker's name may have a hyphen in it
        start = _place("-".join(words[:cut]).strip() or "start", take, offset)
        end = _place("-".join(words[cut:]).strip() or "end", take, offset)
        if start is not None and end is not None:
            return CompPart(take=number, false_number=false_number, start_samples=start, end_samples=end)
    markers = ", ".join(marker.name for marker in take.markers) or "none"
    raise _not_understood(
        text, f"FROM and TO are times (1:12.5), 'start', 'end' or markers; those of take {number}: {markers}."
    )


def _place(word: str, take: Take, offset: int) -> int | None:
    """A place in a take in samples; None for what is none."""
    if word in ("start", "end"):
        return 0 if word == "start" else take.frames
    for marker in take.markers:
        if marker.name.casefold() == word.casefold():
            return marker.at_samples
    time = _TIME.fullmatch(word)
    if time is None:
        return None
    parts = [int(part) for part in (time[1], time[2]) if part is not None]
    seconds = float(time[3])
    for power, part in enumerate(reversed(parts), start=1):
        seconds += part * 60**power
    return min(max(round(seconds * take.rate_hz) + offset, 0), max(take.frames, round(seconds * take.rate_hz)))


def _offset(text: str) -> tuple[int, float]:
    found = _OFFSET.fullmatch(text)
    if found is None:
        raise _not_understood(text, "An offset is TAKE:MILLISECONDS, such as 5:230 or 5:-40.")
    return int(found[1]), float(found[2])


def _not_understood(text: str, hint: str) -> OtoError:
    return OtoError("usage", f"{text!r} is not understood.", hint, Exit.USAGE)


COMMANDS = {
    "comp": Command(
        "put the best parts of several takes together",
        "Make a new take out of stretches of a session's takes, one after the other. Seams go over within a few\n"
        "milliseconds; outside of them every sample is the take's own. The takes are only read. Times are of the take\n"
        "that is named; markers of one name put the seams of two takes at the same musical place.\n"
        "Through the running engine's queue if there is one, else right here.",
        (
            "oto comp Rehearsal --part 3:0:00-1:12 --part 5:1:12-end",
            "oto comp Rehearsal --part 3:start-Chorus --part 5:Chorus-end --name 'Best'",
            "oto comp Rehearsal --part 3:0-1:12 --part 5:1:12-end --offset 5:230 --json",
        ),
        _options,
        _comp,
    ),
}
