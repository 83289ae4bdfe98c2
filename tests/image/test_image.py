"""The image for a card: whole, with everything that starts it, and a first start that asks and settles.

It is looked at as a computer's firmware and kernel would; its root is booted in a container, which has a kernel
already; and an emulated PC is switched on with the card in it. What a real board makes of it is not seen here.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import soundfile

from core.appliance.image import BOARDS, BOOT_MIB, MIB, why_not
from core.appliance.package import OVERRIDES, this_processor
from core.appliance.setup import ANSWERS as ANSWERS_FILE
from core.appliance.setup import WANTED
from tests.image.computer import Computer, Kernel, why_no_computer
from tests.systemd.booted import Box, made, why_not_booted

pytestmark = [pytest.mark.image, pytest.mark.timeout(7200)]

STARTS = {
    "amd64": {"/EFI/BOOT/BOOTX64.EFI", "/loader/loader.conf"},
    "arm64": {"/config.txt", "/cmdline.txt", "/start4.elf", "/bcm2711-rpi-4-b.dtb"},
}
"""What the firmware of a computer looks for on the FAT partition."""

ANSWERS = (
    ("Name of this box", "cellar"),
    ("Password, for SSH", "a secret"),
    ("Once more", "a secret"),
    ("Country for Wi-Fi", "DE"),
    ("Name of the network", ""),
    ("Interface to record from", "1"),
)
ROOM_MIB = 2048
"""How much larger than the image the emulated computer's card is."""

TAKE_S = 5


class Image(NamedTuple):
    arch: str
    packed: Path
    disk: Path
    boot: Path
    root: Path


@pytest.fixture(scope="module", params=BOARDS)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if reason := why_not(request.param):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp(request.param)
    try:
        packed = made("image", folder, "--arch", request.param, timeout_s=7000)
        disk, boot, root = (folder / name for name in ("disk", "boot", "root"))
        with lzma.open(packed) as source, disk.open("wb") as target:
            shutil.copyfileobj(source, target, MIB)
        for part, found in zip((boot, root), partitions(disk), strict=True):
            words = [f"skip={found['start'] // 2048}", f"count={found['size'] // 2048}", "bs=1M", "conv=sparse"]
            subprocess.run(["dd", "status=none", f"if={disk}", f"of={part}", *words], check=True)
        yield Image(request.param, packed, disk, boot, root)
    finally:
        shutil.rmtree(folder)


def partitions(disk: Path) -> list[dict[str, int]]:
    done = subprocess.run(["sfdisk", "--json", str(disk)], check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout)["partitiontable"]["partitions"])


def on_boot(image: Image) -> dict[str, int]:
    """Files of the FAT partition with their sizes."""
    done = subprocess.run(["mdir", "-i", str(image.boot), "-/", "-b", "::"], check=True, capture_output=True, text=True)
    names = [line.removeprefix("::") for line in done.stdout.splitlines() if not line.endswith("/")]
    return {name: len(read(image, name)) for name in names}


def read(image: Image, name: str) -> bytes:
    return subprocess.run(["mtype", "-i", str(image.boot), f"::{name}"], check=True, capture_output=True).stdout


