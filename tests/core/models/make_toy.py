"""Makes toy/roles.onnx, a network so small that its answers can be foreseen, and its card.

It means the picture over time and asks how much of it lies low, in the middle and high. Needs the package onnx, which
the tests do not: `python -m tests.core.models.make_toy` in an environment that has it, numpy, scipy and msgspec.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from core.models.card import Card, Data, Metric, Tensor
from core.models.features import BANDS, FEATURES, FRAMES, mel_hz

FOLDER = Path(__file__).with_name("toy")
LABELS = (
    "kick", "snare", "hihat", "toms", "overheads", "percussion", "bass", "synth_bass", "acoustic_guitar",
    "electric_guitar", "distorted_guitar", "piano", "keys", "synth_pad", "synth_lead", "strings", "brass", "woodwind",
    "lead_vocal", "noise",
)  # fmt: skip
STRENGTH = 6.0
OPSET = 17


def weights() -> np.ndarray:
    """Shape (BANDS, labels): bass lies below 250 Hz, a voice between, a hi-hat above 4 kHz."""
    centres = mel_hz()[1:-1]
    low, high = centres < 250.0, centres > 4_000.0
    matrix = np.zeros((BANDS, len(LABELS)), np.float32)
    for label, bands in (("bass", low), ("lead_vocal", ~low & ~high), ("hihat", high)):
        matrix[:, LABELS.index(label)] = STRENGTH * (bands / bands.sum() - ~bands / (~bands).sum())
    return matrix


def model() -> onnx.ModelProto:
    nodes = [
        helper.make_node("ReduceMean", ["mel"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
        helper.make_node("Identity", ["mean"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("mel", TensorProto.FLOAT, ["n", 1, FRAMES, BANDS])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(LABELS)]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", BANDS]),
        ],
        [numpy_helper.from_array(weights(), "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def card(content: bytes) -> Card:
    return Card(
        name="roles",
        version="0.0.1",
        what="Tells low sounds from high ones, for tests.",
        in_use=True,
        verdict="Beats nothing; it is there to be foreseen.",
        sha256=hashlib.sha256(content).hexdigest(),
        opset=OPSET,
        onnxruntime="1.20",
        features=FEATURES,
        inputs=(Tensor(name="mel", shape=("n", 1, FRAMES, BANDS), what="pictures of core.models.features"),),
        outputs=(
            Tensor(name="logits", shape=("n", len(LABELS)), what="one per label"),
            Tensor(name="embedding", shape=("n", BANDS), what="the mean picture"),
        ),
        labels=LABELS,
        temperature=0.5,
        thresholds={"unsure": 0.5},
        training="python -m tests.core.models.make_toy",
        data=(Data(name="none", licence="none needed", used_for="training"),),
        metrics=(Metric(what="accuracy", value=0.2, low=0.1, high=0.3, baselines={"largest class": 0.1}),),
        limits=("It knows three roles.",),
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    serialised = model().SerializeToString()
    (FOLDER / "roles.onnx").write_bytes(serialised)
    (FOLDER / "roles.json").write_bytes(msgspec.json.format(msgspec.json.encode(card(serialised)), indent=2) + b"\n")
