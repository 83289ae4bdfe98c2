"""The Mix screen's tables as lines: strips, one strip's settings, bounces, and work in progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from core.plans.document import MixPlan, Setting, Settings, Strip, value_of
from core.plans.parameters import SENDS, STRIP
from core.protocol.topics import Bounce, Job
from tui import knobs, words
from tui.look import Look, Role
from tui.picture import Picture
from tui.widgets.paper import Line, Span
from tui.widgets.table import Row

STRIP_HEAD: Line = [(" Strip      Role        Fader  Pan    HP  EQ      Comp       Sends", "title")]
BANDS = range(1, 7)
GATE_OFF_DB = next(knob.low for knob in STRIP if knob.name == "gate_threshold_db")


def strip_rows(plan: MixPlan, look: Look, alone: Set[str] = frozenset(), left_out: Set[str] = frozenset()) -> list[Row]:
    """One line per strip, bus and master: what matters of it at a glance, and whether it is heard."""
    rows: list[Row] = []
    for section in knobs.section_names(plan):
        found = knobs.find(plan, section)
        settings = knobs.settings_of(plan, section)
        is_strip = isinstance(found, Strip)
        strip = knobs.strip_of(section) or "master"
        name = words.clean(strip)
        mark = "S" if strip in alone else "M" if strip in left_out else " "
        if isinstance(found, Strip) and found.priority != "normal":
            name = f"{look.glyphs.up if found.priority == 'lead' else look.glyphs.down}{name}"
        role = role_of(found) if isinstance(found, Strip) else "mix" if section == knobs.MASTER else "bus"
        fader = "mute" if value_of(settings, "mute", 0.0) else words.gain(value_of(settings, "fader_db", 0.0))
        locked = (setting := settings.get("fader_db")) is not None and setting.locked
        text = " ".join(
            (
                words.fit(name, 10, look.glyphs.ellipsis),
                words.fit(role, 11, look.glyphs.ellipsis),
                f"{fader:>5}{look.glyphs.lock if locked else ' '}",
                (words.pan(value_of(settings, "pan", 0.0)) if is_strip else "").rjust(4),
                _highpass(settings).rjust(5),
                f" {signs_of_bands(settings)} ",
                words.fit(_compressor(settings), 10),
                _sends(settings),
            )
        )
        silent = strip in left_out or (bool(alone) and strip not in alone)
        rows.append(Row([(mark, "warn"), (text, "text" if is_strip and not silent else "dim")], section))
    return rows


def role_of(strip: Strip) -> str:
    """A strip's role as it is read; "?" where OTO is not sure."""
    unsure = strip.role_confidence is not None and strip.role_confidence < 0.5
    return strip.role.replace("_", " ") + ("?" if unsure else "")


def _highpass(settings: Settings) -> str:
    hz = value_of(settings, "highpass_hz", 10.0)
    return words.frequency(hz) if hz > 10.0 else "-"


def signs_of_bands(settings: Settings) -> str:
    """Six signs: which bands lift and which cut."""
    gains = [value_of(settings, f"eq{band}_gain_db", 0.0) for band in BANDS]
    return "".join("." if abs(gain) < 0.05 else "+" if gain > 0 else "-" for gain in gains)


def _compressor(settings: Settings) -> str:
    ratio = value_of(settings, "comp_ratio", 1.0)
    return f"{ratio:.1f}:1 {value_of(settings, 'comp_threshold_db', 0.0):.0f}" if ratio > 1.01 else "-"


def _sends(settings: Settings) -> str:
    open_sends = [(name, value_of(settings, f"send_{name}_db", -90.0)) for name in SENDS]
    return " ".join(f"{name}{level:.0f}" for name, level in open_sends if level > knobs.OFF_DB)


def setting_head(plan: MixPlan, section: str) -> Line:
    """What the settings below belong to, and who proposed the plan."""
    name = words.fit(words.clean(knobs.strip_of(section) or "master"), 16).rstrip()
    return [
        (f"{name}: setting".ljust(26) + "value      who    sure  why", "title"),
        (f"  {words.clean(plan.engineer)} {words.clean(plan.style)} hands {plan.hands:.0%}", "dim"),
    ]


def setting_rows(plan: MixPlan, section: str, look: Look, *, every: bool) -> list[Row]:
    """A line per knob: those that the plan sets, or every one."""
    settings = knobs.settings_of(plan, section)
    rows: list[Row] = []
    for name, knob in knobs.knobs_of(section).items():
        setting = settings.get(name)
        if setting is not None:
            rows.append(Row(_setting(knob.label, knob.unit, knob.name, setting, look), name))
        elif every:
            value = shown_value(name, knob.neutral, knob.unit)
            rows.append(Row([(f"  {words.fit(knob.label, 23)} {value:<10} neutral", "dim")], name))
    return rows


