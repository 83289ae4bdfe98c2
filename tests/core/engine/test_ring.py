"""The ring keeps the last frames by position, whatever sizes they come and are asked for in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.ring import Ring, RingOverrunError

CHANNELS = 2


def plane(channel: int, start: int, count: int) -> bytes:
    return b"".join((1_000 * channel + start + index).to_bytes(3, "little") for index in range(count))


def planes(start: int, count: int) -> list[bytes]:
    return [plane(channel, start, count) for channel in range(CHANNELS)]


@given(st.lists(st.integers(0, 16), max_size=40), st.integers(0, 400), st.integers(0, 40))
def test_what_can_be_read_is_what_was_appended_and_the_rest_is_refused(sizes, start, count):
    ring = Ring(16, CHANNELS, 3)
    for size in sizes:
        ring.append(planes(ring.end, size))
    assert ring.filled_frames == min(sum(sizes), 16)
    start = min(start, ring.end)
    if start < ring.oldest:
        with pytest.raises(RingOverrunError) as refused:
            ring.read(start, count, (0, 1))
        assert refused.value.oldest == ring.oldest
    else:
        count_there = min(count, ring.end - start)
        assert ring.read(start, count, (0, 1)) == planes(start, count_there)
        assert ring.read(start, count, (1,)) == [plane(1, start, count_there)]


def test_a_ring_in_a_file_is_the_same_ring_and_leaves_no_file(tmp_path):
    ring = Ring(1_000, CHANNELS, 3, tmp_path)
    for _ in range(5):
        ring.append(planes(ring.end, 700))
    assert ring.read(3_000, 500, (0, 1)) == planes(3_000, 500)
    assert list(tmp_path.iterdir()) == []
