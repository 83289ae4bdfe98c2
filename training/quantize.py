"""The small controllers' way to int8: their hidden layers alone, from a float file and what it is fed in training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

Fed = NDArray[np.float32]


class _Examples(CalibrationDataReader):
    """Examples one by one, as onnxruntime wants them."""

    def __init__(self, name: str, examples: Iterable[Fed]) -> None:
        self._name = name
        self._examples: Iterator[Fed] = iter(examples)

    def get_next(self) -> Mapping[str, Fed] | None:
        example = next(self._examples, None)
        return None if example is None else {self._name: example[None]}


def int8_file(source: Path, out: Path, *, layers: Sequence[str], name: str, examples: Iterable[Fed]) -> None:
    """Quantize the named `layers` of a float file: static QDQ, signed, per channel.

    `examples` are what the input called `name` is fed, without its first axis; they calibrate the layers' ranges.
    """
    quantize_static(
        str(source),
        str(out),
        _Examples(name, examples),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        nodes_to_quantize=list(layers),
        extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
    )
