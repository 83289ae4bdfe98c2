"""Folders for large files that nobody needs once the work on them is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.scratch import scratch_folder

ROOT = Path(__file__).parents[2]
WORK = (
    "from core.scratch import scratch_folder\n"
    "with scratch_folder() as folder:\n"
    "    (folder / 'copy.wav').write_bytes(bytes(1000))\n"
    "    print(folder, flush=True)\n"
    "    input()\n"
)


def test_what_a_killed_process_left_goes_with_the_next_work_and_what_a_living_one_needs_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTO_HOME", str(tmp_path))
    command = [sys.executable, "-c", WORK]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with scratch_folder() as ours:
            assert sorted((tmp_path / "cache").iterdir()) == sorted((ours, theirs))
        assert (theirs / "copy.wav").is_file()
        other.send_signal(signal.SIGKILL)
    assert theirs.is_dir()
    with scratch_folder() as ours:
        assert [ours] == list((tmp_path / "cache").iterdir())
    assert not ours.exists()
