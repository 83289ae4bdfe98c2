"""What people call their tracks: words and abbreviations of five languages, and the roles that they add up to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from core.plans.roles import Role

_VOCABULARY: Final[dict[str, str]] = {
    "kick": "kick kik kck kd bd bdr bassdrum bassdrums bdrum kickdrum basstrommel grossetrommel grossecaisse bombo "
    "cassa grancassa fusstrommel",
    "snare": "snare snares snr sn sd sidestick rimshot rim snaredrum caja caisseclaire rullante kleinetrommel tarola "
    "redoblante",
    "hihat": "hihat hihats hh hht hat hats charley charleston charles chh ohh",
    "tom": "tom toms floortom racktom ft rt standtom haengetom hangetom timpano goliath",
    "overhead": "overhead overheads oh ohs ovh ovhd overs aereo aereos panoramici panoramico",
    "cymbal": "cymbal cymbals crash crashes ride china splash becken piatto piatti platillo platillos platos cymbale "
    "cymbales cym",
    "room": "room rooms ambience ambiance ambiente amb raum stanza sala salle roommic",
    "drums": "drum drums drumkit drumset drumloop schlagzeug batterie batteria bateria beat beats breakbeat break "
    "loop loops groove drms drm dr kit",
    "percussion": "percussion percussions perc percs prc shaker tamb tambourine tambourin tamburin conga congas "
    "bongo bongos cajon cowbell clap claps handclap handclaps timbale timbales triangle triangel maracas guiro "
    "darbuka djembe cabasa clave claves woodblock wood chime chimes snap snaps schellenkranz pandereta palmas "
    "percusion percussioni perkussion agogo tabla",
    "bass": "bass bs bss bassgitarre basse basso bajo ebass bassguitar bassgtr bassline kontrabass contrabass "
    "doublebass contrebasse contrabbasso contrabajo upright",
    "subbass": "sub subbass 808 303 tb303 synthbass basssynth",
    "guitar": "guitar guitars gtr gtrs git gits gt gts gtar guit gitarre gitarren guitare guitares chitarra chitarre "
    "guitarra guitarras strat tele telecaster stratocaster lespaul",
    "electricguitar": "egtr egit egt eguitar elgtr egitarre stratgtr amp",
    "acousticguitar": "agtr agit acgtr acgit aguitar ukulele uke mandolin mandoline banjo westerngitarre nylon dobro",
    "acoustic": "acoustic ac aco acc akustik akustisch acoustique acustica acustico",
    "electric": "electric elec el e elektrisch electrique elettrica electrica elektro",
    "distorted": "distorted dist distortion heavy crunch crunchy fuzz verzerrt overdrive overdriven metal highgain "
    "distorsion distorsione",
    "rhythm": "rhythm rhy rhyt rythm rhythmus ritmica ritmo rythmique",
    "lead": "lead ld leads main solo principal principale haupt lvox",
    "vocal": "vocal vocals vox voc vocs voice voices vcl vcls singer singers sing gesang stimme stimmen voix voce "
    "voci voz voces canto cantante saenger saengerin sanger sangerin singen",
    "leadvocal": "lv ldv leadvox leadvoc leadvocal leadvocals ldvox ldvoc ldvocal mainvox hauptstimme chant chanteur "
    "chanteuse acapella acappella rap",
    "backing": "backing backings bg bck back backup background hintergrund harmony harmonies harm harmo adlib adlibs "
    "double doubles dbl gang doppler",
    "backingvocal": "bgv bgvs bv bvs bvox bgvox bgvoc bgvocal bgvocals backingvocals choir choirs chor choere choeur "
    "choeurs coro coros cori",
    "chorus": "chorus",
    "speech": "speech talk talkback host moderator moderation interview podcast narrator narration sprecher "
    "sprecherin sprache voiceover vo dialog dialogue dialogo parole parlato discurso ansage presenter spoken "
    "announcer tb",
    "click": "click clicktrack klick metronome metronom metronomo metronomie clic cue countin",
    "piano": "piano pianos pno pianoforte klavier flugel fluegel",
    "keys": "keys key kbd kb kbds keyboard keyboards organ organs orgel orgue organo hammond b3 clav clavinet "
    "tastiere tastiera teclado teclados clavier claviers rhodes wurli wurlitzer wurly mellotron harpsichord cembalo "
    "accordion akkordeon accordeon fisarmonica celesta vibes vibraphone marimba mallet mallets glock glockenspiel "
    "xylophone ep epiano leslie",
    "synth": "synth synths synthesizer synthesiser synthe syn synt sintetizzatore sintetizador moog juno minilogue "
    "prophet dx7 arp arps arpeggio sequence sequencer seq pluck plucks plucked",
    "pad": "pad pads drone drones texture textures flaeche flache flaechen nappe nappes tappeto atmosphere atmo",
    "strings": "string strings str strs violin violins violine viola cello celli violoncello fiddle geige geigen "
    "streicher cordes archi cuerdas violon violons violino violini bratsche orchestra orchester harp harfe vln vlc "
    "vla",
    "brass": "brass horn horns trumpet trumpets tpt trp trombone trombones tbn tuba trompete posaune blaeser "
    "blechblaeser cuivres ottoni metales tromba trombe trompeta trompette flugelhorn fluegelhorn cornet",
    "woodwind": "sax saxes saxophone saxophon saxofon saxofono altosax tenorsax flute flutes floete flote clarinet "
    "oboe bassoon klarinette clarinette clarinetto clarinete querfloete flauto flauta woodwind woodwinds whistle "
    "harmonica mundharmonika armonica fagott",
    "effects": "fx sfx effect effects effekt effekte effet effets effetti efecto efectos riser risers sweep sweeps "
    "impact noise reverse transition swell scratch scratches vinyl whoosh uplifter downlifter",
    "track": "backingtrack playback instrumental instr karaoke musicbed mixdown 2track twotrack begleitung",
    "word:track": "track spur piste traccia pista audio",
    "side": "left right links rechts l r li re lft rgt gauche droite sinistra destra izquierda derecha",
    "detail": "top bottom btm bot in out inside outside di mic mono stereo st close far dry wet front hi high low lo "
    "mid up down new old take alt clean verse intro outro bridge fill open closed hard soft big little deep",
}
_WORDS: Final[dict[str, str]] = {word: concept for concept, words in _VOCABULARY.items() for word in words.split()}
_LONGEST_PHRASE: Final = 3
_SHORTEST_PART: Final = 3
_SHORTEST_INSIDE: Final = 4

_RULES: Final[tuple[tuple[str, Role, float], ...]] = (
    ("backing drums", "backing_track", 0.7),
    ("backing word:track", "backing_track", 0.9),
    ("backing bass", "backing_track", 0.6),
    ("drums bass", "backing_track", 0.5),
    ("track", "backing_track", 0.85),
    ("effects vocal", "effects", 0.7),
    ("speech", "speech", 0.9),
    ("backingvocal", "backing_vocal", 0.95),
    ("backing vocal", "backing_vocal", 0.95),
    ("backing leadvocal", "backing_vocal", 0.85),
    ("leadvocal", "lead_vocal", 0.95),
    ("lead vocal", "lead_vocal", 0.97),
    ("vocal", "lead_vocal", 0.75),
    ("room", "room", 0.85),
    ("overhead", "overheads", 0.95),
    ("hihat", "hihat", 0.95),
    ("kick", "kick", 0.97),
    ("snare", "snare", 0.97),
    ("tom", "toms", 0.95),
    ("cymbal", "cymbals", 0.9),
    ("percussion drums", "percussion", 0.8),
    ("percussion", "percussion", 0.9),
    ("synth bass", "synth_bass", 0.95),
    ("subbass", "synth_bass", 0.85),
    ("bass", "bass", 0.93),
    ("drums", "drums", 0.85),
    ("acousticguitar", "acoustic_guitar", 0.95),
    ("acoustic guitar", "acoustic_guitar", 0.95),
    ("distorted guitar", "distorted_guitar", 0.9),
    ("distorted electricguitar", "distorted_guitar", 0.9),
    ("electricguitar", "electric_guitar", 0.9),
    ("electric guitar", "electric_guitar", 0.95),
    ("guitar", "electric_guitar", 0.75),
    ("electric piano", "keys", 0.95),
    ("piano", "piano", 0.93),
    ("woodwind", "woodwind", 0.93),
    ("brass", "brass", 0.93),
    ("strings", "strings", 0.9),
    ("pad", "synth_pad", 0.85),
    ("synth lead", "synth_lead", 0.9),
    ("effects", "effects", 0.8),
    ("keys", "keys", 0.9),
    ("synth", "synth_lead", 0.5),
    ("click", "click", 0.9),
    ("backing", "backing_vocal", 0.6),
    ("chorus", "backing_vocal", 0.5),
    ("rhythm", "electric_guitar", 0.45),
    ("lead", "lead_vocal", 0.35),
    ("acoustic", "acoustic_guitar", 0.4),
)
"""The first rule whose concepts all occur decides: what says more stands first."""

_SPELLINGS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "œ": "oe"})


def role_of_name(name: str) -> tuple[Role, float, str] | None:
    """The role that a track's name says, how surely (0..1), and the words that said it; None when it says nothing.

    Numbers, case, accents and separators don't matter.
    """
    found = _concepts(name)
    concepts = set(found)
    for needed, role, confidence in _RULES:
        if concepts.issuperset(needed.split()):
            return role, confidence, " ".join(found[concept] for concept in found if concept in needed.split())
    return None


def side_of_name(name: str) -> tuple[str, str] | None:
    """Split "OH L" into ("oh", "left"); None when the name has no side. The first part is the same for both sides."""
    words = _words(name)
    sides = [word for word in words if _WORDS.get(word) == "side"]
    if len(sides) != 1 or len(words) < 2:
        return None
    rest = " ".join(word for word in words if word != sides[0])
    numbers = "".join(re.findall(r"\d+", re.sub(r"^\s*\d+", "", name)))
    is_left = sides[0] in {"left", "links", "l", "li", "lft", "gauche", "sinistra", "izquierda"}
    return f"{rest} {numbers}".strip(), "left" if is_left else "right"


def _words(name: str) -> list[str]:
    """Lower-case words without accents, numbers or separators ("ä" is "ae" as in "Flaeche")."""
    plain = unicodedata.normalize("NFC", name).casefold().translate(_SPELLINGS)
    plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    special = re.findall(r"(?<![a-z0-9])(?:808|tb303|303|2track|b3|dx7)(?![a-z0-9])", plain)
    return special + [part for word in re.findall(r"[a-z]+", plain) for part in _side_apart(word)]


def _side_apart(word: str) -> tuple[str, ...]:
    """Split "ohl" into "oh" and "l"; other words stay whole."""
    if word not in _WORDS and word[-1] in "lr" and _WORDS.get(word[:-1], "side") not in {"side", "detail"}:
        return word[:-1], word[-1]
    return (word,)


def _concepts(name: str) -> dict[str, str]:
    """Concepts in the order in which they occur, each with the word that stands for it."""
    words = _words(name)
    found: dict[str, str] = {}
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            phrase = "".join(words[at : at + length])
            concept = _WORDS.get(phrase)
            if concept is not None:
                found.setdefault(concept, phrase)
                at += length
                break
        else:
            for part in _parts(words[at]) or _inside(words[at]):
                found.setdefault(_WORDS[part], part)
            at += 1
    return found


@lru_cache(maxsize=1024)
def _parts(word: str) -> Sequence[str]:
    """Split a compound ("leadvox") into known words of three letters or more, longest first; empty if it can't be."""
    if not word:
        return ()
    for end in range(len(word), _SHORTEST_PART - 1, -1):
        head = word[:end]
        if head in _WORDS:
            rest = _parts(word[end:])
            if rest or end == len(word):
                return (head, *rest)
    return ()


@lru_cache(maxsize=1024)
def _inside(word: str) -> Sequence[str]:
    """The longest known word of four letters or more at an end of a longer one ("loudsnare", "clickflute")."""
    for length in range(len(word) - 1, _SHORTEST_INSIDE - 1, -1):
        for part in (word[-length:], word[:length]):
            if part in _WORDS:
                return (part,)
    return ()
