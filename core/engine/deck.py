"""What is being played: a take or a bounce on the outputs, where it is, and which inputs are heard beside it."""

from __future__ import annotations

from dataclasses import dataclass

from core.engine.interface import InterfaceKeeper
from core.engine.player import Tape
from core.engine.shelf import Shelf
from core.engine.tapes import FileTape, SumTape, comp_tape, take_tape
from core.errors import OtoError
from core.protocol.requests import Play, Seek


@dataclass(frozen=True)
class Playing:
    """What sounds now."""

    take: int | None
    false_number: int
    bounce: str | None
    comp: bool
    stems: tuple[str, ...]
    tape: Tape
    loop: tuple[float, float] | None


class Deck:
    """Puts takes and bounces of the open session onto the player of the open interface."""

    def __init__(self, keeper: InterfaceKeeper, shelf: Shelf) -> None:
        self.playing: Playing | None = None
        self._keeper = keeper
        self._shelf = shelf

    @property
    def position_s(self) -> float:
        """Where the tape is; 0 when nothing plays."""
        player = self._keeper.player
        if self.playing is None or player is None:
            return 0.0
        return player.position_frames / self._keeper.rate_hz

    @property
    def length_s(self) -> float | None:
        """How long what plays is."""
        return None if self.playing is None else self.playing.tape.frames / self._keeper.rate_hz

    def play(self, request: Play) -> None:
        """Play; without a position while something plays already, go on where that was (A/B)."""
        capture, player = self._keeper.need_open(), self._keeper.player
        if player is None or not capture.stream.outputs:
            raise OtoError("no_device", "This interface has no outputs to play to.", "Choose another one.")
        rate_hz = self._keeper.rate_hz
        tape = self._tape(request)
        start = round(request.at_s * rate_hz) if request.at_s is not None else 0
        if request.at_s is None and self.playing is not None:
            start = player.position_frames
        loop = None if request.loop is None else (round(request.loop[0] * rate_hz), round(request.loop[1] * rate_hz))
        if loop is not None and not 0 <= loop[0] < loop[1] <= tape.frames:
            raise OtoError("bad_input", "The loop lies outside of what is played.")
        self.playing = Playing(
            take=request.take,
            false_number=request.false_number,
            bounce=request.bounce,
            comp=request.comp,
            stems=request.stems,
            tape=tape,
            loop=request.loop,
        )
        player.play(tape, start=min(max(start, 0), tape.frames), loop=loop, gain_db=request.gain_db)

    def seek(self, request: Seek) -> None:
        """Go elsewhere on the tape."""
        player = self._keeper.player
        if self.playing is None or player is None:
            raise OtoError("bad_input", "Nothing is playing.", "Start playback first.")
        player.seek(min(max(round(request.at_s * self._keeper.rate_hz), 0), self.playing.tape.frames))

    def tape_of_take(self, number: int, false_number: int = 0) -> Tape:
        """A take of the open session, with what it was overdubbed on."""
        session = self._shelf.need_open_session()
        return take_tape(self._shelf.library, session.id, number, self._keeper.rate_hz, false_number)

    def silence(self) -> None:
        """Stop tape and click."""
        self.playing = None
        player = self._keeper.player
        if player is not None:
            player.stop()
            player.click = None

    def monitor(self, heard: bool) -> None:
        """Let the armed inputs be heard on the outputs, or not."""
        capture, player, session = self._keeper.capture, self._keeper.player, self._shelf.session
        if capture is None or player is None:
            return
        tracks = session.tracks if heard and session is not None else ()
        inputs = [track.input for track in tracks if track.armed and track.input is not None]
        player.monitored = tuple(number - 1 for number in inputs if number <= capture.stream.inputs)

    def _tape(self, request: Play) -> Tape:
        if (request.take is not None) + (request.bounce is not None) + request.comp != 1:
            raise OtoError("bad_input", "Play takes either a take, a bounce or the comp.")
        if request.comp:
            return comp_tape(self._shelf.library, self._shelf.need_open_session().id, self._keeper.rate_hz)
        if request.take is not None:
            return self.tape_of_take(request.take, request.false_number)
        assert request.bounce is not None
        bounce = self._shelf.bounce(request.bounce)
        folder = self._shelf.library.bounce_path(bounce.session, bounce.id)
        if not request.stems:
            return FileTape(folder / bounce.file, self._keeper.rate_hz)
        files = {**bounce.returns, **bounce.stems}
        if missing := [name for name in request.stems if name not in files]:
            raise OtoError("not_found", f"{bounce.id} has no stem {missing[0]!r}.", "Render the mix with stems.")
        return SumTape([FileTape(folder / files[name], self._keeper.rate_hz) for name in request.stems])
