from __future__ import annotations

import json

import msgspec
import pytest

from sessions.errors import LibraryError
from sessions.migrate import load, schema_of
from sessions.model import Bounce, Clip, Document, ExportRecord, Gap, Marker, Session, Take, TakeTrack, Track
from sessions.store import Library

SESSION_0 = {
    "id": "2026-01-02 Gig",
    "name": "Gig",
    "created": "2026-01-02T20:00:00+00:00",
    "sequence": 4,
    "rate": 96_000,
    "format": "float32",
    "tracks": [{"id": "t1", "name": "Kick", "input": 1}],
}
TAKE_0 = {
    "number": 2,
    "session": "2026-01-02 Gig",
    "status": "complete",
    "rate": 96_000,
    "format": "float32",
    "started": "2026-01-02T20:10:00+00:00",
    "length": 960,
    "tracks": [{"id": "t1", "name": "Kick"}],
    "clips": [{"track": "t1", "file": "01 Kick.wav", "start": 0, "length": 960}],
    "markers": [{"at": 10, "name": "Refrain"}],
    "gaps": [{"at": 20, "length": 5, "cause": "overflow"}],
}


def test_a_session_from_before_versions_walks_to_today() -> None:
    assert load(json.dumps(SESSION_0).encode(), Session, "session.json") == Session(
        id="2026-01-02 Gig",
        name="Gig",
        created_utc="2026-01-02T20:00:00+00:00",
        sequence=4,
        rate_hz=96_000,
        sample_format="float32",
        tracks=(Track(id="t1", name="Kick", input=1),),
    )


def test_a_take_from_before_versions_walks_to_today_with_all_that_is_in_it() -> None:
    assert load(json.dumps(TAKE_0).encode(), Take, "take.json") == Take(
        number=2,
        session="2026-01-02 Gig",
        status="complete",
        rate_hz=96_000,
        sample_format="float32",
        started_utc="2026-01-02T20:10:00+00:00",
        frames=960,
        tracks=(TakeTrack(id="t1", name="Kick"),),
        clips=(Clip(track="t1", file="01 Kick.wav", start_samples=0, frames=960),),
        markers=(Marker(at_samples=10, name="Refrain"),),
        gaps=(Gap(at_samples=20, frames=5, cause="overflow"),),
    )


def test_an_old_library_opens_and_is_rewritten_only_when_it_is_saved(library: Library) -> None:
    folder = library.root / "2026-01-02 Gig"
    (folder / "takes" / "002").mkdir(parents=True)
    (folder / "session.json").write_text(json.dumps(SESSION_0))
    (folder / "takes" / "002" / "take.json").write_text(json.dumps(TAKE_0))
    (session,) = library.sessions()
    (take,) = library.takes(session.id)
    assert json.loads((folder / "session.json").read_text()) == SESSION_0
    library.save_session(session)
    library.save_take(take)
    assert json.loads((folder / "session.json").read_text())["schema"] == 1
    assert library.sessions() == [session]
    assert library.takes(session.id) == [take]


@pytest.mark.parametrize("kind", [Session, Take, Bounce, ExportRecord])
def test_the_shape_in_the_code_is_the_newest_that_migration_knows(kind: type[Document]) -> None:
    fields = {field.name: field.default for field in msgspec.structs.fields(kind)}
    assert fields["schema"] == schema_of(kind)


def test_a_document_of_a_newer_oto_is_refused_and_left_untouched(library: Library) -> None:
    session = library.create_session("Future")
    path = library.session_path(session.id) / "session.json"
    newer = json.dumps(json.loads(path.read_text()) | {"schema": 2, "hologram": True})
    path.write_text(newer)
    with pytest.raises(LibraryError) as caught:
        library.session(session.id)
    assert caught.value.code == "newer"
    assert "Update OTO" in caught.value.hint
    assert library.sessions() == []
    assert path.read_text() == newer


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0", b"{", b"[]", b'{"schema":1}', b'{"schema":"x"}', b'{"schema":-1}', b"\xff"]
)
def test_a_damaged_document_says_so_and_that_the_audio_is_untouched(data: bytes) -> None:
    with pytest.raises(LibraryError) as caught:
        load(data, Session, "session.json")
    assert caught.value.code == "damaged"
    assert "audio files beside it are untouched" in caught.value.message
