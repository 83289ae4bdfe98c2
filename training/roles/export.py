"""From a checkpoint to the file that ships: ONNX, calibrated, int8 inside, float at both ends."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from core.models.features import BANDS, FRAMES
from core.models.runtime import FILES
from training.data.pictures import load
from training.data.places import training_root
from training.roles.answers import pooled, tracks_of
from training.roles.measure import fit_temperature, fit_unsure
from training.roles.network import RoleNetwork
from training.roles.train import shards

OPSET: Final = 17
CALIBRATION_BATCH: Final = 32
CALIBRATION_PICTURES: Final = 512
CALIBRATION_SEED: Final = 3


class _Pictures(CalibrationDataReader):
    """Feeds the calibration."""

    def __init__(self, mel: NDArray[np.float16]) -> None:
        starts = range(0, len(mel), CALIBRATION_BATCH)
        self._batches: Iterator[dict[str, NDArray[np.float32]]] = iter(
            [{"mel": mel[at : at + CALIBRATION_BATCH, None].astype(np.float32)} for at in starts]
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next batch, None at the end."""
        return next(self._batches, None)


def network_of(checkpoint: Path) -> RoleNetwork:
    """The network of a checkpoint, ready to answer."""
    network = RoleNetwork()
    network.load_state_dict(torch.load(checkpoint, weights_only=True))
    network.eval()
    return network


def write_float(network: RoleNetwork, path: Path) -> None:
    """The float network as ONNX: "mel" (n, 1, 200, 64) to "logits" (n, 20) and "embedding" (n, 64)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (torch.zeros(2, 1, FRAMES, BANDS),), str(path), opset_version=OPSET, dynamo=False,
            input_names=["mel"], output_names=["logits", "embedding"],
            dynamic_axes={name: {0: "n"} for name in ("mel", "logits", "embedding")},
        )  # fmt: skip


def write_int8(float_path: Path, path: Path, calibration: NDArray[np.float16]) -> None:
    """Static QDQ per channel; the first convolution and the head stay float.

    Activations are unsigned, which after a rectifier costs nothing, and weights keep to seven bits: on processors
    without an 8-bit dot product onnxruntime calculates signed activations as floats, and its sums of eight-bit
    weights saturate.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(float_path), str(prepared))
        nodes = onnx.load(prepared).graph.node
        first, *_ = (node.name for node in nodes if node.op_type == "Conv")
        *_, head = (node.name for node in nodes if node.op_type == "Gemm")
        quantize_static(
            str(prepared), str(path), _Pictures(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, reduce_range=True,
            nodes_to_exclude=[first, head], calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Conv", "Relu", "Add", "Gemm"],
        )  # fmt: skip
    onnx.checker.check_model(onnx.load(path))


def session(path: Path, threads: int = 2) -> onnxruntime.InferenceSession:
    """A session as at run time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(ready: onnxruntime.InferenceSession, mel: NDArray[np.float16], batch: int = 32) -> NDArray[np.float64]:
    """Logits of pictures (n, 200, 64)."""
    parts = [ready.run(["logits"], {"mel": mel[at : at + batch, None].astype(np.float32)})[0]
             for at in range(0, len(mel), batch)]  # fmt: skip
    return np.concatenate(parts).astype(np.float64)


def main() -> None:
    """Write the float and the int8 file of the best checkpoint; fit temperature and threshold on validation."""
    folder = training_root() / "roles"
    network = network_of(folder / "best.pt")
    write_float(network, folder / "float.onnx")
    learn = load(shards("train"))
    chosen = np.random.default_rng(CALIBRATION_SEED).choice(len(learn.label), CALIBRATION_PICTURES, replace=False)
    FILES.mkdir(exist_ok=True)
    write_int8(folder / "float.onnx", FILES / "roles.onnx", learn.mel[np.sort(chosen)])
    check = load(shards("validation"))
    tracks = tracks_of(check)
    logits = run(session(FILES / "roles.onnx"), check.mel)
    temperature = fit_temperature(logits, tracks)
    songs = tracks.kind == "stem"
    unsure = fit_unsure(tracks.truth[songs], pooled(logits, tracks.of_picture, temperature)[songs])
    (folder / "calibration.json").write_text(json.dumps({"temperature": temperature, "unsure": unsure}))
    print(f"{(FILES / 'roles.onnx').stat().st_size} bytes, temperature {temperature}, unsure below {unsure}")


if __name__ == "__main__":
    main()
