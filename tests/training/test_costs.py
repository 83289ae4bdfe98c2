"""What tables of docs/models.md are made by: known gains are found again, a row tells of the files it measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch lives in the environment of training")
onnx = pytest.importorskip("onnx", reason="onnx lives in the environment of training")
pytest.importorskip("onnxscript", reason="onnxscript lives in the environment of training")

from core.models.mixing import FEATURES  # noqa: E402
from training import cost  # noqa: E402
from training.mix import export, network, twice  # noqa: E402

pytestmark = pytest.mark.training


def _stems() -> np.ndarray:
    """Four players of noise, each with its own pace and colour, six seconds."""
    random = np.random.default_rng(5)
    time_s = np.arange(6 * twice.RATE_HZ) / twice.RATE_HZ
    parts = []
    for at in range(4):
        noise = random.standard_normal(time_s.size)
        mono = np.diff(noise, n=at, prepend=[0.0] * at) * np.exp(-8.0 * ((time_s * (0.7 + 0.6 * at)) % 1.0))
        parts.append(np.stack([mono, 0.7 * mono]) / mono.std())
    return np.stack(parts).astype(np.float32)


def test_a_record_s_balance_is_found_behind_its_limiter() -> None:
    assert twice.known(_stems()) < 0.5


def test_a_mix_is_found_in_the_record_that_holds_it() -> None:
    mix = _stems().sum(axis=0)
    record = np.concatenate([0.1 * mix[:, ::-1], 2.0 * mix, mix[:, ::-1]], axis=1)
    assert np.array_equal(twice.found(record, mix), 2.0 * mix)


def test_a_row_names_the_sizes_of_the_files_it_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "ROUNDS", 1)
    monkeypatch.setattr(cost, "LEAST_S", 0.001)
    mixer = network.Controller()
    shipped = tmp_path / "shipped.onnx"
    onnx.save(export.float_model(mixer), shipped)
    case = cost.Case(
        "mixing", "four tracks", (1, 4, FEATURES), mixer, lambda path: onnx.save(export.float_model(mixer), path)
    )
    cells = [cell.strip() for cell in cost.row(case, shipped, tmp_path).split("|")]
    kilobytes = f"{shipped.stat().st_size / 1e3:.0f}"
    assert cells[5:8] == [kilobytes, kilobytes, "1.0"]
    assert all(float(cell) > 0.0 for cell in cells[2:5])
