"""The Master screen as lines: loudness over time, what the limiter did, the spectrum, the delivery check."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, TypeVar

from rich.cells import cell_len

from core.protocol.topics import Bounce, Overview
from tui import waveform, words
from tui.look import Look, Role
from tui.picture import Picture
from tui.widgets.paper import Line, Span

LABEL: Final = 7
"""Cells left of a curve for its figures."""
LOUDNESS_SPAN_LU: Final = 24.0
LIMITER_SPAN_DB: Final = 6.0
MUCH_LIMITING_DB: Final = 3.0
SPECTRUM_TOP_DB: Final = 18.0
SPECTRUM_SPAN_DB: Final = 48.0


def head(bounce: Bounce | None, overview: Overview | None, look: Look, width: int) -> Line:
    """What is selected, in a line."""
    if bounce is None:
        return []
    peak = "" if bounce.true_peak_dbtp is None else f"{bounce.true_peak_dbtp:.1f} dBTP"
    deepest = max(overview.limiter_db, default=0.0) if overview is not None else 0.0
    limited = f"limiter up to {deepest:.1f} dB" if deepest >= 0.05 else ""
    source = f"from {words.clean(bounce.source_bounce)}" if bounce.source_bounce else ""
    target = f"for {words.clean(bounce.target)}" if bounce.target else ""
    like = f"like {', '.join(map(words.clean, bounce.like))}" if bounce.like else ""
    facts = [words.clean(bounce.id), target, words.loudness(bounce.integrated_lufs), peak, limited, like, source]
    ends = list(accumulate(cell_len(fact) + 2 for fact in facts if fact))
    whole = [fact for fact, end in zip(filter(None, facts), ends, strict=True) if end - 2 <= width]
    return [(words.fit("  ".join(whole), width, look.glyphs.ellipsis).rstrip(), "title")]


def loudness(overview: Overview, integrated_lufs: float | None, look: Look, width: int, height: int) -> list[Line]:
    """Short-term loudness over the song, its integrated loudness as a line through it; below, what was limited."""
    limiter_rows = min(2, height - 2) if any(overview.limiter_db) else 0
    rows = max(height - limiter_rows, 1)
    room = max(width - LABEL, 1)
    known = [lufs for lufs in overview.loudness_lufs if lufs is not None]
    if not known:
        return [[("  Silence.", "dim")]]
    top = max(known)
    bottom = top - LOUDNESS_SPAN_LU
    curve = [_loudest(share) for share in _shares(overview.loudness_lufs, room)]
    heights = [0.0 if lufs is None else min(max((lufs - bottom) / LOUDNESS_SPAN_LU, 0.0), 1.0) for lufs in curve]
    middle = None if integrated_lufs is None else rows - 1 - int((integrated_lufs - bottom) / LOUDNESS_SPAN_LU * rows)
    lines: list[Line] = []
    for y, text in enumerate(waveform.bars(heights, rows, look.glyphs)):
        here = y == middle and integrated_lufs is not None
        label = f"{integrated_lufs:>4.0f}" if here else f"{top:>4.0f}" if y == 0 else "LUFS" if y == 1 else ""
        line = text.replace(" ", look.glyphs.dash) if here else text
        lines.append([(label.ljust(LABEL), "accent" if here else "dim"), (line, "text")])
    if limiter_rows:
        reductions = [max(share, default=0.0) for share in _shares(overview.limiter_db, room)]
        bars = waveform.bars([min(db / LIMITER_SPAN_DB, 1.0) for db in reductions], limiter_rows, look.glyphs)
        role: Role = "warn" if max(reductions) > MUCH_LIMITING_DB else "good"
        for y, text in enumerate(bars):
            label = "limit" if y == limiter_rows - 1 else f"{LIMITER_SPAN_DB:.0f} dB"
            lines.append([(label.ljust(LABEL), "dim"), (text, role)])
    return lines


T = TypeVar("T")


def _shares(values: Sequence[T], width: int) -> list[Sequence[T]]:
    count = max(len(values), 1)
    return [values[x * count // width : max((x + 1) * count // width, x * count // width + 1)] for x in range(width)]


def _loudest(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def spectrum(overview: Overview, look: Look, height: int) -> list[Line]:
    """Third octaves; those outside of where finished music usually lies are warnings, the edges of that are dashes."""
    count = len(overview.band_db)
    if not count or height < 2:
        return []
    rows = height - 2
    heights = [_place(level) for level in overview.band_db]
    lows = [int(_place(level) * rows) for level in overview.usual_low_db]
    highs = [int(_place(level) * rows) for level in overview.usual_high_db]
    lines: list[Line] = [[("  Spectrum, and the usual range", "title")]]
    for y, text in enumerate(waveform.bars(heights, rows, look.glyphs)):
        level = rows - 1 - y
        spans: list[Span] = [("  ", "dim")]
        for x, character in enumerate(text):
            edge = bool(lows) and level in (lows[x], highs[x])
            if character == " " and edge:
                spans.append((look.glyphs.dash, "dim"))
            else:
                spans.append((character, _judged(overview, x)))
        lines.append(spans)
    return [*lines, [("  " + _hz_ruler(overview.band_hz), "dim")]]


def _place(level_db: float) -> float:
    return min(max(1.0 - (SPECTRUM_TOP_DB - level_db) / SPECTRUM_SPAN_DB, 0.0), 1.0)


def _judged(overview: Overview, band: int) -> Role:
    if not overview.usual_low_db:
        return "text"
    usual = overview.usual_low_db[band] - 1.0 <= overview.band_db[band] <= overview.usual_high_db[band] + 1.0
    return "good" if usual else "warn"


def _hz_ruler(bands_hz: Sequence[float]) -> str:
    text = ""
    for hz, name in ((50, "50"), (200, "200"), (1_000, "1k"), (5_000, "5k"), (14_000, "14k")):
        at = min(range(len(bands_hz)), key=lambda n: abs(bands_hz[n] - hz))
        text = text.ljust(at) + name
    return text


def delivery(bounce: Bounce, overview: Overview, look: Look, width: int, height: int) -> list[Line]:
    """What the target asks for and whether it is met; what is not comes first, with what to do."""
    if bounce.kind != "master":
        return [[("Delivery", "title")], [("A mix is not delivered: B makes a master of it.", "dim")]]
    if not overview.delivery:
        return [[("Delivery", "title")], [("The mix it was made from is gone.", "dim")]]
    failed = [check for check in overview.delivery if not check.passes]
    passed = [check for check in overview.delivery if check.passes]
    said = "ready to leave" if not failed else f"{len(failed)} to look at"
    lines: list[Line] = [[("Delivery: ", "title"), (said, "bad" if failed else "good")]]
    for check in failed:
        wrapped = words.wrap(words.clean(check.says), max(width - 2, 1), 3)
        lines += [[("! " if n == 0 else "  ", "bad"), (line, "warn")] for n, line in enumerate(wrapped)]
    for check in passed:
        says = words.fit(words.clean(check.says), max(width - 3, 1), look.glyphs.ellipsis).rstrip()
        lines.append([("ok ", "good"), (says, "dim")])
    return lines[:height]


def nothing_yet(picture: Picture, bounce: Bounce | None, problem: str) -> list[Line]:
    """What stands where the curves will be."""
    if bounce is None:
        return [[("  Nothing has been rendered yet: 3 goes to Mix, b renders there.", "dim")]]
    if problem:
        return [[(f"  It can't be looked at: {words.clean(problem)}", "warn")]]
    busy = next((job.kind for job in picture.running_jobs if job.state == "running"), None)
    after = f", after the {busy} that is running" if busy else ""
    return [[(f"  It is being looked at{after}. It plays already.", "dim")]]
