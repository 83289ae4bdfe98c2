"""The mastering engineer: listens to a mix, and to what it made of it, and proposes the settings of the master strip.

Rules decide; of tone and width a model may. What is fine stays as it is. Every setting says what was measured; what a
person set is kept and worked around.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import Spectrum
from core.desk.sources import Source
from core.dsp.audio import Audio, Chain
from core.master import balance, bands, levels, strokes, styles
from core.master.chain import master_chain
from core.master.draft import KNOBS, Draft
from core.master.forecast import LimiterForecast
from core.master.levels import Heard
from core.master.reference import FULLY, Model, Strengths, listen_to_references, matching_curve
from core.master.render import processed
from core.master.sections import SectionMeter
from core.master.targets import MEDIA, Medium
from core.master.width import WidthMeter
from core.plans.document import MasterPlan, Target
from core.progress import Progress, part
from core.version import VERSION

if TYPE_CHECKING:
    from core.models.mastering import Controller, PortraitMeter

QUIET_LUFS: Final = -35.0
"""A mix below this is lifted before anything else."""
MASTERED_PLR_DB: Final = 10.0
"""A song whose peaks stand less than this above its loudness has been limited before."""
RUMBLE_DB: Final = -7.0
"""Level of the third octave at 25 Hz, against the whole, that one finished song in a hundred reaches."""
WIDE_LOWS_DB: Final = 1.5
"""Side against middle below `MONO_BELOW_HZ`: of finished songs two in a hundred have more, and half have over -10."""
OPPOSED: Final = -0.2
"""Correlation of left and right; of finished songs one in a hundred lies below, one in twenty below 0."""
MONO_BELOW_HZ: Final = 110.0
_ANY_SIGNAL: Final = Medium()


class Meter(Protocol):
    """What gathers something of a song as it passes."""

    def add(self, block: Audio) -> None:
        """Take (channels, n)."""


def propose_master(
    source: Source,
    target: Target,
    *,
    reference: Path | None = None,
    references: Sequence[Path] = (),
    strengths: Strengths = FULLY,
    model: Model | None = None,
    style: str = "any",
    hands: float = 1.0,
    controller: Controller | None = None,
    previous: MasterPlan | None = None,
    progress: Progress | None = None,
) -> MasterPlan:
    """Propose how to master a mix for `target`, or towards reference songs.

    With references (or a `model` of them that was listened to before), each aspect of them is followed as far as
    `strengths` say, and their loudness takes the place of the target's; the target's ceiling stays. `style` names the
    music whose balance counts without a reference, and that says how much limiting is borne. With a `controller` a
    model decides on tone and width where it is sure. `hands` is how much of tone, width and compression is applied, 0
    to 1. Settings of `previous` that a person made or locked are kept. Raises OtoError: "not_found" and "bad_input" for
    files, styles and strengths that can't be used, "cancelled" when `progress` says so.
    """
    draft, engineer = Draft(previous), "rules"
    liked = styles.style_named(style)
    paths = [*([reference] if reference else []), *references]
    if paths:
        model = listen_to_references(paths, part(progress, 0.0, 0.2))
    rest = part(progress, 0.2, 0.8) if paths else progress
    sections = SectionMeter(source.rate_hz, source.channels)
    sides = WidthMeter(source.rate_hz, source.channels)
    peaks = strokes.StrokeMeter(source.rate_hz, source.channels)
    portrait = _portrait(source) if controller and not model else None
    meters = (sections, *(() if model else (sides, peaks)), *((portrait,) if portrait else ()))
    # What is matched to a model is shaped, and heard again: until then the samples' peaks are enough.
    forecast = LimiterForecast(source.rate_hz, source.channels, rough=model is not None)
    heard = _listen(source, Chain([]), forecast, meters, part(rest, 0.0, 0.5), f"listening to {source.name}")
    whole, loudest = sections.spectra()
    medium = MEDIA.get(target.name, _ANY_SIGNAL)
    if model and strengths.loudness:
        target = _as_loud_as(model, target, strengths.loudness)
    levels.hold_peaks(draft, target)
    if heard is None:
        draft.notes.append("There is nothing to measure: silence, or less than 0.4 s. The level stays as it is.")
    else:
        if heard.integrated_lufs < QUIET_LUFS:
            levels.to_working_level(draft, heard)
        glue = hands * (strengths.dynamics if model else 1.0)
        mastered = heard.plr_db <= MASTERED_PLR_DB
        lifted = not model and strokes.lift(draft, peaks.result_db(), heard, target, hands)
        if model:
            draft.set_curve(matching_curve(loudest, model, strengths, source.rate_hz))
        elif mastered:
            draft.notes.append(
                f"Peaks stand only {heard.plr_db:.1f} dB above the loudness: this has been mastered before, so only "
                f"its level {'and its strokes are' if lifted else 'is'} changed."
            )
        else:
            changes = balance.by_rules(whole, sides.result(), liked, source.rate_hz)
            if controller and portrait and (drawn := portrait.result()):
                engineer = controller.name
                advice = controller.advise(drawn)
                changes = balance.by_model(advice, changes, whole, liked, source.rate_hz)
                glue *= levels.left_to_press(draft, advice["crest_db"])
            balance.put(draft, changes, medium, hands)
            bands.even_out(draft, sections.powers(), heard.integrated_lufs, liked, source.rate_hz, hands)
        if not mastered:
            _clean_lows(draft, whole)
            _image(draft, whole)
            if not model or heard.plr_db > model.plr_db:
                levels.glue(draft, heard, target, glue)
        if medium.mono_below_hz and any(whole.side):
            draft.set("mono_below_hz", medium.mono_below_hz, medium.why, 0.9)
        if draft.shapes() or model:
            shaping = master_chain(draft.settings, source.rate_hz, source.channels, draft.curve).shaping
            forecast = LimiterForecast(source.rate_hz, source.channels)
            doing = "listening to the shaped mix"
            heard = _listen(source, shaping, forecast, (), part(rest, 0.5, 0.5), doing) or heard
        levels.reach_loudness(draft, heard, target, medium.most_limiting_db or liked.most_limiting_db)
    return MasterPlan(
        engineer=engineer,
        hands=hands,
        oto_version=VERSION,
        target=target,
        reference=str(paths[0]) if paths else None,
        references=model.names if model else (),
        settings={name: draft.settings[name] for name in KNOBS if name in draft.settings},
        curve=draft.curve,
        notes=tuple(draft.notes),
    )


# ---------------------------------------------------------------- listening


def _portrait(source: Source) -> PortraitMeter:
    # Most masters ask no model, which would have to be loaded.
    from core.models.mastering import PortraitMeter

    return PortraitMeter(source.rate_hz, source.channels)


def _listen(
    source: Source,
    chain: Chain,
    forecast: LimiterForecast,
    meters: Sequence[Meter],
    progress: Progress | None,
    doing: str,
) -> Heard | None:
    """Measure a source behind a chain; None for silence and what is too short to have a loudness."""
    for block in processed(source, chain, progress, doing):
        for meter in meters:
            meter.add(block)
        forecast.add(block)
    forecast.finish()
    lufs, peak = forecast.unlimited_lufs(), forecast.peak_dbtp()
    return None if lufs is None or peak is None else Heard(forecast=forecast, integrated_lufs=lufs, peak_dbtp=peak)


def _as_loud_as(model: Model, target: Target, strength: float) -> Target:
    """The target with as much of the references' loudness as is wanted."""
    lufs = target.integrated_lufs + strength * (model.integrated_lufs - target.integrated_lufs)
    whose = f"As loud as {model.name}" if strength == 1.0 else f"{100 * strength:.0f} % of the way to {model.name}"
    return Target(
        name="reference",
        integrated_lufs=round(lufs, 1),
        true_peak_dbtp=target.true_peak_dbtp,
        why=f"{whose} ({model.integrated_lufs:.1f} LUFS), with the ceiling of {target.name}.",
    )


# ---------------------------------------------------------------- the rules


def _clean_lows(draft: Draft, spectrum: Spectrum) -> None:
    rumble_db = float(spectrum.levels_db()[0])
    if rumble_db > RUMBLE_DB:
        why = f"Around {BAND_HZ[0]:.0f} Hz the mix is as strong as {rumble_db:.1f} dB of the whole: rumble, not music."
        draft.set("highpass_hz", 30.0, why, 0.7)
    low_db = spectrum.side_db(20.0, MONO_BELOW_HZ)
    if low_db is not None and low_db > WIDE_LOWS_DB:
        why = (
            f"Below {MONO_BELOW_HZ:.0f} Hz the sides are {low_db:.1f} dB stronger than the middle: mono loses most of "
            "the bass."
        )
        draft.set("mono_below_hz", MONO_BELOW_HZ, why, 0.7)


def _image(draft: Draft, spectrum: Spectrum) -> None:
    if spectrum.correlation is not None and spectrum.correlation < OPPOSED:
        why = f"Left and right work against each other (correlation {spectrum.correlation:.2f}): mono would lose parts."
        draft.set("width", 0.7, why, 0.6)
        draft.notes.append(
            "Left and right partly cancel each other. A microphone or channel may have its polarity inverted."
        )
