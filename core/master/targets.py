"""Where masters go, as data: loudness and true-peak ceiling, each with its source."""

from __future__ import annotations

from typing import Final

from core.plans.document import Target


def _targets(*targets: Target) -> dict[str, Target]:
    return {target.name: target for target in targets}


TARGETS: Final[dict[str, Target]] = _targets(
    Target(
        name="streaming",
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.0,
        why="What most music services play at; 1 dB is left for their lossy codecs.",
    ),
    Target(
        name="cd",
        integrated_lufs=-11.0,
        true_peak_dbtp=-0.3,
        why="No standard exists. Louder than streaming, since nothing turns a disc up, and short of damage.",
    ),
    Target(
        name="club",
        integrated_lufs=-9.0,
        true_peak_dbtp=-0.5,
        why="No standard exists. Loud, because a DJ turns nothing up; the ceiling survives a lossy copy.",
    ),
    Target(
        name="broadcast",
        integrated_lufs=-23.0,
        true_peak_dbtp=-1.0,
        why="EBU R 128: -23.0 LUFS, at most -1 dBTP.",
    ),
    Target(
        name="podcast",
        integrated_lufs=-16.0,
        true_peak_dbtp=-1.0,
        why="Apple Podcasts' audio requirements: around -16 LUFS, at most -1 dBTP.",
    ),
    Target(
        name="spotify",
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.0,
        why="Spotify for Artists, loudness normalisation: -14 LUFS in the normal setting, below -1 dBTP.",
    ),
    Target(
        name="apple_music",
        integrated_lufs=-16.0,
        true_peak_dbtp=-1.0,
        why="Sound Check plays at about -16 LUFS; Apple Digital Masters asks for 1 dB below full scale.",
    ),
    Target(
        name="youtube",
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.0,
        why="YouTube turns down what is louder than -14 LUFS and leaves the rest.",
    ),
    Target(
        name="tidal",
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.0,
        why="TIDAL normalises albums to -14 LUFS; -1 dBTP for its codecs.",
    ),
    Target(
        name="amazon_music",
        integrated_lufs=-14.0,
        true_peak_dbtp=-2.0,
        why="Amazon Music normalises to -14 LUFS and asks for -2 dBTP.",
    ),
    Target(
        name="deezer",
        integrated_lufs=-15.0,
        true_peak_dbtp=-1.0,
        why="Deezer normalises to -15 LUFS.",
    ),
)
"""Names as `oto master --target` takes them."""
