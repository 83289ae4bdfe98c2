"""A studio with something in it to back up."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sessions.layout import clip_file_name, clip_info
from sessions.model import Clip, Session, Track
from sessions.store import Library
from sessions.wav import WavWriter
from tests.sessions.helpers import new_bounce, new_take, pack, ramp


def record(library: Library, session: Session, number: int, frames: int = 2_000) -> None:
    """A finished take."""
    take = new_take(session, number)
    folder = library.begin_take(take)
    clips = []
    for order, track in enumerate(take.tracks):
        file = clip_file_name(take, track.id)
        writer = WavWriter(
            folder / file, rate_hz=48_000, sample_format="pcm24", info=clip_info(take, track, session.name)
        )
        writer.append(pack(ramp(frames, number * 7_777 + order)))
        writer.close(sync=False)
        clips.append(Clip(track=track.id, file=file, start_samples=0, frames=frames))
    library.make_room_to_close(session.id, number)
    library.save_take(msgspec.structs.replace(take, status="complete", clips=tuple(clips), frames=frames))


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A home with settings and two sessions, one of them mixed."""
    home = tmp_path / "home"
    library = Library(home / "library")
    (home / "settings.json").write_text('{"rate_hz": 96000}')
    tracks = [Track(id="t1", name="Kick", input=1), Track(id="t2", name="Snare", input=2)]
    for name in ("Rehearsal", "Gig: 'Zum Löwen'?"):
        record(library, library.create_session(name, tracks=tracks), 1)
    session = library.session("Rehearsal")
    library.save_plan(session.id, "mix", 1, b"{}")
    bounce_id, folder = library.new_bounce(session.id, "mix", 1)
    (folder / "mix.wav").write_bytes(b"rendered")
    library.save_bounce(new_bounce(session.id, bounce_id))
    return home


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


def contents(home: Path) -> dict[str, bytes]:
    """Everything that a backup holds, by path."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(home).parts)
    }
