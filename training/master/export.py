"""The trained controller as a file for onnxruntime, float and int8, and how far int8 moves what it says.

    nice -n 10 python -m training.master.export --out core/models/files/mastering.onnx

The hidden layer is int8 (QDQ, signed, per channel, calibrated on training songs); the first layer and the heads stay
float. If what int8 says differs by more than half a dB at the 99th percentile, the float file is the one to ship.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.models.mastering import FEATURES, VALUES, vector
from training.master.degrade import degraded
from training.master.evaluate import by_rules
from training.master.network import CHANGE_SCALE_DB, LEAST_SPREAD_DB, Controller, loaded
from training.master.songs import TRAINING_FOLDER
from training.master.strip import JUDGED, nearest_gains
from training.master.train import Shelf, shelf
from training.quantize import Fed, int8_file

OPSET: Final = 17
INT8: Final = ("second",)
MOST_DRIFT_DB: Final = 0.5
CALIBRATION: Final = 1_024
CAUTION, EVEN_AT = 0.8, 4.0
"""Of 0.5, 0.8, 1.2 and of 1, 2, 4 and never, what brought validation songs with the faults of `evaluate` nearest."""


def float_model(network: Controller) -> onnx.ModelProto:
    """The network as an ONNX graph: input "portrait", outputs "change_db" and "spread_db"."""
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    for part in ("weight", "bias"):
        weights[f"change.{part}"] = CHANGE_SCALE_DB * weights[f"change.{part}"]
    weights["least"] = np.array([LEAST_SPREAD_DB], np.float32)

    def dense(name: str, source: str, out: str) -> onnx.NodeProto:
        return helper.make_node("Gemm", [source, f"{name}.weight", f"{name}.bias"], [out], name=name, transB=1)

    nodes = [
        dense("first", "portrait", "first_sum"),
        helper.make_node("Relu", ["first_sum"], ["first_out"]),
        dense("second", "first_out", "second_sum"),
        helper.make_node("Relu", ["second_sum"], ["second_out"]),
        dense("change", "second_out", "change_db"),
        dense("spread", "second_out", "spread_sum"),
        helper.make_node("Softplus", ["spread_sum"], ["spread_soft"]),
        helper.make_node("Add", ["spread_soft", "least"], ["spread_db"]),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", len(VALUES)]) for name in OUTPUTS]
    graph = helper.make_graph(
        nodes,
        "mastering",
        [helper.make_tensor_value_info("portrait", TensorProto.FLOAT, ["n", FEATURES])],
        ends,
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


OUTPUTS: Final = ("change_db", "spread_db")


def said(file: Path, fed: Fed) -> list[NDArray[np.float32]]:
    """Changes and spreads of a file for many songs."""
    session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    outputs: list[NDArray[np.float32]] = session.run(list(OUTPUTS), {"portrait": fed})
    return outputs


def drift_db(one: Path, other: Path, fed: Fed) -> float:
    """99th percentile of how far the changes of two files lie apart."""
    return float(np.percentile(np.abs(said(one, fed)[0] - said(other, fed)[0]), 99))


def thresholds(songs: Shelf, caution: float) -> dict[str, float]:
    """How doubt counts: at `EVEN_AT` times what the rules are off on the mean, rules and controller count the same.

    The rules' error is that on validation songs with random faults.
    """
    every = np.tile(np.arange(len(songs.weights)), 4)
    batch = degraded(songs.portraits, every, np.random.default_rng(11))
    wanted, power = (torch.tensor(x, dtype=torch.float32) for x in (batch.tone_db, batch.power_db))
    there = JUDGED & (power > power.amax(1, keepdim=True) - 80.0)
    gains, width = by_rules(batch.portrait)
    rest = np.stack((batch.width_db, batch.crest_db), axis=1)
    best = np.concatenate((nearest_gains(wanted, there).numpy(), rest), axis=1)
    ruled = np.concatenate((gains, width[:, None], np.zeros((len(width), 1))), axis=1)
    off_db = np.abs(ruled - best).mean(axis=0)
    even = {f"even {name}": round(EVEN_AT * float(off), 2) for name, off in zip(VALUES, off_db, strict=True)}
    return {"caution": caution, **even}


def main() -> None:
    """Write the file to ship and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, default=TRAINING_FOLDER / "portraits.npz")
    parser.add_argument("--controller", type=Path, default=TRAINING_FOLDER / "controller.pt")
    parser.add_argument("--caution", type=float, default=CAUTION, help="how much doubt makes a change smaller")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    random = np.random.default_rng(3)
    training, validation = (shelf(options.portraits, (split,)) for split in ("train", "validation"))
    heard = {
        name: vector(degraded(songs.portraits, random.integers(0, len(songs.weights), CALIBRATION), random).portrait)
        for name, songs in (("train", training), ("validation", validation))
    }
    with tempfile.TemporaryDirectory() as name:
        full, small = Path(name) / "float.onnx", Path(name) / "int8.onnx"
        onnx.save(float_model(loaded(options.controller)), full)
        int8_file(full, small, layers=INT8, name="portrait", examples=heard["train"])
        drift = drift_db(full, small, heard["validation"])
        chosen = small if drift <= MOST_DRIFT_DB else full
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_bytes(chosen.read_bytes())
        told = {
            "kind": chosen.stem,
            "drift_db": drift,
            "float_bytes": full.stat().st_size,
            "int8_bytes": small.stat().st_size,
            "thresholds": thresholds(validation, options.caution),
        }
    TRAINING_FOLDER.joinpath("export.json").write_text(json.dumps(told))
    print(told)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
