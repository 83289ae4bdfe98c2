"""Commands on plain files: no session, no engine, nothing of the user's touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.errors import Exit
from tests.core.cli.conftest import ROOT

METER = {
    "integrated_lufs",
    "loudness_range_lu",
    "momentary_max_lufs",
    "short_term_max_lufs",
    "true_peak_dbtp",
    "sample_peak_dbfs",
    "duration_s",
}


def ebur128(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak as FFmpeg measures them."""
    command = ["ffmpeg", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60).stderr.rpartition("Summary:")[2]
    words = said.split()
    return float(words[words.index("I:") + 1]), float(words[words.index("Peak:") + 1])


def test_meter_reads_what_ffmpeg_reads(oto: Any, stage: Path) -> None:
    file = stage / "3 Bass.wav"
    value = oto("meter", file, "--json").json
    assert set(value) == METER
    lufs, peak = ebur128(file)
    assert value["integrated_lufs"] == pytest.approx(lufs, abs=0.1)
    assert value["true_peak_dbtp"] == pytest.approx(peak, abs=0.1)
    assert value["duration_s"] == 4.0


def test_silence_has_no_loudness(oto: Any, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros((48_000, 2)), 48_000)
    value = oto("meter", "silence.wav", "--json").json
    assert value["integrated_lufs"] is None
    assert value["true_peak_dbtp"] is None
    assert "silent" in oto("meter", "silence.wav").out


