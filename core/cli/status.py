"""`oto status`: what the running engine is doing, on one screen or as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.command import Answer, Command, no_options
from core.cli.console import clock, size
from core.cli.wire import ask

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.console import Console


def _status(_options: Namespace, _console: Console) -> Answer:
    status: dict[str, Any] = ask("status")
    return Answer(status, "\n".join(_lines(status)))


def _lines(status: dict[str, Any]) -> list[str]:
    transport, device, box = status["transport"], status["device"], status["box"]
    session = status["session"].get("session")
    state = {"no_device": "no interface", "counting_in": "counting in"}.get(transport["state"], transport["state"])
    if transport.get("take") is not None:
        state += f", take {transport['take']}, {clock(transport['position_s'])}"
    current = device.get("current")
    interface = f"{current['name']}, {current['inputs']} in, {device['rate_hz']} Hz" if current else "none"
    problem = device.get("problem")
    if problem:
        interface += f" ({problem['message']})"
    lines = [
        f"state      {state}",
        f"interface  {interface}",
        f"session    {session['name'] if session else 'none'}",
        f"takes      {len(status['takes']['takes'])}",
        f"left       {clock(transport.get('remaining_s'))} of recording, {size(box['disk_free_bytes'])} free",
    ]
    losses = {name: count for name, count in transport["losses"].items() if count}
    if losses:
        lines.append("lost       " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in losses.items()))
    lines += [
        f"job        {job['kind']} {job['state']} {job['fraction']:.0%} {job['doing']}".rstrip()
        for job in status["jobs"]["jobs"]
        if job["state"] in ("queued", "running")
    ]
    lines += [f"{notice['level']:<9}  {notice['message']}" for notice in status["notices"]["notices"][-3:]]
    return lines


COMMANDS = {
    "status": Command(
        "what the engine is doing",
        "Show what the running engine is doing: state, interface, session, room on the disk, jobs, the last notices.\n"
        "With --json every topic of the engine at once.",
        ("oto status", "oto status --json | jq .transport.state"),
        no_options,
        _status,
    ),
}
