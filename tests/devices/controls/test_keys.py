"""What an input device tells becomes touches; what is no key, and a key that is held, say nothing."""

from __future__ import annotations

import subprocess
import sys

import libevdev
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.controls.finding import control_at
from devices.controls.keys import touches
from devices.controls.opened import OpenControl
from devices.controls.touch import Presses, Touch
from tests.devices.controls import pedals
from tests.devices.controls.pedals import EV_KEY, EV_MSC, EV_REL, EV_SYN, SYN_DROPPED, SYN_REPORT

emulated = pytest.mark.skipif(bool(pedals.MISSING), reason=pedals.MISSING)


def event(kind: int, code: int, value: int) -> libevdev.InputEvent:
    return libevdev.InputEvent(libevdev.evbit(kind, code), value)


SYNC = event(EV_SYN, SYN_REPORT, 0)
values = st.integers(-(2**31), 2**31 - 1)
key_events = st.builds(event, st.just(EV_KEY), st.integers(0, 767), values | st.integers(0, 2))
other_events = st.builds(event, st.sampled_from([EV_SYN, EV_REL, EV_MSC]), st.integers(0, 7), values)


def test_a_press_and_its_release_are_told_by_the_keys_number():
    told = [event(EV_MSC, 4, 458_757), event(EV_KEY, 48, 1), SYNC, event(EV_KEY, 48, 0), SYNC]
    assert touches(told) == [Touch("key 48", True), Touch("key 48", False)]


def test_a_key_that_repeats_because_it_is_held_says_nothing_new():
    assert touches([event(EV_KEY, 48, 1), *[event(EV_KEY, 48, 2)] * 5]) == [Touch("key 48", True)]


def test_escape_is_never_told():
    assert touches([event(EV_KEY, 1, 1), event(EV_KEY, 1, 0)]) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(key_events | other_events, max_size=8))
def test_only_keys_say_anything_and_in_their_order(events):
    assert touches(events) == [touch for one in events if one.matches(libevdev.EV_KEY) for touch in touches([one])]


@emulated
def test_a_pedal_is_found_taken_and_read(tmp_path):
    told = [(EV_MSC, 4, 458_757), (EV_KEY, 48, 1), (EV_SYN, SYN_REPORT, 0), (EV_REL, 0, 5), (EV_SYN, SYN_REPORT, 0)]
    told += [(EV_KEY, 48, 2), (EV_SYN, SYN_REPORT, 0), (EV_KEY, 48, 0), (EV_KEY, 49, 1), (EV_SYN, SYN_REPORT, 0)]
    said = ["keys:0c45:7403:input0 FootSwitch", "key 48 down", "key 48 up", "key 49 down"]
    assert pedals.read(tmp_path, (48, 49), told, touches=3) == said


@emulated
def test_what_happened_while_nobody_read_is_found_out(tmp_path):
    """The kernel keeps a few dozen events for a slow reader, and says when it had to drop more."""
    told = [(EV_KEY, 48, 1), (EV_SYN, SYN_REPORT, 0), (EV_SYN, SYN_DROPPED, 0), (EV_SYN, SYN_REPORT, 0)]
    assert pedals.read(tmp_path, (48, 49), told, touches=2)[1:] == ["key 48 down", "key 48 up"]


def test_a_file_that_is_no_input_device_is_refused(tmp_path):
    (tmp_path / "keys").touch()
    with pytest.raises(OSError, match="ioctl"):
        OpenControl(control_at(f"keys:{tmp_path}/keys"))


def test_what_reads_pedals_needs_no_memory_that_is_written_and_run():
    """As systemd's MemoryDenyWriteExecute= forbids it, which keeps ctypes from calling back into Python."""
    code = """if True:
        import ctypes, mmap, sys
        PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1  # linux/prctl.h
        if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
            sys.exit(2)
        try:
            mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        except PermissionError:
            import devices.controls.keys, devices.controls.midi, libevdev
            libevdev.Device().enable(libevdev.EV_KEY.KEY_B)
            sys.exit(0)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    if done.returncode == 2:
        pytest.skip("needs Linux 6.3")
    assert done.returncode == 0, done.stderr


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
