"""The image: Debian, the package and a kernel as one file that is written onto a card or disk and starts as a studio.

It is made without mounting a drive or claiming a loop device: Debian is unpacked into memory, and the programs that
make file systems fill them from folders. What another processor's programs must do is done through qemu.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from core.appliance.package import DEBIANS, PROCESSORS
from core.appliance.release import Say
from core.errors import OtoError

MIB: Final = 1024**2
BOOT_MIB: Final = 320
SPARE_MIB: Final = 256
"""Room in the image's own root for what a first start writes; then it grows to the end of its card."""
RELEASES: Final = {"deb12": "bookworm", "deb13": "trixie"}
MIRROR: Final = "http://deb.debian.org/debian"
EMULATOR: Final = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
TOOLS: Final = ("debootstrap", "unshare", "mkfs.ext4", "mkfs.vfat", "mcopy", "sfdisk", "xz")

SYSTEM: Final = (
    *("systemd-sysv", "systemd-resolved", "systemd-timesyncd", "udev", "dbus", "kmod", "initramfs-tools", "zstd"),
    *("openssh-server", "ca-certificates", "iproute2", "wpasupplicant", "wireless-regdb", "python3"),
    # The root grows to the end of its card at the first start: the partition in the initial RAM disk, then its ext4.
    *("cloud-initramfs-growroot", "cloud-guest-utils", "fdisk", "e2fsprogs"),
    *("dosfstools", "exfatprogs", "ntfs-3g", "alsa-utils", "kbd", "less"),
)


class Board(NamedTuple):
    """What an image is to start on."""

    words: str
    packages: tuple[str, ...]
    boot: str
    """Where its FAT partition is mounted."""
    table: str
    """The kind of its partition table, as sfdisk names it."""
    kind: str
    """What the table says that the FAT partition is."""
    settles: str
    """Shell: what puts kernel and loader onto the FAT partition, when the packages alone do not."""


BOARDS: Final = {
    "amd64": Board(
        "a PC that starts by UEFI",
        ("linux-image-amd64", "systemd-boot"),
        "/boot/efi",
        "gpt",
        "U",
        """
printf 'oto\\n' >"$root/etc/kernel/entry-token"
inside env SYSTEMD_RELAX_ESP_CHECKS=1 bootctl --esp-path=/boot/efi --no-variables install
printf 'timeout 0\\n' >"$root/boot/efi/loader/loader.conf"
# No two boxes may begin with the same chance.
rm -f "$root/boot/efi/loader/random-seed"
mkdir -p "$root/boot/efi/oto"
inside env SYSTEMD_RELAX_ESP_CHECKS=1 BOOT_ROOT=/boot/efi \\
    kernel-install --verbose add "$version" "/boot/vmlinuz-$version" "/boot/initrd.img-$version"
""",
    ),
    "arm64": Board(
        "a Raspberry Pi 3, 4 or Zero 2",
        ("linux-image-arm64", "raspi-firmware", "firmware-brcm80211"),
        "/boot/firmware",
        "dos",
        "c",
        "",
    ),
}

# Arguments: root, folder for what comes out, package, release of Debian, mirror, processor, FAT's place, packages.
MAKING: Final = """
root=$1 out=$2 package=$3 release=$4 mirror=$5 arch=$6 boot=$7
shift 7
# INITRD: what the kernel starts with is made once, when everything that belongs into it is there.
inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive INITRD=No "$@"
}
mount -t tmpfs -o size=90%,mode=0755 tmpfs "$root"
debootstrap --variant=minbase --arch="$arch" "$release" "$root" "$mirror"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
# Nothing is started in here.
printf '#!/bin/sh\\nexit 101\\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cat >"$root/etc/apt/sources.list" <<END
deb $mirror $release main non-free-firmware
deb $mirror $release-updates main non-free-firmware
deb http://deb.debian.org/debian-security $release-security main non-free-firmware
END
printf 'APT::Install-Recommends "false";\\n' >"$root/etc/apt/apt.conf.d/90-small"
cat >"$root/etc/fstab" <<END
LABEL=oto-root / ext4 noatime,errors=remount-ro,x-systemd.growfs 0 1
LABEL=OTO-BOOT $boot vfat noatime,umask=0077 0 2
END
mkdir -p "$root/etc/kernel" "$root$boot" "$root/etc/default"
# Stands for the FAT partition: a file system of its own, as the programs that fill it want to see.
mount -t tmpfs -o mode=0755 tmpfs "$root$boot"
# Its Wi-Fi is wlan0, as on a Pi.
printf 'root=LABEL=oto-root rw quiet net.ifnames=0\\n' >"$root/etc/kernel/cmdline"
# What is set aside for a Pi 3's screen keeps a Pi 4 from starting, and the ports of this machine are not the box's.
printf 'ROOTPART=LABEL=oto-root\\nCMA=0\\nCONSOLES=tty0\\n' >"$root/etc/default/raspi-firmware"
printf 'quiet\\n' >"$root/etc/default/raspi-extra-cmdline"
printf 'oto\\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost\\n127.0.1.1 oto\\n::1 localhost ip6-localhost\\n' >"$root/etc/hosts"
printf 'LANG=C.UTF-8\\n' >"$root/etc/default/locale"
cp "$package" "$root/var/cache/oto.deb"
inside apt-get -qq update
# The settings above stay.
options="-o DPkg::Options::=--force-unsafe-io -o DPkg::Options::=--force-confold"
inside apt-get -qq -y $options install "$@" /var/cache/oto.deb
version=$(basename "$root"/lib/modules/*)
inside update-initramfs -c -k "$version"
settle
cat >"$root/etc/systemd/network/20-oto.network" <<END
[Match]
Name=en* eth* wl*
[Network]
DHCP=yes
[Link]
RequiredForOnline=no
END
mkdir -p "$root/etc/systemd/system/ssh.service.d"
# Each box makes keys of its own before sshd looks for them.
cat >"$root/etc/systemd/system/ssh.service.d/keys.conf" <<END
[Service]
ExecStartPre=
ExecStartPre=/usr/bin/ssh-keygen -A
ExecStartPre=/usr/sbin/sshd -t
END
inside systemctl --quiet enable systemd-networkd systemd-resolved systemd-timesyncd ssh
inside passwd --quiet --lock root
touch "$root/etc/oto/first-start"
rm -f "$root"/etc/ssh/ssh_host_* "$root/usr/sbin/policy-rc.d" "$root/var/cache/oto.deb" "$root/etc/resolv.conf"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/log/*.log
inside apt-get clean
ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
umount -l "$root/dev" "$root/sys" "$root/proc"
mkfs.vfat -C -F 32 -n OTO-BOOT "$out/boot" "$((boot_mib * 1024))" >/dev/null
MTOOLS_SKIP_CHECK=1 mcopy -s -i "$out/boot" "$root$boot"/* ::
umount "$root$boot"
size=$(($(du -sm --apparent-size "$root" | cut -f1) * 112 / 100 + spare_mib))
mkfs.ext4 -q -L oto-root -m 1 -d "$root" "$out/root" "${size}M"
inside dpkg-query -W -f '${Package} ${Version}\\n' >"$out/packages"
"""

