"""Where masters go, as data: loudness and true-peak ceiling, each with its source, and what a medium can't carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.errors import Exit, OtoError
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
    Target(
        name="soundcloud",
        integrated_lufs=-14.0,
        true_peak_dbtp=-1.0,
        why="SoundCloud turns down to about -14 LUFS; its low bit rates make -1 dBTP the least to leave.",
    ),
    Target(
        name="bandcamp",
        integrated_lufs=-12.0,
        true_peak_dbtp=-1.0,
        why="Bandcamp turns nothing up or down and sells lossless files: between CD and streaming, short of damage.",
    ),
    Target(
        name="vinyl",
        integrated_lufs=-16.0,
        true_peak_dbtp=-3.0,
        why="No standard exists. A pre-master for the cutting engineer: headroom instead of limiting, bass in the "
        "middle, nothing added above 10 kHz.",
    ),
    Target(
        name="ebu_r128",
        integrated_lufs=-23.0,
        true_peak_dbtp=-1.0,
        why="EBU R 128: -23.0 LUFS, at most -1 dBTP. The same as broadcast, by its other name.",
    ),
)
"""Names as `oto master --target` takes them."""


@dataclass(frozen=True)
class Medium:
    """What a target's medium asks for beside a level."""

    mono_below_hz: float = 0.0
    """Sides below are taken out whatever was measured; 0 leaves that to the ear."""
    highs_db: float | None = None
    """Gain of the high shelf at most; None lets the balance decide."""
    most_limiting_db: float | None = None
    """At the loudest hundredth of the time; None lets the style decide."""
    why: str = ""


MEDIA: Final[dict[str, Medium]] = {
    "vinyl": Medium(
        mono_below_hz=150.0,
        highs_db=0.0,
        most_limiting_db=1.0,
        why="A groove can't hold bass out of phase, distorts with strong highs, and gains nothing from limited peaks "
        "(cutting houses' common requirements).",
    ),
}
"""By the target's name; the others take any signal."""


def target_named(name: str) -> Target:
    """The delivery target of this name. Raises OtoError("bad_input") listing those there are."""
    try:
        return TARGETS[name]
    except KeyError as error:
        raise OtoError(
            "bad_input", f"There is no target {name!r}.", "Targets: " + ", ".join(TARGETS) + ".", Exit.BAD_INPUT
        ) from error
