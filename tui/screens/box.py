"""Box: what the machine is and does, and every setting with its reason."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from core.errors import OtoError
from core.protocol.requests import DescribeSettings, EditSettings, PowerOff
from core.protocol.topics import SettingInfo
from tui import setting_entry, words
from tui.actions import ScreenName
from tui.look import Look
from tui.picture import Picture
from tui.screens import box_rows, controls
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask, Choice, Pick
from tui.widgets.paper import Line
from tui.widgets.table import Table

LOOK_EVERY_S: Final = 5.0


class BoxScreen(StudioScreen):
    """Facts, settings, work, log."""

    SCREEN: ClassVar[ScreenName] = "box"

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self.facts_paper = self.paper("box-facts", lambda w, _: box_rows.facts(self.picture, look, w))
        self.settings = Table(look, id="box-settings")
        self.explanation_paper = self.paper("box-explanation", self._explanation)
        self.jobs = Table(look, id="box-jobs")
        self.log_table = Table(look, id="box-log")
        self._infos: list[SettingInfo] = []
        self._asking = False

    def body(self) -> Sequence[Widget]:
        """Facts on top, settings in the middle, work and log below."""
        return [
            self.facts_paper,
            self.settings,
            self.explanation_paper,
            Horizontal(self.jobs, self.log_table, id="box-news"),
        ]

    def on_mount(self) -> None:
        """Look at the network now, and again from time to time while this is in front."""
        super().on_mount()
        self.set_interval(LOOK_EVERY_S, self._look_at_network)
        self._look_at_network()

    def _look_at_network(self) -> None:
        if self.is_current:
            self.run_worker(self.studio.look_at_network(), group="network", exclusive=True)

    def show_body(self, picture: Picture) -> None:
        """Everything from the picture; what settings mean is asked for once."""
        if not self._infos and not self._asking and picture.link == "up" and self.is_current:
            self._asking = True
            self.run_worker(self._ask_what_there_is(), group="settings")
        rows = box_rows.setting_rows(self._infos, picture, self.look)
        self.settings.show(rows, head=[(" Settings", "title")], empty=[[(" Asking the engine.", "dim")]])
        self.jobs.show(box_rows.job_rows(picture.jobs.jobs), head=[(" Work", "title")], empty=[[(" None.", "dim")]])
        notices = box_rows.log_rows(picture.notices.notices)
        self.log_table.show(notices, head=[(" News", "title")], empty=[[(" Nothing happened.", "dim")]])
        self.facts_paper.repaint()
        self.explanation_paper.repaint()

    async def _ask_what_there_is(self) -> None:
        try:
            with contextlib.suppress(OtoError):  # a lost link says so by itself, and the next picture asks again
                self._infos = await self.studio.link.call(DescribeSettings(), list[SettingInfo])
                self.show_body(self.picture)
        finally:
            self._asking = False

    def _explanation(self, width: int, height: int) -> list[Line]:
        """The selected setting, or the news or failure that has the focus, in full."""
        if self.focused is self.log_table:
            found = next((n for n in self.picture.notices.notices if str(n.number) == self.log_table.cursor), None)
            return _said(found.message, found.hint, width, height) if found else []
        if self.focused is self.jobs:
            job = next((job for job in self.picture.jobs.jobs if job.id == self.jobs.cursor), None)
            problem = job.problem if job else None
            return _said(problem.message, problem.hint, width, height) if problem else []
        return box_rows.explanation(self._setting(), width, height)

    @on(Table.Moved)
    def _moved(self) -> None:
        self.explanation_paper.repaint()

    def on_descendant_focus(self) -> None:
        """What has the focus is what is explained."""
        self.explanation_paper.repaint()

    def _setting(self) -> SettingInfo | None:
        return next((info for info in self._infos if info.name == self.settings.cursor), None)

    def _chosen(self) -> SettingInfo | None:
        """The setting that keys act on, or a word where settings are."""
        info = self._setting() if self.focused is self.settings else None
        if info is None:
            self.studio.say("warning", "Only settings can be changed here.", "Tab goes to them.")
        return info

    async def do_choose(self) -> None:
        """Change the selected setting."""
        info = self._chosen()
        if info is None:
            return
        if info.name == "device":
            self.studio.perform("device", self)
            return
        value = self.picture.settings.values.get(info.name)
        if info.kind == "switch":
            await self._set(info, not value)
            return
        if info.choices:
            choices = [Choice(choice, choice) for choice in info.choices]
            answer = await self.studio.ask(Pick(self.look, info.name, choices, start=str(value)))
        else:
            now = "" if value is None else setting_entry.shown(info, value) if value != "" else ""
            answer = await self.studio.ask(Ask(self.look, info.name, now, setting_entry.allowed(info)))
        if answer is None:
            return
        try:
            await self._set(info, setting_entry.parse(info, answer))
        except ValueError as error:
            self.studio.say("warning", f"{info.name}: {error}", "Nothing was changed.")

    async def do_neutral(self) -> None:
        """The selected setting as it was at first."""
        if (info := self._chosen()) is not None:
            await self._set(info, info.default)

    async def _set(self, info: SettingInfo, value: setting_entry.Value) -> None:
        await self.studio.call(EditSettings(changes={info.name: value}))

    async def do_controls(self) -> None:
        """Teach pedals, buttons and MIDI controllers."""
        await controls.teach(self.studio, self.look)

    async def do_power_off(self) -> None:
        """Switch the box off, once that is confirmed."""
        choices = [
            Choice("stay", "Stay"),
            Choice("off", "Switch off", "everything is saved; unplug when the light is out"),
        ]
        if await self.studio.ask(Pick(self.look, "Switch the box off?", choices)) == "off":
            await self.studio.call(PowerOff())
            self.studio.say("info", "The box switches itself off.")


def _said(message: str, hint: str, width: int, height: int) -> list[Line]:
    return [[(line, "text")] for line in words.wrap(words.clean(f"{message} {hint}"), width, height)]
