"""Multitrack songs as rehearsals: the same lot is the same recording, and the desk is fitted to each song once."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="PyTorch is in the environment of training alone: ./oto test training")

from core.mix.dynamics import DESK_PEAK_DBFS, loud_peak_dbfs  # noqa: E402
from training.data.places import shared_data  # noqa: E402
from training.mix import rehearsals  # noqa: E402

pytestmark = pytest.mark.training
RATE_HZ = 48_000


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three stems of strokes in a folder of training songs."""
    monkeypatch.setenv("OTO_TRAINING", str(tmp_path / "kept"))
    monkeypatch.setenv("OTO_SHARED_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "multitracks" / "train" / "song"
    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    stems = []
    for at, name in enumerate(("kick", "snare", "bass")):
        strokes = np.exp(-12 * ((time_s * (2 + at)) % 1))
        sound = 0.1 * random.standard_normal(time_s.size) * strokes * 0.5**at
        soundfile.write(folder / f"{at}_{name}.ogg", np.stack([sound, (0.5 + 0.2 * at) * sound], axis=1), RATE_HZ)
        stems.append({"file": f"{at}_{name}.ogg", "name": name, "rel_lu": -6.0 * at})
    (folder / "meta.json").write_text(json.dumps({"stems": stems}))
    return folder


def test_a_lot_is_always_the_same_recording_and_another_lot_another(song: Path) -> None:
    one, again, other = (rehearsals.recorded(song, lot) for lot in (0, 0, 1))
    assert np.array_equal(one.tracks, again.tracks)
    assert not np.array_equal(one.tracks, other.tracks)
    assert np.array_equal(one.stems, other.stems)
    assert tuple(take.name for take in one.takes) == ("kick", "snare", "bass")


def test_every_track_arrives_at_the_level_at_which_the_desk_works(song: Path) -> None:
    for take in rehearsals.recorded(song, 0).takes:
        assert loud_peak_dbfs(take.heard) == pytest.approx(DESK_PEAK_DBFS, abs=0.1)


def test_a_song_is_fitted_once_and_what_was_found_is_kept_as_json(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "STEPS", 6)
    assert "3 tracks" in rehearsals.rehearsal(song, "train", 0)
    assert rehearsals.rehearsal(song, "train", 0) == "song-0: there"
    (kept,) = rehearsals.rehearsals("train")
    told = json.loads((rehearsals.kept() / "song-0.json").read_text())
    assert kept.fit.after < kept.fit.before
    assert told["fit"]["after"] == kept.fit.after
    assert [take.name for take in kept.takes] == told["tracks"] == ["kick", "snare", "bass"]
    assert rehearsals.rehearsals("validation") == []


@pytest.mark.skipif(not shared_data().exists(), reason="shared data is not beside the repository")
def test_songs_for_testing_are_fitted_for_no_lesson() -> None:
    fitted = {path.name for split in rehearsals.SPLITS for path in rehearsals.folder(split)}
    assert fitted
    assert not fitted & {path.name for path in rehearsals.folder("test")}
