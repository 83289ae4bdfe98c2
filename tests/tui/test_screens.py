"""Screens as people see them. A snapshot that changed is to be looked at, not to be overwritten."""

from __future__ import annotations

import msgspec
import pytest

from core.plans.document import MixPlan
from core.protocol.requests import DescribeSettings, GetOverview, GetPlan, ListSessions, ListTrash
from core.protocol.topics import (
    BouncesTopic,
    Comp,
    CompTopic,
    DeviceInfo,
    DeviceTopic,
    ExportRecord,
    Job,
    JobsTopic,
    KeptPlan,
    Losses,
    Notice,
    NoticesTopic,
    Problem,
    SessionSummary,
    TakesTopic,
    TransportTopic,
    TrashEntry,
)
from sessions.model import ExportedFile
from tests.tui.harness import (
    RATE_HZ,
    SETTINGS,
    Recorder,
    band_picture,
    band_plan,
    bounce,
    check_snapshot,
    meters,
    overviews,
    recording_picture,
    screen_cells,
    screen_lines,
    studio,
)
from tests.tui.test_look import SAFE, as_seen
from tui.look import CONSOLE, PALETTES, Look
from tui.picture import Picture
from tui.splice import part_of
from tui.widgets.banner import banner, state_of

SMALL, LARGE = (80, 24), (120, 36)
CONSOLE_LOOK = Look(CONSOLE, "console")
MIXING = Job(
    id="j1",
    kind="mix",
    session="rehearsal",
    take=2,
    state="running",
    fraction=0.43,
    doing="compressing Snare",
    left_s=95.0,
)


async def tour(picture: Picture, *stops: list[str], size=SMALL, look: Look | None = None, plan: MixPlan | None = None):
    """The screen after each stop of a tour through one studio: its lines, and its cells with their styles."""
    app, _ = studio(
        picture,
        look,
        Recorder(
            {
                GetPlan: plan or band_plan(),
                GetOverview: overviews,
                DescribeSettings: SETTINGS,
                ListSessions: SESSIONS,
                ListTrash: TRASHED,
            }
        ),
    )
    seen = []
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for keys in stops:
            await pilot.press(*keys)
            await pilot.pause(0.05)
            seen.append((screen_lines(app), screen_cells(app)))
    return seen


async def shown(picture: Picture, *keys: str, size=SMALL, look: Look | None = None):
    """The screen after some keys."""
    return (await tour(picture, list(keys), size=size, look=look))[0]


def comp_picture() -> Picture:
    """Two takes in a comp, the second of them without the voice."""
    slow, fast = (part_of(take, 0, take.frames) for take in band_picture().finished_takes)
    parts = (
        msgspec.structs.replace(fast, end_samples=61 * RATE_HZ),
        msgspec.structs.replace(slow, start_samples=61 * RATE_HZ + 1_200, end_samples=100 * RATE_HZ),
        msgspec.structs.replace(fast, start_samples=100 * RATE_HZ),
    )
    notes = ("Lead Vocal is silent from 1:01.0 to 1:40.0: take 1 has no such track.",)
    return band_picture(comp=CompTopic(comp=Comp(parts=parts), notes=notes))


SESSIONS = [
    SessionSummary(
        id=f"2026-11-{day} {name}", name=name, created_utc=f"2026-11-{day}T19:00:00Z", takes=takes, tracks=10,
        bytes=size, path=f"/home/oto/library/2026-11-{day} {name}", notes=notes,
    )
    for day, name, takes, size, notes in (
        (22, "Rehearsal", 3, 1_430_000_000, ""),
        (20, "Blue Monday", 1, 208_000_000, "the slow one, with the borrowed amp"),
        (14, "Gig at the harbour with a very long name indeed", 12, 22_400_000_000, "monitor desk"),
    )
]  # fmt: skip


def playing_take() -> Picture:
    transport = TransportTopic(state="playing", take=2, position_s=70.0, preroll_s=10.0)
    return band_picture(transport=transport, meters=None)


def busy_box() -> Picture:
    failed = Job(
        id="j0", kind="export", session="rehearsal", state="failed", created_utc="2026-11-22T10:00:00Z",
        problem=Problem(code="no_space", message="The stick is full.", hint="Take another."),
    )  # fmt: skip
    news = (
        Notice(number=1, utc="2026-11-22T09:10:00Z", level="warning", message="Take 1 was being recorded.", hint=""),
        Notice(number=2, utc="2026-11-22T09:12:00Z", level="error", message="The stick is full.", hint="Take another."),
    )
    return band_picture(jobs=JobsTopic(jobs=(failed, MIXING)), notices=NoticesTopic(notices=news), notices_read=2)


