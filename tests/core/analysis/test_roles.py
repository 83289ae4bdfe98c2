"""Roles from what people write on their tracks, and an honest "other" where nothing tells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.names import side_of_name
from core.analysis.roles import guess_role
from core.analysis.track import analyse_source
from core.plans.roles import ROLES
from tests.core.analysis.sounds import RATE_HZ, Samples, noise, seconds, strokes

NAMES = {
    "kick": "Kick|BD|Bass Drum|bassdrum|Kick In|KD|Grosse Caisse|Bombo|Fußtrommel|Cassa",
    "snare": "Snare|SN|SD Top|Snare Btm|Caisse claire|Rullante|Caja|Sidestick|loudsnare",
    "hihat": "HH|Hi-Hat|HiHat|Hat|Charleston",
    "toms": "Tom 1|Floor Tom|FT|Rack Tom|Standtom",
    "overheads": "OH L|OHR|Overhead|Over Heads|OVH",
    "room": "Room|Drum Room|Raum|Snare Room",
    "cymbals": "Crash|Ride|Becken|Piatti",
    "percussion": "Perc|Shaker|Congas|Tamb|Hand Claps|Cajón",
    "drums": "Drums|Drum Kit|Schlagzeug|Batterie|Batería|Loop|Breakbeat",
    "bass": "Bass|Bass DI|E-Bass|Kontrabass|Bajo|Basso|Double Bass|bassguitar",
    "synth_bass": "Synth Bass|Sub|808",
    "acoustic_guitar": "Acoustic Gtr|Ac Gtr|Guitare acoustique|Chitarra acustica|A-Git",
    "electric_guitar": "Gtr DI|E-Git|Guitar|EGtr|Gitarre|Lead Guitar|Guitarra|Amp",
    "distorted_guitar": "Dist Gtr|Heavy Guitar|Crunch Gtr",
    "piano": "Piano|Klavier|Flügel|Pno",
    "keys": "Keys R|Rhodes|Organ|E-Piano|Orgel|Tastiere|Clavinet",
    "synth_pad": "Pad|Synth Pad|Fläche",
    "synth_lead": "Synth Lead",
    "strings": "Strings|Violin|Streicher|Cordes|Cello",
    "brass": "Horns|Trumpet|Trompete|Bläser",
    "woodwind": "Sax|Alto Sax|Flute|Flöte",
    "lead_vocal": "Vox|LV|Ld Voc|Lead Vocal|LeadVox|Gesang|Voix|Voce|Voz|Sängerin|Chant",
    "backing_vocal": "BGV|BV|Backing Vox|Ld Voc Double|Chor|Chœur|Coros|BGVOX 2",
    "speech": "Speech|Talkback|Moderation|Podcast Host",
    "backing_track": "Backing Track|Playback|backing (drums bass rhythm)",
    "effects": "FX|Riser|Sweep",
    "click": "Click|Metronom|Klick",
    "other": "Audio 3|Track 01|Johannes|mic 3|Stereo In|Input 7|",
}
CASES = [(name, role) for role, names in NAMES.items() for name in names.split("|")]


@pytest.mark.parametrize(("name", "role"), CASES)
def test_names_that_people_write_tell_the_role(name, role):
    assert guess_role(name).role == role


@given(
    case=st.sampled_from(CASES),
    number=st.integers(1, 99),
    before=st.booleans(),
    spelling=st.sampled_from((str, str.upper, str.lower, str.swapcase)),
    separator=st.sampled_from((" ", "_", "-", ".", "  ")),
)
def test_numbers_case_and_separators_do_not_matter(case, number, before, spelling, separator):
    name, role = case
    name = spelling(name).replace(" ", separator)
    name = f"{number:02d}{separator}{name}" if before else f"{name}{separator}{number}"
    assert guess_role(name).role == role


@given(st.text(max_size=40))
def test_any_text_gets_a_role_of_the_vocabulary_and_a_reason(name):
    guess = guess_role(name)
    assert guess.role in ROLES
    assert 0.0 <= guess.confidence <= 1.0
    assert guess.why.endswith(".")


def test_the_reason_names_the_words_that_told():
    assert '"bass gtr"' in guess_role("Bass Gtr 2").why or '"bassgtr"' in guess_role("Bass Gtr 2").why


@pytest.mark.parametrize(
    ("left", "right"), [("OH L", "OH R"), ("OHL", "OHR"), ("Keys Left", "Keys Right"), ("gtr_2_l", "gtr_2_r")]
)
def test_the_halves_of_a_pair_know_each_other(left, right):
    one, other = side_of_name(left), side_of_name(right)
    assert one is not None
    assert other is not None
    assert one[0] == other[0]
    assert (one[1], other[1]) == ("left", "right")


def test_pairs_of_different_number_are_different_pairs():
    assert side_of_name("Gtr 1 L")[0] != side_of_name("Gtr 2 R")[0]


@pytest.mark.parametrize("name", ["L", "Bass", "Left Right", "Vocal"])
def test_a_name_without_one_side_is_no_half(name):
    assert side_of_name(name) is None


def kick_sound():
    t = seconds(6.0) % 0.5
    return 0.8 * np.sin(2 * np.pi * (50 * t + 40 * 0.02 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.08)


def bass_sound():
    t = seconds(6.0)
    return 0.2 * sum(np.sin(2 * np.pi * 55.0 * n * t) / n**2 for n in range(1, 5))


def hat_sound():
    x = strokes(6.0, 0.25)
    return np.diff(np.diff(np.diff(x, prepend=0), prepend=0), prepend=0) * 0.2


@pytest.mark.parametrize(("sound", "role"), [(kick_sound, "kick"), (bass_sound, "bass"), (hat_sound, "hihat")])
def test_where_the_name_says_nothing_plain_sounds_tell_with_low_confidence(sound, role):
    guess = guess_role("Audio 7", analyse_source(Samples(sound())))
    assert guess.role == role
    assert 0.0 < guess.confidence < 0.5


def test_the_name_wins_over_the_sound():
    assert guess_role("Lead Vocal", analyse_source(Samples(kick_sound()))).role == "lead_vocal"


def test_what_neither_name_nor_sound_tells_is_other_without_confidence():
    steady = noise(3.0) * 0.01 + 0.2 * np.sin(2 * np.pi * 500 * seconds(3.0))
    guess = guess_role("Audio 7", analyse_source(Samples(steady)))
    assert (guess.role, guess.confidence) == ("other", 0.0)
    assert guess_role("Audio 8", analyse_source(Samples(np.zeros(RATE_HZ)))).role == "other"
