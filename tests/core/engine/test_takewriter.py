"""A take writer writes exactly its range, even one that began in the past, and is honest when it is lapped."""

import threading
import time

import numpy as np
import pytest
import soundfile

from core.engine.packing import pack
from core.engine.ring import Ring
from core.engine.takewriter import DiskFailed, Finished, Overrun, TakeWriter
from sessions.model import Marker
from sessions.wav import PAGE_BYTES, WavWriter
from sessions.wavheader import HEADER_BYTES
from sessions.wavread import read_info

RATE = 8_000
CHANNELS = 3


def audio(start, frames):
    count = np.arange(start, start + frames, dtype=np.int64)
    return np.stack([(count * (channel + 1)) % 2**23 for channel in range(CHANNELS)], axis=1)


class Desk:
    """A ring that is fed by hand, and writers on it."""

    def __init__(self, folder, capacity=4 * RATE):
        self.folder = folder
        self.ring = Ring(capacity, CHANNELS, 3)
        self.events = []

    def feed(self, frames):
        self.ring.append(pack((audio(self.ring.end, frames) << 8).astype(np.int32), "pcm24"))

    def writer(self, start, name="take", channels=(0, 2), writer_type=WavWriter):
        def open_files():
            (self.folder / name).mkdir()
            return [writer_type(self.folder / name / f"{c}.wav", rate_hz=RATE, sample_format="pcm24") for c in channels]

        return TakeWriter(
            self.ring,
            rate_hz=RATE,
            channels=channels,
            start=start,
            open_files=open_files,
            markers=lambda: (Marker(at_samples=5, name="here"),),
            tell=self.events.append,
        )

    def written(self, channel, name="take"):
        return soundfile.read(self.folder / name / f"{channel}.wav", dtype="int32")[0] >> 8


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def finish(writer, position):
    writer.stop_at(position)
    writer.join(20)
    assert not writer.is_alive()


def test_the_files_hold_the_range_to_the_sample_though_it_began_in_the_past(desk):
    desk.feed(2 * RATE)
    writer = desk.writer(start=777)
    writer.start()
    for _ in range(10):
        desk.feed(RATE // 4)
        time.sleep(0.01)
    finish(writer, 30_001)
    assert desk.events == [Finished(30_001 - 777)]
    for channel in (0, 2):
        np.testing.assert_array_equal(desk.written(channel), audio(777, 30_001 - 777)[:, channel])


def test_a_take_that_ends_where_the_next_begins_leaves_no_sample_between(desk):
    desk.feed(RATE)
    first, second = desk.writer(0, "one"), desk.writer(9_999, "two")
    first.start()
    desk.feed(RATE)
    first.stop_at(9_999)
    second.start()
    desk.feed(RATE)
    finish(first, 9_999)
    finish(second, 20_000)
    joined = np.concatenate([desk.written(0, "one"), desk.written(0, "two")])
    np.testing.assert_array_equal(joined, audio(0, 20_000)[:, 0])


def test_what_is_written_is_readable_while_the_take_still_runs(desk):
    writer = desk.writer(start=0)
    writer.start()
    desk.feed(RATE)
    page_frames = -(-PAGE_BYTES // 3)  # a page that is not full yet waits until it is, or until the take ends
    deadline_s = time.monotonic() + 5
    while writer.position <= RATE - 3 * page_frames and time.monotonic() < deadline_s:
        time.sleep(0.01)
    readable = desk.written(0)
    assert len(readable) > RATE - 3 * page_frames
    np.testing.assert_array_equal(readable, audio(0, len(readable))[:, 0])
    finish(writer, RATE)
    np.testing.assert_array_equal(desk.written(0), audio(0, RATE)[:, 0])


def test_no_page_of_a_growing_file_is_written_twice(desk):
    starts = []

    class Watched(WavWriter):
        def append(self, data):
            starts.append(HEADER_BYTES + self.frames * 3)
            super().append(data)

    writer = desk.writer(0, channels=(1,), writer_type=Watched)
    writer.start()
    for _ in range(4):
        desk.feed(RATE // 2 + 123)
        time.sleep(0.35)
    finish(writer, 2 * RATE + 492)
    assert len(starts) > 2
    assert starts[0] == HEADER_BYTES
    assert all(start % PAGE_BYTES == 0 for start in starts[1:])


def test_a_disk_slower_than_the_ring_costs_a_gap_of_known_length_and_time_stays_true(tmp_path):
    desk, stalled, go_on = Desk(tmp_path, capacity=2 * RATE), threading.Event(), threading.Event()

    class StallingWriter(WavWriter):
        def append(self, data):
            super().append(data)
            if self.frames >= RATE // 2 and not stalled.is_set():
                stalled.set()
                go_on.wait(10)

    writer = desk.writer(0, writer_type=StallingWriter)
    writer.start()
    desk.feed(RATE)
    assert stalled.wait(5)
    for _ in range(3):
        desk.feed(RATE)
    go_on.set()
    finish(writer, 4 * RATE)
    (overrun, finished) = desk.events
    assert isinstance(overrun, Overrun)
    assert finished == Finished(4 * RATE)
    expected = audio(0, 4 * RATE)[:, 0].copy()
    expected[overrun.at_frames : overrun.at_frames + overrun.frames] = 0
    assert overrun.frames > RATE // 2
    np.testing.assert_array_equal(desk.written(0), expected)


def test_a_disk_that_refuses_ends_the_take_with_valid_files_of_what_came_before(desk):
    class FullDisk(WavWriter):
        def append(self, data):
            if self.frames >= RATE:
                raise OSError(28, "No space left on device")
            super().append(data)

    writer = desk.writer(0, writer_type=FullDisk)
    writer.start()
    for _ in range(6):
        desk.feed(RATE // 2)
        time.sleep(0.3)
    writer.join(10)
    (event,) = desk.events
    assert isinstance(event, DiskFailed)
    assert event.error.errno == 28
    np.testing.assert_array_equal(desk.written(0)[: event.frames], audio(0, event.frames)[:, 0])


def test_markers_are_cue_points_of_the_closed_file(desk):
    writer = desk.writer(0)
    writer.start()
    desk.feed(RATE)
    finish(writer, RATE)
    assert read_info(desk.folder / "take" / "0.wav").markers == (Marker(at_samples=5, name="here"),)
