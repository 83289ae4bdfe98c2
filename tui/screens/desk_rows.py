"""The Mix screen's console: a column per strip with fader and meter, and the selected strip's curves and sends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from itertools import pairwise
from typing import Final

from core.plans.document import MixPlan, Setting, Settings, Strip, value_of
from core.plans.parameters import SENDS, Parameter
from core.protocol.topics import Bounce, Overview
from tui import curves, knobs, plot, words
from tui.look import Glyphs, Look, Role
from tui.screens.mix_rows import role_of, signs_of_bands
from tui.waveform import SILENCE
from tui.widgets.bridge import CLIP_DBFS, FLOOR_DBFS, HOT_DBFS
from tui.widgets.columns import Column
from tui.widgets.paper import Line, Span

COLUMN: Final = 9
FIXED_ROWS: Final = 5
"""Of a column: name, role, value, pan, marks; the fader has the rest."""
FADER_LAW: Final = ((-90.0, 0.0), (-60.0, 0.03), (-40.0, 0.15), (-20.0, 0.4), (-10.0, 0.6), (0.0, 0.8), (12.0, 1.0))
"""Decibels and how far up the fader's way they are: as on a desk, most of the way lies around unity."""
TONE_RANGES_DB: Final = (6.0, 12.0, 18.0, 30.0)
LEVELS_DB: Final = (-60.0, 0.0)
DECADES_HZ: Final = ((100.0, "100"), (1_000.0, "1k"), (10_000.0, "10k"))
AXIS: Final = 4
"""Cells for the figures beside a curve."""
BY_ROLE: Final[Mapping[str, Role]] = {"person": "person", "model": "model"}


def peaks_now(overview: Overview | None, bounce: Bounce | None, position_s: float | None) -> dict[str, float]:
    """Per strip, return and "mix" the sample peak of the rendered bounce in dBFS: where it plays, or the loudest."""
    if overview is None or bounce is None or not bounce.frames:
        return {}
    share = None if position_s is None else position_s * bounce.rate_hz / bounce.frames
    levels: dict[str, float] = {}
    for name, peaks in overview.peaks.items():
        if not peaks:
            continue
        byte = min(peaks) if share is None else peaks[min(max(int(share * len(peaks)), 0), len(peaks) - 1)]
        levels[name] = -byte / 2.0 if byte < SILENCE else words.SILENCE_DBFS
    return levels


def strips(
    plan: MixPlan,
    look: Look,
    height: int,
    peaks: Mapping[str, float],
    *,
    live: bool,
    alone: Set[str] = frozenset(),
    left_out: Set[str] = frozenset(),
) -> list[Column]:
    """A column per strip, bus and master. `live` says that `peaks` are those of this moment."""
    columns: list[Column] = []
    for section in knobs.section_names(plan):
        found, settings = knobs.find(plan, section), knobs.settings_of(plan, section)
        name = knobs.strip_of(section) or "master"
        peak = peaks.get("mix" if section == knobs.MASTER else name)
        silent = name in left_out or (bool(alone) and name not in alone)
        marks = ("S" if name in alone else " ") + ("M" if name in left_out else " ")
        lines: list[Line] = [
            _name_line(found if isinstance(found, Strip) else None, name, look),
            _role_line(found if isinstance(found, Strip) else None, section, look),
            *_fader_lines(settings, look, max(height - FIXED_ROWS, 1), peak, live=live and not silent),
            _value_line(settings, look),
            [(_pan(settings, look) if isinstance(found, Strip) else " " * COLUMN, "dim")],
            [(marks, "warn"), (signs_of_bands(settings).rjust(COLUMN - 2), "dim")],
        ]
        columns.append(Column(lines, section))
    return columns


def _name_line(strip: Strip | None, name: str, look: Look) -> Line:
    marks = {"lead": look.glyphs.up, "background": look.glyphs.down}
    first = marks.get(strip.priority, "") if strip is not None else ""
    return [(words.fit(first + words.clean(name), COLUMN, look.glyphs.ellipsis), "title" if strip else "text")]


