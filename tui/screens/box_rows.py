"""The Box screen as lines: interface, health, settings, work, and what the engine had to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.network import Network
from core.protocol.topics import BoxTopic, Job, Notice, SettingInfo
from tui import setting_entry, words
from tui.look import Look, Role
from tui.picture import QUIET, Picture
from tui.widgets.paper import Line, Span
from tui.widgets.table import Row

PEOPLE: Final = "oto"
"""Whose shell on a box is the studio."""
LABEL: Final = 11
"""Cells of a fact's name."""
GAUGE: Final = 8
HOT_C: Final = 75.0
"""A Raspberry Pi slows itself down from 80 degrees on."""
BUSY_PERCENT: Final = 85.0
LITTLE_DISK: Final = 0.1
NAME: Final = 16
VALUE: Final = 12


def facts(picture: Picture, look: Look, width: int) -> list[Line]:
    """Interface, health, the way in from elsewhere, what runs here, and where the session lies: six lines."""
    box = picture.box
    system = f"{box.version} on {box.system}" if box.version else ""
    free = f"{words.size(box.disk_free_bytes)} free, in {words.clean(picture.session.path) or 'no folder'}"
    return [
        _interface(picture, look, width),
        _health(box, look),
        _fact("Network", *_network(picture.network), look, width),
        _fact("OTO", system, "text", look, width),
        _fact("Models", *_models(box), look, width),
        _fact("Session", free, "text", look, width),
    ]


def _fact(title: str, text: str, role: Role, look: Look, width: int) -> Line:
    fitted = words.fit(words.clean(text) or "-", width - LABEL, look.glyphs.ellipsis).rstrip()
    return [(f" {title:<10}", "title"), (fitted, role)]


def _interface(picture: Picture, look: Look, width: int) -> Line:
    topic = picture.device
    device = topic.current
    if device is None:
        return _fact("Interface", "none is in use: d chooses one", "warn", look, width)
    trip = topic.round_trip_samples
    late = "round trip not measured" if trip is None else f"round trip {trip / topic.rate_hz * 1000:.1f} ms"
    text = f"{words.clean(device.name)}, {words.clean(device.host_api)}, {device.inputs} in, {device.outputs} out, "
    text += f"{topic.rate_hz / 1000:g} kHz, {late}"
    return _fact("Interface", text, "text", look, width)


def _network(network: Network) -> tuple[str, Role]:
    """What to type on another computer, then by which other names it goes."""
    if not network.host:
        return "", "dim"
    if not network.addresses:
        return f"{network.host} is on no network, so nobody comes in by SSH.", "dim"
    first, *others = network.addresses
    names = ", ".join((network.host, *others))
    if not network.ssh:
        return f"{first} ({names}). SSH is off: nothing answers on port 22.", "text"
    then = "" if network.login == PEOPLE else ", then oto,"
    return f"ssh {network.login}@{first}{then} from elsewhere ({names})", "accent"


def _models(box: BoxTopic) -> tuple[str, Role]:
    if not box.models:
        return ("none: rules decide", "dim") if box.version else ("", "dim")
    told = (f"{model.name} {model.version}{'' if model.used else ' (not used: rules decide)'}" for model in box.models)
    return ", ".join(told), "text"


def _health(box: BoxTopic, look: Look) -> Line:
    used = 1.0 - box.disk_free_bytes / box.disk_size_bytes if box.disk_size_bytes else 0.0
    spans: list[Span] = [(" Health    ", "title")]
    spans += _gauge("cpu", box.cpu_percent / 100, box.cpu_percent > BUSY_PERCENT, look)
    spans += _gauge("memory", box.memory_percent / 100, box.memory_percent > BUSY_PERCENT, look)
    spans += _gauge("disk", used, used > 1.0 - LITTLE_DISK, look)
    if box.temperature_c is not None:
        role: Role = "bad" if box.temperature_c >= HOT_C else "text"
        spans.append((f"{box.temperature_c:.0f}{look.glyphs.degree}C", role))
    return spans


def _gauge(name: str, share: float, bad: bool, look: Look) -> list[Span]:
    filled = min(max(round(share * GAUGE), 0), GAUGE)
    role: Role = "bad" if bad else "good"
    return [
        (f"{name} ", "dim"),
        (look.glyphs.full * filled, role),
        (look.glyphs.dash * (GAUGE - filled), "dim"),
        (f" {share:4.0%}  ", role if bad else "text"),
    ]


def setting_rows(infos: Sequence[SettingInfo], picture: Picture, look: Look) -> list[Row]:
    """A line per setting: its name, its value, what it is for."""
    rows: list[Row] = []
    for info in infos:
        value = picture.settings.values.get(info.name)
        text = setting_entry.shown(info, value)
        own: Role = "accent" if value != info.default else "text"
        rows.append(
            Row(
                [
                    (f" {info.name:<{NAME}} ", "text"),
                    (f"{words.fit(text, VALUE, look.glyphs.ellipsis)} ", own),
                    (info.explanation, "dim"),
                ],
                info.name,
            )
        )
    return rows


def explanation(info: SettingInfo | None, width: int, height: int) -> list[Line]:
    """The selected setting in full: what it is for and what may be typed."""
    if info is None:
        return []
    text = f"{info.explanation} {setting_entry.allowed(info)} At first: {setting_entry.shown(info, info.default)}."
    return [[(line, "text")] for line in words.wrap(text, width, height)]


def job_rows(jobs: Sequence[Job]) -> list[Row]:
    """Work, the newest first: how far it is, or how it ended."""
    asked_for = (job for job in jobs if job.kind not in QUIET or job.problem is not None)
    return [_job(job) for job in sorted(asked_for, key=lambda job: job.created_utc, reverse=True)]


def _job(job: Job) -> Row:
    roles: dict[str, Role] = {"running": "warn", "done": "good", "failed": "bad"}
    state = f"{job.fraction:.0%}" if job.state == "running" else job.state
    take = f"take {job.take}" if job.take is not None else ""
    return Row([(f" {job.kind:<9}", "text"), (f"{state:<10}", roles.get(job.state, "dim")), (take, "dim")], job.id)


def log_rows(notices: Sequence[Notice]) -> list[Row]:
    """What the engine had to say, the newest first."""
    roles: dict[str, Role] = {"info": "text", "warning": "warn", "error": "bad"}
    return [
        Row(
            [
                (f" {words.local_time(notice.utc):5} ", "dim"),
                (f"{words.clean(notice.message)} {words.clean(notice.hint)}".strip(), roles[notice.level]),
            ],
            str(notice.number),
        )
        for notice in reversed(notices)
    ]
