"""Motifs as jobs: files that open anywhere and say what they are, or a sentence that says why there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from core.cli.care import read_plan
from core.errors import OtoError
from core.jobs.motifs import read_motif
from core.jobs.tasks import run_job
from core.muse.motif import MARK
from core.protocol.topics import Job
from sessions.importing import import_recordings
from sessions.store import Library
from sessions.verify import check_library
from tests.core.muse.songs import strummed

RATE_HZ = 44_100
BAR_S = 2.0


def clicks(steps: list[float], bars: int, hz: float, fall_s: float) -> np.ndarray:
    """A drum of its own pitch at these beats of every bar of two seconds."""
    out = np.zeros(round(bars * BAR_S * RATE_HZ), np.float32)
    time_s = np.arange(round(0.2 * RATE_HZ)) / RATE_HZ
    stroke = (0.5 * np.sin(2 * np.pi * hz * time_s) * np.exp(-time_s / fall_s)).astype(np.float32)
    for bar in range(bars):
        for step in steps:
            at = round((bar + step / 4) * BAR_S * RATE_HZ)
            out[at : at + stroke.size] += stroke[: out.size - at]
    return out


@pytest.fixture
def band(home: Path, tmp_path: Path) -> Library:
    """Take 1 of "Band": kick, snare and a guitar over Am F C G, at 120 beats a minute, 12 bars."""
    stage = tmp_path / "band"
    stage.mkdir()
    bars = 12
    guitar = strummed(["Am", "F", "C", "G"] * 3, BAR_S)
    for name, audio in {
        "Kick": clicks([0, 2], bars, 60.0, 0.05),
        "Snare": clicks([1, 3], bars, 200.0, 0.03),
        "Guitar": guitar,
    }.items():
        soundfile.write(stage / f"{name}.wav", audio, RATE_HZ, subtype="PCM_24")
    made = Library(home / "library")
    import_recordings(made, [stage], name="Band")
    return made


def propose(library: Library, session: str = "Band", progress: Any = None, **options: Any) -> dict[str, Any]:
    job = Job(id="1", kind="motif", session=library.session(session).id, options=options)
    return run_job(job, library, progress or (lambda *_: True))


@pytest.mark.parametrize("part", ["melody", "bass", "chords", "rhythm"])
def test_a_motif_is_kept_with_the_session_and_every_file_says_who_wrote_it(band: Library, part: str) -> None:
    told = propose(band, part=part)
    session = band.session("Band").id
    (bounce,) = band.bounces(session)
    folder = band.bounce_path(session, bounce.id)
    assert (bounce.kind, bounce.take, bounce.about.split(",")[0]) == ("motif", 1, part)
    assert told["ai_generated"]
    assert bounce.why[0] == f"{MARK}."
    assert list(bounce.why[1:]) == told["why"]
    document = read_motif((folder / bounce.plan).read_bytes(), "")
    assert document.ai_generated
    assert document.mark == MARK
    assert MARK.encode() in (folder / "motif.wav").read_bytes()[:1024]
    assert MARK.encode() in (folder / "Motif.wav").read_bytes()[:1024]
    assert MARK.encode() not in (folder / "Band.wav").read_bytes()[:1024]
    assert any(MARK in message.text for message in mido.MidiFile(told["midi"]).tracks[0] if message.type == "text")


def test_what_the_band_plays_is_heard_and_the_reasons_say_so(band: Library) -> None:
    told = propose(band, bars=4, at_s=0.0)
    assert told["bpm"] == pytest.approx(120.0, abs=1.0)
    assert told["start_s"] == pytest.approx(0.0, abs=0.05)
    assert [chord["name"] for chord in told["chords"]] == ["Am", "F", "C", "G"]
    assert told["key"] in ("C major", "A minor")
    assert any(f"The key is {told['key']}" in why for why in told["why"])


def test_sketch_and_band_add_up_and_are_heard_without_clipping(band: Library) -> None:
    folder = Path(propose(band)["out"]).parent
    together, alone, others = (soundfile.read(folder / name)[0] for name in ("motif.wav", "Motif.wav", "Band.wav"))
    np.testing.assert_allclose(alone + others, together, atol=1e-6)
    assert np.abs(together).max() <= 0.9
    assert np.abs(alone).max() > 0.02


def test_the_same_wish_is_the_same_motif_and_without_a_seed_the_next_is_another(band: Library) -> None:
    first, again, other = propose(band, seed=7), propose(band, seed=7), propose(band)
    assert first["notes"] == again["notes"]
    assert other["seed"] == 3
    assert Path(first["out"]).read_bytes()[:] == Path(again["out"]).read_bytes()


def test_a_seed_that_a_motif_of_the_take_has_is_never_drawn_unasked(band: Library) -> None:
    asked = [propose(band, seed=seed)["seed"] for seed in (4, 3)]
    assert [propose(band)["seed"] for _ in range(2)] == [5, 6]
    assert asked == [4, 3]


def test_a_person_s_key_and_tempo_are_believed(band: Library) -> None:
    told = propose(band, key="F# minor", bpm=60.0)
    assert told["key"] == "F# minor"
    assert told["bpm"] == pytest.approx(60.0, abs=1.0)
    assert any("You said F# minor." in why for why in told["why"])
    assert any("You said 60 beats a minute." in why for why in told["why"])


def test_the_newest_mix_of_the_take_is_what_the_sketch_plays_with(band: Library) -> None:
    session = band.session("Band").id
    run_job(Job(id="2", kind="mix", session=session, options={"engineer": "rules"}), band, lambda *_: True)
    told = propose(band, at_s=4.0)
    mix = next(one for one in band.bounces(session) if one.kind == "mix")
    mixed, _ = soundfile.read(band.bounce_path(session, mix.id) / mix.file)
    others, _ = soundfile.read(Path(told["out"]).parent / "Band.wav")
    first = round(told["start_s"] * RATE_HZ) - mix.start_samples
    expected = mixed[first : first + len(others)]
    assert np.corrcoef(expected.ravel(), others.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize("rest_bytes", [None, 20, 400_000])
def test_a_mix_whose_file_has_suffered_makes_way_for_the_tracks(band: Library, rest_bytes: int | None) -> None:
    session = band.session("Band").id
    plain = propose(band, seed=1)
    run_job(Job(id="2", kind="mix", session=session, options={"engineer": "rules"}), band, lambda *_: True)
    mix = next(one for one in band.bounces(session) if one.kind == "mix")
    file = band.bounce_path(session, mix.id) / mix.file
    whole = file.read_bytes()
    file.unlink()
    if rest_bytes is not None:
        file.write_bytes(whole[:rest_bytes])
    assert Path(propose(band, seed=1)["out"]).read_bytes() == Path(plain["out"]).read_bytes()


def test_a_click_is_no_part_of_the_band_that_the_sketch_plays_with(home: Path, tmp_path: Path) -> None:
    made = Library(home / "library")
    guitar = strummed(["Am", "F", "C", "G"] * 3, BAR_S)
    for name, tracks in {"With": ("Guitar", "Click"), "Without": ("Guitar",)}.items():
        (tmp_path / name).mkdir()
        for track in tracks:
            audio = guitar if track == "Guitar" else clicks([0, 1, 2, 3], 12, 1000.0, 0.01)
            soundfile.write(tmp_path / name / f"{track}.wav", audio, RATE_HZ, subtype="PCM_24")
        import_recordings(made, [tmp_path / name], name=name)
    played = [Path(propose(made, name, seed=1, at_s=0.0)["out"]).parent / "Band.wav" for name in ("With", "Without")]
    assert played[0].read_bytes() == played[1].read_bytes()


@pytest.mark.parametrize("name", ["Guitar", "Click"])
def test_a_take_on_which_nobody_plays_says_so_and_not_that_it_is_short(home: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "still").mkdir()
    audio = clicks([0, 1, 2, 3], 12, 1000.0, 0.01) * (name == "Click")
    soundfile.write(tmp_path / "still" / f"{name}.wav", audio, RATE_HZ, subtype="PCM_24")
    made = Library(home / "library")
    import_recordings(made, [tmp_path / "still"], name="Still")
    with pytest.raises(OtoError, match="Nothing is played on take 1"):
        propose(made, "Still")


def test_a_midi_file_that_is_gone_is_found_when_the_library_is_looked_over(band: Library) -> None:
    told = propose(band)
    assert not list(check_library(band, read_plan=read_plan))
    Path(told["midi"]).unlink()
    (found,) = check_library(band, read_plan=read_plan)
    assert found.path.endswith("motif.mid")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"part": "solo"}, "There is no 'solo'"),
        ({"mood": "sad"}, "There is no 'sad'"),
        ({"bars": 17}, "1 to 16 bars"),
        ({"bars": 0}, "1 to 16 bars"),
        ({"bars": 2.5}, "1 to 16 bars"),
        ({"density": 1.1}, "a density of 0 to 1"),
        ({"seed": -1}, "a whole seed from 0"),
        ({"seed": 1.5}, "a whole seed from 0"),
        ({"seed": 10**400}, "a whole seed from 0 to 4294967295"),
        ({"density": float("nan")}, "a density of 0 to 1"),
        ({"bars": "4"}, "can't be '4'"),
        ({"bpm": 10.0}, "no tempo"),
        ({"key": "H sharp"}, "is no key"),
    ],
)
def test_a_wish_that_makes_no_sense_is_said(band: Library, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OtoError, match=words) as caught:
        propose(band, **options)
    assert caught.value.code == "bad_input"
    assert not band.bounces(band.session("Band").id)


def test_more_bars_than_there_are_is_all_of_them(band: Library) -> None:
    assert propose(band, bars=16)["bars"] in (11, 12)


@pytest.fixture
def drums(home: Path, tmp_path: Path) -> Library:
    """Take 1 of "Drums": nothing that has a pitch."""
    stage = tmp_path / "drums"
    stage.mkdir()
    noise = np.random.default_rng(1).standard_normal(round(12 * BAR_S * RATE_HZ)).astype(np.float32)
    for name, steps in {"Snare": [1, 3], "Hat": [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]}.items():
        envelope = np.abs(clicks(steps, 12, 0.0001, 1.0)) + clicks(steps, 12, 4.0, 0.05)
        soundfile.write(stage / f"{name}.wav", 0.3 * noise * envelope, RATE_HZ, subtype="PCM_24")
    made = Library(home / "library")
    import_recordings(made, [stage], name="Drums")
    return made


def test_drums_alone_get_a_rhythm_but_no_melody_without_a_key(drums: Library) -> None:
    with pytest.raises(OtoError, match="no key to write a melody in") as caught:
        propose(drums, "Drums")
    assert "--key" in caught.value.hint
    assert propose(drums, "Drums", part="rhythm")["key"] == ""
    assert propose(drums, "Drums", part="bass", key="E minor")["notes"]


def test_a_take_of_a_second_is_too_short_and_says_so(library: Library) -> None:
    with pytest.raises(OtoError, match="too short"):
        propose(library, "Duo")
    assert not library.bounces(library.session("Duo").id)


def test_work_that_is_cancelled_leaves_nothing(band: Library) -> None:
    calls = iter(range(10_000))
    with pytest.raises(OtoError) as caught:
        propose(band, progress=lambda *_: next(calls) < 5)
    assert caught.value.code == "cancelled"
    assert not list((band.session_path(band.session("Band").id)).glob("bounces/*"))


def test_an_exported_motif_brings_its_midi_file_and_says_what_it_is(band: Library, tmp_path: Path) -> None:
    bounce = propose(band, part="bass")["bounce"]
    options = {"to": str(tmp_path / "out"), "formats": ["flac", "stems"], "bounces": [bounce]}
    run_job(Job(id="3", kind="export", session=band.session("Band").id, options=options), band, lambda *_: True)
    names = sorted(path.name for path in (tmp_path / "out").rglob("*.*"))
    base = "Band bass motif 1 (AI-generated)"
    assert names == [f"{base}.flac", f"{base}.mid", "Band.wav", "Motif.wav"]
    assert MARK in soundfile.SoundFile(tmp_path / "out" / f"{base}.flac").comment


def test_a_motif_is_none_of_the_songs_that_are_mastered_or_exported_unasked(band: Library, tmp_path: Path) -> None:
    propose(band)
    session = band.session("Band").id
    for kind, options in (("master", {}), ("export", {"to": str(tmp_path / "out")})):
        with pytest.raises(OtoError, match=r"no mix yet|nothing to export"):
            run_job(Job(id="4", kind=kind, session=session, options=options), band, lambda *_: True)


def test_the_document_is_plain_json_that_people_can_read(band: Library) -> None:
    told = propose(band)
    document = json.loads(Path(told["motif"]).read_text())
    assert document["kind"] == "motif"
    assert document["ai_generated"] is True
    assert document["notes"][0].keys() == {"at_beats", "beats", "pitch", "velocity"}
