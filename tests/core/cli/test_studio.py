"""Commands beside a real engine with the simulated interface: record, hand work to the queue, export."""

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

from core.client import ensure_engine
from core.errors import Exit
from sessions.store import Library

ROOT = Path(__file__).parents[3]


def samples(path: Path | str) -> np.ndarray:
    return soundfile.read(path, dtype="int32")[0]


@pytest.fixture
def device(stage: Path) -> str:
    """The files of the stage as an interface that is recorded as fast as possible."""
    return f"sim:fast:{stage}"


def test_record_takes_what_the_interface_heard_sample_for_sample(oto: Any, device: str, stage: Path) -> None:
    ran = oto("record", "--device", device, "--session", "Band", "--seconds", 3, "--json")
    assert ran.code == 0, ran.err
    take = ran.json
    assert (take["take"], take["gaps"], take["overflows"], take["short"]) == (1, 0, 0, False)
    assert take["frames"] == 3 * take["rate_hz"]
    played = sorted(stage.iterdir())
    assert len(take["files"]) == len(played)
    offsets = set()
    for file, source in zip(take["files"], played, strict=True):
        heard, looped = samples(file), np.tile(samples(source), 2)
        assert len(heard) == take["frames"]
        starts = np.flatnonzero(looped[: len(looped) // 2] == heard[1000])
        offsets |= {start - 1000 for start in starts if np.array_equal(looped[start - 1000 :][: len(heard)], heard)}
    assert offsets


def test_a_wished_rate_that_can_t_be_had_is_told(oto: Any, device: str) -> None:
    first = oto("record", "--device", device, "--rate", 96_000, "--seconds", 0.5, "--json")
    assert (first.code, first.json["rate_hz"]) == (0, 48_000)
    assert "at 48000 Hz, not at 96000" in first.err
    assert "not at" not in oto("record", "--device", device, "--rate", 48_000, "--seconds", 0.5).err


def test_recorder_keys_work_as_commands(oto: Any, device: str) -> None:
    assert oto("record", "--device", device.replace("sim:fast", "sim"), "--seconds", 0.5, "--json").code == 0
    assert oto("next", "--json").json["error"]["code"] == "not_recording"
    assert oto("rec", "--name", "Slow", "--pre-roll", 0, "--json").json == {"take": 2}
    status = oto("status", "--json").json
    assert (status["transport"]["state"], status["transport"]["take"]) == ("recording", 2)
    while oto("status", "--json").json["transport"]["position_s"] < 0.05:
        time.sleep(0.01)
    assert "recording, take 2" in oto("status").out
    assert oto("mark", "chorus", "--json").json["name"] == "chorus"
    assert oto("next", "--json").json == {"take": 3}
    assert oto("stop", "--json").json == {"take": 3}
    assert oto("false-take").code == 0
    assert oto("keep", 1, "--json").json == {"take": 3}
    (session,) = oto("sessions", "--json").json
    takes = oto("takes", session["name"], "--json").json
    assert [(take["number"], take["false_take"], take["name"]) for take in takes if take["name"] == "Slow"] == [
        (2, False, "Slow")
    ]
    assert [take["number"] for take in takes if take["false_take"]] == [3]
    assert [marker["name"] for take in takes for marker in take["markers"]] == ["chorus"]
    second, third = (next(take for take in takes if take["number"] == number) for number in (2, 3))
    assert second["frames"] > 0
    assert third["origin"] in ("recorded", "retro")
    assert all(Path(file).is_file() for take in takes for file in take["files"])


def test_ctrl_c_stops_record_cleanly_and_the_take_is_told(oto: Any, device: str, home: Path) -> None:
    oto("record", "--device", device.replace("sim:fast", "sim"), "--seconds", 0.2)
    process = subprocess.Popen(
        [sys.executable, "-m", "core.cli.main", "record", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OTO_HOME": str(home)},
    )
    try:
        deadline = time.monotonic() + 30
        while oto("status", "--json").json["transport"]["state"] != "recording":
            assert time.monotonic() < deadline
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    take = json.loads(out)
    assert take["frames"] >= 0.5 * take["rate_hz"]
    assert {len(samples(file)) for file in take["files"]} == {take["frames"]}


def test_a_session_is_mixed_mastered_and_exported_by_a_worker_of_the_engine(
    oto: Any, device: str, stage: Path, tmp_path: Path
) -> None:
    take = oto("record", "--device", device, "--session", "Band", "--seconds", 3, "--json").json
    mix = oto("mix", "Band", "--stems", "parts", "--out", "band.wav", "--json").json
    assert (mix["session"], mix["take"], mix["bounce"]) == (take["session"], 1, "mix-001-01")
    assert Path(mix["out"]) == tmp_path / "band.wav"
    assert len(mix["stems"]) == len(take["files"])
    assert all(Path(path).parent == tmp_path / "parts" for path in mix["stems"].values())
    master = oto("master", "Band", "--target", "cd", "--json").json
    assert (master["bounce"], master["target"]["name"]) == ("master-001-01", "cd")
    export = oto("export", "Band", "--to", "./stick", "--format", "flac,stems", "--json").json
    names = {Path(path).relative_to(tmp_path / "stick").as_posix() for path in export["exports"]}
    assert "Band.flac" in names
    assert len(names) == 1 + len(mix["stems"])
    tags = json.loads(
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_format", "-of", "json", tmp_path / "stick" / "Band.flac"],
            capture_output=True,
            check=True,
            timeout=30,
        ).stdout
    )["format"]["tags"]
    assert tags["album"] == "Band"
    assert "master by" in tags["comment"]
    status = oto("status", "--json").json
    assert [job["state"] for job in status["jobs"]["jobs"]] == ["done"] * 3
    assert status["bounces"]["exports"][0]["files"][0]["source_bounce"] == "master-001-01"


def test_ctrl_c_on_a_job_cancels_it_in_the_engine(oto: Any, device: str, home: Path) -> None:
    oto("record", "--device", device, "--session", "Band", "--seconds", 20)
    process = subprocess.Popen(
        [sys.executable, "-m", "core.cli.main", "mix", "Band", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OTO_HOME": str(home)},
    )
    try:
        deadline = time.monotonic() + 60
        while not oto("status", "--json").json["jobs"]["jobs"]:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, json.loads(out)["error"]["code"]) == (Exit.INTERRUPTED, "interrupted")
    status = oto("status", "--json").json
    assert [job["state"] for job in status["jobs"]["jobs"]] == ["cancelled"]
    assert status["bounces"]["bounces"] == []


def test_a_job_that_fails_tells_its_reason_and_leaves_no_bounce(oto: Any, device: str) -> None:
    oto("record", "--device", device, "--session", "Band", "--seconds", 1)
    ran = oto("export", "Band", "--to", "./stick", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (Exit.NOT_FOUND, "not_found")
    ran = oto("master", "Band", "--json")
    assert "oto mix" in ran.json["error"]["hint"]
    assert oto("status", "--json").json["bounces"]["bounces"] == []


def test_without_an_engine_the_same_is_done_in_place(oto: Any, stage: Path, tmp_path: Path, home: Path) -> None:
    imported = oto("import", stage, "--name", "Band", "--json").json
    assert imported["tracks"]
    assert imported["frames"] == 4 * imported["rate_hz"]
    tracks = oto("analyse", "Band", "--json").json["tracks"]
    assert {Path(track["file"]) for track in tracks} == {Path(file) for file in imported["files"]}
    first = oto("mix", "Band", "--json").json
    again = oto("mix", "Band", "--json").json
    assert (first["bounce"], again["bounce"]) == ("mix-001-01", "mix-001-02")
    assert Path(first["out"]).read_bytes() == Path(again["out"]).read_bytes()
    master = oto("master", "Band", "--json").json
    bounce = json.loads((Path(master["out"]).parent / "bounce.json").read_text())
    assert bounce["source_bounce"] == "mix-001-02"
    export = oto("export", "Band", "--to", "./stick", "--json").json
    assert [Path(path).name for path in export["exports"]] == ["Band.wav"]
    assert not (home / "engine.sock").exists()


def test_a_plan_that_a_person_brings_becomes_the_takes_plan(oto: Any, stage: Path, tmp_path: Path) -> None:
    session = oto("import", stage, "--name", "Band", "--json").json["session"]
    plan = json.loads(Path(oto("mix", "Band", "--json").json["plan"]).read_text())
    for strip in plan["strips"]:
        strip["settings"]["mute"] = {"value": True, "by": "person", "locked": True}
    (tmp_path / "mine.json").write_text(json.dumps(plan))
    assert oto("mix", session, "--plan", "mine.json", "--json").json["integrated_lufs"] is None
    assert oto("mix", session, "--json").json["integrated_lufs"] is None
    assert oto("mix", session, "--propose", "--json").json["integrated_lufs"] is None
    half = json.loads(Path(oto("mix", session, "--hands", 0.5, "--json").json["plan"]).read_text())
    assert half["hands"] == 0.5
    assert oto("mix", session, "--hands", 0.5, "--plan", "mine.json").code == Exit.USAGE


def test_what_was_removed_is_listed_put_back_and_deleted_without_an_engine(oto: Any, stage: Path, home: Path) -> None:
    session = oto("import", stage, "--name", "Old", "--json").json["session"]
    Library(home / "library").trash_session(session)
    (entry,) = oto("trash", "--json").json
    assert (entry["kind"], entry["bytes"] > 0) == ("session", True)
    assert oto("trash", "--restore", entry["id"], "--json").json["restored"].endswith(session)
    assert [one["name"] for one in oto("sessions", "--json").json] == ["Old"]
    assert oto("trash", "--restore", "9999").code == Exit.NOT_FOUND
    Library(home / "library").trash_session(session)
    assert oto("trash", "--empty", "--json").json["freed_bytes"] > 0
    assert oto("trash", "--json").json == []


def test_settings_are_the_same_with_an_engine_and_without(oto: Any, home: Path) -> None:
    assert oto("settings", "preroll_s", "--json").json == {"preroll_s": 10.0}
    assert oto("settings", "preroll_s", "4", "--json").json == {"preroll_s": 4.0}
    assert oto("settings", "tones", "on", "--json").json == {"tones": True}
    assert oto("settings", "tones", "off", "--json").json == {"tones": False}
    alone = oto("settings", "--json").json
    ensure_engine()
    assert oto("settings", "--json").json == alone
    assert oto("settings", "preroll_s", "3", "--json").json == {"preroll_s": 3.0}
    assert oto("settings", "device", "null", "--json").json == {"device": None}
    assert oto("engine", "--stop", "--json").json == {"ended": True}
    assert oto("settings", "preroll_s", "--json").json == {"preroll_s": 3.0}
    assert oto("engine", "--stop", "--json").code == Exit.NO_ENGINE


def test_a_mirror_is_a_whole_path_since_the_engine_works_elsewhere(oto: Any) -> None:
    ran = oto("settings", "mirror_folder", "copies", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (Exit.BAD_INPUT, "bad_input")
    assert oto("settings", "mirror_folder", "/media/BACKUP", "--json").code == 0
    assert oto("settings", "mirror_folder", "", "--json").code == 0


@pytest.mark.parametrize(
    "words", [("--seconds", "nan"), ("--seconds", "inf"), ("--inputs", "3-1"), ("--inputs", "1-9999999999")]
)
def test_a_take_that_could_not_be_meant_is_not_begun(words: tuple[str, str], oto: Any, home: Path) -> None:
    assert oto("record", *words, "--json").code == Exit.USAGE


def test_devices_lists_the_simulated_band_and_the_drives(oto: Any) -> None:
    value = oto("devices", "--json").json
    assert value["interfaces"][-1]["id"] == "sim"
    assert {"path", "label", "free_bytes"} <= set(value["drives"][0]) if value["drives"] else True


def test_devices_lists_what_only_the_engine_can_reach(oto: Any, device: str) -> None:
    def listed() -> list[str]:
        return [one["id"] for one in oto("devices", "--json").json["interfaces"]]

    assert device not in listed()
    assert oto("record", "--device", device, "--seconds", 0.2).code == 0
    assert listed()[0] == device
    assert listed().count("sim") == 1


def test_doctor_has_a_finding_for_everything_and_says_what_to_do(oto: Any) -> None:
    ran = oto("doctor", "--json")
    checks = {check["name"]: check for check in ran.json["checks"]}
    assert checks["python"]["state"] == "ok"
    assert checks["engine"]["state"] == "ok"
    assert all(check["do"] for check in checks.values() if check["state"] != "ok")
    assert ran.code == (Exit.FAILED if ran.json["state"] == "fail" else Exit.OK)
