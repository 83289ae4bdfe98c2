"""What is in the trash, as a question: what shall come back?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.protocol.requests import EmptyTrash, ListTrash, Restore
from core.protocol.topics import TrashEntry
from tui import words
from tui.screens.dialogs import Choice, Pick

if TYPE_CHECKING:
    from tui.app import Studio

EMPTY: Final = "empty"


async def bring_back(studio: Studio) -> None:
    """Bring something back, or empty the trash; that alone is asked twice, since nothing undoes it."""
    entries = await studio.link.call(ListTrash(), list[TrashEntry])
    if not entries:
        studio.say("info", "The trash is empty.")
        return
    choices = [
        Choice(entry.id, entry.title, f"{words.size(entry.bytes)}, {words.local_date(entry.trashed_utc)}")
        for entry in entries
    ]
    freed = words.size(sum(entry.bytes for entry in entries))
    choices.append(Choice(EMPTY, "Empty the trash", f"deletes all of it for good, {freed}"))
    answer = await studio.ask(Pick(studio.look, "Bring back out of the trash", choices))
    if answer == EMPTY:
        sure = [Choice("keep", "Keep it"), Choice("delete", f"Delete {freed} for good", "nothing brings it back")]
        if await studio.ask(Pick(studio.look, "Empty the trash?", sure)) == "delete":
            await studio.call(EmptyTrash())
            studio.say("info", f"The trash is empty; {freed} are free.")
    elif answer is not None:
        await studio.call(Restore(entry=answer))
