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
