"""An interface that hangs and goes on by itself is opened again, also when nothing on the computer tells of it."""

from __future__ import annotations

import os
import signal

import pytest

pytestmark = [pytest.mark.rig, pytest.mark.timeout(300)]

PATIENCE_S = 80.0


def test_a_jack_server_that_hung_and_goes_on_is_found_again(start_engine, jack_rig):
    rig = jack_rig(2)
    engine = start_engine("jack:system")
    os.kill(rig.pid, signal.SIGSTOP)
    engine.wait(lambda status: status.device.current is None, "the loss to be noticed", PATIENCE_S)

    def is_unlisted(status):
        return "jack:system" not in [one.id for one in status.device.available]

    engine.wait(is_unlisted, "a listing without it", PATIENCE_S)
    os.kill(rig.pid, signal.SIGCONT)
    engine.wait(lambda status: status.device.current is not None, "the interface", PATIENCE_S)