def _setting(label: str, unit: str, name: str, setting: Setting, look: Look) -> list[Span]:
    who: Role = "person" if setting.by == "person" else "model" if setting.by == "model" else "rules"
    sure = "" if setting.confidence is None else f"{setting.confidence:.0%}"
    lock = look.glyphs.lock if setting.locked else " "
    return [
        (f"{lock} {words.fit(label, 23, look.glyphs.ellipsis)} ", "text"),
        (f"{shown_value(name, setting.value, unit):<10} ", "accent"),
        (f"{setting.by:<7}", who),
        (f"{sure:>4}  ", "dim"),
        (words.clean(setting.why), "dim"),
    ]


def shown_value(name: str, value: knobs.Value, unit: str) -> str:
    """A value as a person reads it; pan has its own words, and a gate is off lower than a fader."""
    if name == "pan" and not isinstance(value, str):
        return words.pan(float(value))
    if name == "gate_threshold_db" and float(value) > GATE_OFF_DB:
        return f"{value:+.1f}"
    return words.value(value, unit)


def reason(plan: MixPlan, section: str, name: str | None, width: int, rows: int) -> list[Line]:
    """The whole reason for the selected setting, or what a person should know about the plan."""
    setting = knobs.settings_of(plan, section).get(name or "")
    if setting is None:
        notes = " ".join(words.clean(note) for note in plan.notes)
        return [[(line, "dim")] for line in words.wrap(notes, width, rows)]
    why = words.clean(setting.why) or ("A person set this." if setting.by == "person" else "No reason was given.")
    locked = " Locked: it stays when OTO proposes again." if setting.locked else ""
    return [[(line, "text")] for line in words.wrap(why + locked, width, rows)]


def ab(heard: Sequence[str]) -> dict[str, str]:
    """A and B for the two bounces that are compared."""
    return dict(zip(heard, "AB", strict=False))


def bounce_rows(picture: Picture, look: Look, letters: Mapping[str, str]) -> list[Row]:
    """A line per bounce, with its letter where it has one among those that are compared."""
    playing = picture.transport.bounce if picture.playing else None
    rows: list[Row] = []
    for bounce in picture.songs:
        letter = letters.get(bounce.id, " ")
        mark = look.glyphs.play if bounce.id == playing else " "
        rows.append(Row([(f"{mark}{letter} ", "accent"), (bounce_text(bounce), "text")], bounce.id))
    return rows


def bounce_head(take: int | None, alone: Set[str], left_out: Set[str]) -> str:
    """What is heard of which take."""
    title = "Bounces, heard equally loud" + ("" if take is None else f"   (mixing take {take})")
    if alone:
        return f"{title}   solo: {', '.join(sorted(map(words.clean, alone)))}"
    return f"{title}   without {', '.join(sorted(map(words.clean, left_out)))}" if left_out else title


def heard_stems(bounce: Bounce, alone: Set[str], left_out: Set[str]) -> tuple[str, ...] | None:
    """Which stems to play: those that are alone, else all but those left out; () is the mix, None is nothing.

    Strips alone are heard dry; effects return what they get from all strips, so they are heard when none is alone.
    """
    if alone:
        return (
            tuple(name for name in (*bounce.stems, *bounce.returns) if name in alone and name not in left_out) or None
        )
    if not left_out:
        return ()
    return tuple(name for name in (*bounce.stems, *bounce.returns) if name not in left_out) or None


def bounce_text(bounce: Bounce) -> str:
    """One bounce in a line."""
    peak = "" if bounce.true_peak_dbtp is None else f"{bounce.true_peak_dbtp:.1f} dBTP"
    length = words.short_clock(bounce.frames / bounce.rate_hz)
    about = f"AI: {words.clean(bounce.about)}" if bounce.kind == "motif" else words.clean(bounce.target)
    return (
        f"{words.clean(bounce.id):<16} take {bounce.take:<3} {length:>6}  {words.loudness(bounce.integrated_lufs):>10}"
        f" {peak:>10}  {words.local_time(bounce.created_utc)}  {about}"
    ).rstrip()


def work_line(picture: Picture, look: Look, width: int, kinds: Sequence[str]) -> Line:
    """What is being rendered and how far it is, or why the last attempt failed."""
    running = [job for job in picture.running_jobs if job.kind in kinds]
    if running:
        return _progress(running[0], len(running) - 1, look, width)
    ended = [job for job in picture.jobs.jobs if job.kind in kinds]
    last = max(ended, key=lambda job: job.created_utc, default=None)
    if last is not None and last.state == "failed" and last.problem is not None:
        text = f"{last.kind} failed: {words.clean(last.problem.message)} {words.clean(last.problem.hint)}"
        return [(words.fit(text.strip(), width, look.glyphs.ellipsis), "bad")]
    return []


def _progress(job: Job, waiting: int, look: Look, width: int) -> Line:
    room = 20
    filled = round(job.fraction * room)
    more = f"  {waiting} more" if waiting else ""
    doing = words.clean(job.doing) or ("waits for a worker" if job.state == "queued" else "")
    left = "" if job.left_s is None else f"{words.short_clock(job.left_s)} left  "
    return [
        (f"{job.kind} {job.fraction:>4.0%} ", "warn"),
        (look.glyphs.full * filled, "warn"),
        ("." * (room - filled), "dim"),
        (words.fit(f" {left}{doing}{more}   C cancels", max(width - room - len(job.kind) - 7, 0)), "dim"),
    ]
