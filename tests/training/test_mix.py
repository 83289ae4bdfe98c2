"""The mix controller's training: songs are what their authors made, and the pipeline runs from songs to a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch lives in the environment of training")
pytest.importorskip("onnx", reason="onnx lives in the environment of training")
mido = pytest.importorskip("mido", reason="mido lives in the environment of training")

from core.models.mixing import FEATURES  # noqa: E402
from training import curves  # noqa: E402
from training.mix import export, midi, modules, network, train  # noqa: E402
from training.mix.examples import varied, whole  # noqa: E402
from training.mix.odd import BAND, as_recorded, made, shown_of  # noqa: E402
from training.mix.shelf import Shelf  # noqa: E402
from training.mix.songs import Song, Track, measured, tasks  # noqa: E402
from training.mix.teacher import Teacher  # noqa: E402
from training.quantize import int8_file  # noqa: E402

pytestmark = pytest.mark.training
RANDOM = np.random.default_rng(3)


def _song(name: str, kick_lu: float) -> Song:
    """A band whose author likes the kick louder than its measured level, by so much."""
    tracks = [Track(one.name, one.heard, one.author_lufs + kick_lu * (one.name == "kick")) for one in made(*BAND)]
    return Song(name, "multitrack", "train", tuple(tracks))


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    songs = [_song(f"multitrack-{at}", 20.0) for at in range(4)]
    return Shelf([[whole(song), *(varied(song, RANDOM) for _ in range(2))] for song in songs])


def test_a_level_is_the_authors_whatever_the_track_was_measured_at() -> None:
    tone = 0.01 * np.sin(np.arange(96_000) * 0.05)[None].astype(np.float32)
    one, other = measured("a", tone, 48_000), measured("a", 4.0 * tone, 48_000)
    assert one is not None
    assert other is not None
    assert other.author_lufs - one.author_lufs == pytest.approx(20.0 * np.log10(4.0), abs=0.01)
    assert other.heard.centroid_hz == pytest.approx(one.heard.centroid_hz)


def test_songs_of_test_are_on_no_other_side() -> None:
    sides = [(task.path, task.split) for task in tasks()]
    tested = {path for path, split in sides if split == "test"}
    assert not tested & {path for path, split in sides if split != "test"}


def test_parts_of_a_midi_song_are_apart_and_keep_their_places(tmp_path: Path) -> None:
    song, place = mido.MidiFile(), mido.MidiTrack()
    for channel, pan in ((0, 64), (1, 127)):
        place.append(mido.Message("control_change", channel=channel, control=10, value=pan))
    for at in range(12):
        channel, key = (9, 36 if at % 4 else 38) if at % 2 else (at // 2 % 2, 60)
        place.append(mido.Message("note_on", channel=channel, note=key, velocity=90, time=0))
        place.append(mido.Message("note_off", channel=channel, note=key, time=240))
    song.tracks.append(place)
    song.save(tmp_path / "song.mid")
    whole_kit = midi.parts(tmp_path / "song.mid", 30.0, split_kit=False)
    assert [part.name for part in whole_kit] == ["drums"]
    assert all(not midi.is_pan(message) for part in whole_kit for _, message in part.events)


def test_instruments_of_a_module_add_up_to_the_song() -> None:
    files = [Path(task.path) for task in tasks() if task.kind == "module"]
    if not files or modules.library() is None:
        pytest.skip("the packages with modules are not fetched, or libopenmpt is not installed")
    together = modules.whole(files[0], 5.0)
    alone = [audio for _, audio in modules.stems(files[0], 5.0)]
    assert np.abs(sum(alone) - together).max() < 1e-3 * np.abs(together).max()


def test_what_is_left_out_or_unnamed_is_not_seen(shelf: Shelf) -> None:
    song = _song("multitrack-x", 0.0)
    for _ in range(8):
        seen = varied(song, RANDOM)
        assert 2 <= len(seen.fed) <= len(song.tracks)
        assert len(seen.place_lu) == len(seen.author_lu) == len(seen.fed)


def test_another_gain_of_a_recording_is_what_recording_it_louder_gives() -> None:
    (quiet, *_), (loud, *_) = shown_of(made(*BAND)), [as_recorded(one, 6.0) for one in shown_of(made(*BAND))]
    assert loud.level_lufs - quiet.level_lufs == 6.0
    assert np.array(loud.heard.loudness_curve) - np.array(quiet.heard.loudness_curve) == pytest.approx(6.0)


def test_padding_changes_nothing_and_order_only_moves_answers(shelf: Shelf) -> None:
    asked = network.Controller().eval()
    torch.nn.init.normal_(asked.heads.weight)
    fed = torch.randn(1, 5, FEATURES)
    there = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0]])
    padded, bare = asked(fed, there)[0][:, :3], asked(fed[:, :3])[0]
    assert torch.allclose(padded, bare, atol=1e-5)
    assert torch.allclose(asked(fed.flip(1))[0].flip(1), asked(fed)[0], atol=1e-5)


def test_what_authors_always_do_is_learned_by_teacher_and_network(shelf: Shelf) -> None:
    before, after = [], []
    teacher = Teacher([song[0] for song in shelf.songs], train.WEIGHTS)
    network_ = train.train(shelf, steps=40, seed=1)
    for one, *_ in shelf.songs:
        off = one.place_lu - one.author_lu
        before.append(train.errors_lu(off).mean())
        after.append(train.errors_lu(off + train.asked(network_, one)[0]).mean())
        taught = teacher.answers(torch.from_numpy(one.fed)).numpy()
        assert train.errors_lu(off + taught).mean() < before[-1]
    assert np.mean(after) < np.mean(before)


def test_who_watches_sees_it_learn_and_changes_nothing(shelf: Shelf) -> None:
    seen: list[tuple[int, float, float]] = []

    def watch(step: int, loss: float, kept: network.Controller) -> None:
        seen.append((step, loss, train.missed_lu(kept, shelf)))

    watched = train.train(shelf, steps=45, seed=1, watch=watch)
    alone = train.train(shelf, steps=45, seed=1)
    assert [step for step, *_ in seen] == [10, 20, 30, 40, 45]
    assert seen[-1][2] < seen[0][2]
    assert seen[-1][2] == pytest.approx(train.missed_lu(alone, shelf), rel=1e-6)
    for one, other in zip(watched.parameters(), alone.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_curve_is_drawn_as_a_picture(tmp_path: Path) -> None:
    curves.draw([(1, 2.0, 3.0), (2, 1.0, 2.5)], tmp_path / "curve.png", training="loss", validation="LU")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_file_says_what_the_network_says_and_int8_nearly_the_same(shelf: Shelf, tmp_path: Path) -> None:
    import onnx

    asked = train.train(shelf, steps=30, seed=1)
    fed = [one.fed for song in shelf.songs for one in song]
    onnx.save(export.float_model(asked), tmp_path / "float.onnx")
    int8_file(tmp_path / "float.onnx", tmp_path / "int8.onnx", layers=export.INT8, name="tracks", examples=fed)
    for said, one in zip(export.said(tmp_path / "float.onnx", fed), fed, strict=True):
        with torch.no_grad():
            change, spread = asked(torch.from_numpy(one)[None])
        assert np.allclose(said, np.concatenate((change, spread)), atol=1e-4)
    assert export.drift_lu(tmp_path / "float.onnx", tmp_path / "int8.onnx", fed) < export.MOST_DRIFT_LU
