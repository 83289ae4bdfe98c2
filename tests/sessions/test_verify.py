from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sessions.files import sha256_file
from sessions.layout import clip_file_name
from sessions.model import Clip, Session
from sessions.store import Library
from sessions.verify import check_library
from sessions.wav import WavWriter
from sessions.wavheader import HEADER_BYTES
from tests.sessions.helpers import new_bounce, new_take, pack, ramp


@pytest.fixture
def folder(library: Library, session: Session) -> Path:
    """A session in order: a take with two clips, a bounce."""
    take = new_take(session, status="complete")
    folder = library.begin_take(take)
    clips = []
    for track in take.tracks:
        file = clip_file_name(take, track.id)
        writer = WavWriter(folder / file, rate_hz=48_000, sample_format="pcm24")
        writer.append(pack(ramp(100)))
        writer.close()
        clips.append(Clip(track=track.id, file=file, start_samples=0, frames=100))
    library.save_take(msgspec.structs.replace(take, clips=tuple(clips), frames=100))
    bounce_id, bounce = library.new_bounce(session.id, "mix", 1)
    for name in ("mix.wav", "plan.json"):
        (bounce / name).write_bytes(b"content")
    library.save_bounce(new_bounce(session.id, bounce_id, sha256=sha256_file(bounce / "mix.wav")))
    return library.session_path(session.id)


def test_a_library_in_order_gives_no_findings(library: Library, folder: Path) -> None:
    assert check_library(library, hashes=True) == []


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("session.json", b"{", "can't be read"),
        ("takes/001/take.json", b'{"schema":99}', "newer OTO"),
        ("takes/001/take.json", None, "is missing"),
        ("takes/001/01 Kick.wav", None, "is missing from its take"),
        ("takes/001/02 Snare.wav", b"RIFF", "is not a WAV file"),
        ("takes/001/02 Snare.wav", b"", "is empty where its take says 100 frames"),
        ("bounces/mix-001-01/bounce.json", b"\0", "can't be read"),
        ("bounces/mix-001-01/plan.json", None, "is missing from its bounce"),
        ("bounces/mix-001-01/mix.wav", b"other", "its hash differs"),
    ],
)
def test_what_is_missing_or_damaged_is_named(
    library: Library, folder: Path, file: str, content: bytes | None, says: str
) -> None:
    path = folder / file
    path.unlink() if content is None else path.write_bytes(content)
    findings = check_library(library, hashes=True)
    assert [finding.path for finding in findings] == [f"{folder.name}/{file}"]
    assert says in findings[0].message


def test_a_file_that_is_shorter_than_its_take_says_is_found(library: Library, folder: Path) -> None:
    path = folder / "takes" / "001" / "01 Kick.wav"
    path.write_bytes(path.read_bytes()[: HEADER_BYTES + 150])
    (finding,) = check_library(library)
    assert "where its take says 100" in finding.message
