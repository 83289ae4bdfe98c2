"""Finding interfaces without being harmed by what is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devices import discovery
from devices.errors import DeviceError
from tests.devices import trees
from tests.rig import signals

SCARLETT = {
    "index": 3,
    "name": "Scarlett 18i20 USB: USB Audio (hw:1,0)",
    "host_api": "ALSA",
    "inputs": 18,
    "outputs": 20,
    "default_rate_hz": 44_100,
    "rates_hz": [44_100, 48_000],
}
PULSE = {**SCARLETT, "index": 0, "name": "pulse", "inputs": 32, "outputs": 32, "rates_hz": []}
JACK = {**PULSE, "name": "system", "host_api": "JACK"}
ONBOARD = {**SCARLETT, "index": 1, "name": "HDA Intel PCH: ALC (hw:0,0)", "inputs": 2, "outputs": 2}


def probe_that(code):
    return [sys.executable, "-c", code]


def probe_that_lists(*devices):
    return probe_that(f"print({json.dumps(json.dumps(devices))})")


def test_a_probe_that_hangs_is_given_up_with_everything_it_started(tmp_path):
    pid_file = tmp_path / "pids"
    code = f"import os, subprocess, time; c = subprocess.Popen(['sleep', '60']); \
open({str(pid_file)!r}, 'w').write(f'{{os.getpid()}} {{c.pid}}'); time.sleep(60)"
    with pytest.raises(DeviceError) as caught:
        discovery.probe(2.0, probe_that(code))
    assert caught.value.code == "device_lost"
    deadline_s = time.monotonic() + 10.0  # who is killed by a group may take a moment to be gone
    while (living := [pid for pid in pid_file.read_text().split() if lives(pid)]) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert living == []


def lives(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    "code", ["import os; os.abort()", "print('Cannot connect to server socket')", "pass", 'print(\'{"error": "x"}\')']
)
def test_a_probe_that_fails_leaves_the_simulated_interface(code, tmp_path):
    with pytest.raises(DeviceError):
        discovery.probe(5.0, probe_that(code))
    found = discovery.enumerate_interfaces(command=probe_that(code), root=tmp_path)
    assert [interface.id for interface in found] == ["sim"]


def test_usb_comes_first_then_other_hardware_then_the_rest_and_the_simulated_interface_last(tmp_path):
    trees.add_card(tmp_path, 0, "PCH", "HDA Intel PCH")
    trees.add_card(tmp_path, 1, "USB", "Scarlett 18i20 USB", usb=("1235", "8211"), port="1-1.2")
    found = discovery.enumerate_interfaces(command=probe_that_lists(PULSE, JACK, ONBOARD, SCARLETT), root=tmp_path)
    assert [one.id for one in found] == ["usb:1235:8211:1-1.2", "alsa:PCH,0", "jack:system", "alsa:pulse", "sim"]
    assert (found[0].name, found[0].inputs, found[0].outputs) == ("Scarlett 18i20 USB", 18, 20)


def test_a_card_is_listed_once_and_not_by_every_name_that_alsa_has_for_it(tmp_path):
    trees.add_card(tmp_path, 0, "PCH", "HDA Intel PCH")
    ways = [{**ONBOARD, "name": name} for name in ("sysdefault", "front", "surround40", "spdif", "default", "dmix")]
    mine = {**ONBOARD, "name": "both_cards"}
    found = discovery.enumerate_interfaces(command=probe_that_lists(ONBOARD, *ways, mine), root=tmp_path)
    assert [one.id for one in found] == ["alsa:PCH,0", "alsa:both_cards", "sim"]


@pytest.mark.parametrize("listed", [(), ({**SCARLETT, "inputs": 0},)], ids=["both ways", "one way"])
def test_an_interface_that_a_program_holds_is_still_listed_whole(tmp_path, listed):
    trees.add_card(
        tmp_path, 1, "USB", "Scarlett 18i20 USB", usb=("1235", "8211"), port="1-1.2", stream=trees.SCARLETT_STREAM
    )
    found = discovery.enumerate_interfaces(command=probe_that_lists(*listed), root=tmp_path)
    assert [(one.id, one.inputs, one.outputs) for one in found[:-1]] == [("usb:1235:8211:1-1.2", 18, 20)]
    assert found[0].name == "Scarlett 18i20 USB"
    assert 48_000 in found[0].rates_hz


def test_names_are_made_safe_to_show(tmp_path):
    nasty = {**PULSE, "name": "\x1b]0;owned\x07[bold]Mixer\n"}
    found = discovery.enumerate_interfaces(command=probe_that_lists(nasty), root=tmp_path)
    assert found[0].name == "(bold)Mixer"


def test_the_real_probe_answers_and_its_user_never_loads_portaudio():
    code = "import sys; from devices import discovery; discovery.probe(20); discovery.fingerprint(); \
print([m for m in sys.modules if 'sounddevice' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_processes_that_own_portaudio_stay_light():
    code = "import sys, devices.driver, devices.probe; devices.driver.host.load(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().endswith("False")


def test_a_folder_is_described_as_the_interface_it_will_be(tmp_path):
    signals.write_noise(tmp_path / "02 Overheads.wav", channels=2, seconds=0.1, rate_hz=44_100)
    signals.write_noise(tmp_path / "01 Kick.wav", channels=1, seconds=0.1, rate_hz=44_100)
    found = discovery.find(f"sim:fast:{tmp_path}", [])
    assert found is not None
    assert found.channel_names == ("Kick", "Overheads 1", "Overheads 2")
    assert (found.id, found.inputs, found.default_rate_hz) == (f"sim:fast:{tmp_path}", 3, 44_100)


def test_an_interface_that_is_not_there_is_not_found():
    assert discovery.find("usb:1:2:3", discovery.enumerate_interfaces(command=probe_that_lists())) is None


class TestFingerprint:
    def test_changes_with_cards_devices_servers_and_clients_and_comes_back(self, tmp_path):
        sockets = "0: 00000003 00000000 00000000 0001 03 1 {}\n"
        seen = [discovery.fingerprint(tmp_path)]
        trees.write(tmp_path / "proc/asound/cards", " 1 [USB   ]: USB-Audio - Scarlett\n")
        seen.append(discovery.fingerprint(tmp_path))
        trees.write(tmp_path / "dev/snd/pcmC1D0c", "")
        seen.append(discovery.fingerprint(tmp_path))
        server = sockets.format("/dev/shm/jack_default_0_0")
        trees.write(tmp_path / "proc/net/unix", server)
        seen.append(discovery.fingerprint(tmp_path))
        trees.write(tmp_path / "proc/net/unix", server + sockets.format("/dev/shm/jack_rig_0_0"))
        seen.append(discovery.fingerprint(tmp_path))
        assert len(set(seen)) == len(seen)
        trees.write(tmp_path / "proc/net/unix", server)
        assert discovery.fingerprint(tmp_path) == seen[3]

    def test_a_server_that_was_started_again_between_two_looks_is_another(self, tmp_path):
        listens = "0: 00000002 00000000 00010000 0001 01 {} /dev/shm/jack_default_0_0\n"
        accepted = "0: 00000003 00000000 00000000 0001 03 {} /dev/shm/jack_default_0_0\n"
        trees.write(tmp_path / "proc/net/unix", listens.format(7) + accepted.format(8))
        first = discovery.fingerprint(tmp_path)
        trees.write(tmp_path / "proc/net/unix", listens.format(7) + accepted.format(9) + accepted.format(10))
        assert discovery.fingerprint(tmp_path) == first
        trees.write(tmp_path / "proc/net/unix", listens.format(11) + accepted.format(12))
        assert discovery.fingerprint(tmp_path) != first

    def test_is_not_moved_by_our_own_clients_or_other_sockets(self, tmp_path):
        before = discovery.fingerprint(tmp_path)
        for name in ("jack_OTO_0_0", "jack_OTO-01_0_0"):
            trees.write(tmp_path / "proc/net/unix", f"0: 3 0 10000 1 01 1 /dev/shm/{name}\n0: 3 0 0 1 03 2 /run/dbus\n")
            trees.write(tmp_path / f"dev/shm/jack_sem.{os.getuid()}_default_OTO", "")
            assert discovery.fingerprint(tmp_path) == before
