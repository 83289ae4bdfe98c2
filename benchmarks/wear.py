"""What a recording writes to the disk beside its audio: python benchmarks/wear.py --seconds 60 [--channels 18]

The engine records the simulated interface. Its home is an ext4 file system on a loop device, whose own counter in
/sys/block says what reached the "card": audio, headers, documents, and what the file system itself writes. Audio is the
bytes of samples in the take's files. A minute later the worker hashes them, which is counted too. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from core.protocol.requests import Record, Stop  # noqa: E402
from sessions.wavread import read_info  # noqa: E402
from tests.rig.engine import EngineRig  # noqa: E402

SECTOR_BYTES = 512
CARD_BYTES = 16 << 30
"""Of which only what is written takes space here."""


def stage(folder: Path, channels: int) -> Path:
    folder.mkdir()
    noise = np.random.default_rng(1).integers(-(1 << 22), 1 << 22, (48_000 * 4, channels), dtype=np.int32) << 8
    for channel in range(channels):
        soundfile.write(folder / f"{channel + 1:02d} In.wav", noise[:, channel], 48_000, subtype="PCM_24")
    return folder


@contextlib.contextmanager
def card(folder: Path) -> Iterator[tuple[Path, Path]]:
    """An ext4 "card" and where the kernel counts what is written to it."""
    place, image = folder / "card", folder / "card.img"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(CARD_BYTES)
    device = subprocess.check_output(["losetup", "-f", "--show", image], text=True).strip()
    try:
        # As it is once the file system has made its tables.
        subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", device], check=True)
        subprocess.run(["mount", "-o", "noatime", device, place], check=True)
        yield place, Path("/sys/block") / Path(device).name / "stat"
    finally:
        subprocess.run(["umount", "-l", place], check=False)
        subprocess.run(["losetup", "-d", device], check=False)


def reached(counter: Path) -> int:
    os.sync()
    return int(counter.read_text().split()[6]) * SECTOR_BYTES


def measured(seconds: float, channels: int) -> tuple[int, int, int]:
    """Bytes that reached the card while a take was recorded, how many of them are audio, and how many came after it."""
    with tempfile.TemporaryDirectory() as name, card(Path(name)) as (home, counter):
        device = f"sim:{stage(Path(name) / 'stage', channels)}"
        with EngineRig(home, device) as engine:
            time.sleep(3.0)
            before = reached(counter)
            engine.call(Record(preroll_s=0.0))
            time.sleep(seconds)
            engine.call(Stop())
            engine.wait(lambda status: status.takes.takes[0].status == "complete", "the end of the take")
            after = reached(counter)
            audio = sum(read_info(file).data_bytes for file in (home / "library").rglob("*.wav"))
            while not list((home / "library").rglob("SHA256SUMS")):
                time.sleep(1.0)
            engine.wait(lambda status: all(job.state == "done" for job in status.jobs.jobs), "the worker")
            return after - before, audio, reached(counter) - after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--channels", type=int, default=18)
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root, for the loop device")
    written, audio, hashes = measured(options.seconds, options.channels)
    per_minute = 60.0 / options.seconds / 1e6
    beside = (written - audio) / audio
    print(f"{options.channels} tracks, {options.seconds:g} s: {written * per_minute:.1f} MB a minute reached the card,")
    print(f"{audio * per_minute:.1f} of them audio: {beside:.2%} beside it")
    print(f"its hashes, once for each take: {hashes / 1e3:.0f} kB, {hashes / audio:.2%} of this one's audio")


if __name__ == "__main__":
    main()
