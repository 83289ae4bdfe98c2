"""What an engineer would start from: numbers per role and per style, as data.

Where the figures come from is told in docs/mixing.md. Levels of balance are LU against the song's middle strip.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from core.plans.roles import Role

StyleName = Literal["natural", "punchy", "warm", "big", "vintage"]
STYLES: Final[tuple[StyleName, ...]] = get_args(StyleName)


class Shelf(msgspec.Struct, frozen=True):
    """A gentle slope at one end of the spectrum."""

    freq_hz: float
    gain_db: float


class Bell(msgspec.Struct, frozen=True):
    """A gentle hill."""

    freq_hz: float
    gain_db: float
    q: float = 1.0


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """The starting point for one role."""

    called: str
    """The role in a sentence."""
    offset_lu: float = 0.0
    """Louder or quieter than its character alone would ask for (`core.mix.balance`)."""
    highpass_hz: float = 0.0
    """0 leaves the lows alone."""
    presence: Bell | None = None
    air: Shelf | None = None
    ratio: float = 2.0
    reduction_db: float = 0.0
    """Gain reduction in loud moments at a crest of `usual_crest_db`; 0 for no compressor."""
    usual_crest_db: float = 14.0
    attack_ms: float = 15.0
    release_ms: float = 120.0
    spread: float = 0.0
    """How far from the middle tracks of this role are put."""
    room_db: float | None = None
    plate_db: float | None = None
    hall_db: float | None = None
    """Reverb sends against the dry strip; None for none."""


PRESETS: Final[dict[Role, Preset]] = {
    "kick": Preset(
        called="a kick drum", offset_lu=1.5, highpass_hz=30, presence=Bell(4_000, 2.0), ratio=4.0, reduction_db=4.0,
        usual_crest_db=18.0, attack_ms=25.0, release_ms=90.0,
    ),
    "snare": Preset(
        called="a snare", offset_lu=0.5, highpass_hz=80, presence=Bell(5_000, 1.5), ratio=4.0, reduction_db=4.0,
        usual_crest_db=20.0, attack_ms=15.0, release_ms=110.0, room_db=-9.0, plate_db=-14.0,
    ),
    "hihat": Preset(called="a hi-hat", offset_lu=-1.0, highpass_hz=300, spread=0.3),
    "toms": Preset(
        called="toms", offset_lu=0.5, highpass_hz=55, presence=Bell(4_000, 1.5), ratio=3.0, reduction_db=3.0,
        usual_crest_db=19.0, attack_ms=20.0, release_ms=140.0, spread=0.35, room_db=-9.0,
    ),
    "overheads": Preset(called="overheads", highpass_hz=120, spread=0.8, room_db=-16.0),
    "room": Preset(called="a room microphone", offset_lu=-4.0, highpass_hz=60, ratio=4.0, reduction_db=5.0, spread=0.8),
    "cymbals": Preset(called="cymbals", highpass_hz=250, spread=0.4, room_db=-16.0),
    "percussion": Preset(called="percussion", offset_lu=-1.0, highpass_hz=150, spread=0.5, room_db=-10.0),
    "drums": Preset(
        called="a whole kit", offset_lu=1.5, highpass_hz=30, ratio=2.0, reduction_db=2.0, usual_crest_db=17.0,
        attack_ms=30.0, release_ms=120.0, room_db=-16.0,
    ),
    "bass": Preset(
        called="a bass", offset_lu=1.0, highpass_hz=35, presence=Bell(900, 1.5), ratio=4.0, reduction_db=5.0,
        usual_crest_db=13.0, attack_ms=20.0, release_ms=150.0,
    ),
    "synth_bass": Preset(
        called="a synthesiser bass", offset_lu=1.0, highpass_hz=25, ratio=2.5, reduction_db=2.0, usual_crest_db=10.0,
        attack_ms=20.0,
    ),
    "acoustic_guitar": Preset(
        called="an acoustic guitar", offset_lu=-0.5, highpass_hz=90, air=Shelf(9_000, 1.5), ratio=2.5, reduction_db=3.0,
        usual_crest_db=16.0, spread=0.4, room_db=-11.0, plate_db=-15.0,
    ),
    "electric_guitar": Preset(
        called="an electric guitar", offset_lu=-0.8, highpass_hz=90, ratio=2.0, reduction_db=2.0, usual_crest_db=14.0,
        spread=0.5, room_db=-11.0,
    ),
    "distorted_guitar": Preset(
        called="a distorted guitar", offset_lu=-0.8, highpass_hz=90, spread=0.6, room_db=-13.0,
    ),
    "piano": Preset(
        called="a piano", highpass_hz=50, ratio=2.0, reduction_db=2.0, usual_crest_db=16.0, spread=0.3, room_db=-12.0,
        hall_db=-13.0,
    ),
    "keys": Preset(called="keys", highpass_hz=70, ratio=2.0, reduction_db=1.5, spread=0.35, room_db=-12.0),
    "synth_pad": Preset(called="a pad", offset_lu=-1.0, highpass_hz=110, spread=0.5, hall_db=-10.0),
    "synth_lead": Preset(called="a synthesiser", highpass_hz=90, spread=0.25, plate_db=-12.0),
    "strings": Preset(called="strings", offset_lu=-1.0, highpass_hz=80, spread=0.4, hall_db=-9.0),
    "brass": Preset(
        called="brass", highpass_hz=90, ratio=2.5, reduction_db=2.0, usual_crest_db=14.0, spread=0.35, plate_db=-11.0,
    ),
    "woodwind": Preset(
        called="a woodwind", highpass_hz=120, ratio=2.5, reduction_db=2.0, usual_crest_db=14.0, spread=0.3,
        plate_db=-10.0,
    ),
    "lead_vocal": Preset(
        called="the lead vocal", offset_lu=4.5, highpass_hz=90, presence=Bell(3_500, 1.5), air=Shelf(11_000, 2.0),
        ratio=3.0, reduction_db=5.0, usual_crest_db=16.0, attack_ms=8.0, release_ms=100.0, plate_db=-10.0,
        hall_db=-16.0,
    ),
    "backing_vocal": Preset(
        called="a backing vocal", offset_lu=-2.0, highpass_hz=130, air=Shelf(11_000, 1.5), ratio=3.0, reduction_db=5.0,
        usual_crest_db=15.0, attack_ms=8.0, release_ms=120.0, spread=0.5, plate_db=-9.0, hall_db=-13.0,
    ),
    "speech": Preset(
        called="speech", offset_lu=4.5, highpass_hz=80, presence=Bell(3_500, 1.5), ratio=3.0, reduction_db=6.0,
        usual_crest_db=17.0, attack_ms=6.0, release_ms=120.0,
    ),
    "backing_track": Preset(called="a backing track", offset_lu=2.0),
    "effects": Preset(called="an effect", offset_lu=-2.0, spread=0.3),
    "click": Preset(called="a click"),
    "other": Preset(called="a track OTO can't name", spread=0.3, room_db=-14.0),
}  # fmt: skip


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """What a word like "punchy" changes. Every number is what is added to or multiplied with the role's own."""

    why: str
    vocals_lu: float = 0.0
    drums_lu: float = 0.0
    compression: float = 1.0
    """Times the gain reduction."""
    attack: float = 1.0
    """Times the attack time."""
    drums_attack_db: float = 0.0
    """Transient shaper on the kit: more or less stick."""
    drums_sustain_db: float = 0.0
    drums_drive_db: float = 0.0
    """Saturation on the kit; 0 for none."""
    band_drive_db: float = 0.0
    """Saturation on basses, guitars, keys and voices; 0 for none."""
    glue_db: float = 1.0
    """Gain reduction of the drum bus in its loud moments; the other buses get a part of it."""
    tone: tuple[tuple[int, float, float, float], ...] = ()
    """Bands of the master strip: band, frequency in Hz, gain in dB, Q."""
    reverb_db: float = 0.0
    """Added to every send."""
    decay: float = 1.0
    """Times the reverbs' decay."""
    delay_db: float | None = None
    """Delay send of lead vocals; None for none."""
    slap: bool = False
    """The delay is one short repeat, as from a second tape head, instead of beats."""
    spread: float = 1.0
    """Times the panning."""
    width: float = 1.0
    """Of the whole mix."""


