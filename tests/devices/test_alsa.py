"""Sound cards by what /proc and /sys say."""

from __future__ import annotations

from devices import alsa
from tests.devices import trees

SCARLETT = {"usb": ("1235", "8211"), "stream": trees.SCARLETT_STREAM}


def names(*addresses):
    return [("ALSA", f"Something: USB Audio (hw:{address})") for address in addresses]


def test_a_usb_card_keeps_its_identity_when_its_number_changes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    trees.add_card(first, 1, "USB", "Scarlett", port="1-1.2", **SCARLETT)
    trees.add_card(second, 0, "PCH", "HDA Intel PCH")
    trees.add_card(second, 3, "USB_1", "Scarlett", port="1-1.2", **SCARLETT)
    assert alsa.identities(names("1,0"), first) == ["usb:1235:8211:1-1.2"]
    assert alsa.identities(names("3,0", "0,0"), second) == ["usb:1235:8211:1-1.2", "alsa:PCH,0"]


def test_a_serial_number_makes_the_port_irrelevant(tmp_path):
    trees.add_card(tmp_path, 0, "USB", "Scarlett", port="1-1", serial="Y8:ABC/12", **SCARLETT)
    assert alsa.identities(names("0,0", "0,1"), tmp_path) == ["usb:1235:8211:Y8ABC12", "usb:1235:8211:Y8ABC12,1"]


def test_two_devices_with_the_same_serial_number_are_told_apart_by_port(tmp_path):
    trees.add_card(tmp_path, 0, "USB", "Box", usb=("1", "2"), port="1-1", serial="0001")
    trees.add_card(tmp_path, 1, "USB_1", "Box", usb=("1", "2"), port="1-3.4", serial="0001")
    assert alsa.identities(names("0,0", "1,0"), tmp_path) == ["usb:1:2:1-1", "usb:1:2:1-3.4"]


def test_what_is_no_hardware_is_called_after_its_host_api(tmp_path):
    found = alsa.identities([("ALSA", "pulse"), ("JACK", "system"), ("OSS", "/dev/dsp")], tmp_path)
    assert found == ["alsa:pulse", "jack:system", "oss:/dev/dsp"]


def test_a_device_that_moved_to_another_port_is_found_when_it_is_the_only_one_of_its_kind():
    assert alsa.match("usb:1:2:1-1", ["jack:x", "usb:1:2:1-4", "usb:9:9:1-1"]) == "usb:1:2:1-4"
    assert alsa.match("usb:1:2:1-1", ["usb:1:2:1-4", "usb:1:2:1-5"]) is None
    assert alsa.match("usb:1:2:1-1", ["usb:1:2:1-4", "usb:1:2:1-1"]) == "usb:1:2:1-1"
    assert alsa.match("jack:rig", ["jack:system"]) is None


def test_the_most_that_a_card_can_do_is_read_from_its_alternate_settings():
    formats = alsa.parse_stream_file(trees.SCARLETT_STREAM)
    assert formats == alsa.CardFormats(18, 20, (44_100, 48_000, 88_200, 96_000, 176_400, 192_000))


def test_a_continuous_range_of_rates_means_the_standard_ones_in_it():
    text = "Mic : USB Audio\n\nCapture:\n  Interface 1\n    Channels: 1\n    Rates: 8000 - 48000 (continuous)\n"
    assert alsa.parse_stream_file(text) == alsa.CardFormats(1, 0, (44_100, 48_000))


def test_a_device_is_in_use_when_one_of_its_streams_runs(tmp_path):
    trees.write(tmp_path / "proc/asound/card0/pcm0p/sub0/status", "closed\n")
    trees.write(tmp_path / "proc/asound/card0/pcm0c/sub0/status", "state: RUNNING\nowner_pid   : 1\n")
    trees.write(tmp_path / "proc/asound/card0/pcm1c/sub0/status", "closed\n")
    assert alsa.in_use(0, 0, tmp_path)
    assert not alsa.in_use(0, 1, tmp_path)
    assert not alsa.in_use(7, 0, tmp_path)


def test_a_box_without_sound_has_no_cards(tmp_path):
    assert alsa.cards(tmp_path) == []
    trees.write(tmp_path / "proc/asound/cards", "--- no soundcards ---\n")
    assert alsa.cards(tmp_path) == []
