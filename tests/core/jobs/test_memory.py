"""What a job's memory costs: pages that were once there are not asked for again."""

import platform
import resource

import numpy as np
import psutil
import pytest

from core.jobs.memory import kept

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has its own ways")
BYTES = 8 << 20


def pages_asked_for() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def work() -> int:
    """How many pages an array asks for that comes after another of its size has gone."""
    np.ones(BYTES, np.uint8)
    before = pages_asked_for()
    np.ones(BYTES, np.uint8)
    return pages_asked_for() - before


def test_a_block_works_where_the_one_before_it_did():
    with kept():
        assert work() < 0.05 * BYTES / resource.getpagesize()


def test_what_a_job_had_is_given_back_at_its_end():
    process = psutil.Process()
    with kept():
        arrays = [np.ones(BYTES, np.uint8) for _ in range(8)]
        del arrays
        inside = process.memory_info().rss
    assert inside - process.memory_info().rss > 4 * BYTES
