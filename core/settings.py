"""What a person has set, typed, validated and kept in settings.json."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from core.errors import OtoError
from sessions.files import write_atomic
from sessions.model import SampleFormat
from sessions.names import unique_name

StripCacheMB = Literal["auto", "off", "1000", "2000", "4000", "8000"]
AutoRecord = Literal["off", "start", "signal"]
AutoExport = Literal["masters", "all", "off"]


def _about(explanation: str, unit: str = "", low: float | None = None, high: float | None = None) -> msgspec.Meta:
    """What a person sees when asking, and what is allowed."""
    return msgspec.Meta(description=explanation, extra={"unit": unit}, ge=low, le=high)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings."""

    device: Annotated[
        str | None, _about("Identity of the interface to use. Without one the first real one is taken, else OTO waits.")
    ] = None
    rate_hz: Annotated[int, _about("Sample rate of new sessions.", "Hz", 44_100, 192_000)] = 48_000
    sample_format: Annotated[
        SampleFormat, _about("Format of new sessions' files: pcm24, or float32 for levels beyond full scale.")
    ] = "pcm24"
    preroll_s: Annotated[float, _about("How much before REC belongs to a take.", "s", 0.0, 60.0)] = 10.0
    retro_s: Annotated[
        float,
        _about(
            "How far back 'keep the last minutes' reaches, in a file on disk. "
            "0 reaches as far as the pre-roll, in memory.", "s", 0.0, 7_200.0,
        ),
    ] = 0.0  # fmt: skip
    mirror_folder: Annotated[
        str, _about("A second folder that every take is also written to; its failure never stops the first.")
    ] = ""
    monitor: Annotated[
        bool,
        _about("Play inputs to the outputs through the computer: late by the round trip, unlike direct monitoring."),
    ] = False
    outputs: Annotated[int, _about("How many outputs to open for playback; 0 opens inputs alone.", "", 0, 64)] = 2
    click: Annotated[bool, _about("A metronome on the outputs while recording.")] = False
    tempo_bpm: Annotated[float, _about("Tempo of the metronome.", "BPM", 20.0, 400.0)] = 120.0
    beats_per_bar: Annotated[int, _about("Beats in a bar of the metronome.", "", 1, 16)] = 4
    lamp: Annotated[
        str,
        _about("The box's light that 'oto panel' drives: on is ready, slow is recording, fast is trouble. '' is none."),
    ] = ""
    tones: Annotated[
        bool, _about("Short tones on the outputs: rising when a take starts, falling when it ends, low for trouble.")
    ] = False
    auto_record: Annotated[
        AutoRecord,
        _about("Record by itself: 'start' when the engine starts, 'signal' whenever an armed input is loud enough."),
    ] = "off"
    auto_record_dbfs: Annotated[float, _about("How loud is loud enough to record.", "dBFS", -90.0, 0.0)] = -40.0
    auto_stop_s: Annotated[
        float, _about("A take that began by signal ends after this much silence.", "s", 1.0, 3_600.0)
    ] = 30.0
    auto_export: Annotated[
        AutoExport, _about("What goes by itself to drives that are marked for it: masters, masters and mixes, nothing.")
    ] = "masters"
    controls: dict[str, dict[str, str]] = {}
    """What the keys of foot switches and MIDI controllers do, by device and key."""
    taste: Annotated[
        bool, _about("Proposals lean to what you changed in earlier mixes of this studio; 'oto taste' tells how.")
    ] = True
    taste_since: Annotated[
        str, _about("Takes first mixed before this moment (UTC) say nothing of your taste. Empty: all of them count.")
    ] = ""
    strip_cache_mb: Annotated[
        StripCacheMB,
        _about(
            "Megabytes of the disk for rendered strips and reverbs, which make a mix with another fader a sum: 16 "
            "tracks of 4 minutes take 1000. auto: 2000, but none on an SD card, which would wear and be no faster."
        ),
    ] = "auto"
    round_trips: dict[str, int] = {}
    """Measured round trip in samples by "interface@rate"."""


