"""How a take is laid out in files: folder and file names, and what each file says of itself. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sessions.chunks import WavInfo
from sessions.model import Marker, Take, TakeTrack
from sessions.names import track_file_name

TAKE_FILE: Final = "take.json"
JOURNAL_FILE: Final = "journal.jsonl"
SUMS_FILE: Final = "SHA256SUMS"
ROOM_FILE: Final = ".room-to-close"
"""Lies beside a take while it is recorded and gives its space back for the last words."""

_TAKE_FOLDER: Final = re.compile(r"(\d{3,})(?: false (\d+))?")
_DAY_S: Final = 24 * 60 * 60


def take_folder_name(number: int, false_number: int = 0) -> str:
    """Folder of a take: "003", or "003 false 1" for a false one."""
    return f"{number:03d} false {false_number}" if false_number else f"{number:03d}"


def parse_take_folder(name: str) -> tuple[int, int] | None:
    """Number and false number out of a folder's name; None when it is not a take's."""
    found = _TAKE_FOLDER.fullmatch(name)
    if found is None:
        return None
    place = int(found[1]), int(found[2] or 0)
    return place if take_folder_name(*place) == name else None


def clip_file_name(take: Take, track_id: str, clip: int = 1) -> str:
    """File name of a track's n-th clip: "01 Kick.wav", "01 Kick (2).wav". Raises KeyError for an unknown track."""
    for order, track in enumerate(take.tracks, start=1):
        if track.id == track_id:
            return track_file_name(order, track.name, clip)
    raise KeyError(track_id)


def clip_info(take: Take, track: TakeTrack, session_name: str, start_samples: int = 0) -> WavInfo:
    """What the header of a clip says, when the clip starts `start_samples` into the take."""
    return WavInfo(
        description=f"{session_name}, take {take.number}: {track.name}",
        originator_reference=f"OTO {session_name}",
        session_name=session_name,
        scene=take.name,
        take_number=take.number,
        track_name=track.name,
        started_utc=_later(take.started_utc, start_samples / take.rate_hz),
        time_reference_samples=(take.time_reference_samples + start_samples) % (_DAY_S * take.rate_hz),
    )


def start_of(take: Take, time_reference_samples: int) -> int:
    """Where on the take's timeline a file with this bext time reference starts: the inverse of `clip_info`."""
    return (time_reference_samples - take.time_reference_samples) % (_DAY_S * take.rate_hz)


def markers_from(markers: Sequence[Marker], start_samples: int) -> tuple[Marker, ...]:
    """The take's markers as positions within a clip that starts there; earlier ones are left out."""
    return tuple(
        Marker(at_samples=marker.at_samples - start_samples, name=marker.name)
        for marker in markers
        if marker.at_samples >= start_samples
    )


def _later(utc: str, seconds: float) -> str:
    try:
        return (datetime.fromisoformat(utc) + timedelta(seconds=seconds)).isoformat(timespec="seconds")
    except ValueError:
        return utc