STYLE: Final[dict[StyleName, Style]] = {
    "natural": Style(why="natural"),
    "punchy": Style(
        why="punchy: drums forward, more stick, less ring, drier", drums_lu=1.5, compression=1.1, attack=2.0,
        drums_attack_db=5.0, drums_sustain_db=-3.0, drums_drive_db=6.0, glue_db=1.5,
        tone=((3, 350.0, -1.5, 0.8), (5, 4_000.0, 1.5, 0.8)), reverb_db=-4.0, decay=0.7,
    ),
    "warm": Style(
        why="warm: fuller below, softer above, rounded peaks", vocals_lu=0.5, drums_attack_db=-1.5, band_drive_db=11.0,
        glue_db=1.5, tone=((1, 160.0, 1.5, 0.7), (5, 3_500.0, -0.75, 0.7), (6, 6_500.0, -2.5, 0.7)),
    ),
    "big": Style(
        why="big: wide, deep and long", compression=1.15, drums_sustain_db=2.0, glue_db=2.0,
        tone=((1, 70.0, 1.5, 0.7), (3, 450.0, -1.0, 0.7), (6, 9_000.0, 1.5, 0.7)), reverb_db=3.5, decay=1.4,
        delay_db=-17.0, spread=1.25, width=1.2,
    ),
    "vintage": Style(
        why="vintage: narrow, soft on top, driven, voice in front", vocals_lu=1.0, compression=1.3,
        drums_attack_db=-3.0, drums_drive_db=13.0, band_drive_db=13.0, glue_db=3.0,
        tone=((1, 60.0, -2.0, 0.7), (3, 700.0, 1.0, 0.6), (6, 5_500.0, -4.0, 0.7)), reverb_db=1.5, decay=0.9,
        delay_db=-16.0, slap=True, spread=0.6, width=0.65,
    ),
}  # fmt: skip

