"""The report as one HTML page that needs nothing but itself, and the audio beside it if that is to be heard."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from core.plans.document import MasterPlan, MixPlan
from core.report.charts import Chart, charts
from core.report.decisions import Row, Section, channels, decided, sections
from core.report.document import Check, Piece, Report
from core.report.drawing import clock
from core.report.look import SCRIPT, STYLE
from core.report.portrait import Portrait
from core.report.text import escaped, minus

WHO: Final = {"default": "default", "rules": "rules", "model": "AI", "person": "you"}
"""Who decided, in one word."""


def page(report: Report, data_name: str) -> str:
    """The whole document; `data_name` is the file beside it that holds the same as JSON."""
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escaped(report.title)} · {report.kind} report</title>",
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>",
        _head(report),
        _players(report),
        *(_figure(chart) for chart in charts(report)),
        _meters(report),
        _delivery(report.checks),
        _notes(report.plan.notes),
        _desk(report.plan),
        _decisions(report),
        _foot(report, data_name),
        f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


_POLICY: Final = (
    f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; media-src 'self' file:; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing is fetched from anywhere, and only our own script runs, whatever a track is called."""


# ---------------------------------------------------------------- readings


class _Reading(NamedTuple):
    name: str
    of: Callable[[Portrait], float | None]
    unit: str
    digits: int = 1

    def shown(self, portrait: Portrait) -> str:
        value = self.of(portrait)
        return "–" if value is None else minus(f"{value:z.{self.digits}f}")

    def change(self, before: Portrait, after: Portrait) -> str:
        old, new = self.of(before), self.of(after)
        return "–" if old is None or new is None else minus(f"{new - old:+z.{self.digits}f}")


_LOUDNESS: Final = _Reading("Integrated loudness", lambda each: each.loudness.integrated_lufs, "LUFS")
_RANGE: Final = _Reading("Loudness range", lambda each: each.loudness.loudness_range_lu, "LU")
_TRUE_PEAK: Final = _Reading("True peak", lambda each: each.loudness.true_peak_dbtp, "dBTP")
_PLR: Final = _Reading("Peak to loudness (PLR)", lambda each: each.plr_db, "dB")
_READINGS: Final = (
    _LOUDNESS,
    _Reading("Loudest 3 s (short-term)", lambda each: each.loudness.short_term_max_lufs, "LUFS"),
    _Reading("Loudest 0.4 s (momentary)", lambda each: each.loudness.momentary_max_lufs, "LUFS"),
    _RANGE,
    _TRUE_PEAK,
    _Reading("Sample peak", lambda each: each.loudness.sample_peak_dbfs, "dBFS"),
    _PLR,
    _Reading("Crest factor", lambda each: each.crest_db, "dB"),
    _Reading("Correlation of left and right", lambda each: each.correlation, "", digits=2),
    _Reading("Width: sides against middle", lambda each: each.side_db, "dB"),
)


# ---------------------------------------------------------------- top


def _head(report: Report) -> str:
    before, after = report.before.portrait, report.after.portrait
    tiles = "".join(
        f"<div><dt>{name}</dt><dd>{reading.shown(after)} {reading.unit}"
        f"<small>{reading.shown(before)} before</small></dd></div>"
        for name, reading in (
            ("Loudness", _LOUDNESS),
            ("True peak", _TRUE_PEAK),
            ("Loudness range", _RANGE),
            ("Peak to loudness", _PLR),
        )
    )
    rate = f"{after.rate_hz / 1000:g} kHz, {'stereo' if after.channels == 2 else 'mono'}"
    length = f"<div><dt>Length</dt><dd>{clock(after.loudness.duration_s)}<small>{rate}</small></dd></div>"
    return (
        f'<header><p class="kind">OTO · {report.kind} report</p><h1><bdi>{escaped(report.title)}</bdi></h1>'
        f'<p class="made">{escaped(report.made)}</p>{_verdict(report)}<dl class="tiles">{tiles}{length}</dl></header>'
    )


def _verdict(report: Report) -> str:
    target = report.target()
    if target is None or not report.checks:
        return ""
    failed = [check for check in report.checks if not check.passes]
    if not failed:
        return f'<p class="verdict pass">✓ Ready for {escaped(target.name)}: every check passes.</p>'
    return f'<p class="verdict fail">✗ Not ready for {escaped(target.name)}: {escaped(failed[0].says)}</p>'


def _players(report: Report) -> str:
    pieces = [(name, piece) for name, piece in (("Before", report.before), ("After", report.after)) if piece.audio]
    if not pieces:
        return ""
    levels = [piece.portrait.loudness.integrated_lufs for _, piece in pieces]
    quietest = min((level for level in levels if level is not None), default=0.0)
    shown = "".join(
        _player(name, piece, 0.0 if level is None else quietest - level)
        for (name, piece), level in zip(pieces, levels, strict=True)
    )
    remark = ""
    if len(pieces) == 2:
        remark = (
            '<p class="remark">Both play equally loud, and one goes on where the other was.'
            "<noscript> Scripts are off: they play as loud as they are.</noscript></p>"
        )
    return f'<section class="listen"><h2>Listen</h2>{shown}{remark}</section>'


