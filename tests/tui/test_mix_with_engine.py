"""The simulated band at a real engine: OTO proposes its mix, a person changes the singer, and the bounce follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from core.plans.document import MixPlan, Setting
from core.protocol.requests import GetPlan
from core.protocol.topics import Bounce
from devices.simulated.band import CHANNEL_NAMES, channel_path, render_band
from tests.rig.engine import EngineRig
from tests.rig.fixtures import start_engine
from tests.tui.test_with_engine import text_of, until
from tui.app import Studio
from tui.knobs import knobs_of
from tui.look import Look
from tui.screens.mix import MixScreen

__all__ = ["start_engine"]

pytestmark = pytest.mark.timeout(900)

RATE_HZ = 48_000
SUNG_S = (11, 16)
"""Of the band's song: bars that somebody sings."""
SINGER = "Lead Vocal"
PATIENCE_S = 300.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some bars of the band's song, one file for each of its microphones."""
    song, stage = tmp_path_factory.mktemp("song"), tmp_path_factory.mktemp("stage")
    render_band(song, RATE_HZ, seconds=SUNG_S[1])
    for name in CHANNEL_NAMES:
        audio, _ = soundfile.read(channel_path(song, name), start=SUNG_S[0] * RATE_HZ, dtype="int32")
        soundfile.write(channel_path(stage, name), audio, RATE_HZ, subtype="PCM_24")
    return stage


async def mixes(pilot: Pilot[None], app: Studio, count: int) -> Bounce:
    """Wait until there are so many mixes and nobody works any more; returns the newest."""

    def made() -> bool:
        failed = [job.problem for job in app.picture.jobs.jobs if job.kind == "mix" and job.state == "failed"]
        assert not failed, failed
        return len(app.picture.bounces.bounces) == count and not app.picture.running_jobs

    await until(pilot, made, f"mix number {count}", PATIENCE_S)
    return app.picture.bounces.bounces[0]


def level_db(engine: EngineRig, bounce: Bounce, strip: str) -> float:
    """RMS of a strip's stem."""
    audio, _ = soundfile.read(Path(engine.status().session.path) / "bounces" / bounce.id / bounce.stems[strip])
    return float(10 * np.log10(np.mean(audio**2)))


async def test_oto_proposes_the_mix_and_the_singer_is_turned_down_by_a_person(
    start_engine: Callable[..., EngineRig], stage: Path
) -> None:
    engine = start_engine(f"sim:{stage}")

    def fader() -> Setting:
        plan: MixPlan = engine.call(GetPlan(kind="mix", take=1), MixPlan)
        return next(strip.settings["fader_db"] for strip in plan.strips if strip.track == SINGER)

    app = Studio(look=Look())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.picture.meters is not None, "meters")
        await pilot.press("r")
        await until(pilot, lambda: app.picture.recording and app.picture.position_s > 3.0, "a running take")
        await pilot.press("s")
        await until(pilot, lambda: bool(app.picture.finished_takes), "the finished take")
        await pilot.press("3", "p")
        await mixes(pilot, app, 1)
        screen = app.screen
        assert isinstance(screen, MixScreen)
        await until(pilot, lambda: "Kick: setting" in text_of(app), "the plan")
        await pilot.press(*["down"] * CHANNEL_NAMES.index(SINGER))
        await until(pilot, lambda: f"{SINGER}: setting" in text_of(app), "the singer's strip")
        assert screen.section == f"strip {SINGER}"
        proposed = fader()
        assert proposed.by in ("rules", "model")
        await pilot.press("t")
        before = await mixes(pilot, app, 2)
        await pilot.press("tab")
        for _ in knobs_of(screen.section):
            if screen.settings.cursor != "fader_db":
                await pilot.press("down")
        await pilot.press("less_than_sign")
        await until(pilot, lambda: fader().by == "person", "the fader to be the person's")
        changed = fader()
        assert float(changed.value) == pytest.approx(float(proposed.value) - 5.0, abs=0.5)
        await until(pilot, lambda: bool(re.search(r"Fader .* dB +person", text_of(app))), "the plan to say who")
        await pilot.press("t")
        after = await mixes(pilot, app, 3)
    turned_db = float(changed.value) - float(proposed.value)
    assert level_db(engine, after, SINGER) - level_db(engine, before, SINGER) == pytest.approx(turned_db, abs=0.1)
    assert level_db(engine, after, "Kick") == pytest.approx(level_db(engine, before, "Kick"), abs=0.1)
    assert after.plan_version != before.plan_version
    assert after.sha256 != before.sha256
