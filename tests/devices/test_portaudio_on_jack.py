"""Capture through PortAudio, on a real JACK server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from devices import discovery
from devices.base import StreamRequest, open_stream
from devices.errors import DeviceError
from tests.rig import signals

pytestmark = pytest.mark.rig

BLOCK = 2_000


def read_seconds(stream, seconds):
    return [stream.read(BLOCK) for _ in range(round(seconds * stream.rate_hz / BLOCK))]


def opened(interface, request):
    """A stream; on a machine that stalls JACK may refuse to start one, which is tried again, as the engine does."""
    for _ in range(3):
        try:
            return open_stream(interface, request)
        except DeviceError as error:
            if "Error starting stream" not in str(error):
                raise
    return open_stream(interface, request)


def joined(blocks):
    return np.concatenate([block.audio for block in blocks])


def overflowed(blocks):
    return any(block.overflowed for block in blocks)


def captured_whole(rig, path, channels, seconds):
    """What a stream of `channels` brings of a file that is played to it, and its kind of samples.

    Where the machine stalls, the server itself loses audio and says so: that is tried again.
    """
    for _ in range(8):
        rig.feed(path)
        with closing(opened("jack:rig", StreamRequest(48_000, channels))) as stream:
            blocks = read_seconds(stream, seconds)
            sample_type = stream.sample_type
        rig.kill_feeder()
        if not overflowed(blocks):
            return joined(blocks), sample_type
    pytest.fail("this machine stalls too often for any audio to arrive whole")


def test_eighteen_channels_arrive_sample_for_sample_from_the_first_one(jack_rig, tmp_path):
    source = signals.write_noise(tmp_path / "band.wav", channels=18, silence_s=2.5, seconds=3.0)
    captured, sample_type = captured_whole(jack_rig(18), tmp_path / "band.wav", 18, 4.0)
    start = signals.find(source, captured)
    assert sample_type == "float32"
    assert captured.shape[1] == 18
    assert start < 2.5 * 48_000, "the start was missed"
    expected = source[max(start, 0) : start + len(captured)]
    np.testing.assert_array_equal(captured[max(-start, 0) :][: len(expected)], expected)


def test_fewer_inputs_than_the_interface_has_are_its_first_ones(jack_rig, tmp_path):
    source = signals.write_noise(tmp_path / "band.wav", channels=6, seconds=4.0)
    captured, _ = captured_whole(jack_rig(2), tmp_path / "band.wav", 4, 0.3)
    start = signals.find(source, captured)
    np.testing.assert_array_equal(captured, source[start : start + len(captured), :4])


def test_what_is_played_comes_back_after_the_same_number_of_frames_each_time(jack_rig):
    rig = jack_rig(2)
    noise = np.random.default_rng(3).standard_normal((12 * BLOCK, 1)).astype(np.float32) * 0.1
    round_trips = []
    for _ in range(15):
        if len(round_trips) == 5:
            break
        with closing(opened("jack:system", StreamRequest(48_000, 1, outputs=1))) as stream:
            rig.connect("OTO:out_0", "OTO:in_0")
            # Patching took longer than the buffer lasts.
            late = True
            while late:
                late = stream.read(BLOCK).overflowed
                late |= stream.write(np.zeros((BLOCK, 1), np.float32))
            captured = []
            for at in range(0, len(noise), BLOCK):
                captured.append(stream.read(BLOCK))
                stream.write(noise[at : at + BLOCK])
        if overflowed(captured):
            continue
        heard = joined(captured)
        start = signals.find(noise, heard)
        first = int(np.flatnonzero(heard[:, 0])[0])
        np.testing.assert_array_equal(heard[first:], noise[start + first : start + len(heard)])
        round_trips.append(-start - stream.output_latency_frames)
    assert round_trips == [rig.period_frames] * 5


def test_a_client_that_vanishes_leaves_silence_and_the_list_of_interfaces(jack_rig, tmp_path):
    signals.write_noise(tmp_path / "band.wav", channels=2, seconds=20.0)
    rig = jack_rig(2)
    rig.feed(tmp_path / "band.wav")
    with closing(opened("jack:rig", StreamRequest(48_000, 2))) as stream:
        assert joined(read_seconds(stream, 0.2)).any()
        assert "jack:rig" in [interface.id for interface in discovery.enumerate_interfaces()]
        before = discovery.fingerprint()
        rig.kill_feeder()
        assert not joined(read_seconds(stream, 1.0))[-BLOCK:].any()
        assert discovery.fingerprint() != before
        assert "jack:rig" not in [interface.id for interface in discovery.enumerate_interfaces()]


def test_a_server_that_vanishes_is_told_at_once(jack_rig):
    rig = jack_rig(2)
    with closing(opened("jack:system", StreamRequest(48_000, 2))) as stream:
        read_seconds(stream, 0.2)
        rig.kill_server()
        with pytest.raises(DeviceError) as caught:
            read_seconds(stream, 5.0)
    assert caught.value.code == "device_lost"


def test_how_much_was_lost_while_the_driver_could_not_run_is_known_to_the_sample(jack_rig, tmp_path):
    source = signals.write_noise(tmp_path / "band.wav", channels=2, seconds=30.0)
    rig = jack_rig(2)
    rig.feed(tmp_path / "band.wav")
    with closing(opened("jack:rig", StreamRequest(48_000, 2))) as stream:
        # A driver that stands still sometimes makes the server skip its other clients for a period: then the source
        # stood still as well and can't tell how much was lost.
        for _ in range(5):
            lost, missing = lost_and_missing(stream, source)
            assert missing > 0
            assert (lost - missing) % rig.period_frames == 0
            if lost == missing:
                return
    pytest.fail("what was said to be lost was never what was missing")


def lost_and_missing(stream, source):
    """Stop the driver for a while: the frames it says were lost, and those the source is further."""
    before = joined(read_seconds(stream, 0.5))
    os.kill(stream._process.pid, signal.SIGSTOP)
    while True:
        try:
            stream._listen(0.3)
        except DeviceError:
            break
    os.kill(stream._process.pid, signal.SIGCONT)
    blocks = read_seconds(stream, 1.0)
    after = joined(blocks)[-BLOCK:]
    frames_between = len(before) + sum(len(block.audio) for block in blocks) - BLOCK
    missing = signals.find(source, after) - signals.find(source, before) - frames_between
    assert any(block.overflowed for block in blocks)
    return sum(block.lost_frames for block in blocks), missing


def test_the_driver_ends_with_the_process_that_recorded_however_that_ends(jack_rig):
    jack_rig(2)
    code = "import time; from devices.base import *; s = open_stream('jack:system', StreamRequest(48000, 2)); \
print(s._process.pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as recorder:
        driver = Path(f"/proc/{int(recorder.stdout.readline())}/status")
        assert driver.exists()
        recorder.kill()
    deadline_s = time.monotonic() + 10
    while driver.exists() and "State:\tZ" not in driver.read_text() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not driver.exists() or "State:\tZ" in driver.read_text()


def test_a_server_that_is_back_before_anybody_looked_is_noticed(jack_rig):
    rig = jack_rig(2)
    before = discovery.fingerprint()
    rig.kill_server()
    rig.start()
    assert discovery.fingerprint() != before


def test_our_own_ports_are_no_interface(jack_rig):
    jack_rig(2)
    quiet = discovery.fingerprint()
    with closing(opened("jack:system", StreamRequest(48_000, 2))) as stream:
        read_seconds(stream, 0.1)
        assert [one.id for one in discovery.enumerate_interfaces()] == ["jack:system", "sim"]
        assert discovery.fingerprint() == quiet


@pytest.mark.parametrize(
    ("interface", "request_", "code", "says"),
    [
        ("jack:system", StreamRequest(48_000, 9), "bad_input", "2 inputs"),
        ("jack:system", StreamRequest(44_100, 2), "bad_input", "48000 Hz"),
        ("jack:guitar", StreamRequest(48_000, 2), "not_found", "jack:system"),
    ],
)
def test_a_refusal_names_what_is_possible(jack_rig, interface, request_, code, says):
    jack_rig(2)
    with pytest.raises(DeviceError) as caught:
        open_stream(interface, request_)
    assert caught.value.code == code
    assert says in caught.value.message
    assert caught.value.hint
