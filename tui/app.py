"""The studio app: holds the picture, paints it, sends what keys ask for. It keeps no truth of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any, ClassVar, Final, Literal

import msgspec
from rich.cells import cached_cell_len
from textual._styles_cache import StylesCache
from textual.app import App

from core.errors import OtoError
from core.network import Network, read_network
from core.protocol.requests import Request
from core.protocol.topics import DeviceTopic, Meters, Topic
from tui import mishap, reader
from tui.actions import BY_ID, SCREENS, ScreenName, elsewhere
from tui.guide import advanced
from tui.link import Connect, Link, connect_to_engine
from tui.listening import Listening
from tui.look import Look, detect, textual_theme
from tui.overviews import Overviews
from tui.picture import Link as LinkState
from tui.picture import Picture, Said
from tui.reader import LineDriver
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Dialog
from tui.sparing import SparingDriver
from tui.wishes import Wishes

NO_KEY: Final = "none"
"""What no keyboard sends."""
SPEAKING_S: Final = 0.1
FRAME_S: Final = 1 / 20
"""Least time between two paintings that the engine causes: meters come at 12 Hz, what piles up behind is dropped."""

FRAME_BEHIND_S: Final = 1 / 4
"""The same while a dialog lies over the meters: keys are typed into it, and a frame costs Textual both screens."""
LOAD_AFTER_S: Final = 0.5
"""Between the first picture and the loading of the next screen that nobody has opened yet."""
COLLECT_EVERY_S: Final = 60.0
"""Screens and dialogs that were left hold on to each other. Python waits with these until they are a quarter of all."""


def screen_class(name: ScreenName) -> type[StudioScreen]:
    """The class of a screen; imports its module, which the first picture does not wait for."""
    made: type[StudioScreen] = getattr(import_module(f"tui.screens.{name}"), f"{name.title()}Screen")
    return made


def shared_command(action_id: str) -> Callable[[Studio], Coroutine[Any, Any, None] | None]:
    """What an action does wherever it is asked for; no picture waits for its module."""
    from tui import commands

    command: Callable[[Studio], Coroutine[Any, Any, None] | None] = getattr(commands, f"do_{action_id}")
    return command


class Studio(App[None]):
    """One terminal's window on the engine."""

    CSS_PATH = "studio.tcss"
    TITLE = "OTO"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Any]] = []

    def __init__(
        self,
        connect: Connect = connect_to_engine,
        look: Look | None = None,
        wishes: Wishes | None = None,
        read_network: Callable[[], Network] = read_network,
    ) -> None:
        self.wishes = wishes or Wishes()
        aloud = self.wishes.screen_reader
        super().__init__(driver_class=LineDriver if aloud else SparingDriver)
        self.look = look or (reader.LOOK if aloud else detect())
        self.picture = Picture(keys=self.wishes.keys)
        self._spoken = reader.Spoken()
        self._mishaps: set[str] = set()
        self.link = Link(connect, self.hear, self._link_changed)
        self.listening = Listening()
        self.overviews = Overviews(self.link, self.run_worker, self.paint)
        self._changed = asyncio.Event()
        self._only_meters = True
        """Nothing but meter frames has come since the last painting."""
        self._offered_device = False
        self._read_network = read_network
        self._screens: dict[ScreenName, StudioScreen] = {}
        self.register_theme(textual_theme(self.look))
        self.theme = "oto"

    def on_mount(self) -> None:
        """Show Record and start listening."""
        self.set_keymap({id: ",".join(keys) or NO_KEY for id, keys in self.picture.keys.items()})
        self.push_screen(self._screen_named("record"))
        if self.wishes.screen_reader:
            self.set_interval(SPEAKING_S, self._speak)
        if self.wishes.problems:
            self.say("warning", " ".join(self.wishes.problems))
        self.set_interval(COLLECT_EVERY_S, self._collect)
        self.run_worker(self.link.run(), group="link")
        self.run_worker(self._paint_changes(), group="paint")
        self.run_worker(self._load_screens(), group="load")

    def _collect(self) -> None:
        from core.memory import give_back  # no picture waits for it

        cached_cell_len.cache_clear()  # Rich's table of how wide a text is: a clock alone fills it with thousands
        gc.collect()
        give_back()

    def _screen_named(self, name: ScreenName) -> StudioScreen:
        if name not in self._screens:
            self._screens[name] = screen_class(name)(self.look)
            self.install_screen(self._screens[name], name)
        return self._screens[name]

    async def _load_screens(self) -> None:
        for name in SCREENS:
            await asyncio.sleep(LOAD_AFTER_S)
            screen_class(name)

    # What arrives.

    def hear(self, topic: Topic) -> None:
        """Keep the latest value; the painter shows it in its own time."""
        self.picture = self.picture.with_topic(topic)
        self._only_meters = self._only_meters and isinstance(topic, Meters)
        self._changed.set()
        if isinstance(topic, DeviceTopic):
            self._offer_device(topic)

    async def look_at_network(self) -> None:
        """Show how this box is reached, if the system lets anybody look."""
        with contextlib.suppress(OSError):
            network = await asyncio.to_thread(self._read_network)
            if network != self.picture.network:
                self.picture = msgspec.structs.replace(self.picture, network=network)
                self.paint()

    def _link_changed(self, state: LinkState, error: OtoError | None) -> None:
        self.picture = self.picture.linked(state)
        if error is not None and error.code not in ("disconnected", "no_engine"):
            self.picture = self.picture.saying(Said("error", error.message, error.hint))
        self._only_meters = False
        self._changed.set()

    def _offer_device(self, topic: DeviceTopic) -> None:
        """Once, on a box where nothing was ever chosen and nothing is plugged in: offer the simulated band."""
        if topic.current is None and topic.wanted is None and topic.problem is None and not self._offered_device:
            self._offered_device = True
            if self.picture.session.session is None:
                self.guide(0)
            self.perform("device")

    def guide(self, step: int | None) -> None:
        """Begin the guided first recording at a step, or end it."""
        self.picture = msgspec.structs.replace(self.picture, guide=step)
        self.paint()

    async def _paint_changes(self) -> None:
        while True:
            await self._changed.wait()
            if not self.screen_stack:  # the studio is being left
                return
            self._changed.clear()
            only_meters, self._only_meters = self._only_meters, True
            self.paint(only_meters=only_meters)
            await asyncio.sleep(FRAME_S if isinstance(self.screen, StudioScreen) else FRAME_BEHIND_S)

    def paint(self, *, only_meters: bool = False) -> None:
        """Show the picture, or what meters move in it, on the screen that is open, also behind a dialog."""
        if not only_meters and self.picture.guide is not None:
            self.picture = advanced(self.picture, self._place())
        for screen in self.screen_stack:
            if isinstance(screen, StudioScreen) and screen.is_mounted:
                try:
                    screen.show_meters() if only_meters else screen.show()
                except Exception as error:  # a mistake in one screen leaves the others
                    self._stumble(error)

    # What is asked for.

    def perform(self, action_id: str, screen: StudioScreen | None = None) -> None:
        """Do an action of the registry, or say why it can't be done now."""
        action = BY_ID[action_id]
        if action_id != "leave_place":
            self.picture = self.picture.saying(None)  # it answered the key before
        if screen is not None and screen.SCREEN not in action.screens:
            self.say("warning", elsewhere(action, self.picture))
        elif reason := action.when(self.picture):
            self.say("warning", reason)
        elif action.request is not None:
            self.send(action.request(self.picture))
        else:
            own = getattr(screen, f"do_{action_id}", None)
            try:
                result = own() if own is not None else shared_command(action_id)(self)
            except Exception as error:  # a key that fails leaves the studio as it was
                self._stumble(error)
                return
            if inspect.iscoroutine(result):
                self._start(result)

    def send(self, request: Request) -> None:
        """Send a request whose answer shows in the picture; say so when it is refused."""
        self._start(self.call(request))

    async def call(self, request: Request) -> Any:
        """Send a request and wait for its answer. Raises OtoError."""
        return await self.link.call(request)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        async def guarded() -> None:
            try:
                await work
            except OtoError as error:
                self.say_error(error)
            except Exception as error:  # as in `perform`
                self._stumble(error)

        self.run_worker(guarded(), group="keys")

    async def ask(self, dialog: Dialog[str]) -> str | None:
        """Open a dialog and wait for its answer; None when it was left with Esc."""
        try:
            return await self.push_screen_wait(dialog)
        finally:
            # Textual remembers two colours for each widget that ever was, and with them all that the widget drew.
            StylesCache.get_inner_outer.cache_clear()

    def go(self, name: ScreenName) -> None:
        """Open another screen."""
        screen = self._screen_named(name)
        if self.screen is not screen:
            self.switch_screen(screen)
            self._only_meters = False
            self._changed.set()

    def redraw(self) -> None:
        """Send the whole screen again, or say it."""
        if self.wishes.screen_reader:
            for line in reader.whole_screen(self.screen):
                self.speak(line)
        self._send_all()

    def _send_all(self) -> None:
        if isinstance(self._driver, SparingDriver):
            self._driver.forget()
        self.screen.refresh(layout=True)

    def on_resize(self) -> None:
        """A terminal that was resized shows nobody knows what, even if it has its old size again."""
        self._send_all()

    def _place(self) -> str:
        """Name of the screen that is open, also behind a dialog."""
        return next((screen.SCREEN for screen in self.screen_stack if isinstance(screen, StudioScreen)), "record")

    def say(self, level: Literal["info", "warning", "error"], message: str, hint: str = "") -> None:
        """Say something at the bottom until Esc."""
        self.picture = self.picture.saying(Said(level, message, hint))
        self.paint()

    def speak(self, line: str) -> None:
        """Say a line to whoever can't see the screen."""
        if isinstance(self._driver, LineDriver):
            self._driver.say(line)

    def _speak(self) -> None:
        before, self._spoken = self._spoken, reader.spoken(self.picture, self.screen)
        for line in reader.news(before, self._spoken):
            self.speak(line)

    def _stumble(self, error: Exception) -> None:
        """Go on after a mistake of our own: a sentence for the person, the rest into the log, once each."""
        if (where := mishap.where(error)) not in self._mishaps:
            self._mishaps.add(where)
            log = mishap.note(error)
            said = Said("error", f"The studio made a mistake and goes on. {mishap.UNHARMED}", f"More is in {log}.")
            self.picture = self.picture.saying(said)
            self._only_meters = False
            self._changed.set()

    def _handle_exception(self, error: Exception) -> None:
        """Textual's last resort, which would print all of the program: end with a sentence instead."""
        ended = mishap.MishapError(mishap.note(error))
        ended.__cause__ = error
        super()._handle_exception(ended)

    def say_error(self, error: OtoError) -> None:
        """Say what was refused, in the engine's words."""
        self.say("error", error.message, error.hint)

    def hush(self) -> None:
        """Take back what this studio said."""
        self.picture = self.picture.saying(None)
        self.paint()

    def dismiss_notice(self) -> None:
        """Put away what is being said."""
        self.picture = self.picture.dismissed()
        self.paint()
