"""The recogniser's card: what is known of it before it is measured, and the figures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import onnxruntime

from core.models.card import Card, Data, Metric, Tensor
from core.models.features import BANDS, FEATURES, FRAMES
from training.data.manifest import Source, sources
from training.data.npm import archives
from training.roles.labels import LABELS
from training.roles.measure import Figures, RoleFigures, StyleFigures

VERSION: Final = "3"
WEAK: Final = 0.6
"""A role recognised less often than this is named among the limits."""

MULTITRACKS: Final = (
    Data(name="Everything is Free: hydrogen, lithium, potassium", licence="CC0-1.0", used_for="training"),
    Data(name="Everything is Free: francium", licence="CC0-1.0", used_for="validation"),
    Data(name="Everything is Free: caesium", licence="CC0-1.0", used_for="test"),
    Data(name="Frets on Fire songs: sectoid (2), muldjord (1)", licence="MIT-style; CC-BY-SA-3.0", used_for="training"),
    Data(name="Frets on Fire songs: muldjord armygeddon", licence="CC-BY-SA-3.0", used_for="validation"),
    Data(name="Frets on Fire songs: sectoid war of freedom", licence="MIT-style", used_for="test"),
    Data(name="LMMS demo songs: ZeroSumGame, MakeMe, AxeFromThe80s", licence="Artistic-2.0", used_for="training"),
    Data(name="LMMS demo song: Mauiwowi", licence="CC-BY-SA-3.0", used_for="validation"),
    Data(name="LMMS demo songs: Progress, DearJonDoe", licence="Artistic-2.0; GPL-2+", used_for="test"),
    Data(name="Tracker modules of heroes and pingus (5)", licence="GPL-2+", used_for="training"),
    Data(name="Tracker modules of heroes and pingus (2)", licence="GPL-2+", used_for="validation"),
    Data(name="mdn multitrack (funk band)", licence="CC0-1.0 per its repository, unproven", used_for="test"),
    Data(name="Groove MIDI, by drummer", licence="CC-BY-4.0", used_for="training, validation, test (as rhythms)"),
    Data(name="freedoom MIDI, by song", licence="BSD-3-Clause", used_for="training, validation, test (as phrases)"),
    Data(name="espeak-ng, spoken and sung through WORLD", licence="GPL-3+ (program)", used_for="training, validation"),
    Data(name="Drum machines, synthesizers and plucked strings by arithmetic", licence="ours", used_for="training"),
)  # fmt: skip

LIMITS: Final = (
    "Tells no lead from a backing vocal, no electric from a synth bass and no overheads or room from a whole kit: they "
    "are one label each.",
    "Singing is scarce in what it learned from: one singer's album, choirs of soundfonts and tracker modules, "
    "synthetic lines, and two telephone speakers' prompts that a vocoder sings. Other voices, languages, rap, "
    "screaming and a cappella groups were not heard.",
    "The test singer is the training singer in another song: the figure for lead_vocal is optimistic.",
    "Acoustic guitar, clean electric guitar and electric bass were each learned from two real instruments beside "
    "soundfonts; the acoustic guitars of the test are sampled.",
    "Strings, brass, woodwind, piano and keys were learned from soundfonts and, note by note, from a violin, a double "
    "bass, four brass and three woodwind instruments, one grand, a harmonium, an organ and a xylophone, nearly all "
    "strings and winds by one maker; no saxophone and no section. There is next to no real recording of them to test "
    "on.",
    "Pads were learned from soundfonts and synthesizers alone.",
    "The soundfont that it was chosen on shares two thirds of its recordings with the test's: on a soundfont that is "
    "wholly new it may be worse.",
    "Electronic, tracker and metal music stand for all styles; jazz, folk, classical, hip-hop and world music "
    "are missing.",
    "Misses its aims of 85 % (clean), 75 % (bled and noisy), top-2 95 % and a calibration error below 5 %: it learned "
    "in 1,710 steps of 64 from 11,181 pictures.",
    "The surest mistakes, looked at as pictures: hi-hats that ring are taken for cymbals, bright snares for hi-hats, "
    "rolls on a snare for toms, synthetic singing for speech, a cello for a singer, a clean guitar for a piano.",
    "Says nothing of a third of the tracks of clean songs and of more than half of bled ones, and of what it says of "
    "bled songs a third is wrong: there names, people and rules decide.",
    "Learned from 48 kHz recordings; low-bandwidth sources (telephone speech) were heard as speech only.",
)


def card_of(
    file: Path,
    calibration: dict[str, float],
    figures: list[Figures],
    roles: list[RoleFigures],
    styles: list[StyleFigures],
) -> Card:
    """The card of a measured file. It is in use only if it beats the rules on recordings, clean and harmed."""
    judged = [each for each in figures if "soundfont" not in each.name]
    in_use = all(each.macro > each.rules for each in judged)
    words = ", ".join(f"{each.macro:.0%} against {each.rules:.0%} ({each.name})" for each in judged)
    beats = "Beats" if in_use else "Does not beat"
    verdict = f"{beats} the rules about sound in macro accuracy on what it never saw: {words}."
    weak = [_weakness(each) for each in roles if _share(each) < WEAK]
    unseen = [each.label for each in roles if not each.clean[1]]
    limits = list(LIMITS)
    if weak:
        limits.append(f"Weak on held-out recordings, clean and harmed together: {'; '.join(weak)}.")
    if unseen:
        limits.append(f"No real recording to test on: {', '.join(unseen)}.")
    if styles:
        fares = [f"{each.style} {_of(each.clean)}, {_of(each.harmed)} ({each.songs})" for each in styles]
        limits.append(f"Right of all stems by style, clean and bled (songs): {'; '.join(fares)}.")
    return Card(
        name="roles",
        version=VERSION,
        what="Hears what is on a track (kick, bass, voice and 17 others) where its name does not say.",
        in_use=in_use,
        verdict=verdict,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        opset=17,
        onnxruntime=onnxruntime.__version__,
        features=FEATURES,
        inputs=(Tensor(name="mel", shape=("n", 1, FRAMES, BANDS), what="log-mel pictures of five seconds"),),
        outputs=(
            Tensor(name="logits", shape=("n", len(LABELS)), what="one per label, before temperature"),
            Tensor(name="embedding", shape=("n", 64), what="what the head sees"),
        ),
        labels=LABELS,
        temperature=calibration["temperature"],
        thresholds={"unsure": calibration["unsure"]},
        training="training/README.md, section Role recogniser",
        data=(*MULTITRACKS, *(_data(each) for each in sources())),
        metrics=tuple(metric for each in figures for metric in _metrics(each)),
        limits=tuple(limits),
    )


def _data(of: Source) -> Data:
    used_for = "training" if of.split == "train" else of.split
    archive = archives().get(of.package)
    held_by = f"{of.package} of npm, recorded by {archive.recorded_by}" if archive else of.package or "shared data"
    return Data(name=f"{of.name} ({held_by})", licence=of.licence, used_for=used_for)


def _of(counts: tuple[int, int]) -> str:
    return f"{counts[0]} of {counts[1]}"


def _weakness(role: RoleFigures) -> str:
    right, total = _counts(role)
    taken = f", often taken for {role.taken_for}" if role.taken_for else ""
    return f"{role.label} ({right} of {total}{taken})"


def _share(role: RoleFigures) -> float:
    right, total = _counts(role)
    return right / total if total else 1.0


def _counts(role: RoleFigures) -> tuple[int, int]:
    """Right and all, on recordings, clean and harmed."""
    return role.clean[0] + role.harmed[0], role.clean[1] + role.harmed[1]


def _metrics(of: Figures) -> tuple[Metric, ...]:
    low, high = of.macro_interval if of.groups > 1 else (None, None)
    return (
        Metric(
            what=f"macro accuracy, {of.name}",
            value=_round(of.macro),
            low=None if low is None else _round(min(low, of.macro)),
            high=None if high is None else _round(max(high, of.macro)),
            baselines={"rules": _round(of.rules), "largest class": _round(of.largest)},
        ),
        Metric(what=f"macro top-2 accuracy, {of.name}", value=_round(of.top2)),
        Metric(what=f"expected calibration error, {of.name}", value=_round(of.calibration), better="lower"),
    )


def _round(value: float) -> float:
    return round(value, 4)
