"""Motifs on the Takes screen: asked for, listed, explained, heard; and kept out of what they are not."""

from __future__ import annotations

import msgspec
import pytest

from core.protocol.requests import EditTake, GetOverview, Play, StartJob, TrashTake
from core.protocol.topics import Bounce, BouncesTopic
from tests.tui.harness import Recorder, band_picture, bounce, check_snapshot, overview, screen_lines, studio
from tests.tui.test_keys_to_requests import asked
from tui.look import Look
from tui.picture import Picture
from tui.screens import takes_rows
from tui.screens.takes import TakesScreen

WHY = (
    "AI-generated: no person wrote these notes.",
    "The key is A minor: what sounds resembles it most (0.83 of 1; next C major with 0.79).",
    "It plays on 1, 3+, 4, where 94% of the strokes of kick and bass fall in these bars.",
)


def motif(number: int, about: str = "bass, A minor", **changes: object) -> Bounce:
    one = bounce(f"motif-002-{number:02d}", kind="motif", about=about, why=WHY, stems={}, source_bounce=None)
    return msgspec.structs.replace(one, **changes)


def with_motifs(*motifs: Bounce) -> Picture:
    return band_picture(bounces=BouncesTopic(bounces=(*motifs, *band_picture().bounces.bounces)))


def answering() -> Recorder:
    return Recorder({GetOverview: overview()})


async def test_a_part_is_picked_and_asked_for_of_the_selected_take() -> None:
    request = (await asked(band_picture(), "2", "W", "down", "enter", recorder=answering()))[-1]
    assert isinstance(request, StartJob)
    assert (request.kind, request.take, request.options) == ("motif", 2, {"part": "bass"})


async def test_a_false_take_gets_no_motif_and_says_why() -> None:
    app, recorder = studio(band_picture(), None, answering())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("2", "end", "W")
        await pilot.pause()
        assert not [one for one in recorder.requests if isinstance(one, StartJob)]
        assert "A motif goes with a take that counts." in "\n".join(screen_lines(app))


async def test_a_motif_is_listed_under_its_take_explained_and_heard() -> None:
    app, recorder = studio(with_motifs(motif(2), motif(1, "melody, A minor")), None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert "AI 02  bass, A minor" in text
        assert "no person wrote these notes" not in text
        await pilot.press("tab", "end", "up")
        await pilot.pause()
        lines = screen_lines(app)
        for words in ("AI-generated: no person wrote these notes.", "where 94% of the strokes of kick and bass"):
            assert any(words in line for line in lines)
        check_snapshot("motif-80x24", lines)
        await pilot.press("space")
        assert Play(bounce="motif-002-02") in recorder.requests


@pytest.mark.parametrize("key", ["delete", "n"])
async def test_what_is_done_to_a_motif_never_happens_to_its_take(key: str) -> None:
    app, recorder = studio(with_motifs(motif(1)), None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "tab", "end", key)
        await pilot.pause()
        assert not [one for one in recorder.requests if isinstance(one, TrashTake | EditTake)]
        assert app.picture.said is not None


async def test_its_reasons_come_and_go_with_the_focus() -> None:
    app, _ = studio(with_motifs(motif(1, take=1)), None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "down")
        for key, told in (("tab", True), ("shift+tab", False)):
            await pilot.press(key)
            await pilot.pause()
            assert ("no person wrote these notes" in "\n".join(screen_lines(app))) == told


async def test_a_new_motif_gets_the_cursor_of_its_list() -> None:
    app, recorder = studio(with_motifs(motif(1)), None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        recorder.fed.put_nowait(with_motifs(motif(2), motif(1)).bounces)
        await pilot.pause()
        await pilot.press("tab", "space")
        assert Play(bounce="motif-002-02") in recorder.requests


async def test_a_motif_that_was_there_before_is_no_new_one_when_its_take_is_selected_again() -> None:
    app, _ = studio(with_motifs(motif(1)), None, answering())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "down")
        await pilot.pause()
        await pilot.press("up")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, TakesScreen)
        assert screen.list.cursor == "2"
        assert screen.markers.cursor != "motif-002-01"


@pytest.mark.parametrize("screen", ["3", "4"])
async def test_a_motif_is_no_song_to_mix_or_master(screen: str) -> None:
    app, _ = studio(with_motifs(motif(1)), None, answering())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press(screen)
        await pilot.pause()
        assert "motif-002-01" not in "\n".join(screen_lines(app))


async def test_export_offers_it_and_still_takes_the_master_by_itself() -> None:
    app, _ = studio(with_motifs(motif(1)), None, answering())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        text = "\n".join(screen_lines(app))
        assert next(line for line in text.splitlines() if "motif-002-01" in line).count("AI: bass, A minor") == 1
        assert "master-002-01 as" in text


def test_reasons_that_find_no_room_are_cut_with_a_sign() -> None:
    lines = ["".join(text for text, _ in line) for line in takes_rows.motif_lines(motif(1), Look().glyphs, 60, 2)]
    assert len(lines) == 2
    assert lines[-1].rstrip().endswith(Look().glyphs.ellipsis)
    assert all(len(line) <= 60 for line in lines)
    whole = takes_rows.motif_lines(motif(1), Look().glyphs, 60, 20)
    assert Look().glyphs.ellipsis not in "".join(text for line in whole for text, _ in line)