def test_a_file_that_is_not_audio_is_refused_by_name(oto: Any, tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("Dear band")
    ran = oto("meter", "letter.wav", "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "letter.wav" in ran.json["error"]["message"]


def test_analyse_says_what_each_file_is(oto: Any, stage: Path) -> None:
    tracks = oto("analyse", *sorted(stage.iterdir()), "--json").json["tracks"]
    assert [track["role"] for track in tracks] == ["kick", "snare", "bass", "electric_guitar", "lead_vocal"]
    assert [track["file"] for track in tracks] == [str(path) for path in sorted(stage.iterdir())]
    assert all(0.0 <= track["confidence"] <= 1.0 and track["why"] for track in tracks)


def test_mix_renders_files_with_plan_and_stems_and_touches_nothing_else(
    shell_oto: Any, stage: Path, tmp_path: Path, home: Path
) -> None:
    ran = shell_oto("mix", stage, "--out", "song.wav", "--stems", "parts", "--json")
    assert ran.code == 0, ran.err
    value = ran.json
    out = Path(value["out"])
    assert out == tmp_path / "song.wav"
    audio, rate_hz = soundfile.read(out)
    assert (rate_hz, audio.shape[1]) == (48_000, 2)
    assert np.abs(audio).max() > 0.01
    assert set(value["stems"]) == {path.stem for path in stage.iterdir()}
    assert all(Path(path).parent == tmp_path / "parts" for path in value["stems"].values())
    plan = json.loads(Path(value["plan"]).read_text())
    assert plan["kind"] == "mix"
    assert [strip["track"] for strip in plan["strips"]] == sorted(value["stems"])
    assert {path.name for path in tmp_path.iterdir()} == {"stage", "song.wav", "song.plan.json", "parts"}
    assert not home.exists()


def test_the_same_plan_gives_the_same_audio(oto: Any, stage: Path, tmp_path: Path) -> None:
    first = oto("mix", stage, "--out", "first.wav", "--json").json
    again = oto("mix", stage, "--plan", first["plan"], "--out", "again.wav", "--json").json
    assert Path(again["out"]).read_bytes() == Path(first["out"]).read_bytes()
    assert again["plan"] == first["plan"]


def test_a_changed_plan_changes_the_audio(oto: Any, stage: Path, tmp_path: Path) -> None:
    first = oto("mix", stage, "--json").json
    plan = json.loads(Path(first["plan"]).read_text())
    for strip in plan["strips"]:
        strip["settings"]["mute"] = {"value": True, "by": "person"}
    (tmp_path / "mute.json").write_text(json.dumps(plan))
    second = oto("mix", stage, "--plan", "mute.json", "--json").json
    assert Path(second["out"]).name == "mix (2).wav"
    assert np.abs(soundfile.read(second["out"])[0]).max() == 0.0
    assert second["integrated_lufs"] is None


def test_a_plan_that_was_edited_is_not_replaced_by_a_new_proposal(oto: Any, stage: Path, tmp_path: Path) -> None:
    bass = stage / "3 Bass.wav"
    first = oto("mix", bass, "--out", "song.wav", "--json").json
    assert oto("mix", bass, "--out", "song.wav", "--json").json["plan"] == first["plan"]
    Path(first["plan"]).write_text("my own")
    second = oto("mix", bass, "--out", "song.wav", "--json").json
    assert Path(second["plan"]).name == "song.plan (2).json"
    assert Path(first["plan"]).read_text() == "my own"


@pytest.mark.parametrize("target", ["streaming", "broadcast"])
def test_master_meets_its_target_by_ffmpegs_measure(target: str, oto: Any, stage: Path, tmp_path: Path) -> None:
    oto("mix", stage, "--out", "song.wav")
    value = oto("master", "song.wav", "--target", target, "--json").json
    assert value["target"]["name"] == target
    assert Path(value["out"]) == tmp_path / "song master.wav"
    assert json.loads(Path(value["plan"]).read_text())["kind"] == "master"
    lufs, peak = ebur128(Path(value["out"]))
    assert lufs == pytest.approx(value["integrated_lufs"], abs=0.1)
    assert peak <= value["target"]["true_peak_dbtp"] + 0.1
    if not value["notes"]:
        assert lufs == pytest.approx(value["target"]["integrated_lufs"], abs=0.2)


def test_an_unknown_target_is_refused_with_those_there_are(oto: Any, stage: Path) -> None:
    ran = oto("master", stage / "3 Bass.wav", "--target", "moon", "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "streaming" in ran.json["error"]["hint"]


def test_an_input_is_never_replaced(oto: Any, stage: Path) -> None:
    file = stage / "3 Bass.wav"
    before = file.read_bytes()
    assert oto("mix", file, "--out", file).code == Exit.BAD_INPUT
    assert oto("master", file, "--out", file).code == Exit.BAD_INPUT
    assert file.read_bytes() == before


@pytest.mark.parametrize("plan", ["{", '{"kind": "mix"}', '{"kind": "master", "oto_version": "1", "target": {}}'])
def test_a_broken_plan_is_refused_and_nothing_is_rendered(plan: str, oto: Any, stage: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(plan)
    ran = oto("mix", stage, "--plan", "plan.json", "--out", "song.wav", "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "plan.json" in ran.json["error"]["message"]
    assert not (tmp_path / "song.wav").exists()


def test_a_word_that_is_both_a_file_and_a_session_is_asked_about(oto: Any, stage: Path, tmp_path: Path) -> None:
    assert oto("import", stage, "--name", "Song").code == 0
    (tmp_path / "Song").mkdir()
    (tmp_path / "Song" / "kick.wav").write_bytes((stage / "1 Kick.wav").read_bytes())
    ran = oto("analyse", "Song", "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "./Song" in ran.json["error"]["hint"]
    assert len(oto("analyse", "./Song", "--json").json["tracks"]) == 1
    folder = ran.json["error"]["hint"].partition("here, or ")[2].removesuffix(" for the session.")
    assert len(oto("analyse", folder, "--json").json["tracks"]) == 5


def test_a_take_is_asked_of_the_session_and_of_no_file(oto: Any, stage: Path, tmp_path: Path) -> None:
    (tmp_path / "Song").write_bytes((stage / "1 Kick.wav").read_bytes())
    ran = oto("analyse", "Song", "--take", "1", "--json")
    assert (ran.code, "'Song'" in ran.json["error"]["message"]) == (Exit.USAGE, True)
    assert "oto sessions" in ran.json["error"]["hint"]
    assert oto("import", stage, "--name", "Song").code == 0
    assert len(oto("analyse", "Song", "--take", "1", "--json").json["tracks"]) == 5
    assert oto("analyse", "./Song", "--take", "1", "--json").code == Exit.USAGE


def test_stems_never_go_where_the_inputs_of_the_same_names_are(oto: Any, stage: Path) -> None:
    before = {file.name: file.read_bytes() for file in stage.iterdir()}
    ran = oto("mix", stage, "--out", "song.wav", "--stems", stage, "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "--stems" in ran.json["error"]["hint"]
    assert {file.name: file.read_bytes() for file in stage.iterdir()} == before


def test_the_mix_and_a_stem_are_never_one_file(oto: Any, stage: Path, tmp_path: Path) -> None:
    ran = oto("mix", stage, "--out", "parts/3 bass.wav", "--stems", "parts", "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "--out" in ran.json["error"]["hint"]
    assert list((tmp_path / "parts").iterdir()) == []
    assert oto("mix", stage, "--out", "parts/song.wav", "--stems", "parts", "--engineer", "rules").code == 0


def test_stems_of_a_session_leave_alone_what_it_was_imported_from(oto: Any, stage: Path) -> None:
    for file in list(stage.iterdir()):
        file.rename(stage / f"{file.stem.split()[-1]}.wav")
    before = {file: file.read_bytes() for file in stage.iterdir()}
    assert oto("import", stage, "--name", "Song").code == 0
    stems = oto("mix", "Song", "--engineer", "rules", "--stems", stage, "--json").json["stems"]
    assert {file: file.read_bytes() for file in before} == before
    assert all(Path(file).is_file() and Path(file) not in before for file in stems.values())


def test_stems_do_not_replace_what_an_input_links_to(oto: Any, stage: Path, tmp_path: Path) -> None:
    linked = tmp_path / "3 Bass.wav"
    linked.symlink_to(stage / "3 Bass.wav")
    before = linked.read_bytes()
    assert oto("mix", linked, "--out", "song.wav", "--stems", stage).code == Exit.BAD_INPUT
    assert linked.read_bytes() == before


def test_a_mix_in_the_folder_of_its_tracks_is_no_track_of_the_next(oto: Any, stage: Path) -> None:
    first = oto("mix", stage, "--out", stage, "--json").json
    second = oto("mix", stage, "--out", stage, "--json").json
    assert Path(second["out"]) == stage / "mix (2).wav"
    assert any("mix.wav" in note for note in second["notes"])
    assert Path(second["out"]).read_bytes() == Path(first["out"]).read_bytes()
    named = oto("mix", first["out"], stage / "3 Bass.wav", "--out", "both.wav", "--stems", "parts", "--json").json
    assert set(named["stems"]) == {"mix", "3 Bass"}, "a mix that is named is mixed"


def test_a_mix_by_a_plan_that_lies_elsewhere_is_no_track_of_the_next_either(
    oto: Any, stage: Path, tmp_path: Path
) -> None:
    oto("mix", stage, "--out", "song.wav")
    made = oto("mix", stage, "--plan", "song.plan.json", "--out", stage / "by plan.wav", "--json").json
    assert made["plan"] == str(tmp_path / "song.plan.json")
    again = oto("mix", stage, "--plan", "song.plan.json", "--out", "again.wav", "--json").json
    assert any("by plan.wav" in note for note in again["notes"])
    assert Path(again["out"]).read_bytes() == Path(made["out"]).read_bytes()
    assert not (tmp_path / "again.plan.json").exists()


@pytest.mark.parametrize("command", ["mix", "master"])
@pytest.mark.parametrize("name", ["song.mp3", "song.flac"])
def test_a_wav_is_never_called_what_it_is_not(command: str, name: str, oto: Any, stage: Path, tmp_path: Path) -> None:
    ran = oto(command, stage / "3 Bass.wav", "--out", name, "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "song.wav" in ran.json["error"]["hint"]
    assert not (tmp_path / name).exists()


def test_what_is_no_file_is_not_replaced_by_one(oto: Any, stage: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert oto("mix", stage / "3 Bass.wav", "--out", "pipe").code == Exit.BAD_INPUT
    assert (tmp_path / "pipe").is_fifo()


def test_the_track_that_holds_no_numbers_is_named_with_the_time(oto: Any, stage: Path) -> None:
    audio = np.zeros(15 * 48_000, np.float32)
    audio[14 * 48_000] = np.nan
    soundfile.write(stage / "6 Keys.wav", audio, 48_000, subtype="FLOAT")
    ran = oto("mix", stage, "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "6 Keys.wav" in ran.json["error"]["message"]
    assert "14.000 s" in ran.json["error"]["message"]


@pytest.mark.parametrize(("wrong", "said"), [(np.nan, "not a number"), (1e30, "+200 dBFS")])
@pytest.mark.parametrize("words", [("meter",), ("master",), ("mix",), ("analyse",), ("meter", "--target", "cd")])
def test_audio_that_cannot_be_worked_with_is_refused_by_name(
    wrong: float, said: str, words: tuple[str, ...], oto: Any, tmp_path: Path
) -> None:
    audio = np.full((48_000, 2), 0.1, np.float32)
    audio[24_000] = wrong
    soundfile.write(tmp_path / "song.wav", audio, 48_000, subtype="FLOAT")
    ran = oto(words[0], "song.wav", *words[1:], "--json")
    assert (ran.code, ran.json["error"]["code"]) == (Exit.BAD_INPUT, "bad_input")
    assert all(word in ran.json["error"]["message"] for word in ("song.wav", said, "0.500 s"))


@pytest.mark.parametrize(
    "words", [("--style", "moon"), ("--lead", "3 Bass", "--background", "3 Bass"), ("--lead", "nobody")]
)
def test_a_value_that_cannot_be_used_ends_with_its_own_exit_code(words: tuple[str, ...], oto: Any, stage: Path) -> None:
    ran = oto("mix", stage / "3 Bass.wav", *words, "--json")
    assert (ran.code, ran.json["error"]["code"]) == (Exit.BAD_INPUT, "bad_input")


@pytest.mark.parametrize("gap", ["nan", "inf", "1e9", "-1"])
def test_a_gap_that_is_none_is_refused_before_anything_is_written(gap: str, oto: Any, stage: Path) -> None:
    ran = oto("master", "--album", stage / "3 Bass.wav", stage / "4 Guitar.wav", f"--gap={gap}", "--out", "album")
    assert ran.code in (Exit.USAGE, Exit.BAD_INPUT)
    assert not (stage.parent / "album").exists()


def test_a_name_that_the_system_refuses_is_a_sentence(oto: Any, stage: Path) -> None:
    ran = oto("mix", stage / "3 Bass.wav", "--out", "y" * 250 + ".wav", "--json")
    assert ran.code == Exit.FAILED
    assert "Errno" not in ran.json["error"]["message"]
    assert "shorter" in ran.json["error"]["hint"]


def test_a_name_can_not_drive_the_terminal(oto: Any, stage: Path) -> None:
    evil = stage / "6 \x1b[31mKeys\u202e\n7.wav"
    evil.write_bytes((stage / "3 Bass.wav").read_bytes())
    ran = oto("analyse", stage)
    assert ran.code == 0
    assert not set("\x1b\u202e") & set(ran.out + ran.err)
    assert any(line.startswith("6 [31mKeys 7 ") for line in ran.out.splitlines()), "one line of the table"
    assert any(track["file"] == str(evil) for track in oto("analyse", stage, "--json").json["tracks"])


def test_a_name_that_is_no_text_is_refused_in_words(oto: Any, stage: Path) -> None:
    Path(os.fsdecode(os.fsencode(stage) + b"/caf\xe9.wav")).write_bytes((stage / "3 Bass.wav").read_bytes())
    ran = oto("mix", stage, "--json")
    assert ran.code == Exit.BAD_INPUT
    assert "Rename" in ran.json["error"]["hint"]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_leaves_nothing_half_written(number: signal.Signals, stage: Path, tmp_path: Path) -> None:
    long = np.random.default_rng(5).uniform(-0.1, 0.1, 180 * 48_000)
    soundfile.write(stage / "6 Keys.wav", long, 48_000, subtype="PCM_24")
    words = [sys.executable, "-m", "core.cli.main", "mix", str(stage), "--out", str(tmp_path / "song.wav")]
    # Whoever runs the tests may have been told to ignore the signal, as by nohup.
    words = ["env", f"--default-signal={number.name}", *words]
    running = subprocess.Popen([*words, "--stems", str(tmp_path / "parts")], cwd=ROOT, env=os.environ)
    deadline = time.monotonic() + 100
    while not any(tmp_path.glob("parts/*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(number)
    assert running.wait(60) == 128 + number
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and path.parent != stage] == []
