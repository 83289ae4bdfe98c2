"""Between the interface's samples and the file's bytes nothing is lost that the file can hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from core.engine.packing import pack, to_float

INT24 = st.integers(-(2**23), 2**23 - 1)


def as_integers(data: memoryview) -> list[int]:
    return [int.from_bytes(data[at : at + 3], "little", signed=True) for at in range(0, len(data), 3)]


@given(st.lists(INT24, min_size=1))
def test_24_bit_samples_that_arrive_as_float_come_back_bit_for_bit(values):
    audio = (np.array(values, dtype=np.float64) / 2**23).astype(np.float32)[:, None]
    (data,) = pack(audio, "pcm24")
    assert as_integers(data) == values
    np.testing.assert_array_equal(to_float(data, "pcm24"), audio[:, 0])


@given(st.lists(INT24, min_size=1))
def test_24_bit_samples_that_arrive_left_aligned_in_32_come_back_bit_for_bit(values):
    audio = (np.array(values, dtype=np.int64) << 8).astype(np.int32)[:, None]
    assert as_integers(pack(audio, "pcm24")[0]) == values


@given(arrays.arrays(np.float32, (7, 3), elements=st.floats(-8, 8, width=32)))
def test_float_files_keep_every_float_even_beyond_full_scale(audio):
    for channel, plane in enumerate(pack(audio, "float32")):
        np.testing.assert_array_equal(to_float(plane, "float32"), audio[:, channel])


def test_what_exceeds_full_scale_is_clipped_and_what_is_no_number_is_silence():
    audio = np.array([[2.0], [-2.0], [np.nan], [np.inf], [-np.inf]], dtype=np.float32)
    assert as_integers(pack(audio, "pcm24")[0]) == [2**23 - 1, -(2**23), 0, 2**23 - 1, -(2**23)]


def test_what_is_no_finite_number_is_silence_in_a_float_file():
    audio = np.array([[0.5, np.nan], [np.inf, -0.25], [-np.inf, 3.0]], dtype=np.float32)
    left, right = (to_float(plane, "float32").tolist() for plane in pack(audio, "float32"))
    assert (left, right) == ([0.5, 0.0, 0.0], [0.0, -0.25, 3.0])


@given(arrays.arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=INT24), st.sampled_from("CF"))
def test_each_channel_comes_by_itself_however_the_samples_lie_in_memory(values, order):
    audio = np.asarray(values << 8, order=order)
    assert [as_integers(plane) for plane in pack(audio, "pcm24")] == values.T.tolist()
