"""The studio as it is really used: a terminal, a real sshd, and the first recording by the guide's own words."""

from __future__ import annotations

import pytest

from tests.rig.engine import EngineRig
from tests.rig.ssh import ENDED, Pane, Sshd, why_not

pytestmark = [pytest.mark.rig, pytest.mark.soak, pytest.mark.skipif(bool(why_not()), reason=why_not())]

SOME_TIME_S = 400.0
"""For work on a slow machine beside others."""


@pytest.mark.timeout(1500)
def test_the_guide_leads_from_an_empty_box_to_a_master_over_ssh(tmp_path) -> None:
    with EngineRig(tmp_path / "home", None) as engine, Sshd(tmp_path, engine.home) as sshd:
        with Pane(sshd.command(), "guide") as pane:
            pane.until("Simulated", SOME_TIME_S)
            pane.press("Enter")
            pane.until(r"\d/12 The meters show who plays", SOME_TIME_S)
            pane.press("r")
            pane.until(r"REC.*|3/12 Everything is being written")
            pane.press("m")
            pane.until(r"4/12 Half a minute is enough")
            engine.wait(lambda status: status.transport.position_s > 12.0, "twelve seconds of tape", SOME_TIME_S)
            pane.press("s")
            pane.until(r"5/12 2 goes to Takes")
            pane.press("2")
            pane.until(r"6/12 Space plays it")
            pane.until("Marker 1")
            pane.press("Space")
            pane.until(r"7/12 3 goes to Mix")
            pane.press("Space")
            pane.press("3")
            pane.until(r"8/12 p lets OTO listen")
            pane.press("p")
            pane.until(r"9/12 OTO listens, then mixes")
            engine.wait(lambda status: len(status.bounces.bounces) == 1, "the mix", SOME_TIME_S)
            engine.wait(lambda status: not _working(status), "the end of the work", SOME_TIME_S)
            pane.until(engine.status().bounces.bounces[0].id)
            pane.press("Tab")
            pane.press("Tab")
            pane.press("Space")
            pane.until(r"10/12 4 goes to Master")
            pane.press("Space")
            pane.press("4")
            pane.until(r"11/12 B makes a master")
            pane.press("B")
            pane.until("streaming")
            pane.press("Enter")
            pane.until(r"12/12 5 writes it to a stick", SOME_TIME_S)
            engine.wait(lambda status: len(status.bounces.bounces) == 2, "the master", SOME_TIME_S)
            pane.until("Delivery")
            pane.press("q")
            pane.until(f"{ENDED} with 0")
        take, mix, master = engine.status().takes.takes[0], *engine.status().bounces.bounces
        assert (take.status, len(take.markers)) == ("complete", 1)
        assert take.clips
        assert {mix.kind, master.kind} == {"mix", "master"}


def _working(status) -> bool:
    return any(job.state in ("running", "queued") for job in status.jobs.jobs)
