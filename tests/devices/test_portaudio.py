"""What a stream makes of its driver process, shown with one that does as it is told."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from devices import portaudio
from devices.base import StreamRequest
from devices.errors import DeviceError

REQUEST = StreamRequest(48_000, 2, block_frames=500, buffer_s=0.2)


def driver(mode):
    return [sys.executable, str(Path(__file__).with_name("tame_driver.py")), mode]


@contextmanager
def opened(request=REQUEST, mode="numbers"):
    stream = portaudio.open_portaudio("usb:1:2:3", request, command=driver(mode))
    try:
        yield stream
    finally:
        stream.close()


def tell(stream, *lines):
    stream._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    stream._process.stdin.flush()


def test_frames_arrive_in_order_whatever_the_size_of_the_callbacks():
    sizes = np.random.default_rng(1).integers(1, 3_000, 60)
    with opened() as stream:
        expected = 0
        for size in sizes:
            tell(stream, size)
            block = stream.read(int(size))
            assert not block.overflowed
            np.testing.assert_array_equal(block.audio[:, 0], np.arange(expected, expected + size))
            np.testing.assert_array_equal(block.audio[:, 0], block.audio[:, 1])
            expected += size
        assert expected > 3 * stream._captured.shape[0], "the ring was not gone round"


def test_a_reader_that_sleeps_within_the_buffer_loses_nothing():
    with opened() as stream:
        tell(stream, *[480] * 20)
        block = stream.read(9_600)
    assert not block.overflowed
    np.testing.assert_array_equal(block.audio[:, 0], np.arange(9_600))


@pytest.mark.parametrize(("callbacks", "size"), [(200, 480), (6_000, 16)], ids=["ring", "ring and pipe"])
def test_a_reader_that_sleeps_too_long_learns_how_much_it_missed(callbacks, size):
    with opened() as stream:
        tell(stream, 480)
        stream.read(480)
        tell(stream, *[size] * callbacks)
        wait_until_captured(stream, 480 + callbacks * size)
        # A driver goes on; of what it tells while the pipe is full, the reader hears nothing.
        later = threading.Timer(0.3, tell, (stream, size))
        later.start()
        block = stream.read(480)
        later.join()
    assert block.overflowed
    assert block.lost_frames > 0
    np.testing.assert_array_equal(block.audio[:, 0], np.arange(480) + 480 + block.lost_frames)


def wait_until_captured(stream, frames):
    ring = stream._captured[:, 0]
    while ring[(frames - 1) % len(ring)] != frames - 1:
        time.sleep(0.02)


def test_what_the_driver_lost_is_told_with_the_block_after_it():
    with opened() as stream:
        tell(stream, 100, "lose 512", 100, 100)
        first, second, third = stream.read(100), stream.read(100), stream.read(100)
        losses = [first.lost_frames, second.lost_frames, third.lost_frames]
    assert sum(losses) == 512
    assert [block.overflowed for block in (first, second, third)] == [lost > 0 for lost in losses]


def test_what_is_written_is_played_exactly_the_stated_number_of_frames_later():
    request = StreamRequest(48_000, 1, outputs=1, block_frames=500, buffer_s=0.2)
    signal = (np.arange(1, 40_001, dtype=np.float32) / 2**20).reshape(-1, 1)
    with opened(request, "cable") as stream:
        heard = []
        for at in range(0, len(signal), 500):
            tell(stream, 200, 300)
            heard.append(stream.read(500).audio)
            assert not stream.write(signal[at : at + 500])
        latency = stream.output_latency_frames
    heard = np.concatenate(heard)[:, 0]
    assert not heard[:latency].any()
    np.testing.assert_array_equal(heard[latency:], (signal[: len(heard) - latency, 0] * 2.0**31).astype(np.int32))


def test_what_is_written_too_late_is_silent_and_what_follows_is_in_its_place():
    request = StreamRequest(48_000, 1, outputs=1, block_frames=500, buffer_s=1.0)
    signal = (np.arange(1, 40_001, dtype=np.float32) / 2**20).reshape(-1, 1)
    with opened(request, "cable") as stream:
        latency = stream.output_latency_frames
        tell(stream, latency + 250)
        heard = [stream.read(latency + 250).audio]
        assert stream.write(signal[:500])
        assert not stream.write(signal[500:1_000])
        tell(stream, 750)
        heard.append(stream.read(750).audio)
    heard = np.concatenate(heard)[:, 0]
    assert not heard[: latency + 250].any()
    np.testing.assert_array_equal(heard[latency + 250 :], (signal[250:1_000, 0] * 2.0**31).astype(np.int32))


def test_full_scale_is_played_without_wrapping_round():
    request = StreamRequest(48_000, 1, outputs=1, block_frames=500, buffer_s=0.2)
    signal = np.array([[1.5], [1.0], [0.5], [0.0], [-0.5], [-1.0], [-1.5]], np.float32)
    with opened(request, "cable") as stream:
        stream.write(signal)
        tell(stream, stream.output_latency_frames, len(signal))
        heard = stream.read(stream.output_latency_frames + len(signal)).audio[-len(signal) :, 0]
    top = 2**31 - 128
    np.testing.assert_array_equal(heard, [top, top, 2**30, 0, -(2**30), -(2**31), -(2**31)])


def test_a_driver_that_ends_is_a_lost_interface():
    with opened() as stream:
        tell(stream, 100, "exit")
        stream.read(100)
        with pytest.raises(DeviceError) as caught:
            stream.read(100)
    assert caught.value.code == "device_lost"


def test_a_driver_that_falls_silent_is_a_lost_interface():
    with opened() as stream:
        tell(stream, 99)
        with pytest.raises(DeviceError) as caught:
            stream.read(100)
    assert caught.value.code == "device_lost"


@pytest.mark.parametrize(("mode", "code"), [("hangs", "device_lost"), ("crashes", "device_lost"), ("refuses", "busy")])
def test_an_opening_that_fails_is_told_and_leaves_no_process(mode, code, monkeypatch):
    monkeypatch.setattr(portaudio, "OPEN_WITHIN_S", 1.0)
    started = []
    start = portaudio.start
    monkeypatch.setattr(portaudio, "start", lambda *a, **k: started.append(start(*a, **k)) or started[0])
    with pytest.raises(DeviceError) as caught:
        portaudio.open_portaudio("usb:1:2:3", REQUEST, command=driver(mode))
    assert caught.value.code == code
    assert started[0].poll() is not None


def test_closing_ends_the_driver_and_can_be_done_twice():
    with opened() as stream:
        process = stream._process
        stream.close()
        assert process.poll() == 0
