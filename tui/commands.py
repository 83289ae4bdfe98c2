"""What can be done from every screen. Each function is the `do_<id>` of an action in the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.protocol.requests import (
    CancelJob,
    CreateSession,
    FalseTake,
    KeepLast,
    ListSessions,
    Mark,
    OpenSession,
    SelectDevice,
    Stop,
)
from core.protocol.topics import SessionSummary
from tui import words
from tui.actions import ACTIONS, Action
from tui.screens.base import StudioScreen
from tui.screens.dialogs import Ask, Choice, Pick

if TYPE_CHECKING:
    from tui.app import Studio

SIMULATED: Final = "sim"
KEEP_CHOICES_S: Final = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0)


def do_play(studio: Studio) -> None:
    """Stop what plays, or play what the screen has selected."""
    if studio.picture.playing:
        studio.send(Stop())
        return
    request = studio.screen.playable() if isinstance(studio.screen, StudioScreen) else None
    if request is None:
        studio.say("warning", "Nothing is selected that can be played.")
    else:
        studio.send(request)


def do_false_take(studio: Studio) -> None:
    """Set aside the take that runs, or the last one."""
    studio.send(FalseTake())


async def do_mark_named(studio: Studio) -> None:
    """Set a marker with a name."""
    if (name := await studio.ask(Ask(studio.look, "Name of the marker"))) is not None:
        await studio.call(Mark(name=name))


async def do_keep_last(studio: Studio) -> None:
    """Ask how far back, within what the engine holds, and make a take of it."""
    settings = studio.picture.settings.values
    reach_s = max(float(settings.get("retro_s") or 0.0), float(settings.get("preroll_s") or 0.0))
    lengths_s = [*(length for length in KEEP_CHOICES_S if length < reach_s), reach_s]
    choices = [Choice(str(length), f"the last {words.short_clock(length)}") for length in lengths_s]
    answer = await studio.ask(Pick(studio.look, "Keep what was just played", choices, start=choices[-1].key))
    if answer is not None:
        await studio.call(KeepLast(seconds=float(answer)))


def do_go_record(studio: Studio) -> None:
    """To Record."""
    studio.go("record")


def do_go_takes(studio: Studio) -> None:
    """To Takes."""
    studio.go("takes")


def do_go_mix(studio: Studio) -> None:
    """To Mix."""
    studio.go("mix")


def do_go_master(studio: Studio) -> None:
    """To Master."""
    studio.go("master")


def do_go_export(studio: Studio) -> None:
    """To Export."""
    studio.go("export")


def do_go_box(studio: Studio) -> None:
    """To Box."""
    studio.go("box")


def do_go_sessions(studio: Studio) -> None:
    """To Sessions."""
    studio.go("sessions")


def do_go_help(studio: Studio) -> None:
    """To Help."""
    studio.go("help")


def do_leave_place(studio: Studio) -> None:
    """Put away what is being said, end the guide, else back to Record."""
    if studio.picture.said is not None or studio.picture.notice is not None:
        studio.dismiss_notice()
    elif studio.picture.guide is not None:
        studio.guide(None)
    else:
        studio.go("record")


def do_guide(studio: Studio) -> None:
    """Begin the guided first recording."""
    studio.guide(0)


def do_redraw(studio: Studio) -> None:
    """Send the whole screen again."""
    studio.redraw()


async def do_palette(studio: Studio) -> None:
    """Find an action by its name and do it; what can't be done now says why."""
    screen = studio.screen
    name = screen.SCREEN if isinstance(screen, StudioScreen) else "record"
    choices = [
        Choice(action.id, f"{action.label} ({action.shown_key(studio.picture) or '-'})", _why_or_what(studio, action))
        for action in ACTIONS
        if name in action.screens and action.group != "Lists" and action.id != "palette"
    ]
    answer = await studio.ask(Pick(studio.look, "Do", choices))
    if answer is not None:
        studio.perform(answer, screen if isinstance(screen, StudioScreen) else None)


def _why_or_what(studio: Studio, action: Action) -> str:
    return action.when(studio.picture) or action.tip


async def do_device(studio: Studio) -> None:
    """Choose the interface; the simulated band is always there."""
    topic = studio.picture.device
    choices = [
        Choice(device.id, device.name, f"{device.inputs} in, {device.outputs} out, {device.host_api}")
        for device in topic.available
    ]
    if not any(device.id == SIMULATED for device in topic.available):
        choices.append(Choice(SIMULATED, "Simulated band", "plays a song to try on, no interface needed"))
    title = "Choose the interface" if topic.current else "No interface is in use. Choose one"
    answer = await studio.ask(Pick(studio.look, title, choices, start=topic.current.id if topic.current else None))
    if answer is not None:
        rendering = "It plays its song in first, which takes a while the first time." if answer == SIMULATED else ""
        studio.say("info", "Opening the interface.", rendering)
        await studio.call(SelectDevice(device=answer))
        studio.hush()


async def do_new_session(studio: Studio) -> None:
    """Make a session and open it."""
    name = await studio.ask(Ask(studio.look, "Name of the new session", hint="Empty takes the date. Esc leaves."))
    if name is not None:
        await studio.call(CreateSession(name=name))


async def do_open_session(studio: Studio) -> None:
    """Open another session."""
    sessions = await studio.link.call(ListSessions(), list[SessionSummary])
    choices = [
        Choice(s.id, s.name, f"{s.takes} takes, {s.tracks} tracks, {words.size(s.bytes)}, {s.created_utc[:10]}")
        for s in sessions
    ]
    if not choices:
        studio.say("info", "The library has no session yet.", "N makes one.")
        return
    answer = await studio.ask(Pick(studio.look, "Open a session", choices))
    if answer is not None:
        await studio.call(OpenSession(session=answer))


async def do_cancel_job(studio: Studio) -> None:
    """Cancel the work that is shown."""
    await studio.call(CancelJob(job=studio.picture.running_jobs[0].id))


async def do_quit(studio: Studio) -> None:
    """Leave; while recording, say first that it goes on."""
    if studio.picture.recording:
        choices = [Choice("stay", "Stay"), Choice("leave", "Leave", "the recording goes on; 'oto' comes back to it")]
        if await studio.ask(Pick(studio.look, "A take is being recorded", choices)) != "leave":
            return
    studio.exit(message=farewell(studio))


def farewell(studio: Studio) -> str | None:
    """What is left on the terminal after leaving."""
    if not studio.picture.recording:
        return None
    return f"Take {studio.picture.transport.take} goes on being recorded. 'oto' comes back to it, 'oto stop' ends it."
