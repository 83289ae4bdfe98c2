"""`oto record`: a whole take as one command, on the running engine or on one that it starts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, number
from core.cli.console import clock
from core.client import Client, ensure_engine
from core.errors import Exit, OtoError
from core.protocol.requests import (
    Attach,
    CreateSession,
    EditTrack,
    GetStatus,
    ListTakes,
    OpenSession,
    Record,
    SelectDevice,
    Stop,
)
from core.protocol.topics import DeviceTopic, Meters, Session, Status, Take, TransportTopic
from sessions.layout import take_folder_name

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console

DEVICE_TIMEOUT_S = 8.0
"""How long an interface that was just plugged in, or an engine that was just started, may take."""

SETUP_TIMEOUT_S = 600.0
"""How long the simulated band may take to be played once, on a slow box, before it can be recorded."""

SILENCE_S = 86_400.0
"""How long an engine whose interface is away may have nothing to tell; a dead one ends the connection at once."""

HIGHEST_INPUT = 1024

FINISH_TIMEOUT_S = 60.0


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("--session", metavar="S", help="id or name; made if there is none (default: the open one)")
    parser.add_argument(
        "--device", metavar="D", help="interface by id or part of its name; 'sim' is the simulated band"
    )
    parser.add_argument("--rate", type=int, metavar="HZ", help="sample rate of the interface, with --device")
    parser.add_argument("--inputs", metavar="LIST", help="arm these inputs only, as in 1,3-8")
    parser.add_argument("--seconds", type=number, metavar="N", help="stop after N seconds, to the sample")
    parser.add_argument("--pre-roll", type=number, default=0.0, metavar="SECONDS", help="how much before now to keep")
    parser.add_argument("--name", default="", help="name of the take")


def _record(options: Namespace, console: Console) -> Answer:
    if options.seconds is not None and options.seconds <= 0:
        raise OtoError("usage", "--seconds is more than 0.", "", Exit.USAGE)
    ensure_engine()
    value = take_in_one_go(
        console,
        device=options.device,
        rate_hz=options.rate,
        session=options.session,
        inputs=None if options.inputs is None else parse_inputs(options.inputs),
        seconds=options.seconds,
        preroll_s=options.pre_roll,
        name=options.name,
    )
    lost = f", {value['gaps']} gaps" if value["gaps"] else ", nothing lost"
    length = clock(value["frames"] / value["rate_hz"])
    text = f"Take {value['take']}: {length}, files {len(value['files'])}{lost}\n  " + "\n  ".join(value["files"])
    return Answer(value, text, Exit.FAILED if value["short"] else Exit.OK)


def take_in_one_go(
    console: Console,
    *,
    device: str | None = None,
    rate_hz: int | None = None,
    session: str | None = None,
    inputs: frozenset[int] | None = None,
    seconds: float | None = None,
    preroll_s: float = 0.0,
    name: str = "",
) -> dict[str, Any]:
    """Record a take on the running engine and wait until its files are closed; returns it as `oto record --json` does.

    Raises OtoError: "no_device" when no interface can be opened, or what the engine refuses with.
    """
    with Client(timeout_s=SETUP_TIMEOUT_S) as client:
        if device is not None:
            client.call(SelectDevice(device=device, rate_hz=rate_hz), type=DeviceTopic)
        _wait_for_interface(client)
        opened = _session(client, session)
        if rate_hz not in (None, opened.rate_hz):
            console.say(
                f"This is recorded at {opened.rate_hz} Hz, not at {rate_hz}: the interface or the session "
                f"'{opened.name}' has that rate."
            )
        if inputs is not None:
            _arm(client, opened, inputs)
        number = client.call(Record(name=name, preroll_s=preroll_s, seconds=seconds), type=int)
    console.say(f"Recording take {number} of '{opened.name}'. Ctrl-C stops it.")
    interrupted = _watch(number, seconds, console)
    take, folder = _finished(opened.id, number)
    short = seconds is not None and not interrupted and take.frames < int(seconds * take.rate_hz)
    if short:
        console.say("The take ended before its time; 'oto status' says why. What was captured is kept.")
    return {**_value(take, folder), "short": short}


def parse_inputs(text: str) -> frozenset[int]:
    """Input numbers from "1,3-8". Raises OtoError("usage")."""
    found: set[int] = set()
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            inputs = range(int(first), int(last or first) + 1)
            if not inputs or inputs[-1] > HIGHEST_INPUT:
                raise ValueError(part)
            found.update(inputs)
    except ValueError as error:
        raise OtoError("usage", f"{text!r} is no list of inputs.", "Write it as 1,3-8.", Exit.USAGE) from error
    return frozenset(found)


def _wait_for_interface(client: Client) -> None:
    """Return when an interface is open. Raises OtoError("no_device") with what the engine says about it."""
    started = time.monotonic()
    while True:
        status = client.call(GetStatus(), type=Status)
        if status.transport.state != "no_device":
            return
        simulated = (status.device.wanted or "").startswith("sim")
        problem = status.device.problem
        if problem is not None or time.monotonic() - started > (SETUP_TIMEOUT_S if simulated else DEVICE_TIMEOUT_S):
            raise OtoError(
                "no_device",
                problem.message if problem else "No audio interface is plugged in.",
                (problem.hint if problem else "") or "Plug one in, or use the simulated band: oto record --device sim",
                Exit.NO_DEVICE,
            )
        time.sleep(0.1)


def _session(client: Client, wanted: str | None) -> Session:
    """The session to record into, opened: the one named (made if new), else the open one, else a new one."""
    if wanted is None:
        opened = client.call(GetStatus(), type=Status).session.session
        return opened if opened is not None else client.call(CreateSession(), type=Session)
    try:
        return client.call(OpenSession(session=wanted), type=Session)
    except OtoError as error:
        if error.code != "not_found":
            raise
    return client.call(CreateSession(name=wanted), type=Session)


def _arm(client: Client, session: Session, inputs: frozenset[int]) -> None:
    missing = inputs - {track.input for track in session.tracks}
    if missing:
        raise OtoError("bad_input", f"The session has no track on input {min(missing)}.", "", Exit.BAD_INPUT)
    for track in session.tracks:
        client.call(EditTrack(track=track.id, armed=track.input in inputs), type=Session)


def _watch(number: int, seconds: float | None, console: Console) -> bool:
    """Show how the take goes until it ends; Ctrl-C ends it. Returns whether a person did."""
    try:
        with Client(timeout_s=SILENCE_S) as client:
            client.call(Attach(client="cli", topics=("transport",), meters=True))
            for topic in client.topics():
                if isinstance(topic, TransportTopic) and not _runs(topic, number):
                    return False
                if isinstance(topic, Meters):
                    loudest = max(topic.peak_dbfs, default=-120.0)
                    fraction = topic.position_s / seconds if seconds else 0.0
                    console.progress(fraction, f"{clock(topic.position_s)}  loudest input {loudest:.0f} dBFS")
    except KeyboardInterrupt:
        # A new connection, because the signal may have come in the middle of a message on the other.
        with Client() as client:
            client.call(Stop())
        return True
    raise AssertionError("topics end only by an error")


def _runs(transport: TransportTopic, number: int) -> bool:
    return transport.state in ("recording", "counting_in") and transport.take == number


def _finished(session_id: str, number: int) -> tuple[Take, Path]:
    """The take once its files are closed, and its folder."""
    deadline = time.monotonic() + FINISH_TIMEOUT_S
    with Client() as client:
        while True:
            takes = client.call(ListTakes(session=session_id), type=list[Take])
            take = next((take for take in takes if take.number == number and not take.false_take), None)
            if take is not None and take.status != "recording":
                path = client.call(GetStatus(), type=Status).session.path
                return take, Path(path) / "takes" / take_folder_name(number)
            if time.monotonic() > deadline:
                raise OtoError("timeout", f"Take {number} is not finished yet; the engine goes on with it.")
            time.sleep(0.05)


def _value(take: Take, folder: Path) -> dict[str, Any]:
    return {
        "session": take.session,
        "take": take.number,
        "files": [str(folder / clip.file) for clip in take.clips],
        "frames": take.frames,
        "rate_hz": take.rate_hz,
        "gaps": len(take.gaps),
        "overflows": take.losses.overflows,
        "ring_overruns": take.losses.ring_overruns,
        "disk_errors": take.losses.disk_errors,
    }


COMMANDS = {
    "record": Command(
        "record a take, from start to end",
        "Record a take and wait until it is finished: for N seconds, or until Ctrl-C, which stops it cleanly.\n"
        "Uses the running engine, or starts one. Closing the terminal does not end the take: 'oto stop' does.",
        (
            "oto record --session Rehearsal",
            "oto record --device sim --seconds 20 --json",
            "oto record --device 'Scarlett 18i20' --inputs 1-8 --pre-roll 5",
        ),
        _options,
        _record,
    ),
}
