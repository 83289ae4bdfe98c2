"""A comp is heard, before it is made, as the take that it becomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.engine.tapes import comp_tape, take_tape
from sessions.model import Comp, Session, Take, Track
from sessions.splicing import make_comp
from sessions.store import Library
from tests.sessions.test_comping import KICK, RATE_HZ, VOICE, part, record


def heard_both_ways(library: Library, session: Session, comp: Comp) -> None:
    library.save_comp(session.id, comp)
    made: Take = make_comp(library, session.id, comp)[0]
    now = comp_tape(library, session.id, RATE_HZ)
    later = take_tape(library, session.id, made.number, RATE_HZ)
    assert now.frames == later.frames
    for start in range(0, now.frames, 10_000):
        np.testing.assert_allclose(now.read(start, 10_000), later.read(start, 10_000), atol=1e-6)


def test_a_comp_sounds_as_the_take_that_is_made_of_it(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    session = library.create_session("Gig", tracks=[Track(id="t1", name="Kick", input=1)])
    band, other = record(library, session, 1), record(library, session, 2, tracks=(KICK, VOICE))
    parts = (part(band, 100, 20_000), part(other, 20_500, 30_000), part(band, 30_000, 48_000))
    heard_both_ways(library, session, Comp(parts=parts))


def test_overdubs_are_heard_with_the_take_under_them(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    session = library.create_session("Gig", tracks=[Track(id="t1", name="Kick", input=1)])
    band = record(library, session, 1)
    sung = [record(library, session, seed, tracks=(VOICE,), overdub_of=band.number) for seed in (2, 3)]
    heard_both_ways(library, session, Comp(parts=(part(sung[0], 9_000, 20_000), part(sung[1], 20_000, 40_000))))