EMULATING: Final = f"""
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
[ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || cat {EMULATOR} >/proc/sys/fs/binfmt_misc/register
"""


def why_not(arch: str) -> str:
    """Why no image for this processor can be made here; empty when one can."""
    if os.geteuid() != 0:
        return "needs root, to unpack Debian"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"needs {', '.join(missing)} (apt install debootstrap dosfstools mtools fdisk e2fsprogs xz-utils)"
    if _is_foreign(arch) and not EMULATOR.exists():
        return "needs qemu-user-static, to run what another processor's packages do when they are set up"
    return ""


def _is_foreign(arch: str) -> bool:
    return PROCESSORS[arch] != platform.machine()


def make_image(
    package: Path, out: Path, *, arch: str, python: str, mirror: str = MIRROR, say: Say = lambda _: None
) -> Path:
    """Write the image with this package on it into the folder `out`, packed with xz, and return its path.

    `python` is "3.11" (Debian 12) or "3.13" (Debian 13). Raises OtoError: "not_found" without the tools for it,
    "failed" when Debian or a package can't be had.
    """
    if reason := why_not(arch):
        raise OtoError("not_found", f"An image can't be made here: it {reason}.", "Then run this again.")
    board, release = BOARDS[arch], RELEASES[DEBIANS[python]]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".oto-image-", dir=out) as folder:
        parts = Path(folder)
        (parts / "tree").mkdir()
        say(f"unpacking Debian {release} and OTO for {board.words}; this takes a while")
        settling = f"boot_mib={BOOT_MIB} spare_mib={SPARE_MIB}\nsettle() {{\n:\n{board.settles}\n}}\n"
        script = (EMULATING if _is_foreign(arch) else "") + settling + MAKING
        named = [str(parts / "tree"), str(parts), str(package), release, mirror, arch, board.boot]
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        _run([*unshare, "sh", "-euc", script, "sh", *named, *SYSTEM, *board.packages])
        say("putting it together")
        disk = parts / "disk"
        _assemble(disk, parts / "boot", parts / "root", board)
        path = out / f"{package.stem}.img.xz"
        say(f"packing {path.name}")
        _run(["xz", "-T0", "-3", str(disk)])
        disk.with_name("disk.xz").rename(path)
    return path


def _assemble(disk: Path, boot: Path, root: Path, board: Board) -> None:
    boot_bytes, root_bytes = boot.stat().st_size, root.stat().st_size
    with disk.open("wb") as file:
        # A megabyte before for the table, one after for GPT's second copy.
        file.truncate(2 * MIB + boot_bytes + root_bytes)
    table = f"label: {board.table}\nstart=1MiB, size={boot_bytes // MIB}MiB, type={board.kind}, bootable\n"
    table += f"start={1 + boot_bytes // MIB}MiB, size={root_bytes // MIB}MiB, type=L\n"
    _run(["sfdisk", "--quiet", str(disk)], table)
    for part, offset in ((boot, MIB), (root, MIB + boot_bytes)):
        _run(["dd", f"if={part}", f"of={disk}", "bs=1M", f"seek={offset // MIB}", "conv=notrunc,sparse", "status=none"])


def _run(command: list[str], text: str = "") -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise OtoError("failed", f"The image could not be made: {' '.join(said)}", "Look at the network and the disk.")
