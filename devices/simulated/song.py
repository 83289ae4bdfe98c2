"""The song that the simulated band plays, as data: form, chords, tune and the patterns of every part.

Patterns have 16 steps to the bar. Drums: `X x o - g` from accent to ghost note. Bass: `R 5 8` are root, fifth and
octave of the chord, `a` leads into the next bar. Clean guitar: digits pick a string of the voicing from below, `D u`
strum down and up. Amp: `P` a power chord that rings, `m` a palm mute. Keys: `C c` a chord, strong and soft.

The tune is `pitch/beats:syllable`, bars parted by `|`, `r` a rest. A syllable is a consonant, a dot, and vowels that
glide into each other; the words mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STEPS_PER_BAR = 16
BEATS_PER_BAR = 4


@dataclass(frozen=True)
class Section:
    """A stretch of the song that is played in one manner."""

    name: str
    chords: tuple[str, ...]
    """One entry a bar; two chords in an entry share the bar."""
    style: str
    """A key of STYLES."""
    bpm: float
    dynamic: float
    """How hard everybody plays, 0..1."""
    tune: str = ""
    backing: bool = False
    """The backing singers join the lead."""
    crash: bool = False
    """A crash cymbal on the first beat."""
    last_bar: Mapping[str, str] = field(default_factory=dict)
    """Patterns that replace those of the style in the last bar: the fill."""


STYLES: Mapping[str, Mapping[str, str]] = {
    "count": {
        "sticks": "x...x...x...X...",
    },
    "intro": {
        "hat": "x.-.o.-.x.-.o.-.",
        "kick": "x.........o.....",
        "clean": "0.2.3.4.3.2.4.2.",
        "keys": "c...............",
    },
    "verse": {
        "hat": "x.-.x.-.x.-.x.-.",
        "kick": "x.....o...x.....",
        "snare": "....x..g.g..x...",
        "bass": "R.....R...R...a.",
        "clean": "0.2.3.4.3.2.4.2.",
        "keys": "C.....c.........",
    },
    "verse with amp": {
        "hat": "x.o-x.o.x.o-x.o.",
        "kick": "x.....x...x....o",
        "snare": "....x..g.g..x..g",
        "bass": "R.....R.R.5...a.",
        "clean": "0.2.3.4.3.2.4.2.",
        "amp": "m.m.m.m.m.m.m.m.",
        "keys": "C.....c...c.....",
    },
    "chorus": {
        "ride": "x.-.o.-.x.-.o.-.",
        "kick": "x.....x.x.x.....",
        "snare": "....X.......X..g",
        "bass": "R.R.R.R.R.R.8.a.",
        "clean": "D..uD.u.D..uD.u.",
        "amp": "P.....P.P.....P.",
        "keys": "C...c...C...c...",
    },
    "bridge": {
        "ride": "o...o...o...o...",
        "hat_pedal": "....-.......-...",
        "kick": "x.........o.....",
        "snare": "........x.......",
        "floor_tom": "......-......-o.",
        "bass": "R.........R...a.",
        "clean": "0.1.2.3.4.3.2.3.",
        "amp": "P...............",
        "keys": "C.......c.......",
    },
    "outro": {
        "hat": "o.-.o.-.o.-.o.-.",
        "kick": "x.........o.....",
        "snare": "............o...",
        "bass": "R.........R.....",
        "clean": "0.2.3.4.3.2.4.2.",
        "amp": "P...............",
        "keys": "C.......c.......",
    },
    "last chord": {
        "kick": "x...............",
        "crash": "o...............",
        "bass": "R...............",
        "clean": "D...............",
        "amp": "P...............",
        "keys": "C...............",
    },
}

_INTO_VERSE = {"snare": "....x.....o.x.xx", "rack_tom": "..........o.....", "kick": "x.....x...x....."}
_INTO_CHORUS = {
    "hat": "x.-.x...........",
    "snare": "....x...x.x.....",
    "rack_tom": "..........x.xx..",
    "floor_tom": "..............XX",
    "kick": "x.....x...x...x.",
}
_INTO_BRIDGE = {
    "ride": "x...............",
    "hat_open": "....x...........",
    "snare": "....X.xxx.......",
    "rack_tom": ".........xx.....",
    "floor_tom": "...........xX.X.",
    "kick": "x.....x.....x.x.",
}
_BUILD = {
    "ride": "o...o...........",
    "snare": "--o-o-ooooxxxxXX",
    "floor_tom": "-.-.o.o.o.x.x.X.",
    "kick": "x...x...x...x...",
    "hat_pedal": "",
}

_VERSE_CHORDS = ("Bm7", "Gmaj7", "D", "A/C#", "Bm7", "Gmaj7", "Em7", "A7sus4 A")
_CHORUS_CHORDS = ("G", "D/F#", "Em7", "A", "Bm", "G", "A7sus4 A", "D")

_VERSE_1 = """
r/.5 D4/.5:s.ou D4/.5:m.E E4/.5:n.i F#4/1:d.ei E4/.5:z.I D4/.5:n.a | D4/1.5:l.ai B3/1.5:t.O r/1 |
r/.5 A3/.5:w.i D4/.5:h.U E4/.5:d.ei F#4/1:r.ou F#4/.5:m.I G4/.5:n.a | E4/1:f.a C#4/1.5:l.ou r/1.5 |
r/.5 F#4/.5:n.a F#4/.5:d.I E4/.5:l.e D4/1:m.ou E4/.5:v.I F#4/.5:n.O | F#4/1.5:h.ou D4/1.5:m.E r/1 |
r/.5 B3/.5:w.E D4/.5:n.I E4/.5:l.a G4/1:s.ou F#4/.5:d.I E4/.5:n.a | E4/1.5:w.ei D4/.5:y.E C#4/1:n.a r/.5 D4/.5:s.ou
"""
_VERSE_2 = """
r/.5 D4/.5:n.a D4/.5:w.I E4/.5:d.e F#4/1:l.ai E4/.5:t.I D4/.5:n.a | D4/1.5:r.ei B3/1.5:d.i r/1 |
r/.5 A3/.5:s.i D4/.5:m.U E4/.5:l.ou F#4/1:w.a G4/.5:n.I A4/.5:d.ei | E4/1:l.ou C#4/1.5:m.a r/1.5 |
r/.5 F#4/.5:h.E F#4/.5:n.I E4/.5:d.a D4/1:t.ai E4/.5:l.I F#4/.5:y.O | F#4/1.5:n.ou D4/1.5:w.ei r/1 |
r/.5 B3/.5:s.E D4/.5:l.I E4/.5:m.a G4/1:n.ou F#4/.5:r.I E4/.5:d.a | E4/1.5:l.ei D4/.5:n.E C#4/1:h.a r/.5 D4/.5:s.ou
"""
_CHORUS = """
G4/1.5:h.ou F#4/.5:l.E G4/1:m.i A4/1:n.au | A4/1.5:d.au F#4/.5:n.I D4/1:s.ou r/1 |
G4/1.5:w.ei F#4/.5:t.I E4/1:f.O D4/1:m.i | E4/2.5:n.au r/.5 D4/.5:w.i E4/.5:n.O |
F#4/1.5:r.a E4/.5:n.I F#4/1:l.ai A4/1:t.ou | G4/1.5:h.ou F#4/.5:n.I D4/1:m.a r/.5 D4/.5:s.ou |
E4/1:l.ei F#4/.5:t.I G4/.5:n.a F#4/1:d.au E4/1:w.I | D4/3:y.u r/1
"""
_LAST_CHORUS = _CHORUS.replace("G4/1.5:h.ou F#4/.5:n.I D4/1:m.a", "B4/1.5:h.ou A4/.5:n.I F#4/1:m.a")
_BRIDGE = """
B3/2:u D4/1:w.ei E4/1:n.I | C#4/2:l.ou E4/1:w.ei F#4/1:n.I |
G4/2:l.ou A4/1:m.O B4/1:r.a | A4/2.5:w.ei r/1 D4/.5:s.ou
"""
_OUTRO = "D4/2:m.u B3/1.5:u r/.5 | A#3/3:n.u r/1 | A3/1.5:l.u r/1 D4/1.5:m.u | D4/3.5:u r/.5"

SONG: tuple[Section, ...] = (
    Section("count-in", ("N.C.",), "count", 112.0, 0.8),
    Section(
        "intro",
        ("Bm7", "Gmaj7", "D", "A/C#"),
        "intro",
        112.0,
        0.75,
        last_bar={"snare": "............o.xx", "bass": "............R.a."},
    ),
    Section("verse 1", _VERSE_CHORDS, "verse", 112.0, 0.74, _VERSE_1, last_bar=_INTO_CHORUS),
    Section("chorus 1", _CHORUS_CHORDS, "chorus", 113.0, 0.9, _CHORUS, backing=True, crash=True, last_bar=_INTO_VERSE),
    Section("verse 2", _VERSE_CHORDS, "verse with amp", 112.0, 0.8, _VERSE_2, crash=True, last_bar=_INTO_CHORUS),
    Section(
        "chorus 2", _CHORUS_CHORDS, "chorus", 113.0, 0.94, _CHORUS, backing=True, crash=True, last_bar=_INTO_BRIDGE
    ),
    Section(
        "bridge", ("Em7", "F#m7", "Gmaj7", "A7sus4 A"), "bridge", 112.0, 0.62, _BRIDGE, crash=True, last_bar=_BUILD
    ),
    Section("chorus 3", _CHORUS_CHORDS, "chorus", 114.0, 1.0, _LAST_CHORUS, backing=True, crash=True),
    Section(
        "outro",
        ("Gmaj7", "Gm6", "D"),
        "outro",
        110.0,
        0.62,
        "|".join(_OUTRO.split("|")[:3]),
        backing=True,
        crash=True,
    ),
    Section("last chord", ("D",), "last chord", 96.0, 0.55, _OUTRO.split("|")[3], backing=True),
)

RING_OUT_S = 3.0
"""How long the tape runs on after the last bar."""