def kept_plans() -> Picture:
    """Two kept plans; B is heard, in the middle of the song."""
    kept = tuple(KeptPlan(take=2, letter=letter, version=letter) for letter in ("A", "B"))
    picture = band_picture()
    bounces = (
        bounce("mix-002-02", plan_version="B", integrated_lufs=-21.5),
        bounce("mix-002-01", plan_version="A"),
    )
    return msgspec.structs.replace(
        picture,
        transport=TransportTopic(state="playing", bounce="mix-002-02", position_s=70.0, preroll_s=10.0),
        plans=msgspec.structs.replace(picture.plans, kept=kept),
        bounces=BouncesTopic(bounces=bounces),
        meters=None,
    )


def exported() -> Picture:
    """An export that is done, and how long it took."""
    files = tuple(ExportedFile(path=f"Song.{ending}", bytes=40_000_000, sha256="0" * 64) for ending in ("wav", "flac"))
    done = ExportRecord(created_utc="2026-11-22T12:00:00Z", destination="/media/stick", files=files, took_s=60.0)
    picture = band_picture(jobs=JobsTopic(jobs=(Job(id="j2", kind="export", session="rehearsal", state="done"),)))
    return msgspec.structs.replace(picture, bounces=msgspec.structs.replace(picture.bounces, exports=(done,)))


TRASHED = [
    TrashEntry(
        id="t1", kind="take", title="Take 3 of 'Rehearsal'", path="2026-11-22 Rehearsal/takes/003",
        bytes=208_000_000, trashed_utc="2026-11-22T10:00:00Z",
    )
]  # fmt: skip
CASES = {
    "record": (recording_picture(18), []),
    "record-32": (recording_picture(32), []),
    "takes": (playing_take(), ["2"]),
    "comp": (comp_picture(), ["2", "up", "left_parenthesis", "tab", "down"]),
    "sessions": (band_picture(), ["S", "down"]),
    "mix": (band_picture(jobs=JobsTopic(jobs=(MIXING,))), ["3"]),
    "console": (kept_plans(), ["3", "Z"]),
    "master": (band_picture(), ["4"]),
    "export": (band_picture(), ["5"]),
    "box": (busy_box(), ["6", "down", "down"]),
    "help": (band_picture(), ["question_mark", "down"]),
    "palette": (band_picture(), ["colon", "m", "a", "r"]),
    "guide": (band_picture(takes=TakesTopic()), ["G"]),
    "name": (band_picture(), ["n"]),
    "device": (band_picture(), ["d"]),
    "kept": (kept_plans(), ["3", "K"]),
    "power": (band_picture(), ["6", "Q"]),
    "trash": (band_picture(), ["2", "R"]),
    "exported": (exported(), ["5"]),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_smallest_screen(name: str) -> None:
    picture, keys = CASES[name]
    lines, _ = await shown(picture, *keys)
    check_snapshot(f"{name}-80x24", lines)


@pytest.mark.parametrize("name", [name for name in CASES if name != "record-32"])
async def test_a_larger_screen(name: str) -> None:
    picture, keys = CASES[name]
    lines, _ = await shown(picture, *keys, size=LARGE)
    check_snapshot(f"{name}-120x36", lines)


@pytest.mark.parametrize("name", CASES)
async def test_the_console_can_draw_and_show_every_cell(name: str) -> None:
    picture, keys = CASES[name]
    lines, rows = await shown(picture, *keys, look=CONSOLE_LOOK)
    check_snapshot(f"{name}-console", lines)
    assert set("".join(lines)) <= SAFE
    for row in rows:
        for text, style in row:
            if text.strip():
                assert as_seen(style.color, 8) != as_seen(style.bgcolor, 8) or style.color is None, (text, style)


async def test_a_terminal_may_change_its_size_at_any_moment() -> None:
    app, recorder = studio(recording_picture(18))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for size in (LARGE, SMALL, (40, 10), (20, 4), (200, 60), SMALL):
            recorder.fed.put_nowait(meters(18, position_s=1.0 * size[0]))
            await pilot.resize_terminal(*size)
            app.paint()
            await pilot.pause(0.05)
        recorder.fed.put_nowait(meters(18, position_s=205.4))
        await pilot.pause(0.1)
        check_snapshot("record-80x24", screen_lines(app))


@pytest.mark.parametrize("theme", PALETTES)
async def test_every_theme_paints_every_screen(theme) -> None:
    for lines, rows in await tour(
        band_picture(), [], ["2"], ["3"], ["4"], ["5"], ["6"], ["question_mark"], look=Look(theme=theme)
    ):
        assert any(line.strip() for line in lines)
        for row in rows:
            for text, style in row:
                if text.strip() and style.color is not None and style.bgcolor is not None:
                    assert as_seen(style.color, 16) != as_seen(style.bgcolor, 8), (text, style)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (band_picture(), "IDLE"),
        (recording_picture(), "REC"),
        (band_picture(transport=TransportTopic(state="counting_in")), "COUNT"),
        (band_picture(transport=TransportTopic(state="playing", take=2)), "PLAY"),
        (band_picture(transport=TransportTopic(state="no_device")), "PROBLEM"),
        (band_picture(device=DeviceTopic(problem=Problem(code="device_lost", message="Gone."))), "PROBLEM"),
        (recording_picture().linked("lost"), "PROBLEM"),
    ],
)
def test_one_word_says_what_the_studio_does(picture: Picture, word: str) -> None:
    assert state_of(picture)[0] == word
    for width in (80, 120, 200):
        rows = banner(picture, Look(), width, 5)
        assert len(rows) == 5
        inked = sum(character == "█" for text, role in (row[0] for row in rows) for character in text if role)
        assert inked > 20


