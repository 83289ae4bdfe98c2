"""Every package that OTO is given on with is named with its licence."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from core.appliance.release import checkout

LOCKED = sorted(set(re.findall(r"^([a-z0-9-]+)==", (checkout() / "requirements/run.lock").read_text(), re.MULTILINE)))
ROWS = re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]+) \|", (checkout() / "docs/licences.md").read_text(), re.MULTILINE)
SPDX = re.compile(r"(0BSD|[A-Z][\w.+-]+)( (AND|OR) (0BSD|[A-Z][\w.+-]+))*")


def test_each_locked_package_has_its_licence_and_no_other_is_named() -> None:
    assert [name for name, _ in ROWS] == LOCKED


@pytest.mark.parametrize(("name", "licence"), ROWS)
def test_a_licence_is_what_the_package_itself_says(name: str, licence: str) -> None:
    assert SPDX.fullmatch(licence.strip())
    said = metadata.metadata(name)
    if expression := said.get("License-Expression"):
        assert licence.strip() == expression
        return
    classified = " ".join(said.get_all("Classifier") or [])
    told = f"{said.get('License', '')} {classified}"
    assert re.search(re.escape(licence.strip().split("-")[0]), told), told[:200]
