"""What can go wrong with what is plugged in, in words a musician can act on."""

from __future__ import annotations


class DeviceError(Exception):
    """A device operation that was refused or failed.

    `code` is stable API for scripts, `message` says what happened and what is safe, `hint` says what to do next.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
