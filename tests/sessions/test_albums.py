"""The album is a document like every other: whole or as it was before."""

import pytest

from sessions.albums import ALBUM_FILE, load_album, save_album, step_album
from sessions.errors import LibraryError
from sessions.model import Album, AlbumSong


def test_an_album_comes_back_as_it_was_put_together(tmp_path):
    assert load_album(tmp_path) == Album()
    album = Album(songs=(AlbumSong(bounce="mix-002-01", gap_s=0.0), AlbumSong(bounce="mix-001-03")))
    save_album(tmp_path, album)
    assert load_album(tmp_path) == album


def test_a_damaged_album_says_so(tmp_path):
    save_album(tmp_path, Album())
    (tmp_path / "plans" / ALBUM_FILE).write_text("{")
    with pytest.raises(LibraryError):
        load_album(tmp_path)


def test_a_damaged_album_is_kept_beside_the_next_one(tmp_path):
    save_album(tmp_path, Album())
    (tmp_path / "plans" / ALBUM_FILE).write_text("{")
    save_album(tmp_path, Album(songs=(AlbumSong(bounce="mix-001-01"),)))
    assert len(load_album(tmp_path).songs) == 1
    assert (tmp_path / "plans" / f"{ALBUM_FILE}.damaged").read_text() == "{"


def test_the_album_of_a_newer_oto_is_not_written_over(tmp_path):
    save_album(tmp_path, Album())
    path = tmp_path / "plans" / ALBUM_FILE
    newer = path.read_text().replace('"schema": 1', '"schema": 99')
    path.write_text(newer)
    with pytest.raises(LibraryError) as refused:
        save_album(tmp_path, Album())
    assert refused.value.code == "newer"
    assert path.read_text() == newer


def test_every_change_of_an_album_can_be_undone_and_redone(tmp_path):
    songs = tuple(AlbumSong(bounce=f"mix-{n:03d}-01") for n in range(1, 4))
    orders = [Album(songs=order) for order in ((), songs[:1], songs, songs[::-1])]
    for album in orders[1:]:
        save_album(tmp_path, album)
    assert [step_album(tmp_path, forward=False) for _ in orders] == [*orders[2::-1], None]
    assert load_album(tmp_path) == Album()
    assert [step_album(tmp_path, forward=True) for _ in orders] == [*orders[1:], None]


def test_a_gap_that_is_turned_further_is_one_step_back(tmp_path):
    for n, gap_s in enumerate((2.0, 2.1, 2.2)):
        save_album(tmp_path, Album(songs=(AlbumSong(bounce="mix-001-01", gap_s=gap_s),)), same_step=n == 2)
    undone = step_album(tmp_path, forward=False)
    assert undone is not None
    assert undone.songs[0].gap_s == 2.0


def test_no_step_leads_away_from_an_album_that_cannot_be_read(tmp_path):
    save_album(tmp_path, Album(songs=(AlbumSong(bounce="mix-001-01"),)))
    (tmp_path / "plans" / ALBUM_FILE).write_text("{")
    with pytest.raises(LibraryError):
        step_album(tmp_path, forward=False)
    assert (tmp_path / "plans" / ALBUM_FILE).read_text() == "{"
