"""A release for another computer than this one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from core.appliance.release import GLIBC, checkout, packages_for

LOCK = (checkout() / "requirements/run.lock").read_text()

everywhere = pytest.mark.parametrize(
    ("python", "processor"), [(python, processor) for python in GLIBC for processor in ("x86_64", "aarch64")]
)


@everywhere
def test_each_package_is_there_once_as_it_was_locked(python: str, processor: str) -> None:
    found = packages_for(LOCK, python=python, processor=processor)
    names = [line.partition("==")[0] for line in found]
    assert len(names) == len(set(names))
    assert set(names) == set(re.findall(r"^([a-z0-9-]+)==", LOCK, re.MULTILINE))
    for line in found:
        requirement, *hashes = line.split(" --hash=")
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+", requirement)
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) and each in LOCK for each in hashes)


def test_another_python_gets_what_was_locked_for_it() -> None:
    numpy = {
        python: next(
            line.split()[0] for line in packages_for(LOCK, python=python, processor="aarch64") if "numpy" in line
        )
        for python in GLIBC
    }
    assert all(f"{version} ; python_full_version" in LOCK for version in numpy.values())
    assert numpy["3.11"] != numpy["3.13"]


def test_a_lock_without_markers_is_given_on_as_it_is() -> None:
    lines = [f"one==1.0 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}", f"two==2 --hash=sha256:{'c' * 64}"]
    text = "# remark\n" + "\n".join(line.replace(" --", " \\\n    --") for line in lines) + "\n    # via one\n"
    assert packages_for(text, python="3.11", processor="x86_64") == lines


def test_what_a_release_needs_from_here_is_nothing_but_pip() -> None:
    code = "import sys, core.appliance.release, core.appliance.install, core.appliance.package; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=checkout(), timeout=60)
    assert not {"numpy", "msgspec", "textual"} & set(done.stdout.split())
