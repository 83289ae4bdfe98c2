"""Another version of the package on a box that is up: newer, and back to the one before. `./oto test image` runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.systemd.booted import LIBRARY, Box

pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

NEWER = "99.0"
WITHOUT = ("scipy*", "onnxruntime*")
"""What the engine never loads, so that this version is packed and unpacked quickly."""


def pack(root: Path, to: Path) -> Path:
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(to)], check=True)
    return to


@pytest.fixture(scope="module")
def versions(box: Box, deb: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A package of a version that is yet to come, and this one's. The former is the latter under other names, with what
    the engine needs; both have their modules translated, which takes longer than all the rest."""
    folder = tmp_path_factory.mktemp("versions")
    root = folder / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", str(deb), str(root)], check=True)
    (release,) = (root / "opt/oto").glob("[0-9]*/")
    # Only modules as old as their translations count as translated: -a keeps the times.
    subprocess.run(["cp", "-an", f"{box.outside('/opt/oto')}/{release.name}/.", str(release)], check=True)
    this = pack(root, folder / "this.deb")
    (site,) = release.glob("lib/*/site-packages")
    for unused in (each for pattern in WITHOUT for each in site.glob(pattern)):
        shutil.rmtree(unused)
    name = f"{NEWER}+fedcba98"
    for file in (*(root / "DEBIAN").iterdir(), root / "opt/oto/release", site / "core/version.py"):
        text = file.read_text().replace(release.name, name)
        file.write_text(re.sub(r'^(Version: |VERSION.*")[0-9.]+', rf"\g<1>{NEWER}", text, flags=re.MULTILINE))
    release.rename(release.with_name(name))
    return pack(root, folder / "newer.deb"), this


def install(box: Box, deb: Path) -> subprocess.CompletedProcess[str]:
    """As apt does it, but for waiting for the disk after every file, which says nothing about OTO."""
    shutil.copy(deb, box.outside("/root"))
    return box.run("dpkg", "--force-unsafe-io", "--force-downgrade", "--install", f"/root/{deb.name}")


def test_another_version_keeps_everything_and_the_one_before_can_come_back(
    box: Box, screen: Box, versions: tuple[Path, Path]
) -> None:
    def made() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in box.outside(LIBRARY).rglob("*.wav")}

    def version() -> str:
        return box.must("oto", "--version").split()[1]

    this = version()
    box.oto("settings", "preroll_s", "7")
    box.record()
    refused = install(box, versions[0])
    assert refused.returncode != 0
    assert "a take is being recorded, and it goes on" in refused.stdout + refused.stderr
    assert box.state() == "recording"
    box.oto("stop")

    for package, wanted in zip(versions, (NEWER, this), strict=True):
        before, takes, engine = made(), box.takes(), box.engine_pid()
        done = install(box, package)
        assert done.returncode == 0, done.stdout + done.stderr
        assert version() == wanted
        assert box.engine_pid() != engine
        box.wait(lambda: box.state() == "idle")
        assert (made(), box.takes()) == (before, takes)
        assert box.oto("settings")["preroll_s"] == 7
        releases = [path.name for path in box.outside("/opt/oto").iterdir() if path.is_dir() and not path.is_symlink()]
        assert [name.partition("+")[0] for name in releases] == [wanted]
        box.record()
        box.oto("stop")
        box.is_whole(box.takes()[-1])
    box.oto("settings", "preroll_s", "10")
    box.wait(lambda: "Kick" in screen.screen())
    assert box.run("oto", "appliance", "rollback").returncode != 0