def load(path: Path) -> Settings:
    """Read settings; a missing file means defaults. Raises OtoError("bad_input") naming the field that is wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        return Settings()
    except ValueError as error:
        name = _name_in(error)
        if name:
            why = f"{name} takes {_taken(name)}"
        elif isinstance(error, msgspec.ValidationError):
            why = "it is no JSON object of settings by name"
        else:
            why = f"it is no whole JSON ({error})"
        raise OtoError(
            "bad_input",
            f"The settings in {path} can't be used: {why}.",
            "Correct the file, or move it away for defaults.",
        ) from error


def mend(path: Path) -> Settings:
    """Settings out of a file that `load` refuses: what reads of them, and defaults for the rest.

    They take the file's place; it is kept beside them ("settings.json.damaged"). Raises OSError.
    """
    read: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        read = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    mended = Settings()
    for name, value in read.items():
        with contextlib.suppress(OtoError):
            mended = changed(mended, {name: value})
    taken = (other.name for other in path.parent.iterdir())
    path.rename(path.with_name(unique_name(f"{path.name}.damaged", taken)))
    save(mended, path)
    return mended


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Settings with some fields changed. Raises OtoError("bad_input") for an unknown name or a value out of range."""
    unknown = sorted(set(changes) - set(Settings.__struct_fields__))
    if unknown:
        raise OtoError(
            "bad_input",
            f"There is no setting {unknown[0]!r}.",
            "Settings: " + ", ".join(Settings.__struct_fields__) + ".",
        )
    mirror = changes.get("mirror_folder")
    if isinstance(mirror, str) and mirror and not Path(mirror).expanduser().is_absolute():
        raise OtoError(
            "bad_input",
            f"{mirror!r} says not where the mirror is: the engine works elsewhere than you.",
            "Give the whole path, such as /media/BACKUP.",
        )
    since = changes.get("taste_since")
    if isinstance(since, str) and since:
        changes = {**changes, "taste_since": _utc(since)}
    try:
        return msgspec.convert({**msgspec.structs.asdict(settings), **changes}, Settings, strict=False)
    except msgspec.ValidationError as error:
        name = _name_in(error)
        value = msgspec.json.encode(changes.get(name)).decode()
        raise OtoError(
            "bad_input", f"{name} can't be {value}: it takes {_taken(name)}.", "The settings are as they were."
        ) from error


def _name_in(error: Exception) -> str:
    """The setting that msgspec's words are about; empty where they are about no single one."""
    at = re.search(r"`\$\.(\w+)", str(error))
    return at[1] if at else ""


def _taken(name: str) -> str:
    """What a setting can be, in a person's words."""
    from msgspec import inspect  # needed by nobody who makes no mistake

    fields = inspect.type_info(Settings).fields  # type: ignore[attr-defined]
    about = next(field.type for field in fields if field.name == name)
    if not isinstance(about, inspect.Metadata):
        return "what OTO writes there itself"
    kind, unit = about.type, (about.extra or {}).get("unit", "")
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        number = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
        return f"{number} from {kind.ge:g} to {kind.le:g} {unit}".rstrip()
    if isinstance(kind, inspect.LiteralType):
        return f"one of {', '.join(map(str, kind.values))}"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    return "a text, or null for none" if isinstance(kind, inspect.UnionType) else "a text"


def _utc(moment: str) -> str:
    """The moment as the library writes moments, so that both can be compared. Raises OtoError("bad_input")."""
    try:
        said = datetime.fromisoformat(moment)
        utc = (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise OtoError(
            "bad_input", f"{moment!r} is no moment.", "Write it as 2026-05-01 or 2026-05-01T20:00."
        ) from error
    return utc.isoformat(timespec="milliseconds")


def save(settings: Settings, path: Path) -> None:
    """Write settings so that a power cut leaves the old or the new file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
