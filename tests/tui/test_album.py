"""The album on Master: songs put in order by keys, the same for everybody, rendered by a worker."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol.requests import GetOverview, SetAlbum, StartJob, StepAlbum
from core.protocol.topics import Album, AlbumSong, BouncesTopic
from tests.tui.harness import Recorder, band_picture, bounce, check_snapshot, overviews, screen_lines, studio
from tests.tui.test_screens import CONSOLE_LOOK
from tui.look import Look
from tui.picture import Picture
from tui.screens import album

MIXES = tuple(bounce(f"mix-{n:03d}-01", take=n) for n in (2, 1))
SONGS = (AlbumSong(bounce="mix-001-01", gap_s=1.5), AlbumSong(bounce="mix-002-01"))


def album_picture(songs: album.Songs = SONGS) -> Picture:
    return band_picture(bounces=BouncesTopic(bounces=MIXES, album=songs))


async def after(picture: Picture, *keys: str, size: tuple[int, int] = (80, 24), look: Look | None = None):
    """What was asked of the engine, and the screen."""
    answers = {GetOverview: overviews, StepAlbum: lambda step: None if step.redo else Album(songs=SONGS[1:])}
    app, recorder = studio(picture, look, Recorder(answers))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in ("4", *keys):
            await pilot.press(key)
            await pilot.pause(0.05)
        sent = [request for request in recorder.requests if isinstance(request, SetAlbum | StartJob | StepAlbum)]
        return sent, screen_lines(app)


async def test_mixes_are_put_on_the_album_one_after_the_other() -> None:
    sent, lines = await after(album_picture(()), "plus", "down", "plus")
    first, second = (AlbumSong(bounce=mix.id) for mix in MIXES)
    assert sent == [SetAlbum(songs=(first,)), SetAlbum(songs=(first, second))]
    assert "is on the album. D shows it, u takes it back." in "\n".join(lines)


async def test_songs_move_and_the_cursor_goes_along() -> None:
    sent, _ = await after(album_picture(), "D", "right_curly_bracket", "left_curly_bracket", "left_curly_bracket")
    assert sent == [SetAlbum(songs=SONGS[::-1]), SetAlbum(songs=SONGS), SetAlbum(songs=SONGS)]


async def test_gaps_are_set_by_arrows() -> None:
    sent, _ = await after(album_picture(), "D", "right", "less_than_sign", "less_than_sign")
    assert [request.songs[0].gap_s for request in sent] == [1.6, 0.6, 0.0]


async def test_a_song_is_taken_off_and_its_mix_stays() -> None:
    sent, lines = await after(album_picture(), "D", "down", "delete")
    assert sent == [SetAlbum(songs=SONGS[:1])]
    assert any("mix-002-01" in line for line in lines[:6])


async def test_changes_of_the_album_are_undone_and_redone_step_by_step() -> None:
    sent, lines = await after(album_picture(), "D", "u")
    assert sent == [StepAlbum()]
    assert any("Album: 1 song," in line for line in lines)
    sent, lines = await after(album_picture(), "D", "U")
    assert sent == [StepAlbum(redo=True)]
    assert "Nothing to redo in the album." in "\n".join(lines)


async def test_the_album_is_mastered_for_a_target() -> None:
    sent, _ = await after(album_picture(), "D", "B", "enter")
    assert sent == [StartJob(kind="album", options={"target": "streaming"})]


async def test_without_songs_nothing_is_mastered_and_the_screen_says_how() -> None:
    sent, lines = await after(album_picture(()), "D", "B")
    assert sent == []
    assert "No song is on the album yet." in "\n".join(lines)


async def test_outside_the_album_its_keys_say_where_it_is() -> None:
    sent, lines = await after(album_picture(), "right")
    assert sent == []
    assert "D shows the album" in "\n".join(lines)


async def test_a_mix_that_is_gone_is_told() -> None:
    _, lines = await after(album_picture((AlbumSong(bounce="mix-009-01"), *SONGS)), "D")
    assert any("mix-009-01 is gone" in line for line in lines)


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 60.0), min_size=1, max_size=6), st.data())
def test_whatever_is_moved_no_song_is_lost(gaps, data) -> None:
    songs = tuple(AlbumSong(bounce=str(n), gap_s=gap) for n, gap in enumerate(gaps))
    n = data.draw(st.integers(0, len(songs) - 1))
    to = data.draw(st.integers(-2, len(songs) + 2))
    moved = album.moved(songs, n, to)
    assert sorted(moved, key=lambda song: song.bounce) == list(songs)
    assert moved[min(max(to, 0), len(songs) - 1)] == songs[n]


@pytest.mark.parametrize(
    ("name", "size", "look"),
    [("80x24", (80, 24), Look()), ("120x36", (120, 36), Look()), ("console", (80, 24), CONSOLE_LOOK)],
)
async def test_album_as_seen(name, size, look) -> None:
    picture = album_picture()
    takes = tuple(msgspec.structs.replace(take, name=take.name or "Opener") for take in picture.takes.takes)
    picture = msgspec.structs.replace(picture, takes=msgspec.structs.replace(picture.takes, takes=takes))
    _, lines = await after(picture, "D", size=size, look=look)
    check_snapshot(f"album-{name}", lines)
