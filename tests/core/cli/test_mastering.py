"""`oto master` beyond one file and one target, and `oto meter` as a judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile

from core.errors import Exit
from core.master.targets import TARGETS
from tests.core.master.songs import RATE_HZ, song


@pytest.fixture
def songs(tmp_path: Path) -> list[Path]:
    """Three short songs of different levels."""
    files = []
    for n, peak_dbfs in enumerate((-4.0, -8.0, -2.0)):
        files.append(tmp_path / f"song {n}.wav")
        soundfile.write(files[-1], song(3.0, seed=n, peak_dbfs=peak_dbfs).T, RATE_HZ, subtype="PCM_24")
    return files


def test_the_targets_are_listed_with_their_sources(oto: Any) -> None:
    listed = oto("master", "--list-targets", "--json").json
    assert [target["name"] for target in listed] == list(TARGETS)
    assert {"soundcloud", "bandcamp", "vinyl", "ebu_r128"} <= set(TARGETS)
    assert all(len(target["why"]) > 20 for target in listed)
    assert "vinyl" in oto("master", "--list-targets").out


def test_several_references_are_followed_as_far_as_one_says(oto: Any, songs: list[Path]) -> None:
    words = ("--reference", songs[1], "--reference", songs[2], "--tone", "100", "--width", "0", "--loudness", "50")
    value = oto("master", songs[0], *words, "--json").json
    plan = json.loads(Path(value["plan"]).read_text())
    assert plan["references"] == ["song 1", "song 2"]
    assert plan["target"]["name"] == "reference"
    assert "50 %" in plan["target"]["why"]
    if plan["curve"]:
        assert plan["curve"]["mid_db"] == plan["curve"]["side_db"]


def test_a_master_says_whether_it_may_be_delivered(oto: Any, songs: list[Path]) -> None:
    value = oto("master", songs[0], "--codecs", "--json").json
    delivery = value["delivery"]
    assert delivery["target"] == "streaming"
    assert {copy["format"] for copy in delivery["copies"]} >= {"mp3", "ogg", "opus"}
    judged = [*delivery["checks"], *delivery["copies"]]
    assert delivery["passes"] == all(each["passes"] for each in judged)
    meter = oto("meter", value["out"], "--target", "streaming", "--json").json
    assert meter["delivery"]["checks"] == delivery["checks"]
    assert meter["true_peak_dbtp"] == pytest.approx(value["true_peak_dbtp"], abs=1e-6)


def test_the_meter_fails_a_file_for_a_target_it_misses_and_says_by_how_much(oto: Any, songs: list[Path]) -> None:
    ran = oto("meter", songs[0], "--target", "broadcast")
    assert ran.code == 0
    assert "FAILS" in ran.out
    assert "-23 LUFS of broadcast" in ran.out


def test_an_album_is_a_folder_of_numbered_songs_in_their_order(oto: Any, songs: list[Path], tmp_path: Path) -> None:
    order = [songs[2], songs[0]]
    value = oto("master", "--album", *order, "--gap", "1", "--out", "record", "--json").json
    assert value["folder"] == str(tmp_path / "record")
    assert [entry["file"] for entry in value["album"]] == [str(file) for file in order]
    assert [Path(entry["out"]).name for entry in value["album"]] == ["01 song 2.wav", "02 song 0.wav"]
    assert all(Path(entry["plan"]).exists() for entry in value["album"])
    first, second = value["album"]
    assert second["start_s"] == pytest.approx(first["duration_s"])
    assert value["duration_s"] == pytest.approx(first["duration_s"] + second["duration_s"])
    assert value["gap_s"] == 1.0
    assert first["integrated_lufs"] >= value["integrated_lufs"] - 0.1 >= second["integrated_lufs"] - 0.3


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("song 0.wav", "--tone", "50"),
        ("song 0.wav", "--gap", "3"),
        ("--album", "song 0.wav", "--reference", "song 1.wav"),
    ],
    ids=["nothing", "strength without reference", "gap without album", "album towards a reference"],
)
def test_options_that_go_nowhere_are_refused(words: tuple[str, ...], oto: Any, songs: list[Path]) -> None:
    ran = oto("master", *words, "--json")
    assert ran.code == Exit.USAGE
    assert len(ran.json["error"]["message"]) > 15


@pytest.mark.parametrize(
    "words", [("--style", "polka"), ("--reference", "song 1.wav", "--tone", "170")], ids=["style", "strength"]
)
def test_values_that_mean_nothing_are_refused(words: tuple[str, ...], oto: Any, songs: list[Path]) -> None:
    assert oto("master", songs[0], *words, "--json").code == Exit.BAD_INPUT
    assert not (songs[0].parent / "song 0 master.wav").exists()
