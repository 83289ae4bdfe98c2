"""What comes before the mix: microphones that add up, hum and clipping mended, the song cut out of its take."""

import re

import msgspec
import numpy as np
import pytest

from core.analysis.track import analyse_source
from core.desk.render import render_mix
from core.mix.draft import Draft
from core.mix.engineer import propose_mix
from core.mix.ensemble import Player, find_companions
from core.mix.preparing import prepare
from core.plans.document import MixPlan, Setting, Span, Strip
from core.plans.parameters import STRIP, by_name
from tests.core.analysis.microphones import later, strokes_at
from tests.core.analysis.sounds import RATE_HZ, Samples, noise, seconds

DURATION_S = 12.0
T = seconds(DURATION_S)
KNOBS = by_name(STRIP)


def prepared(tracks, *, hands=1.0, kept=None, previous=None):
    """Roles and audio by name; returns the settings by name, and what `prepare` told."""
    sources = [Samples(audio, name) for name, (_, audio) in tracks.items()]
    players = [
        Player(name=name, role=role, role_confidence=1.0, role_by="rules", heard=analyse_source(source))
        for source, (name, (role, _)) in zip(sources, tracks.items(), strict=True)
    ]
    find_companions(players)
    drafts = {player: Draft(KNOBS, (kept or {}).get(player.name, {}), hands) for player in players}
    told = prepare(sources, drafts, previous=previous)
    return {player.name: draft.settings for player, draft in drafts.items()}, told


def plucked():
    """A bass line: notes that are never the same twice, as fingers play them."""
    random = np.random.default_rng(2)
    x = noise(DURATION_S, -70.0, 5)
    t = np.arange(round(0.45 * RATE_HZ)) / RATE_HZ
    for start in np.arange(0.1, DURATION_S - 0.6, 0.5):
        pitch = random.uniform(45.0, 110.0)
        note = sum(np.sin(2 * np.pi * pitch * n * t + random.uniform(0, 6)) / n for n in range(1, 30))
        at = round(start * RATE_HZ)
        x[at : at + t.size] += 0.05 * note * np.exp(-t / 0.2) * np.clip(t / 0.002, 0, 1)
    return x


def amplified(x):
    return 0.3 * np.tanh(6.0 * x)


SNARE_S = np.arange(0.4, DURATION_S - 0.7, 0.5)


def snare():
    return strokes_at(SNARE_S, DURATION_S, seed=3, low_hz=190.0)


def cymbals(seed):
    return np.diff(strokes_at(np.arange(0.15, DURATION_S - 0.7, 0.25), DURATION_S, 0.05, seed), prepend=0.0) * 0.1


def kit():
    """A snare drum with two microphones under a pair of overheads, four and five milliseconds away."""
    hit = snare()
    return {
        "Snare Top": ("snare", hit),
        "Snare Bottom": ("snare", later(hit, 5.0, -0.6) + noise(DURATION_S, -60.0, 7)),
        "OH L": ("overheads", later(hit, 192.0, 0.3) + cymbals(10)),
        "OH R": ("overheads", later(hit, 192.0, 0.3) + cymbals(11)),
    }


def test_a_di_waits_for_its_amplifier_and_the_reason_tells_how_far():
    line = plucked()
    settings, _ = prepared({"Bass DI": ("bass", line), "Bass Amp": ("bass", amplified(later(line, 101.0)))})
    assert settings["Bass DI"]["delay_ms"].value == pytest.approx(101.0 / 48.0, abs=0.003)
    assert "Bass Amp comes 2.1 ms (101 samples, 72 cm) after it" in settings["Bass DI"]["delay_ms"].why
    assert settings["Bass Amp"] == {}
    assert "polarity_invert" not in settings["Bass DI"]


def test_close_microphones_wait_for_the_overheads_and_the_lower_one_is_turned_over():
    settings, _ = prepared(kit())
    for name, samples in (("Snare Top", 192.0), ("Snare Bottom", 187.0)):
        assert settings[name]["delay_ms"].value == pytest.approx(samples / 48.0, abs=0.13)
    assert "polarity_invert" not in settings["Snare Top"]
    turned = settings["Snare Bottom"]["polarity_invert"]
    assert turned.value is True
    assert float(re.search(r"correlation (-[\d.]+)", turned.why).group(1)) < -0.3
    assert settings["OH L"] == settings["OH R"] == {}


def test_what_was_proposed_makes_the_rendered_sum_louder(tmp_path):
    tracks = kit()
    sources = [Samples(audio, name) for name, (_, audio) in tracks.items()]
    settings, _ = prepared(tracks)

    def rendered(chosen):
        strips = tuple(Strip(track=name, settings=chosen[name]) for name in tracks)
        result = render_mix(MixPlan(oto_version="0", strips=strips), sources, tmp_path / "mix.wav")
        return result.loudness.integrated_lufs

    assert rendered(settings) > rendered({name: {} for name in tracks}) + 3.0


