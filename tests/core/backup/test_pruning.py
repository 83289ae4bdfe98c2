"""Old backups go, the last good one never: by what a restore still gives back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from core.backup.make import back_up
from core.backup.pruning import prune
from core.backup.restore import restore
from core.backup.shelf import FOLDER, LISTS, Shelf
from sessions.sums import make_sums
from tests.core.backup.conftest import contents


def change(home: Path, number: int) -> None:
    """Something that the next backup has to copy."""
    (home / "settings.json").write_text(f'{{"rate_hz": 96000, "preroll_s": {number}.0}}')


def backed_up(home: Path, stick: Path, times: int) -> Shelf:
    for number in range(times):
        change(home, number)
        back_up(home, stick)
    return Shelf(stick / FOLDER)


def stored(shelf: Shelf) -> set[str]:
    return {path.relative_to(shelf.files).as_posix() for path in shelf.files.rglob("*") if path.is_file()}


def test_the_newest_stay_and_the_files_that_only_older_ones_had_go(studio: Path, stick: Path, tmp_path: Path) -> None:
    shelf = backed_up(studio, stick, 4)
    before = stored(shelf)
    done = prune(shelf, 2)
    assert (done.kept, done.removed) == ((3, 4), (1, 2))
    assert shelf.numbers() == [3, 4]
    assert len(before) - len(stored(shelf)) == done.files >= 2
    needed = {entry.stored for number in (3, 4) for entry in shelf.read(number).entries}
    assert stored(shelf) == needed
    assert restore(shelf, tmp_path / "other").damaged == ()
    assert contents(tmp_path / "other") == contents(studio)


def test_a_dry_run_says_the_same_and_does_nothing(studio: Path, stick: Path) -> None:
    shelf = backed_up(studio, stick, 3)
    before = stored(shelf)
    said = prune(shelf, 1, dry_run=True)
    assert (shelf.numbers(), stored(shelf)) == ([1, 2, 3], before)
    assert said == prune(shelf, 1)


def test_a_backup_with_missing_files_does_not_count(studio: Path, stick: Path) -> None:
    shelf = backed_up(studio, stick, 3)
    newest = next(entry for entry in shelf.read(3).entries if entry.path == "settings.json")
    (shelf.files / newest.stored).unlink()
    assert prune(shelf, 1).kept == (2, 3)
    assert shelf.numbers() == [2, 3]


def test_without_enough_whole_backups_nothing_goes(studio: Path, stick: Path) -> None:
    shelf = backed_up(studio, stick, 2)
    done = prune(shelf, 3)
    assert (done.kept, done.removed) == ((1, 2), ())
    assert "Only 2 whole" in done.note


def test_while_a_list_can_not_be_read_its_files_may_be_needed(studio: Path, stick: Path) -> None:
    shelf = backed_up(studio, stick, 3)
    (shelf.folder / LISTS / "000003.json").write_text("{")
    before = stored(shelf)
    assert prune(shelf, 1).removed == ()
    assert stored(shelf) == before


def test_what_is_not_ours_stays(studio: Path, stick: Path) -> None:
    shelf = backed_up(studio, stick, 2)
    (shelf.files / "letter.txt").write_text("mine")
    prune(shelf, 1)
    assert (shelf.files / "letter.txt").read_text() == "mine"


def test_a_hostile_list_removes_nothing_elsewhere(studio: Path, stick: Path, tmp_path: Path) -> None:
    shelf = backed_up(studio, stick, 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "photo").write_text("mine")
    (shelf.files / "way").symlink_to(elsewhere)
    for path in ("../../elsewhere/photo", "way/photo", "/etc/hostname"):
        with (shelf.folder / "kept.jsonl").open("a") as file:
            file.write(f'{{"stored":"{path}","bytes":4,"sha256":"{"0" * 64}"}}\n')
    prune(shelf, 1)
    assert (elsewhere / "photo").read_text() == "mine"


@pytest.mark.parametrize("steps", [0, 1, 3, 4, 5, 7])
def test_pruning_that_is_cut_short_leaves_whole_backups_and_is_finished_later(
    studio: Path, stick: Path, tmp_path: Path, steps: int
) -> None:
    shelf = backed_up(studio, stick, 4)
    done = 0

    def counted(act):
        def step(*arguments, **words):
            nonlocal done
            if done == steps:
                raise KeyboardInterrupt
            done += 1
            return act(*arguments, **words)

        return step

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(shelf, "forget", counted(shelf.forget))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        prune(shelf, 1)
    assert restore(shelf, tmp_path / "other").damaged == ()
    assert contents(tmp_path / "other") == contents(studio)
    prune(shelf, 1)
    assert shelf.numbers() == [4]
    assert stored(shelf) == {entry.stored for entry in shelf.read(4).entries}


def test_audio_that_has_suffered_since_it_was_recorded_is_named(studio: Path, stick: Path) -> None:
    file = next((studio / "library").rglob("01 Kick.wav"))
    make_sums(file.parent)
    assert back_up(studio, stick).suffered == ()
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert back_up(studio, stick).suffered == (file.relative_to(studio / "library").as_posix(),)
