"""An album out of a session's mixes: masters in their order, as far apart as asked for, or nothing at all."""

import msgspec
import pytest

from core.errors import OtoError
from core.jobs import work
from core.jobs.tasks import run_job
from core.plans.document import MixPlan, Strip
from core.protocol.topics import Job
from sessions.albums import save_album
from sessions.model import Album, AlbumSong


@pytest.fixture
def mixes(library):
    """Two mixes of the take, without proposing anything."""
    (session,) = library.sessions()
    plan = MixPlan(oto_version="test", strips=tuple(Strip(track=name) for name in ("Bass", "Vox")))
    library.save_plan(session.id, "mix", 1, work.plan_bytes(plan))
    for _ in range(2):
        run_job(Job(id="j", kind="mix", session=session.id, take=1), library, lambda *_: True)
    return session.id, [bounce.id for bounce in library.bounces(session.id)]


def album_of(library, session, *songs):
    save_album(library.session_path(session), Album(songs=songs))
    return run_job(Job(id="j", kind="album", session=session), library, lambda *_: True)


def test_every_song_is_a_master_with_its_number_and_its_gap(library, mixes):
    session, (second, first) = mixes
    value = album_of(library, session, AlbumSong(bounce=second, gap_s=3.0), AlbumSong(bounce=first))
    masters = {bounce.album_track: bounce for bounce in library.bounces(session) if bounce.kind == "master"}
    assert {track: master.source_bounce for track, master in masters.items()} == {1: second, 2: first}
    starts = [song["start_s"] for song in value["album"]]
    assert starts[0] == 0.0
    assert starts[1] == pytest.approx(masters[1].frames / masters[1].rate_hz)
    assert masters[1].frames - masters[2].frames == pytest.approx(3.0 * 48_000, abs=4_800)
    assert (library.bounce_path(session, masters[1].id) / masters[1].plan).is_file()


def test_a_mix_that_is_gone_or_no_mix_at_all_renders_nothing(library, mixes):
    session, _ = mixes
    before = library.bounces(session)
    for songs in ((), (AlbumSong(bounce="mix-009-01"),)):
        with pytest.raises(OtoError) as refused:
            album_of(library, session, *songs)
        assert refused.value.code == "not_found"
    assert library.bounces(session) == before


def test_a_cancelled_album_leaves_no_master(library, mixes):
    session, (second, first) = mixes
    save_album(library.session_path(session), Album(songs=(AlbumSong(bounce=second), AlbumSong(bounce=first))))
    said = iter([True] * 6)
    with pytest.raises(OtoError):
        run_job(Job(id="j", kind="album", session=session), library, lambda *_: next(said, False))
    assert not [bounce for bounce in library.bounces(session) if bounce.kind == "master"]
    assert not list((library.session_path(session) / "bounces").glob("master-*"))
    assert msgspec.json.decode((library.session_path(session) / "plans" / "album.json").read_bytes())["songs"]
