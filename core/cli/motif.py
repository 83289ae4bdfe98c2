"""`oto motif`: a musical idea that goes with what was played, with its notes, its sound and its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, number
from core.cli.common import take_option
from core.cli.console import clock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

NAMES = {"melody": "a melody", "bass": "a bass line", "chords": "chords", "rhythm": "hand percussion"}
WISHES = ("part", "bars", "density", "mood", "seed", "key", "bpm", "at_s")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="id or name")
    take_option(parser)
    parser.add_argument("--part", help="melody, bass, chords or rhythm (default: melody)")
    parser.add_argument("--bars", type=int, metavar="1..16", help="how long (default: 4)")
    parser.add_argument("--at", dest="at_s", type=number, metavar="SECONDS", help="for the bars from here on")
    parser.add_argument("--density", type=number, metavar="0..1", help="few notes or many (default: 0.4)")
    parser.add_argument("--mood", help="plain, calm, bright, dark or driving (default: plain)")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="which idea: the same number gives the same one (default: a new one)"
    )
    parser.add_argument("--key", help="'A minor': where OTO hears another one")
    parser.add_argument("--bpm", type=number, metavar="BPM", help="the tempo, where OTO hears another one")


def _motif(options: Namespace, console: Console) -> Answer:
    from core.cli.link import do

    wanted = {name: getattr(options, name) for name in WISHES if getattr(options, name) is not None}
    value = do("motif", options.session, options.take, wanted, console)
    return Answer(value, _words(value))


def _words(value: dict[str, Any]) -> str:
    where = f"{value['bars']} bars at {value['bpm']:g} a minute, from {clock(value['start_s'])} (seed {value['seed']})"
    key = f" in {value['key']}" if value["key"] and value["part"] != "rhythm" else ""
    chords = " ".join(chord["name"] for chord in value["chords"])
    lines = [
        f"AI-generated: {NAMES[value['part']]}{key}, {where}",
        *([f"  chords  {chords}"] if chords else []),
        *([f"  notes   {value['notes_in_words']}"] if value["notes_in_words"] else []),
        *(f"  {line}" for line in value["why"]),
        f"  with the band  {value['out']}",
        f"  MIDI           {value['midi']}",
    ]
    return "\n".join(lines)


COMMANDS = {
    "motif": Command(
        "a musical idea that goes with a take",
        "Listen to a take for its beat, key and chords, and propose a motif that goes with it: a melody, a bass line,\n"
        "other chords, or hand percussion. It is kept in the session as a MIDI file and as a sketch with the band.\n"
        "The take stays as it is. Every file says that no person wrote it. Another --seed is another idea.",
        (
            "oto motif Rehearsal",
            "oto motif Rehearsal --part bass --mood driving --seed 3",
            "oto motif Rehearsal --take 2 --part chords --bars 8 --at 61.5",
            "oto motif Rehearsal --key 'F# minor' --bpm 92 --json",
        ),
        _options,
        _motif,
    ),
}
