"""Bytes of an input device become touches; what is no key, and a key that is held, say nothing."""

from __future__ import annotations

import itertools
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.controls.keys import KeyParser, keys_of, types_text
from devices.controls.touch import Presses, Touch

RECORD = struct.Struct("llHHi")


def event(kind: int, code: int, value: int) -> bytes:
    return RECORD.pack(1_700_000_000, 123_456, kind, code, value)


SYNC = event(0, 0, 0)
events = st.builds(event, st.integers(0, 31), st.integers(0, 767), st.integers(-(2**31), 2**31 - 1))


def test_a_press_and_its_release_are_told_by_the_keys_number():
    data = event(4, 4, 458_757) + event(1, 48, 1) + SYNC + event(1, 48, 0) + SYNC
    assert KeyParser().feed(data) == [Touch("key 48", True), Touch("key 48", False)]


def test_a_key_that_repeats_because_it_is_held_says_nothing_new():
    assert KeyParser().feed(event(1, 48, 1) + event(1, 48, 2) * 5) == [Touch("key 48", True)]


def test_escape_is_never_told():
    assert KeyParser().feed(event(1, 1, 1) + event(1, 1, 0)) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(events, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_it_does_not_matter_where_the_bytes_are_cut(parts, steps):
    whole = b"".join(parts)
    parser, found, rest = KeyParser(), [], whole
    for step in itertools.cycle(steps):
        found += parser.feed(rest[:step])
        rest = rest[step:]
        if not rest:
            break
    assert found == KeyParser().feed(whole)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 767)))
def test_the_keys_of_a_device_are_read_as_the_kernel_writes_them(codes):
    # input_print_bitmap: words of a long, the highest first, leading empty ones left out.
    words = [sum(1 << code % 64 for code in codes if code // 64 == word) for word in range(12)]
    while len(words) > 1 and not words[-1]:
        words.pop()
    assert keys_of(" ".join(f"{word:x}" for word in reversed(words))) == codes


def test_a_keyboard_is_told_from_a_pedal_with_three_keys():
    # An ordinary USB keyboard, as /sys/class/input/inputN/capabilities/key shows it.
    assert types_text(keys_of("1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"))
    assert not types_text(frozenset({30, 48, 46}))


def presses(*changes: tuple[float, bool]) -> int:
    judge = Presses()
    return sum(judge.counts(Touch("key 48", down), at_s) for at_s, down in changes)


def test_a_held_pedal_is_one_press():
    assert presses((0.0, True), (60.0, False)) == 1


def test_a_pedal_that_says_it_is_down_again_and_again_is_one_press():
    assert presses(*((at / 10, True) for at in range(100))) == 1


def test_contacts_that_bounce_are_one_press():
    assert presses((0.0, True), (0.004, False), (0.009, True), (0.012, False), (0.02, True), (0.4, False)) == 1


def test_contacts_that_bounce_when_the_foot_leaves_are_no_second_press():
    assert presses((0.0, True), (2.0, False), (2.006, True), (2.009, False)) == 1


def test_two_deliberate_presses_are_two():
    assert presses((0.0, True), (0.2, False), (0.5, True), (0.7, False)) == 2


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 0.1), st.booleans()), max_size=40))
def test_whatever_a_contact_does_within_a_moment_is_one_press_at_most(changes):
    assert presses(*sorted(changes, key=lambda change: change[0])) <= 1
