"""The whole path on the simulated band, as a person who just installed OTO runs it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import soundfile

SONG_S = 24
"""The band's first bars are quiet under loud strokes: of less, a master may stay below its target, and say so."""


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_demo_ends_with_a_master_that_meets_its_target_by_ffmpegs_measure(oto: Any, tmp_path: Path) -> None:
    value = oto("demo", "--seconds", SONG_S, "--out", "show", "--json").json
    assert set(value) == {"session", "take", "mix", "master", "exports"}
    assert len(value["take"]["files"]) >= 10
    assert value["take"]["frames"] == SONG_S * value["take"]["rate_hz"]
    assert (value["take"]["gaps"], value["take"]["overflows"]) == (0, 0)
    assert len(value["mix"]["stems"]) == len(value["take"]["files"])
    assert {Path(path).suffix for path in value["exports"]} == {".wav", ".flac"}
    for path in value["exports"]:
        assert soundfile.info(path).duration >= SONG_S
        command = ["ffmpeg", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"]
        words = (
            subprocess.run(command, capture_output=True, text=True, timeout=60).stderr.rpartition("Summary:")[2].split()
        )
        assert float(words[words.index("I:") + 1]) == pytest.approx(-14.0, abs=0.2)
        assert float(words[words.index("Peak:") + 1]) <= -0.9
    assert {path.name for path in tmp_path.iterdir()} == {"show"}
    assert not (tmp_path / "show" / "studio" / "engine.sock").exists()
