"""What each action asks of the engine, by what the tape does just then. Pure functions."""

from __future__ import annotations

from typing import Final

from core.protocol.requests import FalseTake, KeepLast, Mark, Play, Record, Request, Stop
from core.protocol.topics import ControlAction, SettingsTopic, TakesTopic, TransportTopic

ABOUT: Final[dict[ControlAction, str]] = {
    "record": "start a take; while recording, the next one without a gap",
    "stop": "stop recording or playing",
    "record_or_stop": "start a take, or stop it: one pedal for everything",
    "next_take": "while recording, go on with the next take without a gap",
    "play": "play the newest take",
    "play_or_stop": "play the newest take, or stop",
    "mark": "set a marker",
    "false_take": "set this take, or the last one, aside",
    "keep": "make a take of what was just played",
}
"""What there is to learn, in words."""

MOVING: Final = ("recording", "counting_in", "playing")
RECORDING: Final = ("recording", "counting_in")


def request_for(
    action: ControlAction, transport: TransportTopic, takes: TakesTopic, settings: SettingsTopic
) -> Request | None:
    """The request; None where the action means nothing now."""
    recording = transport.state in RECORDING
    match action:
        case "record":
            return Record()
        case "stop":
            return Stop()
        case "record_or_stop":
            return Stop() if recording else Record()
        case "next_take":
            return Record() if recording else None
        case "play":
            return _newest(takes)
        case "play_or_stop":
            return Stop() if transport.state in MOVING else _newest(takes)
        case "mark":
            return Mark() if transport.state in MOVING else None
        case "false_take":
            return FalseTake()
        case "keep":
            reach_s = max(_number(settings, "retro_s"), _number(settings, "preroll_s"))
            return KeepLast(seconds=reach_s) if reach_s > 0 else None


def _newest(takes: TakesTopic) -> Play | None:
    good = [take.number for take in takes.takes if not take.false_take and take.status != "recording"]
    return Play(take=good[-1], at_s=0.0) if good else None


def _number(settings: SettingsTopic, name: str) -> float:
    value = settings.values.get(name)
    return float(value) if isinstance(value, int | float) else 0.0
