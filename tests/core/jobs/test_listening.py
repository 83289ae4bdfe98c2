"""Tracks are listened to once, and a mix is made whether or not there is a model that listens along."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.desk.sources import FileSource
from core.errors import OtoError
from core.jobs import listening, work
from core.jobs.listening import listen
from core.models import runtime
from core.models.card import read_card
from core.models.features import excerpts
from core.models.runtime import Model

TOY = Path(__file__).parents[1] / "models" / "toy"
RATE_HZ = 48_000


class Counted(FileSource):
    """A file that counts how much of it is read."""

    read_samples = 0

    def read(self, start, frames):
        Counted.read_samples += frames
        return super().read(start, frames)


@pytest.fixture(scope="module")
def _home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def with_toy(_home, monkeypatch):
    """The toy recogniser in a studio that this module's tests share, so that it is tried out once."""
    monkeypatch.setenv("OTO_HOME", str(_home))
    monkeypatch.setattr(runtime, "FILES", TOY)


@pytest.fixture
def with_nothing(tmp_path, monkeypatch):
    """A studio with no model at all."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("OTO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(runtime, "FILES", tmp_path)


def file_of(folder, name, freq_hz, length_s=6.0):
    time_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
    path = folder / f"{name}.wav"
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * freq_hz * time_s), RATE_HZ, subtype="PCM_24")
    return path


def counted(*paths):
    Counted.read_samples = 0
    return [Counted(path) for path in paths]


def test_a_track_is_decoded_once_for_everything_and_then_remembered(with_toy, tmp_path):
    path = file_of(tmp_path, "Audio 1", 90.0)
    first = listen(counted(path))
    assert Counted.read_samples == 6 * RATE_HZ
    again = listen(counted(path))
    assert Counted.read_samples == 0
    assert again == first
    assert first.recognised["Audio 1"].role == "bass"


def test_the_pictures_are_those_of_the_audio(with_toy, tmp_path):
    path = file_of(tmp_path, "Audio 1", 900.0)
    listen([FileSource(path)])
    heard = listening._hear(FileSource(path), True)
    assert np.array_equal(heard.shown(), excerpts(FileSource(path).read(0, 6 * RATE_HZ), RATE_HZ))


def test_a_file_that_changed_is_listened_to_again(with_nothing, tmp_path):
    listen([FileSource(file_of(tmp_path, "Audio 1", 90.0))])
    heard = listen(counted(file_of(tmp_path, "Audio 1", 7_000.0, length_s=5.0)))
    assert Counted.read_samples == 5 * RATE_HZ
    assert heard.analyses["Audio 1"].duration_s == 5.0


def test_a_damaged_memory_is_no_hindrance(with_nothing, tmp_path):
    source = FileSource(file_of(tmp_path, "Audio 1", 90.0))
    first = listen([source])
    (kept,) = (tmp_path / "home/cache/heard").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert listen([source]).analyses == first.analyses


def test_listening_to_plain_files_founds_no_studio(with_nothing, tmp_path):
    (tmp_path / "home").rmdir()
    listen([FileSource(file_of(tmp_path, "Audio 1", 90.0, length_s=0.5))])
    assert not (tmp_path / "home").exists()


def test_what_was_not_asked_for_the_longest_is_forgotten(with_nothing, tmp_path, monkeypatch):
    monkeypatch.setattr(listening, "MOST_KEPT", 2)
    files = [file_of(tmp_path, f"Audio {n}", 90.0 * n, length_s=0.5) for n in (1, 2, 3)]
    for path in (files[0], files[1], files[0], files[2]):
        listen([FileSource(path)])
    listen(counted(files[0], files[2]))
    assert Counted.read_samples == 0
    listen(counted(files[1]))
    assert Counted.read_samples > 0


def test_listening_ends_when_nobody_wants_it_any_more(with_nothing, tmp_path):
    sources = counted(*(file_of(tmp_path, f"Audio {n}", 90.0 * n, length_s=1.0) for n in range(1, 7)))
    with pytest.raises(OtoError) as ended:
        listen(sources, progress=lambda fraction, doing: False)
    assert ended.value.code == "cancelled"
    assert Counted.read_samples < 6 * RATE_HZ


def test_progress_only_grows_and_names_every_track(with_nothing, tmp_path):
    told = []
    sources = [FileSource(file_of(tmp_path, f"Audio {n}", 90.0 * n, length_s=1.0)) for n in range(1, 5)]

    def progress(fraction, doing):
        told.append((fraction, doing))
        return True

    listen(sources, progress=progress)
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert {doing for _, doing in told} == {f"Listening to {source.name}" for source in sources}


def test_rules_alone_listen_without_a_word_about_models(with_nothing, tmp_path):
    heard = listen([FileSource(file_of(tmp_path, "Audio 1", 90.0))], "rules")
    assert (heard.engineer, heard.recognised, heard.notes) == ("rules", {}, ())


def test_rules_alone_draw_no_pictures_and_take_what_a_model_left(with_toy, tmp_path, monkeypatch):
    drawn, plain = file_of(tmp_path, "Audio 1", 90.0), file_of(tmp_path, "Audio 2", 900.0)
    by_model = listen([FileSource(drawn)])
    monkeypatch.setattr(listening, "Listener", None)
    assert listen(counted(drawn), "rules").analyses == by_model.analyses
    assert Counted.read_samples == 0
    listen(counted(plain), "rules")
    assert Counted.read_samples == 6 * RATE_HZ


def test_a_model_listens_to_what_only_rules_heard(with_toy, tmp_path):
    path = file_of(tmp_path, "Audio 1", 90.0)
    listen([FileSource(path)], "rules")
    assert listen(counted(path)).recognised["Audio 1"].role == "bass"
    assert Counted.read_samples == 6 * RATE_HZ


def test_a_model_that_its_card_keeps_out_of_use_is_no_news(with_nothing, tmp_path, monkeypatch):
    toy = Path(shutil.copytree(TOY, tmp_path / "toy"))
    card = toy / "roles.json"
    card.write_text(card.read_text().replace('"in_use": true', '"in_use": false'))
    monkeypatch.setattr(runtime, "FILES", toy)
    heard = listen([FileSource(file_of(tmp_path, "Audio 1", 90.0))])
    assert (heard.engineer, heard.recognised, heard.notes) == ("rules", {}, ())


def test_a_model_that_fails_while_it_listens_is_a_note(with_toy, tmp_path, monkeypatch):
    asleep = Model(read_card(TOY / "roles.json"), session=None)
    monkeypatch.setattr(listening, "load_recogniser", lambda: asleep)
    heard = listen([FileSource(file_of(tmp_path, "Audio 1", 90.0))])
    assert heard.notes == (
        "The model 'roles' failed while it listened (AttributeError). Names and rules told the roles.",
    )
    assert heard.recognised == {}


def test_without_a_model_the_mix_is_what_rules_make_and_a_note_says_why(with_nothing, tmp_path):
    files = [file_of(tmp_path, "Audio 1", 90.0), file_of(tmp_path, "Vox", 700.0)]
    plan, _ = work.mix([FileSource(path) for path in files], tmp_path / "mix.wav")
    ruled, _ = work.mix([FileSource(path) for path in files], tmp_path / "rules.wav", engineer="rules")
    assert plan.strips == ruled.strips
    assert plan.engineer == ruled.engineer == "rules"
    told = [note for note in plan.notes if note not in ruled.notes]
    assert told == [
        "There is no model 'roles' here: roles.json is missing. Names and rules told the roles.",
        "There is no model 'mixing' here: mixing.json is missing. The rules found the balance.",
    ]


def test_a_plan_says_who_told_each_role_and_why(with_toy, tmp_path):
    files = [file_of(tmp_path, name, hz) for name, hz in (("Audio 1", 90.0), ("Audio 2", 800.0), ("Hats", 95.0))]
    sources = [FileSource(path) for path in files]
    plan, _ = work.mix(sources, tmp_path / "mix.wav", roles={"Audio 2": "strings"})
    bass, strings, hats = plan.strips
    assert (bass.role, bass.role_by) == ("bass", "model")
    assert f"Sounds like bass ({bass.role_confidence:.0%})" in bass.role_why
    assert (strings.role, strings.role_by, strings.role_why) == ("strings", "person", "")
    assert (hats.role, hats.role_by) == ("hihat", "rules")
    assert plan.engineer == "rules, roles 0.0.1"
    assert any(
        note.startswith("Hats was taken for hihat, as its name says, but it sounds like bass") for note in plan.notes
    )
    again, _ = work.mix(sources, tmp_path / "again.wav", previous=plan)
    assert [(strip.role, strip.role_by) for strip in again.strips] == [
        ("bass", "model"), ("strings", "person"), ("hihat", "rules"),
    ]  # fmt: skip


def test_an_analysis_names_who_told_a_role(with_toy, tmp_path):
    sources = [FileSource(file_of(tmp_path, name, 90.0, length_s=5.0)) for name in ("Audio 1", "Bass", "Audio 3")]
    heard = work.analyse(sources, {"Audio 3": "keys"})
    assert [(track["role"], track["by"]) for track in heard["tracks"]] == [
        ("bass", "model"), ("bass", "rules"), ("keys", "person"),
    ]  # fmt: skip
    assert heard["notes"] == []


def test_nobody_unknown_proposes():
    assert work.engineer_of("rules") == "rules"
    with pytest.raises(OtoError, match="no engineer 'magic'"):
        work.engineer_of("magic")
