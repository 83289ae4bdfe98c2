"""Makes motifs: notes that go with the bars of a song that were heard. The same song, wishes and seed: the same notes.

A motif fits its song in four ways: it stands in its key, its strong notes belong to the chords, it plays where the band
plays (a rhythm: where the band leaves room), and it keeps out of the singer's way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from core.muse.bassline import bass
from core.muse.melody import melody
from core.muse.motif import Part
from core.muse.percussion import rhythm
from core.muse.reharmony import harmony
from core.muse.song import CHORDS_PER_BAR, Song
from core.muse.stretch import Composed, Stretch, Wish

_PARTS: Final[dict[Part, Callable[[Stretch], Composed]]] = {
    "melody": melody,
    "bass": bass,
    "chords": harmony,
    "rhythm": rhythm,
}


def compose(song: Song, first_bar: int, wish: Wish) -> Composed:
    """A motif over bars [first_bar, first_bar + wish.bars) of the song; all but a rhythm need its key."""
    return _PARTS[wish.part](Stretch(song, first_bar, wish))


def best_bar(song: Song, bars: int) -> int:
    """The first of so many bars where chords are clearest and the band plays on; without chords where it plays most."""
    played = song.groove.sum(axis=1)
    usual = float(np.median(played))
    worth = played
    if song.chords:
        clear = np.array([chord.likeness for chord in song.chords]).reshape(-1, CHORDS_PER_BAR).mean(axis=1)
        worth = clear * np.minimum(played / usual, 1.0) if usual > 0.0 else clear
    return int(np.argmax(np.convolve(worth, np.ones(bars), mode="valid")))
