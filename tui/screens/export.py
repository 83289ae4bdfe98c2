"""Export: what, as what, where to, how big, how far, and when the drive may be pulled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from core.protocol.requests import Play, StartJob
from core.protocol.topics import Bounce, Drive
from tui import words
from tui.actions import ScreenName
from tui.export_offer import FORMATS, Offer, offer
from tui.look import Look
from tui.picture import Picture
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask
from tui.screens.mix_rows import bounce_text, work_line
from tui.widgets.paper import Line
from tui.widgets.table import Row, Table


class ExportScreen(StudioScreen):
    """Bounces, formats, drives, and what will be written."""

    SCREEN: ClassVar[ScreenName] = "export"

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.bounces = Table(look, id="export-bounces")
        self.formats = Table(look, id="formats")
        self.drives = Table(look, id="drives")
        self.offer_paper = self.paper("offer", self._offer_lines)
        self.work_paper = self.paper("work", self._work)
        self._chosen_bounces: frozenset[str] | None = None
        """None until someone chooses: then the newest master, or the newest mix."""
        self._chosen_formats = frozenset({"wav24", "flac"})
        self._chosen_drive: str | None = None
        """None until someone chooses: then the first removable drive."""
        self._folder = ""

    def body(self) -> Sequence[Widget]:
        """Bounces on top; formats and drives side by side; the sum below."""
        return [
            self.bounces,
            Horizontal(self.formats, self.drives, id="export-choices"),
            Vertical(self.offer_paper, self.work_paper, id="export-sum"),
        ]

    def show_body(self, picture: Picture) -> None:
        """Lists from the picture; what was chosen and is gone is no longer chosen."""
        chosen = {bounce.id for bounce in self._bounces(picture)}
        rows = [self._row(b.id in chosen, bounce_text(b), b.id) for b in picture.bounces.bounces]
        empty: list[Line] = [[("Nothing has been rendered yet: 3 goes to Mix.", "dim")]]
        self.bounces.show(rows, head=[("What", "title")], empty=empty)
        formats = [self._row(name in self._chosen_formats, text, name) for name, text in FORMATS.items()]
        self.formats.show(formats, head=[("As", "title")])
        drive = self._drive(picture)
        drives = [
            self._row(drive is not None and d.path == drive.path, _drive_text(d), d.path) for d in picture.drives.drives
        ]
        if self._folder:
            drives.append(self._row(drive is None, f"folder {words.clean(self._folder)}", self._folder))
        where: list[Line] = [[("Plug in a drive: it appears here.", "dim")], [("g takes a folder of this box.", "dim")]]
        self.drives.show(drives, head=[("Where to", "title")], empty=where)
        self.offer_paper.repaint()
        self.work_paper.repaint()

    def _row(self, chosen: bool, text: str, key: str) -> Row:
        mark = self.look.glyphs.check if chosen else self.look.glyphs.uncheck
        return Row([(f" {mark} ", "accent" if chosen else "dim"), (text, "text" if chosen else "dim")], key)

    def _bounces(self, picture: Picture) -> list[Bounce]:
        every = picture.bounces.bounces
        if self._chosen_bounces is not None:
            return [bounce for bounce in every if bounce.id in self._chosen_bounces]
        return [bounce for bounce in every if bounce.kind == "master"][:1] or list((picture.songs or every)[:1])

    def _drive(self, picture: Picture) -> Drive | None:
        if self._folder and self._chosen_drive == self._folder:
            return None
        drives = picture.drives.drives
        chosen = next((drive for drive in drives if drive.path == self._chosen_drive), None)
        return chosen or next((drive for drive in drives if drive.removable and drive.writable), None)

    def offer(self) -> Offer:
        """What pressing e would do."""
        picture = self.picture
        formats = [name for name in FORMATS if name in self._chosen_formats]
        drive = self._drive(picture)
        folder = "" if drive else self._folder
        known = picture.bounces
        return offer(self._bounces(picture), known.bounces, formats, drive, folder, known.exports)

    def _offer_lines(self, width: int, _: int) -> list[Line]:
        now = self.offer()
        if now.refusal:
            return [[(words.fit(now.refusal, width).rstrip(), "warn")]]
        names = ", ".join(words.clean(bounce.id) for bounce in now.bounces)
        time = "" if now.seconds is None else f" in about {words.short_clock(now.seconds)}"
        return [
            [(words.fit(f"{names} as {', '.join(now.formats)}", width).rstrip(), "text")],
            [
                (f"about {words.size(now.bytes)}{time} to {now.label}", "accent"),
                ("   e writes, reads back and compares", "dim"),
            ],
        ]

    def _work(self, width: int, _: int) -> list[Line]:
        line = work_line(self.picture, self.look, width, ("export",))
        if line:
            return [line]
        done = [job for job in self.picture.jobs.jobs if job.kind == "export" and job.state == "done"]
        exports = self.picture.bounces.exports
        if not done or not exports:
            return []
        last = exports[-1]
        drive = next((drive for drive in self.picture.drives.drives if drive.path == last.destination), None)
        where = words.clean(drive.label or drive.path if drive else last.destination)
        loud, count = " SAFE TO REMOVE ", len(last.files)
        text = f" {where}: {count} file{'' if count == 1 else 's'} written, read back and compared"
        room = width - len(loud)
        return [[(loud, "state_play"), (words.fit(text, room, self.look.glyphs.ellipsis).rstrip(), "good")]]

    def do_choose(self) -> None:
        """Choose or leave out the line under the cursor."""
        if isinstance(self.focused, Table) and self.focused.cursor is None:
            self.studio.say("warning", "There is nothing to choose in this list yet.")
            return
        if self.focused is self.bounces and self.bounces.cursor:
            self._chosen_bounces = frozenset(b.id for b in self._bounces(self.picture)) ^ {self.bounces.cursor}
        elif self.focused is self.formats and self.formats.cursor:
            self._chosen_formats = self._chosen_formats ^ {self.formats.cursor}
        elif self.focused is self.drives and self.drives.cursor:
            self._chosen_drive = self.drives.cursor
        self.show()

    async def do_folder(self) -> None:
        """Take a folder of the box."""
        folder = await self.studio.ask(
            Ask(self.look, "Folder on this box", self._folder, "An absolute path. Enter accepts.")
        )
        if folder:
            self._folder = self._chosen_drive = folder
            self.show()

    def do_export(self) -> None:
        """Start writing, or say why not."""
        now = self.offer()
        if now.refusal:
            self.studio.say("warning", now.refusal)
            return
        options: dict[str, str | float | bool | list[str] | None] = {
            "to": now.to,
            "formats": list(now.formats),
            "bounces": [bounce.id for bounce in now.bounces],
        }
        self.studio.send(StartJob(kind="export", options=options))

    def playable(self) -> Play | None:
        """The bounce under the cursor, as it will be exported."""
        return Play(bounce=self.bounces.cursor) if self.bounces.cursor else None


def _drive_text(drive: Drive) -> str:
    protected = "" if drive.writable else "  write-protected"
    name = words.clean(drive.label or drive.path)
    return f"{name}  {words.size(drive.free_bytes)} free, {words.clean(drive.file_system)}{protected}"
