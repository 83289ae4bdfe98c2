"""The processor of a Raspberry Pi, emulated by qemu: the studio works there, and the arithmetic is the same.

Debian's packages and ours are unpacked, not set up: what their scripts do is the same on every processor, and is tried
on this one (tests/systemd); the image for a Pi sets them up under the emulator (tests/image). Real time can't be had
from an emulator: nothing here says how fast a Pi is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.appliance.image import EMULATING, EMULATOR, MIRROR
from core.appliance.release import checkout, packages_for, unpack
from tests.box.fresh import REPOSITORY, why_not
from tests.systemd.booted import made

pytestmark = [pytest.mark.arm64, pytest.mark.timeout(7200)]

NEEDED = {"pytest", "pytest-asyncio", "pytest-timeout", "hypothesis", "iniconfig", "pluggy", "sortedcontainers"}
"""What runs the tests, of the packages in dev.lock."""

PYTHON = "/opt/oto/current/bin/python"
SHOW = "/root/show"

# Under the emulator an engine takes longer to start than a command waits for one.
DEMO = f"""
OTO_HOME={SHOW}/studio {PYTHON} -m core.engine --exit-when-idle 600 >/dev/null 2>&1 &
until [ -S {SHOW}/studio/engine.sock ]; do sleep 1; done
exec oto demo --seconds 4 --json --out {SHOW}
"""

MAKING = """
root=$1 mirror=$2 package=$3 python=$4
debootstrap --arch=arm64 --foreign --variant=minbase --include=python3,libportaudio2 bookworm "$root" "$mirror"
for each in "$root"/var/cache/apt/archives/*.deb "$package"; do
    dpkg-deb --fsys-tarfile "$each" | tar -x --keep-directory-symlink -C "$root"
done
ln -s "$(basename "$root"/opt/oto/*)" "$root/opt/oto/current"
# Bytecode is the same on every processor, and takes a tenth of the time here; that of another Python is passed over.
"$python" -m compileall -q -s "$root" "$root"/opt/oto/[0-9]* "$root/usr/lib/python3.11"
"""
INSIDE = f"""
{EMULATING}
root=$1 clone=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mkdir -p "$root/mnt/clone"
mount --bind -o ro "$clone" "$root/mnt/clone"
cd "$root/mnt/clone"
exec chroot "$root" sh -c 'cd /mnt/clone && exec "$@"' sh "$@"
"""


class Emulated:
    """A system for arm64 in the folder `root`, with OTO in it."""

    def __init__(self, root: Path, deb: Path) -> None:
        self.root = root
        self._run("sh", "-euc", MAKING, "sh", str(root), MIRROR, str(deb), sys.executable)
        lock = packages_for((checkout() / "requirements/dev.lock").read_text(), python="3.11", processor="aarch64")
        tools = [line for line in lock if line.partition("==")[0] in NEEDED]
        unpack(tools, root / "opt/tools", python="3.11", processor="aarch64")
        assert self.run("/sbin/ldconfig").returncode == 0

    def run(self, *command: str, timeout_s: float = 3000.0) -> subprocess.CompletedProcess[str]:
        """Run a command there, as root, in this repository, which it can't change."""
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/root", "OTO_HOME": "/root/OTO", "PYTHONPATH": "/opt/tools"}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
        namespaces = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        inside = ["sh", "-euc", INSIDE, "sh", str(self.root), str(REPOSITORY)]
        return subprocess.run(
            [*namespaces, *inside, "env", "-i", *(f"{name}={value}" for name, value in environment.items()), *command],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3000, env={**os.environ, "LC_ALL": "C"})
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    if reason := why_not() or ("" if EMULATOR.exists() else "needs qemu-user-static"):
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("arm64")
    try:
        yield Emulated(root, made("package", tmp_path_factory.mktemp("package"), "--arch", "arm64"))
    finally:
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True, timeout=120)


def test_its_programs_are_for_this_processor(box: Emulated) -> None:
    code = "import platform, numpy, scipy.signal, onnxruntime, soundfile, soxr, sounddevice; print(platform.machine())"
    done = box.run(PYTHON, "-c", code)
    assert done.stdout == "aarch64\n", done.stderr


def test_the_doctor_looks_at_everything(box: Emulated) -> None:
    done = box.run("/usr/bin/oto", "doctor", "--json")
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail" not in {check["state"] for check in json.loads(done.stdout)["checks"]}, done.stdout


def test_a_short_demo_is_a_mastered_song(box: Emulated) -> None:
    # The band plays on this machine: it is recorded, mixed and mastered on the emulated one.
    render = "from devices.simulated.render import band_folder; band_folder(48000)"
    home = {**os.environ, "OTO_HOME": str(box.root / SHOW.lstrip("/") / "studio")}
    subprocess.run([sys.executable, "-c", render], check=True, cwd=REPOSITORY, env=home, timeout=900)
    done = box.run("sh", "-euc", DEMO)
    assert done.returncode == 0, done.stderr[-2000:]
    value = json.loads(done.stdout)
    assert len(value["exports"]) == 2
    for path in value["exports"]:
        assert (box.root / path.lstrip("/")).stat().st_size > 100_000


@pytest.mark.parametrize("room", ["tests/core/models", "tests/core/dsp"])
def test_the_tests_of_the_arithmetic_pass(box: Emulated, room: str) -> None:
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.arm64.few", "-o", "timeout=3000", room]
    done = box.run(PYTHON, *words, timeout_s=7000)
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