def test_tracks_that_have_nothing_to_do_with_each_other_stay_as_they_are():
    loosely = SNARE_S + np.random.default_rng(1).normal(0.0, 0.004, SNARE_S.size)
    settings, told = prepared(
        {
            "Snare": ("snare", snare()),
            "Snare 2": ("snare", strokes_at(loosely, DURATION_S, seed=30, low_hz=220.0)),
            "OH": ("overheads", cymbals(12)),
            "Bass": ("bass", plucked()),
            "Bass 2": ("bass", plucked()[::-1].copy()),
        }
    )
    assert all(not chosen for chosen in settings.values())
    assert (told.bleed.bleeds, told.span, told.notes) == ((), None, ())


def test_the_halves_of_a_pair_are_never_moved_against_each_other():
    left = plucked()
    settings, _ = prepared({"Keys L": ("keys", left), "Keys R": ("keys", later(left, 60.0))})
    assert settings == {"Keys L": {}, "Keys R": {}}


def test_a_persons_delay_stays_and_the_others_follow_it():
    mine = Setting(value=5.0, unit="ms", by="person")
    settings, _ = prepared(kit(), kept={"Snare Top": {"delay_ms": mine}})
    assert settings["Snare Top"]["delay_ms"] == mine
    assert settings["Snare Bottom"]["delay_ms"].value == pytest.approx(5.0 - 5.0 / 48.0, abs=0.13)


def test_clipped_peaks_are_rebuilt_and_hum_is_taken_out_where_they_were_found():
    hum = sum(0.0015 * np.sin(2 * np.pi * 50.0 * n * T) / n for n in range(1, 7))
    playing = plucked() * (T % 6.0 < 3.0)
    hot = np.clip(20.0 * snare(), -1.0, 1.0)
    settings, _ = prepared({"Guitar": ("electric_guitar", playing + hum), "Snare": ("snare", hot)})
    assert settings["Guitar"]["hum_hz"].value == "50"
    assert "50 Hz hum" in settings["Guitar"]["hum_hz"].why
    assert settings["Snare"]["declip"].value is True
    count = int(re.match(r"(\d+) samples", settings["Snare"]["declip"].why).group(1))
    assert count == analyse_source(Samples(hot)).clipped_samples
    assert "declip" not in settings["Guitar"]
    assert "hum_hz" not in settings["Snare"]


def test_a_count_in_is_left_out_and_a_persons_span_stays():
    clicks = 0.05 * strokes_at(np.arange(4) * 0.5 + 0.5, 20.0, 0.01)
    band = strokes_at(np.arange(2.5, 19.0, 0.5), 20.0, seed=4, low_hz=190.0)
    tracks = {"Snare": ("snare", clicks + band + noise(20.0, -80.0))}
    _, told = prepared(tracks)
    assert 2.4 <= told.span.start_s < 2.5
    assert told.span.by == "rules"
    assert "count of 4" in told.span.why
    assert told.span.why in told.notes[0]
    mine = Span(start_s=1.0, end_s=9.0, by="person")
    before = MixPlan(oto_version="0", strips=(), span=mine)
    assert prepared(tracks, previous=before)[1].span == mine
    locked = msgspec.structs.replace(mine, by="rules", locked=True)
    assert prepared(tracks, previous=msgspec.structs.replace(before, span=locked))[1].span == locked


def test_without_hands_nothing_is_proposed():
    settings, told = prepared(kit(), hands=0.0)
    assert all(not chosen for chosen in settings.values())
    assert (told.span, told.notes) == (None, ())


def test_a_drums_gate_stands_above_what_bleeds_into_it_and_below_its_strokes():
    strokes = strokes_at(np.arange(0.4, DURATION_S - 0.7, 1.0), DURATION_S, 0.06, seed=8, low_hz=90.0)
    other = strokes_at(np.arange(0.9, DURATION_S - 0.7, 1.0), DURATION_S, 0.04, seed=9, low_hz=190.0)
    bled = later(other, 90.0, 0.03)
    sources = [Samples(strokes + bled + noise(DURATION_S, -85.0), "Floor Tom"), Samples(other, "Snare")]
    gate = propose_mix(sources).strips[0].settings
    threshold_dbfs = gate["gate_threshold_db"].value - gate["trim_db"].value
    assert 20 * np.log10(np.abs(bled).max()) < threshold_dbfs < 20 * np.log10(np.abs(strokes).max()) - 12.0
    assert gate["gate_threshold_db"].why.startswith("Snare is heard here")


@pytest.mark.parametrize("peak_dbfs", [-40.0, -3.0])
def test_every_strip_reaches_its_compressor_at_the_desks_level(tmp_path, peak_dbfs):
    audio = snare()
    source = Samples(audio / np.abs(audio).max() * 10 ** (peak_dbfs / 20), "Snare")
    trim = {"trim_db": propose_mix([source]).strips[0].settings["trim_db"]}
    plan = MixPlan(oto_version="0", strips=(Strip(track="Snare", settings=trim),))
    result = render_mix(plan, [source], tmp_path / "mix.wav", stems=tmp_path / "stems")
    from core.desk.sources import FileSource
    from core.mix.dynamics import loud_peak_dbfs

    heard = analyse_source(FileSource(result.stems["Snare"]))
    # A mono strip in the middle is 3 dB lower on each side.
    assert loud_peak_dbfs(heard) + 3.01 == pytest.approx(-12.0, abs=0.4)
