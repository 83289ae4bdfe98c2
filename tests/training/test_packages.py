"""What is learned from comes out of Debian's packages, by one command that can be stopped and called again."""

import importlib.util
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from training.data import build, packages
from training.data.places import REPOSITORY, shared_data

pytestmark = pytest.mark.training


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is Debian's")
def test_a_package_is_unpacked_with_the_archives_that_its_game_keeps(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: some-music\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: -\n"
    )
    games = tree / "usr" / "share" / "games" / "some game"
    games.mkdir(parents=True)
    (games / "one.ogg").write_bytes(b"one")
    with zipfile.ZipFile(games / "rest.pk3", "w") as inner:
        inner.writestr("sound/two.ogg", b"two")
    subprocess.run(["dpkg-deb", "--build", str(tree), str(tmp_path / "some-music_1_all.deb")], check=True)
    packages.unpack(tmp_path / "some-music_1_all.deb", tmp_path / "root")
    found = {path.name: path.read_bytes() for path in (tmp_path / "root").rglob("*") if path.is_file()}
    assert found == {"one.ogg": b"one", "two.ogg": b"two"}


def test_what_was_unpacked_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTO_TRAINING", str(tmp_path))
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "no-such-package.unpacked").touch()
    packages.fetch(["no-such-package"], tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_every_stage_of_the_one_command_is_a_module_and_documented() -> None:
    told = (REPOSITORY / "training" / "README.md").read_text()
    assert "python -m training.data.build" in told
    for module, *_ in build.stages():
        assert importlib.util.find_spec(module) is not None
        assert module in told


@pytest.mark.skipif(not shared_data().exists(), reason="shared data is not beside the repository")
def test_songs_for_testing_are_fetched_but_lie_on_their_own_side() -> None:
    from training.master.songs import TEST_PACKAGES, split_of

    assert set(packages.of_finished_music()) >= TEST_PACKAGES
    assert all(split_of(name) == "test" for name in TEST_PACKAGES)
