"""As much of the ONNX file format as it takes to check a file before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterator

_MODEL_OPSET_IMPORT, _OPSET_DOMAIN, _OPSET_VERSION = 8, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def opset_of(content: bytes) -> int:
    """Version of the standard operators that an ONNX file imports (onnx.proto: ModelProto 8, OperatorSetIdProto 1, 2).

    Raises ValueError for what is not an ONNX file.
    """
    for number, value in _fields(content):
        if number == _MODEL_OPSET_IMPORT and isinstance(value, bytes):
            entry = dict(_fields(value))
            version = entry.get(_OPSET_VERSION)
            if entry.get(_OPSET_DOMAIN, b"") in (b"", b"ai.onnx") and isinstance(version, int):
                return version
    raise ValueError("it imports no standard operators")


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of the fields of one protocol buffer message, in their order."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(content, at)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("it is not an ONNX file")
        if at + length > len(content):
            raise ValueError("it is cut short")
        yield key >> 3, content[at : at + length]
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content) and shift < 70:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("it is cut short")
