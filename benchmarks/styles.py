"""What finished music looks like per style: rebuilds core/master/finished.py from the training songs.

    python benchmarks/styles.py ../shared/data --music /tmp/music --measured /tmp/measured.json

The finished songs are those of facts/finished_music.csv whose Debian package is not kept for testing, unpacked under
--music (`apt-get download PACKAGE`, then `dpkg-deb -x`; what lies in a .pk3 is a zip file), and the mixes of
multitracks/train, each the sum of its stems. Of every song the middle 120 s count. Only numbers per band leave this
script, never audio. --measured keeps what was measured, so that building anew takes a second.
"""

from __future__ import annotations

import argparse
import csv
import json
import textwrap
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from core.analysis.features import BAND_HZ
from core.analysis.spectrum import SpectrumMeter

ROOT = Path(__file__).resolve().parents[1]
TEST_PACKAGES = {"supertuxkart-data", "hyperrogue-music", "singularity-music"}
STYLE_OF = {
    "wesnoth-1.16-music": "orchestral",
    "colobot-common-sounds": "electronic",
    "nexuiz-music": "electronic",
    "trackballs-data": "electronic",
    "ufoai-music": "electronic",
    "warzone2100-music": "electronic",
    "zaz-data": "electronic",
    "asc-music": "band",
    "ardentryst": "band",
    "extremetuxracer-data": "band",
    "freedroidrpg-data": "band",
    "hedgewars-data": "band",
    "supertux-data": "band",
    "eif": "electronic",
    "lmms": "electronic",
    "mod": "electronic",
    "fof": "band",
}
"""By package, or by the first word of a multitrack song."""
PERCENTILES = (25.0, 50.0, 90.0)
"""Skewed, because a mix is darker than its record more often than brighter: with the 25th and the 90th, songs of other
packages that were darkened and dulled came back nearest, and untouched ones moved least, over the training songs."""
FACTORS = 6
"""Broad ways in which finished songs differ: with more, restored songs of other packages came back no nearer."""
LEAST_REST_DB = 1.0
LONGEST_S = 120.0


