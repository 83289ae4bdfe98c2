"""Asks where a master goes, and starts it: the same from Mix and from Master."""

from __future__ import annotations

from typing import Final

from core.protocol.requests import StartJob
from core.protocol.topics import Bounce
from tui import words
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Choice, Pick

TARGETS: Final = {
    "streaming": "for the services that turn everything to one loudness",
    "cd": "for discs and downloads",
    "club": "for loud rooms",
    "broadcast": "for radio and television",
    "podcast": "for speech between the songs",
    "vinyl": "for a record that is cut",
    "apple_music": "16 LUFS below full scale, as Apple plays",
    "youtube": "for video",
}
"""Names of the mastering engineer's targets."""


async def master_album(screen: StudioScreen) -> None:
    """Choose a target and master the album's songs so that they sit together."""
    if not screen.picture.bounces.album:
        screen.studio.say("warning", "No song is on the album yet.", "+ puts the selected mix on it.")
        return
    choices = [Choice(name, name, detail) for name, detail in TARGETS.items()]
    target = await screen.studio.ask(Pick(screen.look, "What is the album mastered for?", choices))
    if target is not None:
        await screen.studio.call(StartJob(kind="album", options={"target": target}))


async def master(screen: StudioScreen, mix: Bounce, reference: str | None = None) -> None:
    """Choose a target and master a mix for it, after the sound of a reference song if there is one."""
    choices = [Choice(name, name, detail) for name, detail in TARGETS.items()]
    target = await screen.studio.ask(Pick(screen.look, f"What is {words.clean(mix.id)} mastered for?", choices))
    if target is None:
        return
    options: dict[str, str | float | bool | list[str] | None] = {"target": target, "bounce": mix.id}
    if reference:
        options["reference"] = reference
    await screen.studio.call(StartJob(kind="master", take=mix.take, options=options))
