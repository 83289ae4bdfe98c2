"""The simulated interface as a stream: a folder of audio in place of converters."""

from __future__ import annotations

import time
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from devices.base import Block, Stream, StreamRequest
from devices.errors import DeviceError
from devices.simulated.folder import FolderPlayer
from devices.simulated.identity import OUTPUTS, SimulatedId, parse
from devices.simulated.render import band_folder

LOOP_FRAMES: Final = 480
"""Round trip of the simulated converters, with a cable from outputs 1 and 2 to inputs 1 and 2 ("sim:loop")."""


class SimulatedStream:
    """Plays files as inputs; keeps time by an absolute clock, so that it never drifts."""

    def __init__(self, player: FolderPlayer, request: StreamRequest, identity: SimulatedId) -> None:
        self.sample_type: Literal["float32", "int32"] = "float32"
        self.rate_hz = request.rate_hz
        self.inputs = request.inputs
        self.outputs = request.outputs
        self.output_latency_frames = 2 * request.block_frames if request.outputs else 0
        self._player = player
        self._fast = identity.fast
        self._cable = _Cable(request, self.output_latency_frames) if identity.loop and request.outputs else None
        self._read_frames = 0
        self._written_frames = self.output_latency_frames
        self._started_s = time.monotonic()

    def read(self, frames: int) -> Block:
        """Exactly what the files hold, when its time has come."""
        audio = np.zeros((frames, self.inputs), np.float32)
        self._player.read(audio)
        if self._cable is not None:
            patched = audio[:, :OUTPUTS]
            patched[:] = self._cable.take(self._read_frames, frames)[:, : patched.shape[1]]
        self._read_frames += frames
        if not self._fast:
            due_s = self._started_s + self._read_frames / self.rate_hz
            time.sleep(max(0.0, due_s - time.monotonic()))
        return Block(audio=audio, overflowed=False)

    def write(self, audio: NDArray[np.float32]) -> bool:
        """Play to the cable, or to nobody."""
        late = min(max(self._read_frames - self._written_frames, 0), len(audio))
        if self._cable is not None:
            self._cable.put(self._written_frames + late, audio[late:])
        self._written_frames += len(audio)
        return late > 0

    def close(self) -> None:
        """Close the files."""
        self._player.close()


class _Cable:
    """What was played, until it comes back: a ring indexed by frames since the start."""

    def __init__(self, request: StreamRequest, ahead_frames: int) -> None:
        frames = LOOP_FRAMES + ahead_frames + 8 * request.block_frames + round(request.buffer_s * request.rate_hz)
        self._ring = np.zeros((frames, OUTPUTS), np.float32)

    def put(self, position: int, audio: NDArray[np.float32]) -> None:
        where = np.arange(position + LOOP_FRAMES, position + LOOP_FRAMES + len(audio)) % len(self._ring)
        self._ring[where, : audio.shape[1]] = audio

    def take(self, position: int, frames: int) -> NDArray[np.float32]:
        where = np.arange(position, position + frames) % len(self._ring)
        heard: NDArray[np.float32] = self._ring[where]
        self._ring[where] = 0.0
        return heard


def open_simulated(interface_id: str, request: StreamRequest) -> Stream:
    """Open the simulated interface; renders the band at this rate when that was never done, which takes a while."""
    identity = parse(interface_id)
    folder = identity.folder or band_folder(request.rate_hz)
    player = FolderPlayer(folder, request.rate_hz, loop=not identity.once)
    if request.inputs > player.channels or request.outputs > OUTPUTS:
        player.close()
        raise DeviceError(
            "bad_input",
            f"The simulated interface has {player.channels} inputs and {OUTPUTS} outputs here; "
            f"{request.inputs} and {request.outputs} were asked for.",
            "Choose tracks within its inputs.",
        )
    return SimulatedStream(player, request, identity)
