"""The chunks of a broadcast WAV as bytes: bext, iXML, cue points with their names. Pure functions, no files.

Sources: EBU Tech 3285 v2 (bext), iXML specification 2.10 (iXML), Microsoft "Multimedia Programming Interface and Data
Specifications 1.0" (cue, LIST adtl).
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from typing import Final
from xml.etree import ElementTree

import msgspec

from sessions.model import Marker

BEXT_FIXED_BYTES: Final = 602
"""Size of a bext chunk's body before the coding history."""

_BEXT: Final = struct.Struct("<256s32s32s10s8sQH64s5h180s")
_UNKNOWN_LOUDNESS: Final = 0x7FFF
"""EBU Tech 3285 v2: what a loudness field holds when it was not measured."""


class BextLoudness(msgspec.Struct, frozen=True, kw_only=True):
    """Measured loudness, as version 2 of bext carries it; None where undefined."""

    integrated_lufs: float | None = None
    loudness_range_lu: float | None = None
    true_peak_dbtp: float | None = None
    momentary_max_lufs: float | None = None
    short_term_max_lufs: float | None = None


class WavInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says about itself, beside its audio."""

    description: str = ""
    originator: str = "OTO"
    originator_reference: str = ""
    session_name: str = ""
    scene: str = ""
    """The take's name, or what is played in it; the session's name stands in when empty."""
    take_number: int | None = None
    track_name: str = ""
    note: str = ""
    started_utc: str = ""
    """ISO 8601, of the file's first sample; written as local date and time."""
    time_reference_samples: int = 0
    """Samples since local midnight at the file's first sample."""
    loudness: BextLoudness | None = None
    """None writes version 1 of bext, which has no loudness."""


class Bext(msgspec.Struct, frozen=True, kw_only=True):
    """A bext chunk as read."""

    version: int
    description: str
    originator: str
    originator_reference: str
    date: str
    """yyyy-mm-dd, local; "" when absent."""
    time: str
    """hh:mm:ss, local."""
    time_reference_samples: int
    loudness: BextLoudness | None
    coding_history: str


class Ixml(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an iXML chunk that OTO reads."""

    project: str = ""
    scene: str = ""
    take: str = ""
    track_names: dict[int, str] = {}
    """Channel of the file, from 1, to the track's name."""


def chunk(name: bytes, body: bytes) -> bytes:
    """A RIFF chunk: name, size, body, and the pad byte that an odd body needs."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def bext_body(info: WavInfo, coding_history: str, size: int) -> bytes:
    """A bext chunk's body of exactly `size` bytes, the coding history padded with zeros (EBU Tech 3285 v2, 2.3)."""
    date, time = _local_date_time(info.started_utc)
    loudness = info.loudness
    figures = [0] * 5 if loudness is None else [_hundredths(value) for value in msgspec.structs.astuple(loudness)]
    fixed = _BEXT.pack(
        _ascii(info.description)[:256],
        _ascii(info.originator)[:32],
        _ascii(info.originator_reference)[:32],
        date,
        time,
        info.time_reference_samples,
        1 if loudness is None else 2,
        b"",
        *figures,
        b"",
    )
    return (fixed + _ascii(coding_history)[: size - BEXT_FIXED_BYTES]).ljust(size, b"\0")


def parse_bext(body: bytes) -> Bext | None:
    """Read a bext chunk of any version; None when it is too short to be one."""
    if len(body) < BEXT_FIXED_BYTES:
        return None
    description, originator, reference, date, time, samples, version, _, *figures, _ = _BEXT.unpack_from(body)
    return Bext(
        version=version,
        description=_text(description),
        originator=_text(originator),
        originator_reference=_text(reference),
        date=_text(date).replace(":", "-").replace("_", "-"),
        time=_text(time).replace("-", ":").replace("_", ":"),
        time_reference_samples=samples,
        loudness=_loudness(figures) if version >= 2 else None,
        coding_history=_text(body[BEXT_FIXED_BYTES:]),
    )


def ixml_body(info: WavInfo, rate_hz: int, bits: int, channels: int) -> bytes:
    """An iXML document: project, scene, take, speed, and the list of tracks with their names."""
    sides = ("",) if channels == 1 else (" L", " R") if channels == 2 else tuple(f" {n + 1}" for n in range(channels))
    tracks = "".join(
        f"<TRACK><CHANNEL_INDEX>{index}</CHANNEL_INDEX><INTERLEAVE_INDEX>{index}</INTERLEAVE_INDEX>"
        f"<NAME>{_xml(info.track_name + side)}</NAME></TRACK>"
        for index, side in enumerate(sides, start=1)
    )
    high, low = divmod(info.time_reference_samples, 1 << 32)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<BWFXML><IXML_VERSION>2.10</IXML_VERSION>'
        f"<PROJECT>{_xml(info.session_name)}</PROJECT><SCENE>{_xml(info.scene or info.session_name)}</SCENE>"
        f"<TAKE>{'' if info.take_number is None else info.take_number}</TAKE><NOTE>{_xml(info.note)}</NOTE>"
        f"<SPEED><FILE_SAMPLE_RATE>{rate_hz}</FILE_SAMPLE_RATE><AUDIO_BIT_DEPTH>{bits}</AUDIO_BIT_DEPTH>"
        f"<DIGITIZER_SAMPLE_RATE>{rate_hz}</DIGITIZER_SAMPLE_RATE>"
        f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>{high}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>"
        f"<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>{low}</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>"
        f"<TIMESTAMP_SAMPLE_RATE>{rate_hz}</TIMESTAMP_SAMPLE_RATE></SPEED>"
        f"<TRACK_LIST><TRACK_COUNT>{channels}</TRACK_COUNT>{tracks}</TRACK_LIST></BWFXML>\n"
    ).encode()


