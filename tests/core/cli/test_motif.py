"""`oto motif`, with no engine running and with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.client import ensure_engine
from core.errors import Exit
from sessions.importing import import_recordings
from sessions.store import Library
from tests.core.muse.songs import strummed

KEYS = {
    "session", "take", "bounce", "out", "midi", "motif", "ai_generated", "made_by", "part", "key", "bpm", "bars",
    "start_s", "end_s", "chords", "notes", "notes_in_words", "seed", "why",
}  # fmt: skip


@pytest.fixture
def song(home: Path, tmp_path: Path) -> None:
    """A guitar that strums four chords, three times."""
    folder = tmp_path / "guitar"
    folder.mkdir()
    audio = np.concatenate([strummed([name], 0.5) for name in ["Am", "F", "C", "G"] * 3 for _ in range(4)])
    soundfile.write(folder / "Guitar.wav", audio, 44_100, subtype="PCM_24")
    import_recordings(Library(home / "library"), [folder], name="Song")


def test_a_motif_is_told_with_its_notes_reasons_and_files(oto: Any, song: None) -> None:
    told = oto("motif", "Song", "--json").json
    assert told.keys() == KEYS
    assert Path(told["midi"]).is_file()
    assert Path(told["out"]).is_file()
    text = oto("motif", "Song", "--part", "bass", "--seed", "4", "--bars", "2").out
    assert text.startswith("AI-generated: a bass line in ")
    assert "2 bars at" in text
    assert "(seed 4)" in text
    assert "The beat is" in text or "No steady beat" in text


def test_the_running_engine_s_worker_makes_the_same(oto: Any, song: None) -> None:
    here = oto("motif", "Song", "--seed", "9", "--json").json
    ensure_engine()
    there = oto("motif", "Song", "--seed", "9", "--json").json
    assert there["notes"] == here["notes"]
    assert there["bounce"] != here["bounce"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["Song", "--part", "solo"], Exit.BAD_INPUT),
        (["Song", "--key", "H"], Exit.BAD_INPUT),
        (["Song", "--take", "9"], Exit.NOT_FOUND),
        (["Nobody"], Exit.NOT_FOUND),
        ([], Exit.USAGE),
        (["Song", "--bars", "some"], Exit.USAGE),
    ],
)
def test_what_can_t_be_done_has_its_code(oto: Any, song: None, arguments: list[str], code: Exit) -> None:
    assert oto("motif", *arguments).code == code
