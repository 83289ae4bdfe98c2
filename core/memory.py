"""The memory that a program works in: kept from one block of a job's audio to the next, given back when it is free."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
"""Numbers of glibc's mallopt(3)."""
_KEPT_BYTES: Final = 256 << 20
"""More than a job ever has free."""
_OWN_MAPPING_BYTES: Final = 32 << 20
"""The most that glibc takes."""


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """From here on freed memory is used again without a way over the system; what is free at the end is given back.

    Left to itself glibc hands the arrays of every block back to the kernel, which clears each of their pages before it
    hands them out for the next block: a tenth of what a mix costs. Another C library is left to its own ways.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
    try:
        yield
    finally:
        give_back()


def give_back() -> None:
    """Hand what is free back to the system: a job's next stage doesn't stand on its last, a studio stays small."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(ctypes.c_size_t(0))