def parse_ixml(body: bytes) -> Ixml | None:
    """Read an iXML chunk; None when it is not XML, or brings entities of its own (no recorder writes those)."""
    text = body.rstrip(b"\0")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return None
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    names: dict[int, str] = {}
    for order, track in enumerate(root.iterfind("TRACK_LIST/TRACK"), start=1):
        index = track.findtext("INTERLEAVE_INDEX", "").strip()
        name = track.findtext("NAME", "").strip()
        if name:
            names[int(index) if index.isdecimal() else order] = name
    words = {key: (root.findtext(key.upper()) or "").strip() for key in ("project", "scene", "take")}
    return Ixml(**words, track_names=names)


def cue_chunks(markers: Sequence[Marker]) -> bytes:
    """A cue chunk and the LIST adtl that names its points; nothing without markers.

    Cue points hold 32 bits: markers past 2^32 samples (24 hours at 48 kHz) stay in the take's journal alone.
    """
    points = [marker for marker in sorted(markers, key=lambda m: m.at_samples) if 0 <= marker.at_samples < 1 << 32]
    if not points:
        return b""
    cues = b"".join(
        struct.pack("<II4sIII", number, marker.at_samples, b"data", 0, 0, marker.at_samples)
        for number, marker in enumerate(points, start=1)
    )
    labels = b"".join(
        chunk(b"labl", struct.pack("<I", number) + marker.name.encode() + b"\0")
        for number, marker in enumerate(points, start=1)
        if marker.name
    )
    named = chunk(b"LIST", b"adtl" + labels) if labels else b""
    return chunk(b"cue ", struct.pack("<I", len(points)) + cues) + named


def parse_cues(body: bytes, labels: dict[int, str]) -> tuple[Marker, ...]:
    """Markers out of a cue chunk's body and the labels of `parse_labels`, in order of position."""
    points = struct.iter_unpack("<II4sIII", body[4 : 4 + (len(body) - 4) // 24 * 24])
    markers = (Marker(at_samples=offset, name=labels.get(number, "")) for number, _, _, _, _, offset in points)
    return tuple(sorted(markers, key=lambda marker: marker.at_samples))


def parse_labels(body: bytes) -> dict[int, str]:
    """Cue point number to name out of a LIST adtl chunk's body."""
    labels: dict[int, str] = {}
    for name, content in iterate(body[4:]):
        if name == b"labl" and len(content) >= 4:
            labels[int.from_bytes(content[:4], "little")] = _text(content[4:])
    return labels


def iterate(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks within a chunk."""
    at = 0
    while at + 8 <= len(body):
        size = int.from_bytes(body[at + 4 : at + 8], "little")
        yield body[at : at + 4], body[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _ascii(text: str) -> bytes:
    """What bext can hold: accents are taken off, what has no ASCII form becomes "?". iXML keeps the true spelling."""
    decomposed = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(decomposed).encode("ascii", "replace")


def _text(field: bytes) -> str:
    raw = field.split(b"\0", 1)[0]
    try:
        return raw.decode().strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def _xml(text: str) -> str:
    return escape("".join(c for c in text if c.isprintable() or c in "\t\n"), quote=False)


def _local_date_time(utc: str) -> tuple[bytes, bytes]:
    try:
        local = datetime.fromisoformat(utc).astimezone()
    except ValueError:
        return b"", b""
    return local.strftime("%Y-%m-%d").encode(), local.strftime("%H:%M:%S").encode()


def _hundredths(value: float | None) -> int:
    return _UNKNOWN_LOUDNESS if value is None else max(-32768, min(32766, round(value * 100)))


def _loudness(figures: Sequence[int]) -> BextLoudness:
    values = (None if figure == _UNKNOWN_LOUDNESS else figure / 100 for figure in figures)
    return BextLoudness(**dict(zip(BextLoudness.__struct_fields__, values, strict=True)))
