"""The settings as a screen explains them: read out of their type, so that nothing is said twice."""

from __future__ import annotations

import msgspec
from msgspec import inspect

from core.protocol.topics import SettingInfo
from core.settings import Settings


def explained() -> list[SettingInfo]:
    """Every setting that a person sets, in the order of `Settings`."""
    kind = inspect.type_info(Settings)
    assert isinstance(kind, inspect.StructType)
    return [_info(field) for field in kind.fields if isinstance(field.type, inspect.Metadata)]


def _info(field: inspect.Field) -> SettingInfo:
    about = field.type
    assert isinstance(about, inspect.Metadata)
    inner = about.type
    low = high = None
    choices: tuple[str, ...] = ()
    if isinstance(inner, inspect.IntType | inspect.FloatType):
        low, high = inner.ge, inner.le
    elif isinstance(inner, inspect.LiteralType):
        choices = tuple(map(str, inner.values))
    number = isinstance(inner, inspect.IntType | inspect.FloatType)
    switch = isinstance(inner, inspect.BoolType)
    return SettingInfo(
        name=field.name,
        kind="number" if number else "switch" if switch else "choice" if choices else "text",
        explanation=(about.extra_json_schema or {}).get("description", ""),
        unit=(about.extra or {}).get("unit", ""),
        low=low,
        high=high,
        whole=isinstance(inner, inspect.IntType),
        choices=choices,
        default=None if field.default is msgspec.NODEFAULT else field.default,
    )
