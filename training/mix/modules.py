"""Tracker modules played instrument by instrument: songs with their composers' levels, from Debian's game packages.

libopenmpt (Debian: libopenmpt0) does the playing through its C interface, "interactive" of libopenmpt_ext.h.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

RATE_HZ: Final = 48_000
_BLOCK: Final = 4_800
_SEPARATION: Final = 2
"""OPENMPT_MODULE_RENDER_STEREOSEPARATION_PERCENT."""
_SEPARATION_PERCENT: Final = 50
"""Amigas played their channels hard left and right; people listen to less."""
_MUTE_INSTRUMENT: Final = 12
"""Place of set_instrument_mute_status among the interface's functions."""
_FUNCTIONS: Final = 16
LEAST_PEAK: Final = 1e-3


def library() -> ctypes.CDLL | None:
    """libopenmpt, or None where it is not installed."""
    name = ctypes.util.find_library("openmpt")
    if name is None:
        return None
    loaded = ctypes.CDLL(name)
    loaded.openmpt_module_ext_create_from_memory.restype = ctypes.c_void_p
    loaded.openmpt_module_ext_get_module.restype = ctypes.c_void_p
    for text in (loaded.openmpt_module_get_instrument_name, loaded.openmpt_module_get_sample_name):
        text.restype = ctypes.c_void_p
    loaded.openmpt_module_read_float_stereo.restype = ctypes.c_size_t
    return loaded


class _Song:
    """A module that is open, with its instruments to be heard one by one."""

    def __init__(self, openmpt: ctypes.CDLL, content: bytes) -> None:
        self._openmpt = openmpt
        nothing = [ctypes.c_void_p(None)] * 7
        made = openmpt.openmpt_module_ext_create_from_memory(content, ctypes.c_size_t(len(content)), *nothing)
        if not made:
            raise ValueError("not a module")
        self._ext = ctypes.c_void_p(made)
        self._module = ctypes.c_void_p(openmpt.openmpt_module_ext_get_module(self._ext))
        functions = (ctypes.c_void_p * _FUNCTIONS)()
        size = ctypes.c_size_t(ctypes.sizeof(functions))
        openmpt.openmpt_module_ext_get_interface(self._ext, b"interactive", functions, size)
        mute = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int)
        self._mute: Any = mute(functions[_MUTE_INSTRUMENT] or 0)
        openmpt.openmpt_module_set_render_param(self._module, _SEPARATION, _SEPARATION_PERCENT)
        instruments = openmpt.openmpt_module_get_num_instruments(self._module)
        self._named = (
            openmpt.openmpt_module_get_instrument_name if instruments else openmpt.openmpt_module_get_sample_name
        )
        self.count: int = instruments or openmpt.openmpt_module_get_num_samples(self._module)

    def close(self) -> None:
        self._openmpt.openmpt_module_ext_destroy(self._ext)

    def name(self, at: int) -> str:
        text = self._named(self._module, at)
        words = ctypes.string_at(text).decode("utf-8", "replace") if text else ""
        self._openmpt.openmpt_free_string(ctypes.c_void_p(text))
        return words.strip()

    def play(self, seconds: float, only: int | None) -> Audio:
        """The song's beginning, (2, frames); of all instruments or of one."""
        for at in range(self.count):
            self._mute(self._ext, at, int(only is not None and at != only))
        self._openmpt.openmpt_module_set_position_seconds(self._module, ctypes.c_double(0.0))
        left, right = (np.zeros(_BLOCK, np.float32) for _ in range(2))
        place = ctypes.POINTER(ctypes.c_float)
        heard = []
        for _ in range(round(seconds * RATE_HZ / _BLOCK)):
            into = [channel.ctypes.data_as(place) for channel in (left, right)]
            read = self._openmpt.openmpt_module_read_float_stereo(self._module, RATE_HZ, ctypes.c_size_t(_BLOCK), *into)
            if not read:
                break
            heard.append(np.stack((left[:read], right[:read])))
        return np.concatenate(heard, axis=1) if heard else np.zeros((2, 0), np.float32)


def stems(path: Path, seconds: float) -> Iterator[tuple[str, Audio]]:
    """Every instrument that is heard in the first seconds of a module: its name and its sound alone, (2, frames).

    Raises ValueError for what is no module, and where libopenmpt is missing.
    """
    openmpt = library()
    if openmpt is None:
        raise ValueError("libopenmpt is not installed")
    song = _Song(openmpt, path.read_bytes())
    try:
        for at in range(song.count):
            audio = song.play(seconds, at)
            if audio.size and np.abs(audio).max() > LEAST_PEAK:
                yield f"{at + 1:02d} {song.name(at)}", audio
    finally:
        song.close()


def whole(path: Path, seconds: float) -> Audio:
    """All instruments together, (2, frames). Raises as `stems`."""
    openmpt = library()
    if openmpt is None:
        raise ValueError("libopenmpt is not installed")
    song = _Song(openmpt, path.read_bytes())
    try:
        return song.play(seconds, None)
    finally:
        song.close()
