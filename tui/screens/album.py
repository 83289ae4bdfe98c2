"""The album on Master: mixes in an order, with gaps between them. The order is the engine's, the same for everyone."""

from __future__ import annotations

from typing import Final

import msgspec

from core.protocol.topics import AlbumSong, Bounce
from tui import words
from tui.listening import bounce_of
from tui.look import Look
from tui.picture import Picture
from tui.widgets.paper import Line
from tui.widgets.table import Row

Songs = tuple[AlbumSong, ...]

GAP_STEP_S: Final = 0.1
MOST_GAP_S: Final = 60.0

EMPTY: Final[tuple[Line, ...]] = (
    [("   No song yet: select a mix above, + puts it here.", "dim")],
    [("   { and } move a song, arrows set the gap after it, B masters the album.", "dim")],
)


def rows(picture: Picture, look: Look, width: int) -> list[Row]:
    """A line per song: its number, where it begins, its name and length, the gap after it."""
    songs, start_s = picture.bounces.album, 0.0
    found: list[Row] = []
    for n, song in enumerate(songs):
        bounce = bounce_of(picture, song.bounce)
        length_s = 0.0 if bounce is None else bounce.frames / bounce.rate_hz
        gap = f"gap {song.gap_s:4.1f} s" if n < len(songs) - 1 else ""
        name = words.fit(_name(picture, song, bounce), max(width - 37, 8), look.glyphs.ellipsis)
        found.append(
            Row(
                [
                    (f"{n + 1:4d}  ", "title"),
                    (f"{words.short_clock(start_s):>7}  ", "dim"),
                    (name, "text" if bounce else "warn"),
                    (f" {words.short_clock(length_s):>7}  ", "text"),
                    (gap, "accent"),
                ],
                str(n),
            )
        )
        start_s += length_s + song.gap_s
    return found


def _name(picture: Picture, song: AlbumSong, bounce: Bounce | None) -> str:
    if bounce is None:
        return f"{words.clean(song.bounce)} is gone"
    takes = picture.takes.takes
    name = next((take.name for take in takes if take.number == bounce.take and not take.false_take), "")
    return f"{words.clean(name) or f'take {bounce.take}'}  ({words.clean(bounce.id)})"


def head(picture: Picture) -> Line:
    """What the list is, how long the album is, and the keys that order it."""
    songs = picture.bounces.album
    known = [bounce for song in songs if (bounce := bounce_of(picture, song.bounce)) is not None]
    length_s = sum(bounce.frames / bounce.rate_hz for bounce in known) + sum(song.gap_s for song in songs[:-1])
    if not songs:
        return [("   Album", "title")]
    count = f"{len(songs)} song{'' if len(songs) == 1 else 's'}"
    what = f"   Album: {count}, {words.short_clock(length_s)}"
    return [(what, "title"), ("     { } move a song, arrows set its gap", "dim")]


def with_song(songs: Songs, mix: str) -> Songs:
    """The album with one more song at its end."""
    return (*songs, AlbumSong(bounce=mix))


def without(songs: Songs, n: int) -> Songs:
    """The album without a song."""
    return songs[:n] + songs[n + 1 :]


def moved(songs: Songs, n: int, to: int) -> Songs:
    """The album with a song at another place; it stops at both ends."""
    others = without(songs, n)
    to = min(max(to, 0), len(others))
    return (*others[:to], songs[n], *others[to:])


def with_gap(songs: Songs, n: int, by_s: float) -> Songs:
    """The album with another silence after a song."""
    gap_s = round(min(max(songs[n].gap_s + by_s, 0.0), MOST_GAP_S), 1)
    return (*songs[:n], msgspec.structs.replace(songs[n], gap_s=gap_s), *songs[n + 1 :])
