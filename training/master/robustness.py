"""What the mastering controller makes of odd input, into docs/models.md: `python -m training.master.robustness`.

Songs of validation as they are and as somebody might hand them in, and sounds that are no songs. What counts is what
the controller would do of its own, without the rules beside it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from core.models import runtime
from core.models.card import Card
from core.models.mastering import VALUES, Controller, Portrait, controller
from training.data.places import REPOSITORY, shared_data
from training.master.songs import Song, excerpts, portrait_of

Audio = NDArray[np.float32]

DOC: Final = REPOSITORY / "docs" / "models.md"
BEGIN: Final = "<!-- mastering robustness: written by training.master.robustness -->"
END: Final = "<!-- /mastering robustness -->"
RATE_HZ: Final = 48_000
_EQ: Final = VALUES[:6]

CHANGED: Final[dict[str, tuple[Callable[[Audio], Audio], int]]] = {
    "40 dB softer": (lambda x: x * np.float32(0.01), RATE_HZ),
    "20 dB louder, above full scale": (lambda x: x * np.float32(10.0), RATE_HZ),
    "polarity turned": (lambda x: -x, RATE_HZ),
    "left and right exchanged": (lambda x: x[::-1].copy(), RATE_HZ),
    "ten seconds of silence before": (lambda x: np.pad(x, ((0, 0), (10 * RATE_HZ, 0))), RATE_HZ),
    "rounded to 16 bits at -40 dB": (lambda x: (np.round(x * 0.01 * 32_768) / 32_768).astype(np.float32), RATE_HZ),
    "at 44.1 kHz": (lambda x: resample_poly(x, 147, 160, axis=1).astype(np.float32), 44_100),
    "at 96 kHz": (lambda x: resample_poly(x, 2, 1, axis=1).astype(np.float32), 96_000),
    "on two channels alike": (lambda x: np.repeat(x.mean(axis=0, keepdims=True), 2, axis=0), RATE_HZ),
    "on one channel": (lambda x: x.mean(axis=0, keepdims=True), RATE_HZ),
    "the last five seconds alone": (lambda x: x[:, -5 * RATE_HZ :], RATE_HZ),
}


def _both(sound: NDArray[np.float64]) -> Audio:
    return np.repeat(sound[None].astype(np.float32), 2, axis=0)


def no_songs() -> dict[str, Audio]:
    """Ten seconds each, (2, frames)."""
    time_s = np.arange(10 * RATE_HZ) / RATE_HZ
    random = np.random.default_rng(3)
    pulses = np.sign(np.sin(2 * np.pi * 120 * time_s)) * (np.sin(2 * np.pi * 3.1 * time_s) > 0)
    return {
        "silence": _both(np.zeros(time_s.size)),
        "white noise": (0.1 * random.standard_normal((2, time_s.size))).astype(np.float32),
        "one tone": _both(0.3 * np.sin(2 * np.pi * 440 * time_s)),
        "mains hum": _both(0.1 * np.sum([np.sin(2 * np.pi * 50 * k * time_s) / k for k in range(1, 11)], axis=0)),
        "a click track": _both(np.where(time_s % 0.5 < 0.005, np.sin(2 * np.pi * 1_000 * time_s), 0.0)),
        "buzzing words alone": _both(0.2 * pulses * (np.sin(2 * np.pi * 0.4 * time_s) > -0.5)),
    }


def asked() -> Controller:
    """The controller that ships, whether its card lets it be used or not."""
    with tempfile.TemporaryDirectory() as name:
        for suffix in (".onnx", ".json"):
            (Path(name) / f"mastering{suffix}").write_bytes((runtime.FILES / f"mastering{suffix}").read_bytes())
        card = msgspec.json.decode((Path(name) / "mastering.json").read_bytes(), type=Card)
        used = msgspec.structs.replace(card, in_use=True)
        (Path(name) / "mastering.json").write_bytes(msgspec.json.encode(used))
        found = controller(Path(name))
    if not isinstance(found, Controller):
        raise SystemExit(found.why)
    return found


def changes_db(model: Controller, portrait: Portrait) -> NDArray[np.float64]:
    """What it would do: gains of the six bands, then of the sides."""
    advice = model.advise(portrait)
    return np.array([advice[name].change_db for name in (*_EQ, "width_db")])


def songs() -> list[Audio]:
    """The multitracks' mixes of validation, 20 s each, (2, frames) at 48 kHz."""
    paths = sorted((shared_data() / "multitracks" / "validation").iterdir())
    read = [excerpts(Song(path.name, str(path), "validation"))[0] for path in paths if path.is_dir()]
    return [audio if rate == RATE_HZ else resample_poly(audio, RATE_HZ, rate, axis=1) for audio, rate in read]


def tables(model: Controller, played: Sequence[Audio]) -> list[str]:
    """Both tables."""
    whole = [portrait for audio in played if (portrait := portrait_of(audio, RATE_HZ)) is not None]
    before = np.array([changes_db(model, portrait) for portrait in whole])
    lines = [
        f"| {len(whole)} songs, 20 s | most that an EQ gain moves, dB | most that the sides move, dB |",
        "|---|---|---|",
    ]
    for name, (change, rate_hz) in CHANGED.items():
        portraits = [portrait_of(change(audio), rate_hz) for audio in played]
        after = np.array([changes_db(model, portrait) for portrait in portraits if portrait is not None])
        moved = np.abs(after - before)
        lines.append(f"| {name} | {moved[:, :-1].max():.2f} | {moved[:, -1].max():.2f} |")
    lines += ["", "| what is no song | most EQ, dB | sides, dB |", "|---|---|---|"]
    for name, audio in no_songs().items():
        portrait = portrait_of(audio, RATE_HZ)
        if portrait is None:
            lines.append(f"| {name} | nothing: it has no portrait | |")
            continue
        done = changes_db(model, portrait)
        lines.append(f"| {name} | {np.abs(done[:-1]).max():.2f} | {round(done[-1], 2) + 0.0:+.2f} |")
    return lines


def main() -> None:
    """Measure, and write what was measured."""
    text = "\n".join(tables(asked(), songs()))
    print(text)
    before, _, rest = DOC.read_text().partition(BEGIN)
    DOC.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
