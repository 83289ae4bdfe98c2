"""What length costs: a session of many tracks mixed at several lengths, processor time and peak memory of each.

    python benchmarks/session_length.py [--tracks 18] [--minutes 6 60] [--declip]

Every strip has a filter for hum, high-pass, six bands, compressor with automatic release, a ride and sends; buses,
room, plate and a delay in beats follow. The sources loop five seconds of synthesised music each, so that nothing has to
be on the disk and reading costs the same at any length. Every length is a process of its own, one after another; the
table gives processor time and peak memory beside those of the first length. Aim: memory equal, time at most 1.05 times
as long as the session.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
RATE_HZ = 48_000
LOOP_S = 5


def render(tracks: int, minutes: float, *, declip: bool, out: Path) -> None:
    """Mix looped sources through a busy plan."""
    import numpy as np

    from core.desk.render import render_mix
    from core.plans.document import BusStrip, MixPlan, Ride, RidePoint, Setting, Strip

    class Loop:
        """A stroke every half second over noise, again and again."""

        channels = 1
        rate_hz = RATE_HZ

        def __init__(self, number: int) -> None:
            self.name = f"{number:02d}"
            self.frames = round(minutes * 60 * RATE_HZ)
            random = np.random.Generator(np.random.PCG64(number))
            beat = np.exp(-(np.arange(LOOP_S * RATE_HZ) % (RATE_HZ // 2 + 37 * number)) / 6_000.0)
            music = np.convolve(random.standard_normal(len(beat)), np.ones(number + 1) / (number + 1), "same")
            self._audio = (np.clip(0.4 * beat * music, -0.5, 0.5)).astype(np.float32)[None]

        def read(self, start: int, frames: int) -> np.ndarray:
            out = self._audio[:, np.arange(start, start + frames) % self._audio.shape[1]]
            out[:, max(self.frames - start, 0) :] = 0.0
            return out

    def settings(**values: float | str | bool) -> dict[str, Setting]:
        return {name: Setting(value=value) for name, value in values.items()}

    moving = Ride(points=tuple(RidePoint(at_s=10.0 * k, gain_db=-3.0 * (k % 2)) for k in range(round(minutes * 6))))
    strips = tuple(
        Strip(
            track=f"{number:02d}",
            ride=moving,
            settings=settings(
                declip=declip,
                hum_hz="50",
                highpass_hz=60.0,
                **{f"eq{band}_gain_db": (-1.0) ** (band + number) * 3.0 for band in range(1, 7)},
                comp_threshold_db=-24.0,
                comp_ratio=3.0,
                comp_auto_release=True,
                pan=-0.9 + 1.8 * number / max(1, tracks - 1),
                fader_db=-9.0,
                bus=("drums", "music", "vocals")[number % 3],
                send_room_db=-12.0,
                send_plate_db=-15.0,
                send_delay_db=-20.0,
            ),
        )
        for number in range(tracks)
    )
    squeeze = settings(comp_threshold_db=-20.0, comp_ratio=2.0)
    buses = (
        *(BusStrip(name=name, settings=squeeze) for name in ("drums", "music", "vocals")),
        BusStrip(name="delay", settings=settings(sync="1/8 dotted")),
    )
    plan = MixPlan(oto_version="benchmark", strips=strips, buses=buses, master=squeeze, tempo_bpm=120.0)
    render_mix(plan, [Loop(number) for number in range(tracks)], out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=18)
    parser.add_argument("--minutes", type=float, nargs="+", default=[6.0, 60.0])
    parser.add_argument("--declip", action="store_true", help="rebuild clipped peaks on every strip too")
    parser.add_argument("--run", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.run is not None:
        started = time.perf_counter()
        # The file is a few hundred megabytes at most: not in memory, where a temporary folder may lie.
        with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
            render(options.tracks, options.run, declip=options.declip, out=Path(folder) / "mix.wav")
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
        return
    print("| minutes | CPU-s | x the first | x the first's length | wall s | peak MB |\n|---|---|---|---|---|---|")
    first: tuple[float, float] | None = None
    for minutes in options.minutes:
        command = [sys.executable, __file__, "--tracks", str(options.tracks), "--run", str(minutes)]
        command += ["--declip"] if options.declip else []
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        wall_s, cpu_s, peak_mb = map(float, printed.split())
        first = first or (minutes, cpu_s)
        ratio, longer = cpu_s / first[1], minutes / first[0]
        print(
            f"| {minutes:g} | {cpu_s:.1f} | {ratio:.2f} | {ratio / longer:.2f} | {wall_s:.0f} | {peak_mb:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
