"""What a file says about itself to a player: title, artist, album, date, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mutagen import id3
from mutagen.flac import FLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

_id3: Any = id3  # its frames are made at run time and have no types
_VORBIS_COMMENTS: Final[dict[str, Any]] = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}


@dataclass(frozen=True)
class Tags:
    """Empty fields are left out."""

    title: str = ""
    artist: str = ""
    album: str = ""
    date: str = ""
    """ISO 8601 date."""
    comment: str = ""
    """Provenance: what made it from what."""


def write_tags(path: Path, tags: Tags) -> None:
    """Write tags into an MP3 (ID3v2.4), FLAC, Ogg Vorbis or Opus file (Vorbis comments)."""
    if path.suffix == ".mp3":
        _write_id3(path, tags)
        return
    file = _VORBIS_COMMENTS[path.suffix](path)
    for key in ("title", "artist", "album", "date", "comment"):
        if text := getattr(tags, key):
            file[key] = text
    file.save()


def _write_id3(path: Path, tags: Tags) -> None:
    file = _id3.ID3()
    for frame, text in (
        (_id3.TIT2, tags.title),
        (_id3.TPE1, tags.artist),
        (_id3.TALB, tags.album),
        (_id3.TDRC, tags.date),
    ):
        if text:
            file.add(frame(encoding=_id3.Encoding.UTF8, text=text))
    if tags.comment:
        file.add(_id3.COMM(encoding=_id3.Encoding.UTF8, lang="eng", desc="", text=tags.comment))
    file.save(path)
