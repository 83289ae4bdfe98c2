"""The one error that reaches a person, and how errors of the other rooms become it."""

from __future__ import annotations

import errno
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the command line. They are API: numbers may be added, never changed."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NO_ENGINE = 4
    NO_DEVICE = 5
    NO_SPACE = 6
    BUSY = 7
    BAD_INPUT = 8
    VERIFY_FAILED = 9
    INTERRUPTED = 130


EXIT_BY_CODE = {
    "not_found": Exit.NOT_FOUND,
    "no_engine": Exit.NO_ENGINE,
    "disconnected": Exit.NO_ENGINE,
    "no_device": Exit.NO_DEVICE,
    "no_space": Exit.NO_SPACE,
    "busy": Exit.BUSY,
    "bad_input": Exit.BAD_INPUT,
    "verify_failed": Exit.VERIFY_FAILED,
}


class OtoError(Exception):
    """Something that was refused or failed, told so that a musician can act on it.

    `code` is a stable word for scripts ("no_space"), `message` says what happened and what is safe,
    `hint` says what to do next, `exit_code` is what a command ends with (by the code unless given).
    """

    def __init__(self, code: str, message: str, hint: str = "", exit_code: Exit | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.exit_code = EXIT_BY_CODE.get(code, Exit.FAILED) if exit_code is None else exit_code


_NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT))
_NOT_FOUND = frozenset((errno.ENOENT, errno.ENOTDIR))
_REFUSED_HINTS = {
    errno.EACCES: "Choose another place, or give yourself the right to use this one.",
    errno.EPERM: "Choose another place, or give yourself the right to use this one.",
    errno.EROFS: "Choose another place.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def _of_the_system(error: OSError) -> OtoError:
    """What the system would not do, and to which file."""
    said = f"{error.strerror}: {error.filename}" if error.filename is not None else str(error.strerror)
    if error.errno in _NO_SPACE:
        return OtoError("no_space", f"{said}.", "Make room there, or choose another place.")
    if error.errno in _NOT_FOUND:
        return OtoError("not_found", f"{said}.")
    return OtoError("failed", f"{said}.", _REFUSED_HINTS.get(error.errno or 0, ""))


def as_oto_error(error: BaseException) -> OtoError:
    """Turn an error of any room into the one error people see, keeping its code, message and hint."""
    if isinstance(error, OtoError):
        return error
    code = getattr(error, "code", None)
    if isinstance(code, str):
        message = str(getattr(error, "message", error))
        hint = str(getattr(error, "hint", ""))
        return OtoError(code, message, hint)
    if isinstance(error, OSError) and error.errno is not None:
        return _of_the_system(error)
    return OtoError("failed", f"{type(error).__name__}: {error}")