def test_states_differ_in_colour_as_well() -> None:
    for theme in ("night", "day", "console"):
        styles = Look(theme=theme).styles
        seen = {
            as_seen(styles[role].bgcolor, 16) for role in ("state_idle", "state_rec", "state_play", "state_problem")
        }
        assert len(seen) >= 3
        assert as_seen(styles["state_rec"].bgcolor, 16) not in {
            as_seen(styles[role].bgcolor, 16) for role in ("state_idle", "state_play", "state_problem")
        }


def test_every_kind_of_loss_is_counted_apart() -> None:
    losses = Losses(overflows=2, ring_overruns=1, disk_errors=4)
    picture = band_picture(transport=TransportTopic(state="recording", take=1, losses=losses))
    text = "".join(text for line in banner(picture, Look(), 160, 5) for text, _ in line)
    assert all(said in text for said in ("gaps 1", "overflows 2", "overruns 1", "disk errors 4"))
    quiet = "".join(text for line in banner(recording_picture(), Look(), 80, 5) for text, _ in line)
    assert "nothing lost" in quiet


async def test_a_notice_is_readable_to_its_end() -> None:
    notice = Notice(
        number=1,
        utc="2026-11-22T10:00:00Z",
        level="error",
        message="The disk holds one more minute: take 3 was ended and is complete on the disk, with every file closed.",
        hint="Export what is finished, or empty the trash.",
    )
    lines, _ = await shown(band_picture(notices=NoticesTopic(notices=(notice,))))
    assert "empty the trash." in " ".join(" ".join(line.split()) for line in lines)


def test_beside_a_long_word_no_fact_is_cut_in_half() -> None:
    lost = band_picture(transport=TransportTopic(state="no_device"), device=DeviceTopic(), meters=None)
    for width in (80, 81, 90, 100):
        for line in banner(lost, Look(), width, 5):
            assert len("".join(text for text, _ in line)) <= width
    assert "412 GB" not in "".join(text for line in banner(lost, Look(), 80, 5) for text, _ in line)
    assert "412 GB" in "".join(text for line in banner(lost, Look(), 100, 5) for text, _ in line)


async def test_where_nothing_was_ever_plugged_in_the_simulated_band_is_offered() -> None:
    empty = Picture(transport=TransportTopic(state="no_device"))
    (offered, _), (left, _) = await tour(empty, [], ["escape"])
    assert any("Simulated band" in line for line in offered)
    assert not any("Simulated band" in line for line in left)
    wanted = msgspec.structs.replace(empty, device=DeviceTopic(wanted="usb:1"))
    lines, _ = await shown(wanted)
    assert not any("Simulated band" in line for line in lines)


HOSTILE = "[bold red]\x1b[2J\x1b]0;owned\x07[/] \u202egnp"


async def test_names_from_outside_are_shown_and_nothing_more() -> None:
    picture = band_picture(3)
    session = picture.session.session
    device = picture.device.current
    assert session is not None
    assert isinstance(device, DeviceInfo)
    tracks = tuple(msgspec.structs.replace(track, name=HOSTILE) for track in session.tracks)
    takes = tuple(msgspec.structs.replace(take, name=HOSTILE) for take in picture.takes.takes)
    drives = tuple(msgspec.structs.replace(drive, label=HOSTILE) for drive in picture.drives.drives)
    plan = band_plan()
    strips = tuple(msgspec.structs.replace(strip, track=f"{HOSTILE}{n}") for n, strip in enumerate(plan.strips))
    hostile = msgspec.structs.replace(
        picture,
        session=msgspec.structs.replace(
            picture.session, session=msgspec.structs.replace(session, name=HOSTILE, tracks=tracks)
        ),
        device=msgspec.structs.replace(picture.device, current=msgspec.structs.replace(device, name=HOSTILE)),
        takes=msgspec.structs.replace(picture.takes, takes=takes),
        drives=msgspec.structs.replace(picture.drives, drives=drives),
        notices=NoticesTopic(notices=(Notice(number=1, utc="", level="info", message=HOSTILE, hint=HOSTILE),)),
    )
    hostile_plan = msgspec.structs.replace(plan, strips=strips)
    for lines, _ in await tour(
        hostile, [], ["2"], ["3"], ["4"], ["5"], ["6"], ["d"], ["escape", "1", "n"], plan=hostile_plan
    ):
        text = "\n".join(lines)
        assert "[bold red" in text
        assert not any(ord(character) < 32 and character != "\n" for character in text)
        assert "\u202e" not in text
