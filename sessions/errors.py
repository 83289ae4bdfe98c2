"""What can go wrong in the library, in words a musician can act on."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator


class LibraryError(Exception):
    """A library operation that was refused or failed.

    `code` is stable API for scripts, `message` says what happened and what is safe, `hint` says what to do next.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


@contextlib.contextmanager
def full_disk_explained(message: str, hint: str) -> Iterator[None]:
    """A disk that fills up in here raises LibraryError("no_space") with these sentences."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise LibraryError("no_space", message, hint) from error
