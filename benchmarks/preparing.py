"""What is proposed before the mix on real recordings, and whether it helps.

A drum kit's single strokes, each recorded by fifteen microphones at once, are played as a minute of music; alignment
is proposed from that, and judged on every single stroke by itself: how much louder the sum of a drum's close
microphones and the two overheads becomes, all at matched levels. On finished multitracks, whose stems share no
microphones, nothing should be moved: every proposal there is told.

    python benchmarks/preparing.py ../shared/data --split test
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from core.analysis.roles import guess_role
from core.analysis.track import analyse_source
from core.desk.sources import file_sources
from core.dsp.delay import delay
from core.mix.draft import Draft
from core.mix.ensemble import Player, find_companions
from core.mix.preparing import prepare
from core.plans.document import Settings, value_of
from core.plans.parameters import STRIP, by_name

Audio = NDArray[np.float32]
BEAT_S = 60.0 / 110.0
PLAYED_S = 60.0
NAMES = {
    "Snare_top": "Snare Top", "Snare_bottom": "Snare Bottom", "KdrumR": "Kick", "Hihat": "Hat", "OHL": "OH L",
    "OHR": "OH R", "AmbL": "Room L", "AmbR": "Room R",
    "Tom1": "Tom 1", "Tom2": "Tom 2", "Tom3": "Tom 3", "Tom4": "Tom 4",
}  # fmt: skip
CLOSE = {"Snare": ("Snare_top", "Snare_bottom"), "KdrumR": ("KdrumR",), "HihatClosed": ("Hihat",)} | {
    f"Tom{n}": (f"Tom{n}",) for n in range(1, 5)
}


class Memory:
    """Audio in memory as a source."""

    def __init__(self, name: str, audio: Audio, rate_hz: int) -> None:
        self.name, self.audio, self.rate_hz = name, audio[None], rate_hz
        self.channels, self.frames = 1, audio.size

    def read(self, start: int, frames: int) -> Audio:
        """Samples [start, start + frames), silence behind the end."""
        part = self.audio[:, start : start + frames]
        return np.pad(part, ((0, 0), (0, frames - part.shape[1])))


def load_kit(folder: Path) -> tuple[dict[str, list[dict[str, Audio]]], int]:
    """Strokes of each piece: audio by microphone."""
    kit: dict[str, list[dict[str, Audio]]] = {}
    rate_hz = 0
    for piece in (*CLOSE, "RideR", "CrashL"):
        strokes: dict[str, dict[str, Audio]] = {}
        for file in sorted((folder / piece).glob("*.ogg")):
            number, _, microphone = file.stem.split("-", 2)
            if microphone in NAMES:
                strokes.setdefault(number, {})[microphone], rate_hz = soundfile.read(file, dtype="float32")
        kit[piece] = list(strokes.values())
    return kit, rate_hz


def play(kit: dict[str, list[dict[str, Audio]]], rate_hz: int, seed: int = 3) -> dict[str, Audio]:
    """A minute of rock with fills, by microphone."""
    random = np.random.default_rng(seed)
    tracks = {microphone: np.zeros(round(PLAYED_S * rate_hz), np.float32) for microphone in NAMES}
    for step in range(int((PLAYED_S - 2.0) / (BEAT_S / 4.0))):
        beat, bar = step % 16, step // 16
        pieces = ["HihatClosed" if bar % 8 < 4 else "RideR"] if beat % 2 == 0 else []
        pieces += ["KdrumR"] if beat in (0, 6, 10) else []
        pieces += ["Snare"] if beat in (4, 12) else []
        pieces += [f"Tom{beat - 11}"] if bar % 4 == 3 and beat >= 12 else []
        pieces += ["CrashL"] if bar % 8 == 0 and beat == 0 else []
        for piece in pieces:
            stroke = kit[piece][random.integers(len(kit[piece]))]
            start = round((0.5 + step * BEAT_S / 4.0 + abs(random.normal(0.0, 0.004))) * rate_hz)
            for microphone, audio in stroke.items():
                room = tracks[microphone][start : start + audio.size]
                room += audio[: room.size]
    return tracks


def propose(sources: list[Memory]) -> dict[str, Settings]:
    """What comes before the mix, by track."""
    players = []
    for source in sources:
        heard = analyse_source(source)
        role = guess_role(source.name, heard).role
        players.append(Player(name=source.name, role=role, role_confidence=1.0, role_by="rules", heard=heard))
    find_companions(players)
    drafts = {player: Draft(by_name(STRIP), {}, 1.0) for player in players}
    prepare(sources, drafts)
    return {player.name: draft.settings for player, draft in drafts.items()}


def sum_db(stroke: dict[str, Audio], piece: str, settings: dict[str, Settings] | None, rate_hz: int) -> float:
    """Level of a drum's close microphones and the overheads together, the first 100 ms, each at the same level."""
    total = np.zeros(rate_hz // 10)
    for microphone in (*CLOSE[piece], "OHL", "OHR"):
        audio = stroke[microphone][: total.size]
        audio = np.pad(audio, (0, total.size - audio.size)) / np.sqrt(np.square(audio).mean())
        if settings is not None:
            own = settings[NAMES[microphone]]
            audio = delay(audio[None].astype(np.float32), rate_hz, delay_ms=value_of(own, "delay_ms", 0.0))[0]
            audio = -audio if "polarity_invert" in own else audio
        total += audio
    return float(10.0 * np.log10(np.square(total).mean()))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    options = parser.parse_args()
    kit, rate_hz = load_kit(options.data / "instruments" / "drumkit_multimic")
    settings = propose([Memory(NAMES[name], audio, rate_hz) for name, audio in play(kit, rate_hz).items()])
    print("| drum | strokes | proposed | sum of close microphones and overheads |\n|---|---|---|---|")
    for piece, microphones in CLOSE.items():
        gains = [sum_db(one, piece, settings, rate_hz) - sum_db(one, piece, None, rate_hz) for one in kit[piece]]
        told = ", ".join(
            f"{NAMES[name]} {key.removesuffix('_ms').replace('_', ' ')} {setting.value}"
            for name in microphones
            for key, setting in settings[NAMES[name]].items()
            if key in {"delay_ms", "polarity_invert"}
        )
        print(f"| {piece} | {len(gains)} | {told or 'nothing'} | {np.mean(gains):+.1f} dB (worst {min(gains):+.1f}) |")
    print("\n| song | stems | proposals |\n|---|---|---|")
    for song in sorted((options.data / "multitracks" / options.split).iterdir()):
        stems = file_sources(sorted(song.glob("*.ogg")))
        found = propose(stems)  # type: ignore[arg-type]
        told = "; ".join(f"{name}: {key} {one.value}" for name, own in found.items() for key, one in own.items())
        print(f"| {song.name} | {len(stems)} | {told or 'none'} |")


if __name__ == "__main__":
    main()
