"""What the file that ships makes of odd input: `python -m training.roles.robustness`, a table into docs/models.md.

The stems of the test songs are heard as they are and changed in ways that should not matter; then come things that are
no instrument at all.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from core.models.features import excerpts
from core.models.runtime import FILES
from training.data import clips
from training.data.manifest import sources
from training.data.phrases import PHRASE_S
from training.data.places import training_root
from training.data.rehearsal import hum, noise
from training.data.voices import prompts
from training.roles.answers import pooled
from training.roles.evaluate import percent, replace_section
from training.roles.export import run, session
from training.roles.labels import LABELS, NO_LABEL, index_of

Audio = NDArray[np.float32]
Heard = tuple[Audio, int]
"""Samples of shape (frames,) or (channels, frames), and their rate in Hz."""
RATE_HZ: Final = clips.RATE_HZ
STEM_S: Final = 15
SEED: Final = 11
BEGIN: Final = "<!-- robustness: written by training.roles.robustness -->"
END: Final = "<!-- /robustness -->"

CHANGES: Final[dict[str, Callable[[Audio], Heard]]] = {
    "as they are": lambda audio: (audio, RATE_HZ),
    "40 dB softer": lambda audio: (audio * np.float32(0.01), RATE_HZ),
    "20 dB louder, above full scale": lambda audio: (audio * np.float32(10.0), RATE_HZ),
    "polarity turned": lambda audio: (-audio, RATE_HZ),
    "on two channels alike": lambda audio: (np.stack([audio, audio]), RATE_HZ),
    "with an offset of a tenth": lambda audio: (audio + np.float32(0.1), RATE_HZ),
    "rounded to 16 bits at -40 dB": lambda audio: (np.round(audio * 327.68).astype(np.float32) / 32_768.0, RATE_HZ),
    "at 44.1 kHz": lambda audio: (soxr.resample(audio, RATE_HZ, 44_100), 44_100),
    "at 96 kHz": lambda audio: (soxr.resample(audio, RATE_HZ, 96_000), 96_000),
    "ten seconds of silence before": lambda audio: (np.pad(audio, (10 * RATE_HZ, 0)), RATE_HZ),
    "the last ten seconds alone": lambda audio: (audio[-10 * RATE_HZ :], RATE_HZ),
    "clipped by 12 dB": lambda audio: (np.clip(audio, -0.25 * _peak(audio), 0.25 * _peak(audio)), RATE_HZ),
    "in a hiss 30 dB below": lambda audio: (audio + _hiss(audio, -30.0), RATE_HZ),
}  # fmt: skip


class Ear:
    """The file that ships, as the product asks it."""

    def __init__(self) -> None:
        calibration = json.loads((training_root() / "roles" / "calibration.json").read_text())
        self._ready = session(FILES / "roles.onnx")
        self._temperature, self.unsure = calibration["temperature"], calibration["unsure"]

    def guess(self, audio: Audio, rate_hz: int) -> tuple[int, float] | None:
        """The best guess with its probability; None where there is no picture."""
        mel = excerpts(audio, rate_hz)
        if not len(mel):
            return None
        shares = pooled(run(self._ready, mel.astype(np.float16)), np.zeros(len(mel), np.int64), self._temperature)[0]
        return int(shares.argmax()), float(shares.max())


def changed(ear: Ear) -> list[str]:
    """Rows: what was done to the stems, how often the best guess is right, stays, and is sure enough to be said."""
    known = [
        clip for clip in clips.clips("test", "stems", np.random.default_rng(0)) if index_of(clip.label) != NO_LABEL
    ]
    stems = [(clip.label, clip.audio[: STEM_S * RATE_HZ]) for clip in known]
    stems = [(label, audio) for label, audio in stems if _peak(audio) > clips.QUIETEST]
    first = [ear.guess(audio, RATE_HZ) for _, audio in stems]
    rows = []
    for name, change in CHANGES.items():
        now = [ear.guess(*change(audio)) for _, audio in stems]
        right = np.mean(
            [each is not None and LABELS[each[0]] == label for each, (label, _) in zip(now, stems, strict=True)]
        )
        same = np.mean([_role(each) == _role(was) for each, was in zip(now, first, strict=True)])
        sure = np.mean([each is not None and each[1] >= ear.unsure for each in now])
        rows.append(f"| {name} | {percent(float(right))} | {percent(float(same))} | {percent(float(sure))} |")
    return [f"| {len(stems)} stems, {STEM_S} s | right | guess as before | said |", "|---|---|---|---|", *rows]


def strange(ear: Ear) -> list[str]:
    """Rows: what is no instrument, and what is said of it."""
    rng = np.random.default_rng(SEED)
    size = round(PHRASE_S * RATE_HZ)
    click = np.zeros(size, np.float32)
    tick = np.sin(2 * np.pi * 1_000.0 * np.arange(960) / RATE_HZ) * np.hanning(960)
    for start in range(0, size - tick.size, RATE_HZ // 2):
        click[start : start + tick.size] = tick
    (speaker, *_) = sources("test", "speech")
    things = {
        "silence": np.zeros(size, np.float32),
        "the last bit of 24": (rng.integers(0, 2, size) * 2.0**-23).astype(np.float32),
        "white noise": rng.normal(0.0, 0.1, size).astype(np.float32),
        "hiss of another colour": 0.1 * noise(size, rng),
        "mains hum": 0.1 * hum(size, rng),
        "a click track": click,
        "speech alone, a speaker that was held out": prompts(speaker, rng),
    }
    rows = ["| what is no instrument | said | best guess |", "|---|---|---|"]
    for name, audio in things.items():
        guess = ear.guess(audio, RATE_HZ)
        if guess is None:
            rows.append(f"| {name} | nothing: it has no picture | |")
        else:
            said = LABELS[guess[0]] if guess[1] >= ear.unsure else "other"
            rows.append(f"| {name} | {said} | {LABELS[guess[0]].replace('_', ' ')} ({guess[1]:.0%}) |")
    return rows


def crowds(ear: Ear) -> list[str]:
    """Rows: seconds and memory for sessions of 1, 2 and 32 tracks; each track is answered by itself."""
    audio = np.random.default_rng(SEED).normal(0.0, 0.1, STEM_S * RATE_HZ).astype(np.float32)
    rows = [f"| tracks of {STEM_S} s | CPU s | peak memory of the process |", "|---|---|---|"]
    for count in (1, 2, 32):
        start_s = time.process_time()
        answers = {ear.guess(audio, RATE_HZ) for _ in range(count)}
        spent_s = time.process_time() - start_s
        if len(answers) != 1:
            raise SystemExit("the same track was answered differently")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append(f"| {count} | {spent_s:.1f} | {peak_mb:.0f} MB |")
    return rows


def _role(guess: tuple[int, float] | None) -> int | None:
    return None if guess is None else guess[0]


def _peak(audio: Audio) -> float:
    return float(np.abs(audio).max(initial=0.0))


def _hiss(audio: Audio, level_db: float) -> Audio:
    level = float(np.sqrt(np.mean(np.square(audio)))) * 10.0 ** (level_db / 20.0)
    return np.asarray(level * noise(audio.size, np.random.default_rng(SEED)), dtype=np.float32)


def main() -> None:
    """Measure and write the tables."""
    ear = Ear()
    crowd = crowds(ear)
    text = "\n".join([*changed(ear), "", *strange(ear), "", *crowd])
    replace_section(BEGIN, END, text)
    print(text)


if __name__ == "__main__":
    main()
