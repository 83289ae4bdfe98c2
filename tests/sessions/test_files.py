from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sessions.files import append_line, folder_bytes, sha256_file, write_atomic, write_new


def test_a_replaced_file_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["session.json"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()  # a folder can't be replaced by a file
    with pytest.raises(OSError, match="a"):
        write_atomic(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_killed_while_it_replaces_a_file_leaves_one_whole_version(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    code = (
        "import sys; from pathlib import Path; from sessions.files import write_atomic\n"
        "path, n = Path(sys.argv[1]), 0\n"
        "while True:\n"
        "    n += 1; write_atomic(path, b'%d ' % n * 50_000)\n"
        "    if n == 3: print('go', flush=True)\n"
    )
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, cwd=_root())
        assert child.stdout
        child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
        child.stdout.close()
        words = path.read_bytes().split()
        assert len(words) == 50_000
        assert len(set(words)) == 1


def test_new_files_are_never_written_over(tmp_path: Path) -> None:
    write_new(tmp_path / "a", b"one")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


def test_a_line_after_a_torn_one_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b'{"whole":1}\n{"torn')
    append_line(path, b'{"next":2}')
    assert path.read_bytes().split(b"\n") == [b'{"whole":1}', b'{"torn', b'{"next":2}', b""]


def test_sizes_and_hashes_are_those_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b").write_bytes(b"abc")
    (tmp_path / "c").write_bytes(b"12345")
    assert folder_bytes(tmp_path) == 8
    assert (
        sha256_file(tmp_path / "in" / "b") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )  # FIPS 180


def _root() -> Path:
    return Path(__file__).parents[2]
