"""The guided first recording: one sentence at a time, each until it is done. Pure functions of what is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from tui.picture import Picture


@dataclass(frozen=True)
class Step:
    """What to do next."""

    says: str
    done: Callable[[Picture, str], bool]
    """Whether it is done, by the picture and the name of the screen that is open."""


def _marked(picture: Picture) -> bool:
    return any(take.markers for take in picture.takes.takes)


def _asked_for(picture: Picture, kind: str) -> bool:
    bounced = any(bounce.kind == kind for bounce in picture.bounces.bounces)
    return bounced or any(job.kind == kind for job in picture.running_jobs)


STEPS: Final[tuple[Step, ...]] = (
    Step(
        "d chooses where sound comes from. The simulated band is always there, no cables needed.",
        lambda picture, _: picture.device.current is not None,
    ),
    Step(
        "The meters show who plays; every line with a dot is armed. r starts the first take.",
        lambda picture, _: picture.recording or bool(picture.takes.takes),
    ),
    Step(
        "Everything is being written to the disk now. m sets a marker where something happens.",
        lambda picture, _: _marked(picture) or not picture.recording,
    ),
    Step(
        "Half a minute is enough to try. s stops; the take is safe at once.",
        lambda picture, _: bool(picture.finished_takes) and not picture.recording,
    ),
    Step("2 goes to Takes, where the take has its waveform.", lambda _, screen: screen == "takes"),
    Step(
        "Space plays it and stops it again; left and right choose from where. Listen to it.",
        lambda picture, _: picture.playing,
    ),
    Step("3 goes to Mix.", lambda _, screen: screen == "mix"),
    Step(
        "p lets OTO listen and propose a mix. It says of every setting why.",
        lambda picture, _: _asked_for(picture, "mix"),
    ),
    Step(
        "OTO listens, then mixes; that may take a while. When it is done, Tab goes down to it and Space plays it.",
        lambda picture, _: picture.playing and picture.transport.bounce is not None,
    ),
    Step("4 goes to Master.", lambda _, screen: screen == "master"),
    Step("B makes a master for where the song goes.", lambda picture, _: _asked_for(picture, "master")),
    Step(
        "5 writes it to a stick, once it is done. That is all of it: r, s, p, B. ? shows every key; Esc ends this.",
        lambda _, __: False,
    ),
)


def advanced(picture: Picture, screen: str) -> Picture:
    """The picture with the guide at the first thing that is not done yet; steps are never gone back to."""
    step = picture.guide
    while step is not None and step < len(STEPS) - 1 and STEPS[step].done(picture, screen):
        step += 1
    return picture if step == picture.guide else msgspec.structs.replace(picture, guide=step)


def sentence(picture: Picture) -> str:
    """What the guide says now; "" when nobody is guided."""
    if picture.guide is None:
        return ""
    return f"{picture.guide + 1}/{len(STEPS)} {STEPS[picture.guide].says}"
