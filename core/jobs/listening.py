"""Listening to tracks, once: what was measured and what the recogniser is shown are kept until the audio changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from core import paths
from core.analysis.track import TrackAnalysis, analyse_source
from core.desk.sources import Source, identity_of
from core.models.features import BANDS, FEATURES, FRAMES, Listener, Pictures
from core.models.roles import Recognition, load_recogniser, recognise
from core.models.runtime import THREADS, Model, Unusable
from core.progress import Progress
from core.version import VERSION

Engineer = Literal["model", "rules"]
ENGINEERS: Final[tuple[Engineer, ...]] = get_args(Engineer)

INSTEAD: Final = "Names and rules told the roles."
FOLDER: Final = "heard"
"""In the cache, a file per track."""
MOST_KEPT: Final = 256
"""Files of a third of a megabyte."""


@dataclass(frozen=True)
class Listening:
    """What there is to know of some tracks before anything is decided."""

    analyses: dict[str, TrackAnalysis] = field(default_factory=dict)
    recognised: dict[str, Recognition] = field(default_factory=dict)
    """By track name; without silent tracks, and empty without a recogniser."""
    engineer: str = "rules"
    """Who listened, as a plan names it."""
    notes: tuple[str, ...] = ()
    """Why there is no recogniser, where there should be one."""


def listen(sources: Sequence[Source], engineer: Engineer = "model", progress: Progress | None = None) -> Listening:
    """Hear every source, or remember how it was heard, and recognise it unless only rules are wanted.

    Raises OtoError("cancelled", "bad_input"). A recogniser that can't be used is a note, never an error.
    """
    model = load_recogniser() if engineer == "model" else None
    pictured = isinstance(model, Model)
    names = [source.name for source in sources]
    heard = dict(zip(names, _hear_all(sources, pictured, progress), strict=True))
    analyses = {name: one.analysis for name, one in heard.items()}
    if model is None:
        return Listening(analyses)
    if isinstance(model, Unusable):
        return Listening(analyses, notes=() if model.rejected else (f"{model.why} {INSTEAD}",))
    try:
        recognised = {name: recognise(model, one.shown()) for name, one in heard.items()}
    except Exception as error:  # onnxruntime has an exception class per cause and no base
        reason = f"The model '{model.card.name}' failed while it listened ({type(error).__name__})."
        return Listening(analyses, notes=(f"{reason} {INSTEAD}",))
    return Listening(
        analyses,
        recognised={name: each for name, each in recognised.items() if each is not None},
        engineer=f"rules, {model.card.name} {model.card.version}",
    )


class _Heard(msgspec.Struct, frozen=True):
    """What is kept of a track."""

    analysis: TrackAnalysis
    pictures: bytes
    """Float32, little end first, shape (n, FRAMES, BANDS); none where no recogniser asked for them."""

    def shown(self) -> Pictures:
        return np.frombuffer(self.pictures, dtype="<f4").reshape(-1, FRAMES, BANDS).astype(np.float32)


class _Overheard:
    """A source that is read from front to back while somebody listens along, so that it is decoded once."""

    def __init__(self, source: Source, listener: Listener) -> None:
        self._source = source
        self._listener = listener
        self._at = 0
        self.name = source.name
        self.channels = source.channels
        self.frames = source.frames
        self.rate_hz = source.rate_hz

    def read(self, start: int, frames: int) -> NDArray[np.float32]:
        block = self._source.read(start, frames)
        fresh = block[:, max(self._at - start, 0) :]
        self._listener.add(fresh)
        self._at += fresh.shape[1]
        return block


def _hear(source: Source, pictured: bool, progress: Progress | None = None) -> _Heard:
    """Measure a track, or remember it; what is remembered with pictures also serves whoever wants none."""
    identity = identity_of(source)
    files = [] if identity is None else [_file_of(identity, with_pictures) for with_pictures in {True, pictured}]
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            heard = msgspec.msgpack.decode(file.read_bytes(), type=_Heard)
            os.utime(file, ns=(time.time_ns(), time.time_ns()))
            return heard
    if pictured:
        listener = Listener(source.rate_hz)
        analysis = analyse_source(_Overheard(source, listener), progress=progress)
        heard = _Heard(analysis, listener.pictures().astype("<f4").tobytes())
    else:
        heard = _Heard(analyse_source(source, progress=progress), b"")
    if identity is not None:
        with contextlib.suppress(OSError):
            _keep(_file_of(identity, pictured), heard)
    return heard


def _file_of(identity: str, pictured: bool) -> Path:
    """Where a track is kept: another version of OTO, of the measurements or of the pictures listens anew."""
    schema = TrackAnalysis.__struct_fields__
    key = f"{VERSION}\0{schema}\0{FEATURES if pictured else ''}\0{identity}"
    return paths.cache() / FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.msgpack"


def _keep(file: Path, heard: _Heard) -> None:
    """Write a track's file, if there is a studio; those that were not asked for the longest make room.

    Nothing waits for the disk here: what a power cut spoils is listened to again, and a recording may want the disk.
    """
    if not paths.home().is_dir():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(msgspec.msgpack.encode(heard))
    partial.replace(file)
    kept = sorted(file.parent.glob("*.msgpack"), key=lambda path: path.stat().st_mtime_ns)
    for old in kept[:-MOST_KEPT]:
        old.unlink(missing_ok=True)


class _Together:
    """One progress for several threads, of which one at a time may speak; the end of one is the end of all."""

    def __init__(self, progress: Progress | None, count: int) -> None:
        self.wanted = True
        self._progress = progress
        self._done = [0.0] * count
        self._lock = threading.Lock()

    def of(self, at: int) -> Progress:
        def tell(fraction: float, doing: str) -> bool:
            with self._lock:
                self._done[at] = fraction
                if self.wanted and self._progress is not None:
                    self.wanted = self._progress(sum(self._done) / len(self._done), doing)
                return self.wanted

        return tell


def _hear_all(sources: Sequence[Source], pictured: bool, progress: Progress | None) -> list[_Heard]:
    """Hear two tracks at a time: most of it is arithmetic that lets another thread go on."""
    together = _Together(progress, len(sources))
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            tellers = [together.of(at) for at in range(len(sources))]
            return list(pool.map(_hear, sources, [pictured] * len(sources), tellers))
        except BaseException:
            together.wanted = False
            raise
