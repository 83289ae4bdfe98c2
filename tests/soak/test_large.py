"""A take past 4 GiB, where RIFF's sizes end, through the whole recorder: one file, exact to the sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.protocol.requests import CreateSession, EditSession, ListTakes, Record
from core.protocol.topics import Take
from core.settings import Settings, save
from sessions.wavread import read_info
from tests.rig.engine import EngineRig
from tests.rig.played import Played
from tests.rig.programs import by_ffprobe

pytestmark = pytest.mark.soak

RATE = 192_000
INPUTS = 2
FOUR_GIB_FRAMES = (1 << 32) // 4
SECONDS = FOUR_GIB_FRAMES // RATE + 30


@pytest.fixture
def stage(tmp_path: Path) -> list[Path]:
    """A minute on two inputs that a converter of 192 kHz and 32 bits could have sent."""
    folder = tmp_path / "stage"
    folder.mkdir()
    chance = np.random.default_rng(4)
    files = [folder / f"{number} Mic.wav" for number in range(1, INPUTS + 1)]
    for path in files:
        audio = chance.uniform(-1.0, 1.0, 61 * RATE + 17).astype(np.float32)
        soundfile.write(path, audio, RATE, subtype="FLOAT")
    return files


@pytest.mark.timeout(600)
def test_a_take_past_4_gib_is_one_file_for_each_track_and_what_was_played(
    start_engine: Callable[..., EngineRig], stage: list[Path], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    save(Settings(rate_hz=RATE, preroll_s=60.0), home / "settings.json")
    engine = start_engine(f"sim:fast:{stage[0].parent}", "--no-workers", home=home)
    engine.call(CreateSession(name="Long"))
    engine.call(EditSession(sample_format="float32"))
    engine.call(Record(preroll_s=0.0, seconds=SECONDS))
    status = engine.wait(lambda status: status.transport.state == "idle", "the end of the take", seconds=400)
    (take,) = engine.call(ListTakes(), list[Take])
    assert (take.status, take.frames, take.gaps) == ("complete", SECONDS * RATE, ())
    files = [Path(status.session.path) / "takes" / "001" / clip.file for clip in take.clips]
    try:
        assert len(files) == INPUTS
        assert [read_info(path).container for path in files] == ["RF64"] * INPUTS
        assert [soundfile.info(path).frames for path in files] == [take.frames] * INPUTS
        assert list(by_ffprobe(files).values()) == [take.frames] * INPUTS
        with Played(*stage, loop=True) as played:
            played.assert_same(files)
    finally:
        for path in files:
            path.unlink()