def read_middle(path: Path) -> tuple[NDArray[np.float32], int]:
    """The middle of a song, (channels, frames), and its rate."""
    with sf.SoundFile(path) as file:
        frames = min(file.frames, round(LONGEST_S * file.samplerate))
        file.seek((file.frames - frames) // 2)
        return np.ascontiguousarray(file.read(frames, dtype="float32", always_2d=True).T), file.samplerate


def read_mix(folder: Path) -> tuple[NDArray[np.float32], int]:
    """The sum of a song's stems."""
    stems = [sf.read(path, dtype="float32", always_2d=True) for path in sorted(folder.glob("*.ogg"))]
    frames = min(len(audio) for audio, _ in stems)
    total = sum(np.broadcast_to(audio[:frames], (frames, 2)) for audio, _ in stems)
    return np.ascontiguousarray(np.asarray(total, np.float32).T), stems[0][1]


def measure(song: tuple[str, Path]) -> dict[str, Any] | None:
    """Band powers of a song; None for what is too short, silent or unreadable."""
    origin, path = song
    try:
        audio, rate_hz = read_mix(path) if path.is_dir() else read_middle(path)
    except sf.LibsndfileError:
        return None
    if audio.shape[1] < 20 * rate_hz or len(audio) > 2:
        return None
    meter = SpectrumMeter(rate_hz, len(audio))
    meter.add(audio)
    spectrum = meter.result()
    if not any(spectrum.middle):
        return None
    return {"src": origin, "path": str(path), "rate": rate_hz, "mid": spectrum.middle, "side": spectrum.side}


def training_songs(data: Path, music: Path) -> Iterator[tuple[str, Path]]:
    """Where each song comes from, and where it lies now."""
    by_name: dict[str, list[Path]] = {}
    for path in sorted(music.rglob("*.*")):
        by_name.setdefault(path.name, []).append(path)
    for row in csv.DictReader((data / "facts" / "finished_music.csv").open()):
        tail = row["path"].removeprefix("/unz")
        found = [path for path in by_name.get(Path(tail).name, []) if str(path).endswith(tail)]
        if row["source"] not in TEST_PACKAGES and found:
            yield row["source"], found[0]
    for path in sorted((data / "multitracks" / "train").iterdir()):
        yield path.name.split("_")[0], path


def levels_db(song: dict[str, Any]) -> NDArray[np.float64]:
    """Per band against the mean of the bands by which tone is judged; NaN above the song's own bandwidth."""
    power = np.array(song["mid"]) + np.array(song["side"])
    levels = 10 * np.log10(np.maximum(power / power.sum(), 1e-12))
    judged = (np.array(BAND_HZ) >= 45.0) & (np.array(BAND_HZ) <= 14_000.0) & (levels > -90.0)
    return np.where(levels > -90.0, levels - levels[judged].mean(), np.nan)


def factors_db(songs: list[dict[str, Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How songs differ: `FACTORS` principal curves of one standard deviation each (n, bands), what is left (bands,).

    The bands' mean is set aside. Bands far below a song's loudest count as 70 dB below it.
    """
    levels = np.array([np.nan_to_num(levels_db(song), nan=-np.inf) for song in songs])
    levels = np.maximum(levels, levels.max(axis=1, keepdims=True) - 70.0)
    judged = (np.array(BAND_HZ) >= 45.0) & (np.array(BAND_HZ) <= 14_000.0)
    covariance = np.cov((levels - levels[:, judged].mean(axis=1, keepdims=True))[:, judged].T)
    powers, curves = np.linalg.eigh(covariance)
    factors, rest = np.zeros((FACTORS, len(BAND_HZ))), np.full(len(BAND_HZ), LEAST_REST_DB)
    factors[:, judged] = (curves[:, -FACTORS:] * np.sqrt(powers[-FACTORS:])).T[::-1]
    left = np.diag(covariance) - np.square(factors[:, judged]).sum(axis=0)
    rest[judged] = np.sqrt(np.maximum(left, 0.0) + LEAST_REST_DB**2)
    return factors, rest


def module(songs: list[dict[str, Any]]) -> str:
    """The text of core/master/finished.py."""
    lines = [
        '"""What finished music looks like, per style: made by benchmarks/styles.py from training songs, not by hand.',
        "",
        f"Per third octave (`core.analysis.features.BAND_HZ`) the {', '.join(f'{p:g}th' for p in PERCENTILES)} "
        "percentile of the level in dB,",
        "against the mean of the bands from 45 Hz to 14 kHz.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import Final",
        "",
        "# fmt: off",
        "FINISHED: Final[dict[str, dict[str, tuple[float, ...]]]] = {",
    ]
    for name in ("any", "orchestral", "electronic", "band"):
        chosen = [song for song in songs if name in ("any", STYLE_OF[song["src"]])]
        low, middle, high = np.nanpercentile([levels_db(song) for song in chosen], PERCENTILES, axis=0)
        rows = {"low_db": low, "middle_db": middle, "high_db": high}
        lines.append(f'    "{name}": {{  # {len(chosen)} songs')
        for key, row in rows.items():
            figures = textwrap.wrap(", ".join(f"{value:.1f}" for value in row), 100)
            lines += [f'        "{key}": (', *(f"            {line}" for line in figures), "        ),"]
        lines.append("    },")
    factors, rest = factors_db(songs)
    lines += ["}", '"""By style."""', "", "FACTORS_DB: Final[tuple[tuple[float, ...], ...]] = ("]
    for row in factors:
        lines += ["    (", *(f"        {line}" for line in _figures(row)), "    ),"]
    lines += [")", '"""Broad ways in which songs of any style differ, one standard deviation each."""', ""]
    lines += ["REST_DB: Final[tuple[float, ...]] = (", *(f"    {line}" for line in _figures(rest)), ")"]
    return "\n".join([*lines, '"""What is left of each band, one standard deviation."""', ""])


def _figures(row: NDArray[np.float64]) -> list[str]:
    return textwrap.wrap(", ".join(f"{value:.2f}" for value in row), 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--music", type=Path, required=True)
    parser.add_argument("--measured", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "core" / "master" / "finished.py")
    options = parser.parse_args()
    known = json.loads(options.measured.read_text()) if options.measured.exists() else []
    have = {song["path"] for song in known}
    missing = [song for song in training_songs(options.data, options.music) if str(song[1]) not in have]
    with ProcessPoolExecutor(2) as pool:
        known += [found for found in pool.map(measure, missing) if found]
    options.measured.write_text(json.dumps(known))
    options.out.write_text(module(known))
    print(f"{len(known)} songs, {len(missing)} of them measured now")


if __name__ == "__main__":
    main()
