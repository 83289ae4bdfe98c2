"""What is plugged in, by folders in the form in which the kernel shows them."""

from __future__ import annotations

import os
import pty
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.controls.finding import Control, control_at, find_controls, keys_of, types_text
from devices.controls.opened import OpenControl
from devices.controls.touch import Touch
from devices.errors import DeviceError

KEYBOARD = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"


def input_device(root: Path, number: int, name: str, *, keys: str = "1000000000000", **about: str) -> None:
    (root / "dev/input").mkdir(parents=True, exist_ok=True)
    (root / f"dev/input/event{number}").touch()
    device = root / f"sys/class/input/event{number}/device"
    (device / "capabilities").mkdir(parents=True)
    (device / "id").mkdir()
    (device / "name").write_text(f"{name}\n", encoding="utf-8", errors="surrogateescape")
    (device / "capabilities/key").write_text(f"{keys}\n")
    for file in ("phys", "uniq"):
        (device / file).write_text(about.get(file, "") + "\n", errors="surrogateescape")
    for file in ("bustype", "vendor", "product"):
        (device / "id" / file).write_text(about.get(file, "0000") + "\n")


def test_a_usb_foot_switch_is_known_again_by_its_numbers_and_interface(tmp_path):
    usb = {"bustype": "0003", "vendor": "0c45", "product": "7403"}
    input_device(tmp_path, 3, "RDing FootSwitch1F1.", phys="usb-0000:01:00.0-1.2/input0", **usb)
    input_device(tmp_path, 4, "RDing FootSwitch1F1. Keyboard", phys="usb-0000:01:00.0-1.2/input1", **usb)
    assert find_controls(tmp_path) == [
        Control("keys:0c45:7403:input0", "RDing FootSwitch1F1.", "keys", str(tmp_path / "dev/input/event3")),
        Control("keys:0c45:7403:input1", "RDing FootSwitch1F1. Keyboard", "keys", str(tmp_path / "dev/input/event4")),
    ]


def test_the_same_device_on_another_port_is_the_same(tmp_path):
    usb = {"bustype": "0003", "vendor": "0c45", "product": "7403"}
    input_device(tmp_path / "a", 3, "Pedal", phys="usb-0000:01:00.0-1.2/input0", **usb)
    input_device(tmp_path / "b", 17, "Pedal", phys="usb-0000:01:00.0-1.4.1/input0", **usb)
    assert find_controls(tmp_path / "a")[0].id == find_controls(tmp_path / "b")[0].id


def test_buttons_on_gpio_pins_are_known_by_their_name(tmp_path):
    input_device(tmp_path, 0, "button@11", bustype="0019", vendor="0001", product="0001", phys="button@11/input0")
    assert [control.id for control in find_controls(tmp_path)] == ["keys:button-11"]


def test_a_keyboard_is_marked_as_one_and_what_has_no_keys_is_left_out(tmp_path):
    input_device(tmp_path, 0, "Keyboard", keys=KEYBOARD, bustype="0003", vendor="046d", product="c31c")
    input_device(tmp_path, 1, "HDMI jack", keys="0")
    assert [(control.name, control.keyboard) for control in find_controls(tmp_path)] == [("Keyboard", True)]


def test_midi_ports_carry_the_name_of_their_card(tmp_path):
    (tmp_path / "proc/asound").mkdir(parents=True)
    (tmp_path / "proc/asound/cards").write_text(
        " 1 [nanoPAD2       ]: USB-Audio - nanoPAD2\n                      KORG INC. nanoPAD2 at usb\n"
        " 2 [VirMIDI        ]: VirMIDI - VirMIDI\n                      Virtual MIDI Card 1\n"
    )
    device = tmp_path / "sys/devices/usb1/1-2"
    (device / "1-2:1.0").mkdir(parents=True)
    (device / "idVendor").write_text("0944\n")
    (device / "idProduct").write_text("0111\n")
    (tmp_path / "sys/class/sound/card1").mkdir(parents=True)
    (tmp_path / "sys/class/sound/card1/device").symlink_to(device / "1-2:1.0")
    (tmp_path / "dev/snd").mkdir(parents=True)
    for name in ("midiC1D0", "midiC2D0", "midiC2D1", "pcmC1D0c", "seq"):
        (tmp_path / "dev/snd" / name).touch()
    assert [(control.id, control.name) for control in find_controls(tmp_path)] == [
        ("midi:0944:0111", "nanoPAD2"),
        ("midi:VirMIDI", "VirMIDI"),
        ("midi:VirMIDI,1", "VirMIDI"),
    ]


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_names_out_of_a_device_are_inert(tmp_path_factory, name, uniq, phys):
    root = tmp_path_factory.mktemp("hostile")
    input_device(root, 0, name, uniq=uniq, phys=phys, bustype="0003", vendor="dead", product="beef")
    (control,) = find_controls(root)
    for shown in (control.id, control.name):
        assert shown.isprintable()
        assert not set(shown) & set("\x1b[]\n\r")
    assert "/" not in control.id


def test_a_box_without_input_or_sound_has_no_controls(tmp_path):
    assert find_controls(tmp_path) == []


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
    assert types_text(keys_of(KEYBOARD))
    assert not types_text(frozenset({30, 48, 46}))


def test_a_pipe_with_midi_is_a_control(tmp_path):
    pipe = tmp_path / "pedals"
    os.mkfifo(pipe)
    opened = OpenControl(control_at(f"midi:{pipe}"))
    opened.grab()  # nobody else reads a pipe
    with pipe.open("wb", buffering=0) as sender:
        assert opened.read() == []
        sender.write(b"\x90\x3c\x40")
        assert opened.read() == [Touch("note 60 on channel 1", True)]
    assert opened.read() is None
    opened.close()


def test_a_serial_line_gives_midi_as_it_is_sent(tmp_path):
    sender, line = pty.openpty()
    opened = OpenControl(control_at(f"midi:{os.ttyname(line)}"))
    # 0x03, 0x0d and 0x11 would be Ctrl-C, Enter and XON to a terminal.
    os.write(sender, b"\x90\x03\x0d\x90\x11\x7f")
    assert opened.read() == [Touch("note 3 on channel 1", True), Touch("note 17 on channel 1", True)]
    os.close(line)
    os.close(sender)
    assert opened.read() is None
    opened.close()


@pytest.mark.parametrize("place", ["/dev/ttyAMA0", "midi:", "midi:ttyAMA0", "osc:/dev/x", ""])
def test_a_place_that_says_no_kind_or_no_file_is_refused(place):
    with pytest.raises(DeviceError, match="no control"):
        control_at(place)
