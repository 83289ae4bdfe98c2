"""Documents as files, of any age: each schema version has one step to the next, and an old document walks them all.

Documents are read into today's shape in memory; the file changes only when it is next saved. A document from a newer
OTO is refused and left untouched, because saving it would drop what this version doesn't know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from sessions.errors import LibraryError
from sessions.model import Album, Bounce, Comp, Document, ExportRecord, Session, Take

D = TypeVar("D", bound=Document)
Raw = dict[str, Any]
Step = Callable[[Raw], Raw]


class _Schema(msgspec.Struct):
    schema: int = 0


def _renamed(**names: str) -> Callable[[Raw], Raw]:
    """A step that gives keys new names: old=new."""
    return lambda raw: {names.get(key, key): value for key, value in raw.items()}


def _take_to_1(raw: Raw) -> Raw:
    take = _renamed(rate="rate_hz", format="sample_format", started="started_utc", length="frames")(raw)
    place = _renamed(start="start_samples", at="at_samples", length="frames")
    return take | {key: [place(entry) for entry in take.get(key, ())] for key in ("clips", "markers", "gaps")}


# From 0, the shape before documents carried a version: positions and rates had no units in their names.
_STEPS: Final[dict[type[Document], tuple[Step, ...]]] = {
    Session: (_renamed(rate="rate_hz", format="sample_format", created="created_utc"),),
    Take: (_take_to_1,),
    Bounce: (_renamed(rate="rate_hz", length="frames", created="created_utc"),),
    ExportRecord: (_renamed(created="created_utc"),),
    Comp: (_renamed(),),
    Album: (_renamed(),),
}

_schema_decoder = msgspec.json.Decoder(_Schema)
_decoders: Final = {kind: msgspec.json.Decoder(kind) for kind in _STEPS}


def schema_of(kind: type[Document]) -> int:
    """The version of the shape that this OTO writes."""
    return len(_STEPS[kind])


def dump(document: Document) -> bytes:
    """A document as its file holds it: JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def load(data: bytes, kind: type[D], name: str) -> D:
    """Decode a document of any schema up to today's; `name` is what an error calls it.

    Raises LibraryError: "newer" when a newer OTO wrote it, "damaged" when it can't be read.
    """
    try:
        schema = _schema_decoder.decode(data).schema
        steps = _STEPS[kind]
        if schema > len(steps):
            raise LibraryError(
                "newer",
                f"{name} was written by a newer OTO (schema {schema}, known here {len(steps)}). It was left untouched.",
                "Update OTO to open it. The audio files beside it open in any program.",
            )
        if schema == len(steps):
            return _decoders[kind].decode(data)  # type: ignore[return-value]
        raw = msgspec.json.decode(data)
        for step in steps[max(schema, 0) :]:
            raw = step(raw)
        return msgspec.convert(raw | {"schema": len(steps)}, kind)
    except ValueError as error:
        raise LibraryError(
            "damaged",
            f"{name} can't be read ({error}). The audio files beside it are untouched.",
            "Restore it from a copy, or import the audio files as a new session.",
        ) from error
