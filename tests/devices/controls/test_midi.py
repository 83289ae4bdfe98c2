"""MIDI bytes become the same touches however they are sent: with running status or without, cut anywhere."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.controls.midi import MidiParser
from devices.controls.touch import Touch

DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}

seven_bits = st.integers(0, 127)


def channel_message(kind: int, channel: int, data: tuple[int, int]) -> bytes:
    return bytes([kind | channel, *data[: DATA_BYTES[kind]]])


channel_messages = st.builds(
    channel_message, st.sampled_from(sorted(DATA_BYTES)), st.integers(0, 15), st.tuples(seven_bits, seven_bits)
)


silent_messages = st.one_of(
    st.binary(max_size=9).map(lambda data: bytes([0xF0, *(byte & 0x7F for byte in data), 0xF7])),  # system exclusive
    st.sampled_from([b"\xf1\x10", b"\xf2\x01\x02", b"\xf3\x05", b"\xf6"]),  # system common
)
messages = st.lists(st.one_of(channel_messages, silent_messages), max_size=12)
steps = st.lists(st.integers(1, 7), min_size=1, max_size=8)
"""How many bytes come at a time, again and again."""


def touches(data: bytes) -> list[Touch]:
    return MidiParser().feed(data)


def with_running_status(parts: list[bytes]) -> bytes:
    """What a thrifty sender makes of the messages: a status that is the one before is left out."""
    out, running = b"", None
    for part in parts:
        if part[0] >= 0xF0:
            running = None
            out += part
        else:
            out += part[1:] if part[0] == running else part
            running = part[0]
    return out


@settings(max_examples=50, deadline=None)
@given(messages)
def test_running_status_says_the_same_in_fewer_bytes(parts):
    assert touches(with_running_status(parts)) == touches(b"".join(parts))


@settings(max_examples=50, deadline=None)
@given(messages, steps)
def test_it_does_not_matter_where_the_bytes_are_cut(parts, steps):
    whole = with_running_status(parts)
    parser, found, rest = MidiParser(), [], whole
    for step in itertools.cycle(steps):
        found += parser.feed(rest[:step])
        rest = rest[step:]
        if not rest:
            break
    assert found == touches(whole)


@settings(max_examples=50, deadline=None)
@given(messages, st.lists(st.sampled_from([b"", b"\xf8", b"\xfe", b"\xf8\xfe"]), min_size=1, max_size=8))
def test_clock_and_active_sensing_may_stand_between_any_two_bytes(parts, between):
    whole = with_running_status(parts)
    mixed = b"".join(bytes([byte]) + extra for byte, extra in zip(whole, itertools.cycle(between), strict=False))
    assert touches(mixed) == touches(whole)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_anything_at_all_may_come_in(noise):
    for touch in touches(noise):
        assert touch.control.isprintable()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=40), seven_bits)
def test_after_noise_the_next_note_is_understood(noise, note):
    parser = MidiParser()
    parser.feed(noise)
    assert parser.feed(bytes([0x90, note, 1])) == [Touch(f"note {note} on channel 1", True)]


def test_a_system_exclusive_message_that_never_ends_fills_no_memory():
    parser = MidiParser()
    parser.feed(b"\xf0")
    tracemalloc.start()
    parser.feed(bytes(20_000))
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept_bytes < 10_000


def test_a_key_goes_down_and_comes_up_in_both_ways_of_saying_so():
    down, up = Touch("note 60 on channel 1", True), Touch("note 60 on channel 1", False)
    assert touches(b"\x90\x3c\x40\x80\x3c\x40") == [down, up]
    assert touches(b"\x90\x3c\x40\x3c\x00") == [down, up]


def test_a_sustain_pedal_is_down_from_the_middle_on_and_does_not_tremble():
    assert touches(b"\xb0\x40\x00\x40\x3f") == []
    trembling = b"\xb2" + b"".join(bytes([64, value]) for value in (10, 40, 64, 63, 64, 127, 60, 70, 47, 64))
    control = "cc 64 on channel 3"
    assert touches(trembling) == [Touch(control, True), Touch(control, False), Touch(control, True)]


def test_a_program_change_is_a_tap():
    assert touches(b"\xcf\x00") == [Touch("program 1 on channel 16", True), Touch("program 1 on channel 16", False)]


@pytest.mark.parametrize(("byte", "name"), [(0xFA, "start"), (0xFB, "continue"), (0xFC, "stop")])
def test_the_transport_keys_of_a_sequencer_are_taps(byte, name):
    assert touches(bytes([byte])) == [Touch(name, True), Touch(name, False)]


def test_all_notes_off_is_no_pedal():
    assert touches(b"\xb0\x7b\x7f\x78\x7f") == []
