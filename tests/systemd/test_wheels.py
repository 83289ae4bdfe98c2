"""Every package of a box is to be had as a wheel, for each processor and Python: nothing is ever compiled on one."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.appliance.release import GLIBC, checkout, packages_for, unpack
from core.errors import OtoError

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(600)]

LOCK = (checkout() / "requirements/run.lock").read_text()


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
@pytest.mark.parametrize("python", GLIBC)
def test_all_wheels_are_there(python: str, processor: str, tmp_path: Path) -> None:
    found = packages_for(LOCK, python=python, processor=processor)
    unpack(found, tmp_path / "site", python=python, processor=processor, dry_run=True)


def test_one_that_is_not_there_is_said(tmp_path: Path) -> None:
    numpy = [line for line in packages_for(LOCK, python="3.11", processor="aarch64") if line.startswith("numpy==")]
    with pytest.raises(OtoError, match="numpy"):
        unpack(numpy, tmp_path / "site", python="3.11", processor="sparc64", dry_run=True)
