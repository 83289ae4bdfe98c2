"""Exporting songs: everything fits before anything is written, nothing there is replaced, every file is proven."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.errors import Exit, OtoError
from core.export import export
from core.export.export import ExportItem, export_files
from core.export.tags import Tags
from devices.drives import drive_at

MakeDrive = Callable[[int], Path]


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("OTO_HOME", str(home))
    return home


def song(folder: Path, seconds: float = 1.0, name: str = "mix.wav") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(7).uniform(-0.3, 0.3, (round(48_000 * seconds), 2))
    soundfile.write(folder / name, noise, 48_000, subtype="FLOAT")
    return folder / name


def test_every_format_arrives_with_its_hash_and_the_bounce_it_came_from(tmp_path: Path, studio: Path) -> None:
    item = ExportItem(song(tmp_path / "in"), "Song: one?", Tags(title="Song"), bounce="master-001-01")
    files = export_files([item], tmp_path / "out", ["wav16", "wav24", "flac", "mp3", "ogg", "opus"])
    names = [Path(file.path).name for file in files]
    assert [Path(name).suffix for name in names] == [".wav", ".wav", ".flac", ".mp3", ".ogg", ".opus"]
    assert len(set(names)) == len(names)
    assert not set("".join(names)) & set('\\/:*?"<>|')
    for file in files:
        data = Path(file.path).read_bytes()
        assert (file.bytes, file.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert file.source_bounce == "master-001-01"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    assert list((studio / "cache").iterdir()) == []


def test_stems_are_copied_as_they_are_into_a_folder_of_their_own(tmp_path: Path) -> None:
    stems = {"Kick": song(tmp_path / "in", name="Kick.wav"), "Lead/Vox": song(tmp_path / "in", name="Vox.wav")}
    item = ExportItem(song(tmp_path / "in"), "Song", stems=stems)
    files = export_files([item], tmp_path / "out", ["stems"])
    assert [Path(file.path).relative_to(tmp_path / "out").as_posix() for file in files] == [
        "Song stems/Kick.wav",
        "Song stems/Lead-Vox.wav",
    ]
    assert Path(files[0].path).read_bytes() == stems["Kick"].read_bytes()


def test_stems_that_are_not_there_are_said_before_anything_is_written(tmp_path: Path) -> None:
    item = ExportItem(song(tmp_path / "in"), "Song", bounce="mix-001-01")
    with pytest.raises(OtoError, match="mix-001-01 has no stems") as refused:
        export_files([item], tmp_path / "out", ["wav24", "stems"])
    assert refused.value.exit_code == Exit.BAD_INPUT
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rate_hz", [12, -1, 10**9])
def test_a_rate_that_holds_no_music_is_refused(tmp_path: Path, rate_hz: int) -> None:
    with pytest.raises(OtoError, match="rate"):
        export_files([ExportItem(song(tmp_path / "in"), "Song")], tmp_path / "out", ["wav24"], rate_hz=rate_hz)
    assert not (tmp_path / "out").exists()


def test_a_file_where_the_folder_should_be_is_no_failing_drive(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("letter")
    with pytest.raises(OtoError, match="is a file") as refused:
        export_files([ExportItem(song(tmp_path / "in"), "Song")], tmp_path / "out", ["wav24"])
    assert refused.value.exit_code == Exit.BAD_INPUT


def test_exporting_again_replaces_nothing(tmp_path: Path) -> None:
    item = ExportItem(song(tmp_path / "in"), "Song")
    first, second = (export_files([item], tmp_path / "out", ["flac"])[0] for _ in range(2))
    assert [Path(first.path).name, Path(second.path).name] == ["Song.flac", "Song (2).flac"]
    assert hashlib.sha256(Path(first.path).read_bytes()).hexdigest() == first.sha256


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    heard: list[float] = []

    def listen(fraction: float, _doing: str) -> bool:
        heard.append(fraction)
        return True

    export_files([ExportItem(song(tmp_path / "in"), "Song")], tmp_path / "out", ["wav16", "flac"], progress=listen)
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("at", [0.1, 0.6])
def test_a_cancelled_export_leaves_nothing(at: float, tmp_path: Path) -> None:
    item = ExportItem(song(tmp_path / "in"), "Song")
    with pytest.raises(OtoError) as caught:
        export_files([item], tmp_path / "out", ["wav24"], progress=lambda fraction, _doing: fraction < at)
    assert caught.value.code == "cancelled"
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unknown_format_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(OtoError, match="'aac'") as caught:
        export_files([ExportItem(song(tmp_path / "in"), "Song")], tmp_path / "out", ["aac"])
    assert caught.value.exit_code is Exit.BAD_INPUT
    assert "flac" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("formats", [["wav24"], ["flac"], ["stems"]])
def test_what_a_fat_drive_cannot_hold_is_refused_before_a_byte_is_written(
    formats: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        export, "drive_at", lambda path: dataclasses.replace(drive_at(path), max_file_bytes=4 * 1024**3 - 1 >> 16)
    )
    source = song(tmp_path / "in")
    with pytest.raises(OtoError, match="Nothing was written") as caught:
        export_files([ExportItem(source, "Song", stems={"Kick": source})], tmp_path / "out", formats)
    assert caught.value.code == "bad_input"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.rig
def test_a_real_drive_that_is_too_small_is_refused_before_a_byte_is_written(
    tmp_path: Path, make_drive: MakeDrive
) -> None:
    drive = make_drive(4 << 20)
    with pytest.raises(OtoError) as caught:
        export_files([ExportItem(song(tmp_path / "in", 20.0), "Song")], drive, ["wav24"])
    assert caught.value.code == "no_space"
    assert "Nothing was written" in caught.value.message
    assert {path.name for path in drive.iterdir()} == {"lost+found"}


@pytest.mark.rig
def test_when_a_real_drive_fills_up_meanwhile_the_message_names_what_is_safe(
    tmp_path: Path, make_drive: MakeDrive
) -> None:
    drive = make_drive(16 << 20)
    item = ExportItem(song(tmp_path / "in", 10.0), "Song")
    filled = False

    def fill(_fraction: float, doing: str) -> bool:
        nonlocal filled
        if not filled and doing == "copying Song.wav":
            filled = True
            with contextlib.suppress(OSError), (drive / "someone else's").open("wb") as file:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
        return True

    with pytest.raises(OtoError) as caught:
        export_files([item], drive, ["wav16", "flac"], progress=fill)
    assert caught.value.code == "no_space"
    assert "Song.wav" in caught.value.message
    assert {path.name for path in drive.iterdir()} == {"lost+found", "someone else's", "Song.wav"}
    assert soundfile.info(drive / "Song.wav").frames == 480_000