OCTAVE_HZ: Final = (31.5, 63.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)

TYPICAL_OCTAVES_DB: Final[dict[Role, tuple[int, ...]]] = {
    "kick": (-12, -3, -8, -16, -25, -29, -32, -37, -43, -60),
    "snare": (-31, -29, -12, -5, -11, -16, -15, -11, -17, -29),
    "hihat": (-37, -40, -34, -26, -19, -15, -14, -8, -4, -13),
    "toms": (-29, -10, -6, -13, -16, -21, -22, -22, -26, -40),
    "overheads": (-39, -33, -34, -16, -12, -11, -11, -7, -7, -21),
    "cymbals": (-48, -48, -40, -28, -12, -16, -10, -5, -4, -23),
    "drums": (-24, -15, -10, -12, -14, -13, -15, -14, -16, -25),
    "bass": (-13, -6, -6, -8, -17, -23, -26, -29, -43, -57),
    "acoustic_guitar": (-55, -41, -20, -11, -10, -11, -19, -26, -31, -49),
    "electric_guitar": (-44, -28, -11, -9, -12, -10, -13, -17, -31, -48),
    "distorted_guitar": (-44, -28, -11, -9, -12, -10, -13, -17, -31, -48),
    "piano": (-44, -34, -15, -4, -5, -8, -16, -23, -35, -54),
    "keys": (-41, -36, -22, -6, -7, -5, -11, -22, -33, -47),
    "synth_pad": (-43, -35, -27, -14, -2, -8, -15, -28, -44, -59),
    "strings": (-34, -29, -8, -7, -11, -17, -24, -35, -51, -60),
    "woodwind": (-45, -49, -52, -17, -3, -6, -15, -24, -36, -49),
    "lead_vocal": (-35, -41, -15, -4, -4, -10, -14, -20, -20, -56),
    "backing_vocal": (-50, -48, -44, -12, -4, -4, -14, -23, -33, -46),
}
"""Median octave levels against the whole, measured on the training songs and on recorded instruments."""