def _role_line(strip: Strip | None, section: str, look: Look) -> Line:
    role = role_of(strip) if strip else "mix" if section == knobs.MASTER else "bus"
    return [(words.fit(role, COLUMN, look.glyphs.ellipsis), "dim")]


def fader_height(gain_db: float) -> float:
    """How far up its way a fader stands, 0..1."""
    for (low_db, low), (high_db, high) in pairwise(FADER_LAW):
        if gain_db <= high_db:
            return low + (high - low) * (max(gain_db, low_db) - low_db) / (high_db - low_db)
    return 1.0


def _fader_lines(settings: Settings, look: Look, rows: int, peak: float | None, *, live: bool) -> list[Line]:
    glyphs = look.glyphs
    knob = round((1.0 - fader_height(value_of(settings, "fader_db", 0.0))) * (rows - 1))
    unity = round((1.0 - fader_height(0.0)) * (rows - 1))
    meter = _meter(peak, rows, glyphs)
    role: Role = "dim"
    if live and peak is not None:
        role = "meter_ok" if peak < HOT_DBFS else "meter_hot" if peak < CLIP_DBFS else "meter_clip"
    lines: list[Line] = []
    for y in range(rows):
        track: Span = ("[=]", "accent") if y == knob else ("-|-", "dim") if y == unity else (" | ", "dim")
        lines.append([(" ", "text"), track, ("  ", "text"), (meter[y] * 2, role), (" ", "text")])
    return lines


def _meter(peak_dbfs: float | None, rows: int, glyphs: Glyphs) -> list[str]:
    """A standing bar from -60 to 0 dBFS, from top to bottom."""
    steps = len(glyphs.heights)
    share = 0.0 if peak_dbfs is None else min(max(1.0 - peak_dbfs / FLOOR_DBFS, 0.0), 1.0)
    filled = round(share * rows * steps)
    above = (min(max(filled - y * steps, 0), steps) for y in reversed(range(rows)))
    return [glyphs.heights[step - 1] if step else " " for step in above]


def _value_line(settings: Settings, look: Look) -> Line:
    if value_of(settings, "mute", 0.0):
        return [("mute".center(COLUMN), "warn")]
    fader = settings.get("fader_db", Setting(value=0.0))
    lock = look.glyphs.lock if fader.locked else " "
    return [(lock, "text"), (words.gain(float(fader.value)).center(COLUMN - 1), BY_ROLE.get(fader.by, "text"))]


