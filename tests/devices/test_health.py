"""The health of the box."""

from __future__ import annotations

import shutil

import pytest

from devices import health
from tests.devices import trees


def test_it_is_read_for_a_folder_that_is_not_there_yet(tmp_path):
    seen = health.read_health(tmp_path / "library/session")
    usage = shutil.disk_usage(tmp_path)
    assert 0 <= seen.cpu_percent <= 100
    assert 0 < seen.memory_percent <= 100
    assert seen.disk_free_bytes == pytest.approx(usage.free, rel=0.01)
    assert seen.disk_size_bytes == usage.total


def test_the_processors_temperature_counts_before_hotter_parts(tmp_path):
    assert health.processor_temperature_c(tmp_path) is None
    trees.write(tmp_path / "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    trees.write(tmp_path / "sys/class/thermal/thermal_zone0/temp", "48312\n")
    trees.write(tmp_path / "sys/class/thermal/thermal_zone1/type", "nvme\n")
    trees.write(tmp_path / "sys/class/thermal/thermal_zone1/temp", "71000\n")
    trees.write(tmp_path / "sys/class/thermal/thermal_zone2/type", "gpu\n")
    trees.write(tmp_path / "sys/class/thermal/thermal_zone2/temp", "not available\n")
    assert health.processor_temperature_c(tmp_path) == 48.312