def in_root(image: Image, path: str) -> str:
    """Text of a file of the root."""
    command = ["debugfs", "-R", f"cat {path}", str(image.root)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_it_has_a_table_that_a_firmware_reads_and_two_whole_file_systems(image: Image) -> None:
    boot, root = partitions(image.disk)
    assert boot["size"] * 512 == BOOT_MIB * MIB
    assert root["start"] == boot["start"] + boot["size"]
    subprocess.run(["sfdisk", "--verify", "--quiet", str(image.disk)], check=True)
    subprocess.run(["fsck.vfat", "-n", str(image.boot)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["e2fsck", "-fn", str(image.root)], check=True, capture_output=True)
    print(
        f"{image.packed.name}: {image.packed.stat().st_size / 1e6:.0f} MB packed, {image.disk.stat().st_size / 1e6:.0f}"
    )


def test_what_starts_it_is_on_the_partition_that_a_firmware_reads(image: Image) -> None:
    files = on_boot(image)
    assert {name.lower() for name in STARTS[image.arch]} <= {name.lower() for name in files}
    if image.arch == "amd64":
        (entry,) = [name for name in files if re.fullmatch(r"/loader/entries/.*\.conf", name)]
        text = read(image, entry).decode()
        named = re.findall(r"(?m)^(?:linux|initrd)\s+(\S+)$", text)
    else:
        text = read(image, "/cmdline.txt").decode()
        named = re.findall(r"(?m)^(?:kernel=|initramfs )(/?[\w.-]+)", read(image, "/config.txt").decode())
        named = [f"/{name.lstrip('/')}" for name in named]
        # With either of these a Pi 4 does not start, or waits for a line that it does not have.
        assert "cma=" not in text
        assert re.findall(r"console=\S+", text) == ["console=tty0"]
    assert "root=LABEL=oto-root" in text
    assert "net.ifnames=0" in text
    assert len(named) == 2
    assert all(files[name] > 5 * MIB for name in named), (named, files)


def test_its_root_is_found_grows_and_belongs_to_nobody_yet(image: Image) -> None:
    table = in_root(image, "/etc/fstab")
    assert re.search(r"LABEL=oto-root / ext4 \S*x-systemd.growfs", table)
    assert re.search(rf"LABEL=OTO-BOOT {BOARDS[image.arch].boot} vfat", table)
    assert in_root(image, "/etc/machine-id") == ""
    assert "growroot" in in_root(image, "/var/lib/dpkg/info/cloud-initramfs-growroot.list")
    assert re.search(r"(?m)^root:[!*]", in_root(image, "/etc/shadow"))
    found = subprocess.run(["debugfs", "-R", "ls -p /etc/ssh", str(image.root)], capture_output=True, text=True)
    assert "sshd_config" in found.stdout
    assert "ssh_host_" not in found.stdout


@pytest.fixture
def box(image: Image, tmp_path: Path) -> Iterator[Box]:
    """A box that was started from this image, in a container, whose screen is the container's console."""
    if reason := why_not_booted():
        pytest.skip(reason)
    if image.arch != this_processor():
        pytest.skip("another processor's system can't be booted in a container")
    tmp_path.joinpath("root").mkdir()
    found = Box(tmp_path / "root")
    subprocess.run(["mount", "-o", "loop", str(image.root), str(found.root)], check=True)
    try:
        # A container has no virtual terminals.
        for unit in ("oto-setup.service", "oto-console@.service"):
            drop_in = found.outside(f"/etc/systemd/system/{unit}.d")
            drop_in.mkdir()
            (drop_in / "here.conf").write_text("[Unit]\nConditionPathExists=\n[Service]\nTTYPath=/dev/console\n")
        (found.outside("/etc/systemd/system/oto-setup.service.d") / "file.conf").write_text(
            f"[Unit]\nConditionPathExists={WANTED}\n"
        )
        found.outside("/etc/systemd/system/console-getty.service").symlink_to("/dev/null")
        found.boot()
        yield found
    finally:
        found.force_off()
        subprocess.run(["umount", "--lazy", str(found.root)], check=True)


def test_its_first_start_asks_settles_and_gives_way_to_the_studio(box: Box) -> None:
    for question, answer in ANSWERS:
        box.wait(lambda question=question: question in box.screen())
        assert "a secret" not in box.screen()
        box.press(*([answer] if answer else []), "Enter")
    box.wait(lambda: "Takes" in box.screen())
    assert box.must("hostname").strip() == "cellar"
    assert re.search(r"(?m)^oto:\$", box.outside("/etc/shadow").read_text())
    assert not box.outside(WANTED).exists()
    assert "country=DE" in box.outside("/etc/wpa_supplicant/wpa_supplicant-wlan0.conf").read_text()
    box.wait(lambda: box.state() == "idle")
    assert box.must("systemctl", "is-active", "ssh", "systemd-networkd").split() == ["active", "active"]
    assert box.must("systemctl", "list-units", "--failed", "--no-legend", "oto*", "ssh*") == ""


@pytest.fixture
def computer(image: Image, tmp_path: Path) -> Iterator[Computer]:
    """A computer with the image on a larger card, and there a key for SSH where any computer can write one."""
    if reason := why_no_computer(image.arch):
        pytest.skip(reason)
    card = tmp_path / "card"
    subprocess.run(["cp", "--sparse=always", str(image.disk), str(card)], check=True)
    os.truncate(card, image.disk.stat().st_size + ROOM_MIB * MIB)
    found = Computer(card, tmp_path, None if image.arch == "amd64" else as_firmware_reads(image, tmp_path))
    put_on_boot(card, Path(f"{found.key}.pub"), "authorized_keys")
    try:
        yield found
    finally:
        found.force_off()
        card.unlink()


def as_firmware_reads(image: Image, folder: Path) -> Kernel:
    """The kernel, initial RAM disk and line that a Pi's firmware takes from the image."""
    settings = dict(re.findall(r"(?m)^(kernel|initramfs)[= ]([\w.-]+)", read(image, "/config.txt").decode()))
    for name in settings.values():
        (folder / name).write_bytes(read(image, f"/{name}"))
    line = read(image, "/cmdline.txt").decode().strip()
    return Kernel(folder / settings["kernel"], folder / settings["initramfs"], line)


def put_on_boot(card: Path, file: Path, name: str) -> None:
    """Write a file onto the FAT partition of a card, as any computer can."""
    command = ["mcopy", "-i", f"{card}@@1M", str(file), f"::{name}"]
    subprocess.run(command, check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})


def record_for_a_while(computer: Computer) -> None:
    """A take from what the computer hears, of which nothing is lost."""
    computer.wait(lambda: computer.state() == "idle")
    done = computer.ssh("rec", "--pre-roll", "0", "--seconds", str(TAKE_S))
    assert done.returncode == 0, done.stderr
    computer.wait(lambda: computer.state() == "idle")
    take = computer.last_take()
    assert take["status"] == "complete", take
    assert take["frames"] == TAKE_S * take["rate_hz"], take
    assert take["gaps"] == [], take
    assert not any(take["losses"].values()), take


def test_it_starts_fills_its_card_asks_and_is_a_studio(image: Image, computer: Computer) -> None:
    computer.switch_on()
    for question, answer in ANSWERS:
        computer.wait(lambda question=question: computer.shows(question))
        computer.type(f"{answer}\n")
    computer.wait(lambda: computer.shows("Takes"))
    print(computer.screen())
    computer.wait(lambda: computer.state() == "idle")
    assert computer.listens_to() == "alsa:Intel,0"
    record_for_a_while(computer)
    computer.press_power()
    root = partitions(computer.disk)[1]
    assert root["size"] * 512 > image.root.stat().st_size + (ROOM_MIB - 8) * MIB
    filled = image._replace(root=Path(f"{computer.disk}?offset={root['start'] * 512}"))
    assert in_root(filled, "/etc/hostname") == "cellar\n"
    assert in_root(filled, WANTED) == ""


def take_home(computer: Computer, stick: Path) -> None:
    """Mix the take, plug in a stick as shops sell them, export to it, let go of it and pull it."""
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", "GIG TAPES", "-C", str(stick), str(128 << 10)], check=True)
    computer.plug_stick(stick)
    computer.wait(lambda: bool(computer.drives()))
    (drive,) = computer.drives()
    assert (drive["label"], drive["file_system"], drive["removable"]) == ("GIG TAPES", "vfat", True), drive
    assert drive["max_file_bytes"] == 4 * 1024**3 - 1
    computer.must("mix", computer.session())
    exported = computer.must("export", computer.session(), "--to", "GIG TAPES", "--format", "wav24")
    computer.must("eject", "GIG TAPES")
    assert computer.drives() == []
    computer.pull("stick")
    subprocess.run(["fsck.vfat", "-n", str(stick)], check=True, stdout=subprocess.DEVNULL)
    (name,) = (Path(path).relative_to(drive["path"]) for path in exported["exports"])
    home = stick.with_name("home.wav")
    subprocess.run(["mcopy", "-i", str(stick), f"::{name}", str(home)], check=True)
    assert hashlib.sha256(home.read_bytes()).hexdigest() == exported["files"][0]["sha256"]
    assert soundfile.info(home).duration >= TAKE_S


def test_set_up_by_a_file_it_records_from_a_card_that_is_plugged_in_later(
    image: Image, computer: Computer, tmp_path: Path
) -> None:
    later = image.arch == "amd64"  # Debian's kernel for arm64 drives no card with inputs that qemu can plug in
    answers = tmp_path / "answers"
    answers.write_text(json.dumps({"name": "cellar", "password": "a secret"}))
    put_on_boot(computer.disk, answers, ANSWERS_FILE)
    computer.switch_on(sound=not later)
    computer.wait(lambda: computer.state() == ("no_device" if later else "idle"))
    computer.plug("usb-audio", "usb.0")
    computer.wait(lambda: any(each.startswith("usb:") for each in computer.interfaces()))
    if later:
        computer.plug("AC97", "socket")
    record_for_a_while(computer)
    assert computer.listens_to() == ("alsa:I82801AAICH,0" if later else "alsa:Intel,0")
    take_home(computer, tmp_path / "stick")
    computer.press_power()


def test_lintian_says_nothing_of_the_package_that_has_no_reason(image: Image) -> None:
    (deb,) = image.packed.parent.glob("*.deb")
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", str(deb)],
        capture_output=True,
        text=True,
        timeout=3000,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert len(OVERRIDES) == len(set(OVERRIDES))
