"""Reports of short sounds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from core.plans.document import MasterPlan, MixPlan, Setting, Strip, Target
from core.report.document import Check, Report
from core.report.make import master_report

RATE_HZ = 48_000

Write = Callable[..., Path]
Draw = Callable[..., Report]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write (frames,) or (frames, channels) audio to a float WAV."""

    def do(name: str, audio: NDArray[np.float64], rate_hz: int = RATE_HZ) -> Path:
        path = tmp_path / name
        soundfile.write(path, audio, rate_hz, subtype="FLOAT", format="WAV")
        return path

    return do


def song(seconds: float = 6.0, channels: int = 2, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    """Noise with strokes, as different from side to side as music is."""
    random = np.random.default_rng(7)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    strokes = 0.1 + 0.5 * np.exp(-12 * (time_s % 0.5))
    middle = random.uniform(-1, 1, (len(time_s), 1))
    return strokes[:, None] * (0.7 * middle + 0.3 * random.uniform(-1, 1, (len(time_s), channels)))


def master_plan(**settings: Setting) -> MasterPlan:
    target = Target(name="streaming", integrated_lufs=-14.0, true_peak_dbtp=-1.0)
    return MasterPlan(oto_version="1", target=target, settings=settings, notes=("The mix is fine.",))


def mix_plan(*strips: Strip) -> MixPlan:
    return MixPlan(oto_version="1", strips=strips)


@pytest.fixture
def draw(write: Write, tmp_path: Path) -> Draw:
    """A report of a master: `audio`, and the same made louder."""

    def do(
        audio: NDArray[np.float64] | None = None,
        *,
        title: str = "Song",
        plan: MasterPlan | None = None,
        name: str = "a.wav",
    ) -> Report:
        heard = song() if audio is None else audio
        mix, master = write(name, heard), write("master.wav", heard * 1.5)
        checks = [Check(name="true_peak", passes=False, says="+0.1 dBTP is above the ceiling.")]
        return master_report(
            plan or master_plan(loudness_gain_db=Setting(value=3.5, by="rules", why="Louder.", confidence=0.9)),
            mix, master, tmp_path / "report.html", title=title, made="here", checks=checks,
        )  # fmt: skip

    return do
