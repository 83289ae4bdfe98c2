"""Taking the package off a box; last of all, since nothing is left to look at afterwards."""

from __future__ import annotations

import pytest

from tests.systemd.booted import LIBRARY, Box

pytestmark = [pytest.mark.appliance, pytest.mark.timeout(900)]


def test_the_package_goes_without_a_trace_but_for_what_was_made(box: Box, session: str) -> None:
    box.must("apt-get", "-qq", "-y", "remove", "oto")
    assert box.run("systemctl", "is-active", "oto-engine").stdout.strip() == "inactive"
    assert not box.outside("/opt/oto").exists()
    assert list(box.outside(LIBRARY).rglob("*.wav"))
