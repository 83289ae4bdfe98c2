"""What a file says about itself to a player: title, artist, album, date, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TALB, TDRC, TIT2, TPE1
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis


@dataclass(frozen=True)
class Tags:
    """Empty fields are left out."""

    title: str = ""
    artist: str = ""
    album: str = ""
    date: str = ""
    """ISO 8601 date."""
    comment: str = ""
    """Provenance: who made it from what."""


def write_tags(path: Path, tags: Tags) -> None:
    """Write tags into an MP3 (ID3v2.4), FLAC, Ogg Vorbis or Opus file (Vorbis comments)."""
    if path.suffix == ".mp3":
        frames = (
            (TIT2, tags.title),
            (TPE1, tags.artist),
            (TALB, tags.album),
            (TDRC, tags.date),
        )
        id3 = ID3()
        for frame, text in frames:
            if text:
                id3.add(frame(encoding=3, text=text))
        if tags.comment:
            id3.add(COMM(encoding=3, lang="eng", desc="", text=tags.comment))
        id3.save(path)
        return
    file = {".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus}[path.suffix](path)
    for key in ("title", "artist", "album", "date", "comment"):
        if text := getattr(tags, key):
            file[key] = text
    file.save()
