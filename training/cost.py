"""What asking each network costs: the int8 file that ships, the same in float, and the same in PyTorch.

    nice -n 10 python -m training.cost

Prints a table in Markdown. All on one thread; each is asked as the product asks it, the three by turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from core.models.features import BANDS, FRAMES
from core.models.mastering import FEATURES as PORTRAIT
from core.models.mixing import FEATURES as TRACK
from core.models.mixing import GROUPS
from core.models.runtime import FILES
from training.data.places import training_root
from training.master import export as mastering
from training.master import network as mastering_network
from training.mix import export as mixing
from training.mix import train as mixing_train
from training.roles import export as roles

PICTURES: Final = 6
TRACKS: Final = 16
ROUNDS: Final = 15
LEAST_S: Final = 0.05
"""How long a round goes on, so that the clock's steps do not count."""

Ask = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """A network, and the shape in which the product asks it."""

    name: str
    asked: str
    shape: tuple[int, ...]
    network: torch.nn.Module
    write: Callable[[Path], None]
    """Writes the float file."""


def cases() -> tuple[Case, ...]:
    """The networks of the checkpoints from which the files were made."""
    recogniser = roles.network_of(training_root() / "roles" / "best.pt")
    mixer = mixing_train.loaded(mixing_train.CHECKPOINT)
    master = mastering_network.loaded(training_root() / "master" / "controller.pt")
    return (
        Case("roles", f"a track of {PICTURES} pictures", (PICTURES, 1, FRAMES, BANDS), recogniser,
             lambda path: roles.write_float(recogniser, path)),
        Case("mixing", f"{TRACKS} tracks, with the causes of each value", (1 + len(GROUPS), TRACKS, TRACK), mixer,
             lambda path: onnx.save(mixing.float_model(mixer), path)),
        Case("mastering", "a song", (1, PORTRAIT), master,
             lambda path: onnx.save(mastering.float_model(master), path)),
    )  # fmt: skip


def cost_ms(ways: Mapping[str, Ask]) -> dict[str, float]:
    """Processor milliseconds of one answer, the median of `ROUNDS` rounds in which the ways take turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for ask in ways.values():
        ask()
    for _ in range(ROUNDS):
        for name, ask in ways.items():
            start, count = time.process_time(), 0
            while time.process_time() - start < LEAST_S:
                ask()
                count += 1
            times[name].append((time.process_time() - start) / count * 1e3)
    return {name: float(np.median(each)) for name, each in times.items()}


def _file(path: Path, fed: NDArray[np.float32]) -> Ask:
    """Asks a file as at run time, on one thread."""
    session = roles.session(path, threads=1)
    inputs = {session.get_inputs()[0].name: fed}
    return lambda: session.run(None, inputs)


def _torch(network: torch.nn.Module, fed: NDArray[np.float32]) -> Ask:
    def ask() -> object:
        with torch.inference_mode():
            return network(torch.from_numpy(fed))

    return ask


def row(case: Case, shipped: Path, folder: Path) -> str:
    """A network's costs and sizes as a row of the table."""
    full = folder / f"{case.name}.onnx"
    case.write(full)
    fed = np.random.default_rng(0).standard_normal(case.shape).astype(np.float32)
    ways = {"int8": _file(shipped, fed), "float": _file(full, fed), "torch": _torch(case.network.eval(), fed)}
    costs = cost_ms(ways)
    small, large = shipped.stat().st_size, full.stat().st_size
    return (
        f"| {case.name}: {case.asked} | {costs['int8']:.3g} | {costs['float']:.3g} | {costs['torch']:.3g} "
        f"| {small / 1e3:.0f} | {large / 1e3:.0f} | {large / small:.1f} |"
    )


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| one answer, processor ms | int8 | float | PyTorch | int8 kB | float kB | smaller by |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for case in cases():
            print(row(case, FILES / f"{case.name}.onnx", Path(name)), flush=True)


if __name__ == "__main__":
    main()