def _pan(settings: Settings, look: Look) -> str:
    """Where between left and right."""
    position = value_of(settings, "pan", 0.0)
    at = round((position + 1.0) / 2.0 * (COLUMN - 1))
    way = ["."] * COLUMN
    way[COLUMN // 2] = ":"
    way[at] = look.glyphs.full
    return "".join(way)


# ---------------------------------------------------------------- curves


def tone(plan: MixPlan, section: str, rate_hz: int, look: Look, width: int, height: int) -> list[Line]:
    """High-pass and equaliser of a section over frequency, with their figures."""
    settings, rows, room = knobs.settings_of(plan, section), height - 2, width - AXIS
    if rows < 1 or room < 1:
        return []
    frequencies = curves.spread_hz(plot.columns(room, look.glyphs))
    values = curves.tone_db(settings, knobs.knobs_of(section), rate_hz, frequencies)
    highest = max(map(abs, (value for value, hz in zip(values, frequencies, strict=True) if hz > 60.0)), default=0.0)
    reach = next((db for db in TONE_RANGES_DB if highest <= db), TONE_RANGES_DB[-1])
    name = words.fit(words.clean(knobs.strip_of(section) or "master"), 12).rstrip()
    head: Line = [(f"{name}: EQ", "title"), (f"  {_tone_figures(settings, knobs.knobs_of(section))}", "dim")]
    axis = {0: f"{reach:+.0f}", rows - 1: f"{-reach:+.0f}", plot.row_of(0.0, -reach, reach, rows, look.glyphs): "0"}
    lines = _plotted(values, -reach, reach, rows, axis, look)
    return [head, *lines, [(_frequency_axis(room), "dim")]]


def _tone_figures(settings: Settings, section_knobs: Mapping[str, Parameter]) -> str:
    """What is set, in signal order."""
    highpass_hz = value_of(settings, "highpass_hz", curves.HIGHPASS_OFF_HZ)
    parts = [f"HP {words.frequency(highpass_hz)}"] if highpass_hz > curves.HIGHPASS_OFF_HZ else []
    for number in range(1, len(curves.SHAPES) + 1):
        if gain_db := value_of(settings, f"eq{number}_gain_db", 0.0):
            name = f"eq{number}_freq_hz"
            hz = value_of(settings, name, float(section_knobs[name].neutral))
            parts.append(f"{words.frequency(hz)} {words.gain(gain_db)}")
    return "  ".join(parts) or "flat"


def dynamics(plan: MixPlan, section: str, look: Look, width: int, height: int) -> list[Line]:
    """How loud a steady tone comes out by how loud it went in: gate, threshold, ratio, knee, make-up."""
    settings, section_knobs = knobs.settings_of(plan, section), knobs.knobs_of(section)
    rows, room = height - 2, width - AXIS
    if "comp_ratio" not in section_knobs or rows < 1 or room < 1:
        return []
    low, high = LEVELS_DB
    count = plot.columns(room, look.glyphs)
    inputs = [low + (high - low) * x / max(count - 1, 1) for x in range(count)]
    values = [curves.level_db(settings, section_knobs, level) for level in inputs]
    ratio = value_of(settings, "comp_ratio", 1.0)
    knee_db = value_of(settings, "comp_knee_db", float(section_knobs["comp_knee_db"].neutral))
    figures = f"{ratio:.1f}:1 {value_of(settings, 'comp_threshold_db', 0.0):.0f} dB knee {knee_db:.0f}"
    head: Line = [("Dyn ", "title"), (figures if ratio > 1.0 else "out", "dim")]
    lines = _plotted(values, low, high, rows, {0: "0", rows - 1: f"{low:.0f}"}, look)
    scale = " " * AXIS + f"{low:.0f}".ljust(room - 1) + "0"
    return [head, *lines, [(scale, "dim")]]


def sends(plan: MixPlan, section: str, look: Look, width: int, height: int) -> list[Line]:
    """Where a strip's sound also goes, how much, and on which bus it is summed."""
    settings = knobs.settings_of(plan, section)
    if not isinstance(knobs.find(plan, section), Strip):
        return []
    bus = settings.get("bus")
    lines: list[Line] = [[("Sends", "title")]]
    for name in SENDS:
        level_db = value_of(settings, f"send_{name}_db", knobs.OFF_DB)
        room = max(width - 11, 0)
        filled = round(fader_height(level_db) * room)
        lines.append(
            [(f"{name:<5} {words.gain(level_db):>5}", "dim" if level_db <= knobs.OFF_DB else "text"),
             (look.glyphs.full * filled if level_db > knobs.OFF_DB else "", "accent")]
        )  # fmt: skip
    lines.append([(f"bus {bus.value if bus else 'master'}", "dim")])
    return lines[:height]


def _plotted(
    values: list[float], low: float, high: float, rows: int, axis: Mapping[int, str], look: Look
) -> list[Line]:
    zero = plot.row_of(0.0, low, high, rows, look.glyphs) if low < 0.0 < high else None
    lines: list[Line] = []
    for y, text in enumerate(plot.curve(values, low, high, rows, look.glyphs)):
        spans: list[Span] = [(f"{axis.get(y, ''):>{AXIS - 1}} ", "dim")]
        if y == zero:
            spans += [("-", "dim") if character == " " else (character, "accent") for character in text]
        else:
            spans.append((text, "accent"))
        lines.append(spans)
    return lines


def _frequency_axis(room: int) -> str:
    """Decades below their frequencies, after the figures' cells."""
    line = list(" " * (AXIS + room))
    line[AXIS : AXIS + 2] = "20"
    for hz, label in DECADES_HZ:
        at = AXIS + round((room - 1) * _position(hz))
        line[at : at + len(label)] = label
    return "".join(line)[: AXIS + room]


def _position(hz: float) -> float:
    """0..1 between 20 Hz and 20 kHz."""
    return math.log(hz / 20.0) / math.log(1_000.0)
