"""Other versions of the package on a box: data stays, and it can be gone back. Last of all, for it removes OTO."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.systemd.booted import LIBRARY, Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def newer(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same package as a version that came later."""
    root = tmp_path_factory.mktemp("newer") / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(root)], check=True, timeout=300)
    (release,) = (root / "opt/oto").iterdir()
    release.rename(release.with_name("0.1.1+22222222"))
    for path in (root / "DEBIAN").iterdir():
        text = path.read_text().replace(release.name, "0.1.1+22222222")
        path.write_text(re.sub(r"(?m)^Version: .*", "Version: 0.1.1", text))
    path = root.with_name("oto_0.1.1_amd64.deb")
    subprocess.run(["dpkg-deb", "-Znone", "--build", str(root), str(path)], check=True, timeout=300)
    return path


def contents(box: Box) -> set[str]:
    return {str(path) for path in box.outside(LIBRARY).rglob("*") if path.is_file()}


def apt(box: Box, *words: str) -> subprocess.CompletedProcess[str]:
    options = ["-qq", "-y", "--no-download", "--allow-downgrades", "-o", "DPkg::Options::=--force-unsafe-io"]
    return box.run("apt-get", *options, *words, timeout_s=300)


def test_a_newer_package_waits_for_the_take_then_keeps_all_and_an_older_one_leads_back(
    box: Box, session: str, deb: Path, newer: Path
) -> None:
    box.outside("/root/newer.deb").write_bytes(newer.read_bytes())
    old = box.outside("/opt/oto/current").readlink().name
    box.record()
    refused = apt(box, "install", "/root/newer.deb")
    assert refused.returncode != 0
    assert "a take is being recorded" in refused.stderr + refused.stdout
    assert box.state() == "recording"
    box.oto("stop")
    before, key = contents(box), box.outside("/etc/oto/mark")
    key.write_text("mine")
    device = box.oto("status")["device"]["wanted"]
    for path, release in (("/root/newer.deb", "0.1.1+22222222"), (f"/root/{deb.name}", old)):
        done = apt(box, "install", path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert box.outside("/opt/oto/current").readlink().name == release
        box.wait(lambda: box.state() == "idle")
        assert f"/opt/oto/{release}/" in box.must("readlink", "-f", "/opt/oto/current/share")
        assert contents(box) >= before
        assert box.oto("status")["device"]["wanted"] == device
        assert key.read_text() == "mine"
    assert [path.name for path in box.outside("/opt/oto").glob("[0-9]*")] == [old]


def test_the_package_goes_without_a_trace_but_for_what_was_made(box: Box, session: str) -> None:
    box.must("apt-get", "-qq", "-y", "remove", "oto")
    assert box.run("systemctl", "is-active", "oto-engine").stdout.strip() == "inactive"
    assert not box.outside("/opt/oto").exists()
    assert list(box.outside(LIBRARY).rglob("*.wav"))
