"""The trained controller as a file for onnxruntime, int8, and how far int8 moves what it says.

    nice -n 19 python -m training.mix.export --out core/models/files/mixing.onnx

The layers between are int8 (QDQ, signed, per channel, calibrated on training songs); the first layer, the heads and
what leads straight to them stay float.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.models.mixing import FEATURES
from training.mix.network import LEAST_SPREAD_LU, Controller
from training.mix.shelf import load
from training.mix.train import CHECKPOINT, loaded
from training.quantize import Fed, int8_file

OPSET: Final = 17
OUTPUTS: Final = ("change_lu", "spread_lu")
INT8: Final = ("own", "among")
MOST_DRIFT_LU: Final = 0.5


def float_model(network: Controller) -> onnx.ModelProto:
    """The network as an ONNX graph: input "tracks", outputs "change_lu" and "spread_lu"."""
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    constants = {name: value.T if value.ndim == 2 else value for name, value in weights.items()}
    constants["least"] = np.array([LEAST_SPREAD_LU], np.float32)
    constants["halves"], constants["last"] = np.array([1, 1], np.int64), np.array([2], np.int64)

    def dense(name: str, source: str) -> list[onnx.NodeProto]:
        return [
            helper.make_node("MatMul", [source, f"{name}.weight"], [f"{name} product"], name=name),
            helper.make_node("Add", [f"{name} product", f"{name}.bias"], [f"{name} sum"]),
            helper.make_node("Relu", [f"{name} sum"], [f"{name} out"]),
        ]

    nodes = [
        *dense("first", "tracks"),
        *dense("own", "first out"),
        helper.make_node("ReduceMean", ["own out"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("ReduceMax", ["own out"], ["most"], axes=[1], keepdims=1),
        helper.make_node("Shape", ["own out"], ["shape"]),
        helper.make_node("Expand", ["mean", "shape"], ["mean of each"]),
        helper.make_node("Expand", ["most", "shape"], ["most of each"]),
        helper.make_node("Concat", ["own out", "mean of each", "most of each"], ["beside"], axis=2),
        *dense("among", "beside"),
        helper.make_node("MatMul", ["among out", "heads.weight"], ["heads product"], name="heads"),
        helper.make_node("Add", ["heads product", "heads.bias"], ["heads sum"]),
        helper.make_node("Split", ["heads sum", "halves"], ["bent", "doubt"], axis=2),
        helper.make_node("MatMul", ["tracks", "straight.weight"], ["straight out"], name="straight"),
        helper.make_node("Add", ["bent", "straight out"], ["change"]),
        helper.make_node("Squeeze", ["change", "last"], [OUTPUTS[0]]),
        helper.make_node("Softplus", ["doubt"], ["doubt soft"]),
        helper.make_node("Add", ["doubt soft", "least"], ["spread"]),
        helper.make_node("Squeeze", ["spread", "last"], [OUTPUTS[1]]),
    ]
    graph = helper.make_graph(
        nodes,
        "mixing",
        [helper.make_tensor_value_info("tracks", TensorProto.FLOAT, ["n", "tracks", FEATURES])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "tracks"]) for name in OUTPUTS],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def said(file: Path, fed: Sequence[Fed]) -> list[NDArray[np.float32]]:
    """(2, tracks) per song: changes and spreads."""
    session: Any = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return [np.concatenate(session.run(list(OUTPUTS), {"tracks": song[None]})) for song in fed]


def drift_lu(one: Path, other: Path, fed: Sequence[Fed]) -> float:
    """99th percentile of how far the changes of two files lie apart."""
    pairs = zip(said(one, fed), said(other, fed), strict=True)
    return float(np.percentile(np.concatenate([np.abs(first[0] - second[0]) for first, second in pairs]), 99))


def main() -> None:
    """Write the file to ship and say what it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controller", type=Path, default=CHECKPOINT)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    training, validation = (
        [one.fed for song in load(split).songs for one in song] for split in ("train", "validation")
    )
    with tempfile.TemporaryDirectory() as name:
        full, small = Path(name) / "float.onnx", Path(name) / "int8.onnx"
        onnx.save(float_model(loaded(options.controller)), full)
        int8_file(full, small, layers=INT8, name="tracks", examples=training)
        moved = drift_lu(full, small, validation)
        chosen = small if moved <= MOST_DRIFT_LU else full
        options.out.write_bytes(chosen.read_bytes())
        told = {
            "kind": chosen.stem,
            "drift_lu": round(moved, 3),
            "bytes": {file.stem: file.stat().st_size for file in (full, small)},
        }
    CHECKPOINT.with_name("export.json").write_text(json.dumps(told))
    print(told)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
