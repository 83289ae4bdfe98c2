"""The album is a document like every other: whole or as it was before."""

import pytest

from sessions.albums import ALBUM_FILE, load_album, save_album
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