def _player(name: str, piece: Piece, gain_db: float) -> str:
    return (
        f'<p><label>{name}: <bdi>{escaped(piece.label)}</bdi><audio controls preload="none" '
        f'src="{escaped(piece.audio or "")}" data-gain="{10 ** (gain_db / 20):.4f}"></audio></label></p>'
    )


def _figure(chart: Chart) -> str:
    pictures = "".join(
        (f'<p class="of"><bdi>{escaped(caption)}</bdi></p>' if caption else "") + svg for caption, svg in chart.pictures
    )
    key = "".join(f'<li><span class="swatch {look}"></span>{escaped(meaning)}</li>' for look, meaning in chart.key)
    legend = f'<ul class="key">{key}</ul>' if key else ""
    remark = f'<p class="remark">{escaped(chart.remark)}</p>' if chart.remark else ""
    return (
        f"<section><h2>{escaped(chart.title)}</h2><figure>{pictures}"
        f"<figcaption>{legend}{remark}</figcaption></figure></section>"
    )


# ---------------------------------------------------------------- tables


def _meters(report: Report) -> str:
    before, after = report.before.portrait, report.after.portrait
    rows = [
        (
            f"{reading.name} <small>{reading.unit}</small>",
            reading.shown(before),
            reading.shown(after),
            reading.change(before, after),
        )
        for reading in _READINGS
    ]
    return (
        f"<section><h2>Meters</h2>{_table('meters', ('Reading', 'Before', 'After', 'Change'), rows)}"
        '<p class="remark">By ITU-R BS.1770-5, EBU Tech 3341 and 3342.</p></section>'
    )


def _delivery(checks: Sequence[Check]) -> str:
    if not checks:
        return ""
    items = "".join(_check(check) for check in checks)
    return f'<section><h2>Delivery</h2><ul class="checks">{items}</ul></section>'


def _check(check: Check) -> str:
    look, mark, word = ("pass", "✓", "passes") if check.passes else ("fail", "✗", "fails")
    name = escaped(check.name.replace("_", " "))
    return f'<li><b class="{look}">{mark} {name} {word}</b> {escaped(check.says)}</li>'


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{escaped(note)}</li>" for note in notes)
    return f'<section><h2>Notes</h2><ul class="notes">{items}</ul></section>'


def _desk(plan: MixPlan | MasterPlan) -> str:
    if not isinstance(plan, MixPlan) or not plan.strips:
        return ""
    rows = [
        (
            f"<bdi>{escaped(each.track)}</bdi> <small>{escaped(each.role)}, {escaped(each.bus)}</small>",
            *(escaped(word) for word in (each.fader, each.pan, each.sends)),
        )
        for each in channels(plan)
    ]
    table = _table("desk", ("Track", "Fader", "Pan", "Sends to"), rows)
    return f"<section><h2>The desk at a glance</h2>{table}</section>"


def _decisions(report: Report) -> str:
    found = [section for section in sections(report.plan) if section.rows]
    if not found:
        return "<section><h2>What was decided</h2><p>Nothing: the audio passed as it is.</p></section>"
    counts = ", ".join(
        f'{count} by <span class="who {by}">{WHO[by]}</span>' for by, count in sorted(decided(report.plan).items())
    )
    folded = len(found) > 1
    shown = "".join(_section(section, folded=folded) for section in found)
    return f'<section class="plan"><h2>What was decided, and why</h2><p>Settings: {counts}.</p>{shown}</section>'


def _section(section: Section, *, folded: bool) -> str:
    by_ai = sum(len(row.values) for row in section.rows if row.by == "model")
    mark = f' <span class="who model">AI: {by_ai}</span>' if by_ai else ""
    count = sum(len(row.values) for row in section.rows)
    about = f"{section.about} · {count} setting{'s' if count != 1 else ''}"
    summary = f"<b><bdi>{escaped(section.title)}</bdi></b> <small>{escaped(about)}</small>{mark}"
    table = _table("decisions", ("Setting", "Value", "By", "Sure", "Why"), [_cells(row) for row in section.rows])
    return f"<details{'' if folded else ' open'}><summary>{summary}</summary>{table}</details>"


def _cells(row: Row) -> tuple[str, ...]:
    values = "".join(f"<li><small>{escaped(label)}</small> {escaped(value)}</li>" for label, value in row.values)
    lock = " <small>locked</small>" if row.locked else ""
    return (
        escaped(row.title),
        f'<ul class="values">{values}</ul>',
        f'<span class="who {row.by}">{WHO[row.by]}</span>{lock}',
        "" if row.confidence is None else f"{row.confidence:.0%}",
        escaped(row.why),
    )


def _table(look: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML; the first of a row is its header."""
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    looks = [name.split()[0].lower() for name in heads]
    body = ""
    for first, *others in rows:
        cells = "".join(f'<td class="{look}">{cell}</td>' for look, cell in zip(looks[1:], others, strict=True))
        body += f'<tr><th scope="row">{first}</th>{cells}</tr>'
    return f'<table class="{look}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _foot(report: Report, data_name: str) -> str:
    return (
        f"<footer>Made by OTO {escaped(report.oto_version)}, {escaped(report.created_utc[:16])} UTC; "
        f"plan by {escaped(report.plan.engineer)}. The same as data: {escaped(data_name)}.</footer>"
    )
