"""A studio without an engine: pictures to show, a client that only writes down what it is asked, the screen as text."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.style import Style

from core.errors import OtoError
from core.network import Network
from core.plans.document import BusStrip, MixPlan, Setting, Strip
from core.protocol.requests import GetOverview, ListUnreadable, Request
from core.protocol.topics import (
    Bounce,
    BouncesTopic,
    BoxTopic,
    DeliveryCheck,
    DeviceInfo,
    DeviceTopic,
    Drive,
    DrivesTopic,
    Meters,
    ModelInfo,
    Overview,
    PlansTopic,
    PlanVersion,
    Session,
    SessionTopic,
    SettingInfo,
    SettingsTopic,
    Take,
    TakesTopic,
    Topic,
    Track,
    TransportTopic,
)
from sessions.model import Gap, Marker, TakeTrack
from tui.app import Studio
from tui.look import Look
from tui.picture import Picture

SNAPSHOTS = Path(__file__).parent / "snapshots"
BAND = ("Kick", "Snare", "Hat", "OH L", "OH R", "Bass", "Gtr L", "Gtr R", "Keys", "Lead Vocal")
ROLES = ("kick", "snare", "hihat", "overheads", "overheads", "bass", None, None, "keys", "lead_vocal")
RATE_HZ = 48_000


class Recorder:
    """A client that writes down every request, answers what it was told to, and pushes what a test feeds it."""

    def __init__(self, answers: Mapping[type, Any] | None = None) -> None:
        self.requests: list[Request] = []
        self.answers = {ListUnreadable: [], **(answers or {})}
        self.fed: asyncio.Queue[Topic | OtoError] = asyncio.Queue()
        self.closed = False

    async def connect(self) -> Recorder:
        return self

    async def call(self, request: Request, type: Any = Any) -> Any:
        self.requests.append(request)
        answer = self.answers.get(request.__class__)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, OtoError):
            raise answer
        return answer

    async def topics(self) -> AsyncIterator[Topic]:
        while True:
            topic = await self.fed.get()
            if isinstance(topic, OtoError):
                raise topic
            yield topic

    async def close(self) -> None:
        self.closed = True


def topics_of(picture: Picture) -> list[Topic]:
    names = (
        "device",
        "session",
        "takes",
        "comp",
        "bounces",
        "plans",
        "jobs",
        "drives",
        "box",
        "settings",
        "notices",
        "transport",
    )
    topics: list[Topic] = [getattr(picture, name) for name in names]
    return [*topics, picture.meters] if picture.meters else topics


NETWORK = Network(host="musicbox", addresses=("192.168.1.20", "fd00::2"), ssh=True, login="oto")


def studio(picture: Picture, look: Look | None = None, recorder: Recorder | None = None) -> tuple[Studio, Recorder]:
    """A studio that shows a picture, and the recorder that hears what it asks for."""
    recorder = recorder or Recorder()
    for topic in topics_of(picture):
        recorder.fed.put_nowait(topic)
    app = Studio(recorder.connect, look or Look(), read_network=lambda: NETWORK)
    return app, recorder


def screen_lines(app: Studio) -> list[str]:
    """What is on the terminal, as text."""
    return ["".join(text for text, _ in row) for row in screen_cells(app)]


def screen_cells(app: Studio) -> list[list[tuple[str, Style]]]:
    """What is on the terminal: text and the style it is painted in, row by row."""
    strips = app.screen._compositor.render_strips()
    return [[(segment.text, segment.style or Style.null()) for segment in strip] for strip in strips]


def check_snapshot(name: str, lines: list[str]) -> None:
    """Compare with the picture on file; OTO_UPDATE_SNAPSHOTS=1 writes it anew, for a person to look at."""
    path = SNAPSHOTS / f"{name}.txt"
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    if os.environ.get("OTO_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no snapshot {path.name}: run with OTO_UPDATE_SNAPSHOTS=1 and look at it"
    assert text == path.read_text(encoding="utf-8")


# ------------------------------------------------------------------ pictures


def band_tracks(count: int = len(BAND)) -> tuple[Track, ...]:
    more = count - len(BAND)
    names = (*BAND, *(f"Input {n}" for n in range(len(BAND) + 1, count + 1)))[:count]
    roles = (*ROLES, *([None] * more))[:count]
    return tuple(
        Track(id=f"t{n}", name=name, role=role, input=n, armed=n != 9)
        for n, (name, role) in enumerate(zip(names, roles, strict=True), start=1)
    )


def meters(count: int, position_s: float = 0.0, shift_db: float = 0.0) -> Meters:
    """A spread of levels from silence to clipping."""
    peaks = tuple(max(-120.0, min(0.0, -58.0 + shift_db + 59.0 * n / max(count - 1, 1))) for n in range(count))
    return Meters(
        peak_dbfs=peaks,
        hold_dbfs=tuple(min(peak + 6.0, 0.0) for peak in peaks),
        rms_dbfs=tuple(peak - 9.0 for peak in peaks),
        clips=tuple(3 if peak > -1.0 else 0 for peak in peaks),
        position_s=position_s,
        remaining_s=40_000.0,
        preroll_filled_s=7.2,
    )


def take(number: int, **changes: Any) -> Take:
    base = Take(
        number=number,
        session="rehearsal",
        status="complete",
        rate_hz=RATE_HZ,
        sample_format="pcm24",
        frames=RATE_HZ * 187,
        started_utc="2026-11-22T10:00:00Z",
        tracks=tuple(TakeTrack(id=track.id, name=track.name) for track in band_tracks()),
    )
    return msgspec.structs.replace(base, **changes)


def bounce(id: str, **changes: Any) -> Bounce:
    base = Bounce(
        id=id, kind="mix" if id.startswith("mix") else "master", session="rehearsal", take=2, file="mix.wav",
        plan="plan.json", created_utc="2026-11-22T11:00:00Z", rate_hz=RATE_HZ, frames=RATE_HZ * 187,
        integrated_lufs=-20.0, true_peak_dbtp=-3.0, sha256="0" * 64, oto_version="0.1.0",
        stems={name: f"stems/{name}.wav" for name in BAND} if id.startswith("mix") else {},
        source_bounce=None if id.startswith("mix") else "mix-002-01",
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def band_picture(inputs: int = len(BAND), **changes: Any) -> Picture:
    """An idle studio with a band, two takes, two bounces and a stick."""
    interface = DeviceInfo(
        id="usb:1", name="UMC1820", host_api="ALSA", inputs=inputs, outputs=2, default_rate_hz=RATE_HZ
    )
    session = Session(id="rehearsal", name="Rehearsal", created_utc="2026-11-22T09:00:00Z", tracks=band_tracks(inputs))
    markers = (Marker(at_samples=RATE_HZ * 61, name="Chorus"), Marker(at_samples=RATE_HZ * 95))
    gaps = (Gap(at_samples=RATE_HZ, frames=480, cause="overflow"),)
    picture = Picture(
        link="up",
        transport=TransportTopic(state="idle", preroll_s=10.0),
        device=DeviceTopic(wanted="usb:1", current=interface, available=(interface,)),
        session=SessionTopic(session=session),
        takes=TakesTopic(
            takes=(
                take(1, false_take=True, false_number=1),
                take(1, name="Slow", starred=True, gaps=gaps),
                take(2, markers=markers),
            )
        ),
        bounces=BouncesTopic(
            bounces=(
                bounce("master-002-01", integrated_lufs=-14.0, true_peak_dbtp=-1.0, target="streaming"),
                bounce("mix-002-01"),
            )
        ),
        plans=PlansTopic(plans=tuple(PlanVersion(kind="mix", take=n, version="1") for n in (1, 2))),
        drives=DrivesTopic(
            drives=(
                Drive(
                    path="/media/stick",
                    label="STICK",
                    file_system="vfat",
                    size_bytes=32 * 10**9,
                    free_bytes=12 * 10**9,
                    removable=True,
                    writable=True,
                    max_file_bytes=2**32 - 1,
                ),
            )
        ),
        box=BoxTopic(
            disk_free_bytes=412 * 10**9,
            disk_size_bytes=500 * 10**9,
            cpu_percent=12.0,
            temperature_c=54.0,
            version="0.1.0",
            system="Debian GNU/Linux 12, kernel 6.12.47, Python 3.11.2",
            models=(
                ModelInfo(name="mastering", version="1.0", used=False),
                ModelInfo(name="roles", version="1.1", used=True),
            ),
        ),
        network=NETWORK,
        settings=SettingsTopic(
            values={"device": "usb:1", "preroll_s": 10.0, "retro_s": 300.0, "sample_format": "pcm24", "click": False}
        ),
        meters=meters(inputs),
    )
    return msgspec.structs.replace(picture, **changes)


def recording_picture(inputs: int = len(BAND)) -> Picture:
    picture = band_picture(inputs)
    running = take(3, status="recording", frames=0, markers=(Marker(at_samples=RATE_HZ * 30, name="Solo"),))
    return msgspec.structs.replace(
        picture,
        transport=TransportTopic(state="recording", take=3, preroll_s=10.0),
        takes=TakesTopic(takes=(*picture.takes.takes, running)),
        meters=meters(inputs, position_s=205.4),
    )


def overview(tracks: int = len(BAND), frames: int = RATE_HZ * 187) -> Overview:
    """Peaks of a song: a quiet start, verses, a loud end; every track a little quieter than the one before."""

    def peaks(quieter: int) -> bytes:
        return bytes(
            min(255, 2 + quieter + (x * 37 % 11) + (40 if x < 60 else 14 if x % 120 < 60 else 0)) for x in range(480)
        )

    return Overview(frames=frames, rate_hz=RATE_HZ, peaks={f"t{n}": peaks(4 * (n - 1)) for n in range(1, tracks + 1)})


def bounce_overview(_: object = None) -> Overview:
    """A master that is a little too bright, limited at its end, and too loud for its target."""
    seconds = range(187)
    return Overview(
        frames=RATE_HZ * 187,
        rate_hz=RATE_HZ,
        peaks={
            "mix": bytes(8 + x % 5 for x in range(480)),
            **{name: bytes([min(6 + 12 * n, 255)]) * 480 for n, name in enumerate(BAND)},
        },
        loudness_lufs=tuple(None if x < 2 else -26.0 if x < 24 else -15.0 + (x % 40) / 10 for x in seconds),
        band_hz=tuple(1000.0 * 2.0 ** (n / 3.0) for n in range(-16, 13)),
        band_db=tuple(8.0 - abs(n - 6) * 1.1 + (6.0 if n > 24 else 0.0) for n in range(29)),
        usual_low_db=tuple(2.0 - abs(n - 6) * 1.2 for n in range(29)),
        usual_high_db=tuple(12.0 - abs(n - 6) * 0.9 for n in range(29)),
        limiter_db=tuple(0.0 if x < 100 else (x % 9) / 2 for x in seconds),
        delivery=(
            DeliveryCheck(name="loudness", passes=False, says="-13.2 LUFS is 0.8 LU above the target: turn it down."),
            DeliveryCheck(name="true peak", passes=True, says="-1.0 dBTP is not above -1.0 dBTP."),
            DeliveryCheck(name="clipping", passes=True, says="Nothing clips."),
        ),
    )


SETTINGS = [
    SettingInfo(name="device", kind="text", explanation="Identity of the interface to use."),
    SettingInfo(
        name="sample_format", kind="choice", explanation="Format of new sessions' files.",
        choices=("float32", "pcm24"), default="pcm24",
    ),
    SettingInfo(
        name="preroll_s", kind="number", explanation="How much before REC belongs to a take.", unit="s",
        low=0.0, high=60.0, default=10.0,
    ),
    SettingInfo(
        name="retro_s", kind="number", explanation="How far back 'keep the last minutes' reaches.", unit="s",
        low=0.0, high=7200.0, default=0.0,
    ),
    SettingInfo(name="click", kind="switch", explanation="A metronome on the outputs.", default=False),
]  # fmt: skip


def overviews(request: GetOverview) -> Overview:
    """What an engine answers."""
    return overview() if request.bounce is None else bounce_overview()


def band_plan() -> MixPlan:
    """A plan with every kind of decision."""
    kick = {
        "highpass_hz": Setting(
            value=32.0, unit="Hz", by="rules", why="A kick has nothing below 30 Hz.", confidence=0.9
        ),
        "eq2_gain_db": Setting(value=-3.0, unit="dB", by="rules", why="Boxy: 9 dB above its neighbours at 300 Hz."),
        "comp_ratio": Setting(value=3.0, unit=":1", by="model", why="Crest factor 17 dB.", confidence=0.71),
        "comp_threshold_db": Setting(value=-18.0, unit="dB", by="model", why="Crest factor 17 dB.", confidence=0.71),
        "fader_db": Setting(value=-3.5, unit="dB", by="person", locked=True),
    }
    vocal = {
        "fader_db": Setting(value=1.5, unit="dB", by="rules", why="The voice leads.", confidence=0.8),
        "pan": Setting(value=-0.3, by="rules", why="Beside the guitar.", confidence=0.5),
        "send_plate_db": Setting(value=-14.0, unit="dB", by="rules", why="Presence without distance.", confidence=0.6),
    }
    strips = [Strip(track=name, role=role or "other") for name, role in zip(BAND, ROLES, strict=True)]
    strips[0] = Strip(track="Kick", role="kick", role_confidence=0.97, settings=kick)
    strips[6] = Strip(track="Gtr L", role="electric_guitar", role_confidence=0.4)
    strips[9] = Strip(track="Lead Vocal", role="lead_vocal", settings=vocal)
    return MixPlan(
        oto_version="0.1.0",
        strips=tuple(strips),
        buses=(BusStrip(name="drums"), BusStrip(name="plate", settings={"decay_s": Setting(value=1.6, unit="s")})),
        master={"fader_db": Setting(value=-2.0, unit="dB", by="rules", why="Headroom for the master.")},
        notes=("The bass is quieter than usual for a band.",),
    )
