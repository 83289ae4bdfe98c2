"""Recorded notes come out of npm's packages: pinned by hash, under a licence, and no test instrument among them."""

import base64
import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training is an environment of its own")

from training.data import npm, packages
from training.data.kits import note_bank
from training.data.manifest import sources

pytestmark = pytest.mark.training

TEST_MAKERS = {"Karoryfer Samples": {"electric_guitar", "woodwind"}}
"""Who recorded instruments of the test, and of which roles."""


def packed(files: dict[str, bytes]) -> bytes:
    """An archive as npm makes it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def pinned(content: bytes) -> npm.Archive:
    """A package with that content."""
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    return npm.Archive("@scope/notes", "1.0.0", f"sha512-{digest}", "somebody")


def test_a_package_is_fetched_from_where_npm_has_it_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTO_TRAINING", str(tmp_path))
    content = packed({"package/audio/C#4v8.mp3": b"one", "package/README.md": b"two"})
    asked: list[str] = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(content)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    for _ in range(2):
        npm.fetch([pinned(content)], tmp_path / "root")
    found = {str(path.relative_to(tmp_path / "root")) for path in (tmp_path / "root").rglob("*") if path.is_file()}
    assert found == {"@scope/notes/audio/C#4v8.mp3", "@scope/notes/README.md"}
    assert asked == ["https://registry.npmjs.org/@scope/notes/-/notes-1.0.0.tgz"]


def test_a_package_with_another_hash_leaves_nothing_and_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTO_TRAINING", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: io.BytesIO(packed({"package/a.mp3": b"x"})))
    with pytest.raises(ValueError, match="not what was pinned"):
        npm.fetch([pinned(b"something else")], tmp_path / "root")
    assert not list((tmp_path / "root").rglob("*"))
    assert not list((tmp_path / "archives").iterdir())


def test_no_file_of_a_package_gets_out_of_its_folder(tmp_path: Path) -> None:
    content = packed({"package/a.mp3": b"x", "package/../../../out.mp3": b"y"})
    with pytest.raises(tarfile.TarError):
        npm.unpack(pinned(content), content, tmp_path / "root")
    assert not (tmp_path / "out.mp3").exists()


def test_every_pinned_package_is_a_source_with_a_licence_and_none_is_asked_of_debian() -> None:
    of_npm = [each for each in sources() if each.package in npm.archives()]
    assert {each.package for each in of_npm} == set(npm.archives())
    assert all(each.where.startswith(f"npm/{each.package}") and each.role and each.licence for each in of_npm)
    assert not set(packages.of_sources()) & set(npm.archives())


def test_no_instrument_is_learned_from_that_may_be_one_of_the_tests() -> None:
    for each in sources("train"):
        if each.package in npm.archives():
            assert each.role not in TEST_MAKERS.get(npm.archives()[each.package].recorded_by, set())


@pytest.mark.parametrize(
    ("name", "key"),
    [("ab2_f_rr1_cnd.ogg", 44), ("twang_a3_mf_rr3.ogg", 57), ("Gs2.mp3", 44), ("F#5v13.mp3", 78), ("F2 v2.mp3", 41)],
)
def test_the_pitch_of_a_note_is_in_its_files_name(tmp_path: Path, name: str, key: int) -> None:
    (tmp_path / name).touch()
    assert note_bank(tmp_path) == ((key, tmp_path / name),)
