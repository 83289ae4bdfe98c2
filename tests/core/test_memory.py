"""What a job's memory costs: pages that were once there are not asked for again."""

import platform
import resource

import numpy as np
import psutil
import pytest

from core.memory import give_back, kept

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has its own ways")
BYTES = 8 << 20


def pages_asked_for() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def arrays() -> None:
    """What a block needs and lets go of."""
    held = [np.ones(BYTES, np.uint8) for _ in range(8)]
    del held


def test_a_block_works_where_the_one_before_it_did():
    with kept():
        arrays()
        before = pages_asked_for()
        arrays()
        assert pages_asked_for() - before < 0.05 * 8 * BYTES / resource.getpagesize()


def test_what_a_job_had_is_given_back_at_its_end():
    process = psutil.Process()
    with kept():
        arrays()
        inside = process.memory_info().rss
    assert inside - process.memory_info().rss > 4 * BYTES


def test_the_next_stage_of_a_job_does_not_stand_on_top_of_the_last_ones():
    process = psutil.Process()
    with kept():
        arrays()
        between = process.memory_info().rss
        give_back()
        assert between - process.memory_info().rss > 4 * BYTES
