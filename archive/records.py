"""Items, events and other model types to JSON and back. The one place that knows how a type is written down.

What is written into `metadata/item.json` is read again in thirty years, so: field names are those of the model, enums their value,
empty and default fields are left out, unknown fields are ignored on reading (a later release may have written them).
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _default(field: dataclasses.Field[Any]) -> tuple[str, object]:
    return field.name, field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


_plans: dict[type, tuple[tuple[str, object], ...] | None] = {}


def _plan(type_: type) -> tuple[tuple[str, object], ...] | None:
    """Name and default of each field (MISSING: has none), or None for a type that is no dataclass; asked once for each type."""
    if type_ not in _plans:
        _plans[type_] = tuple(map(_default, dataclasses.fields(type_))) if dataclasses.is_dataclass(type_) else None
    return _plans[type_]


def to_record(value: object) -> Any:
    """JSON-ready form (dict, list, str, numbers, bool, None) of a model value; defaults left out."""
    if type(value) in _PLAIN:
        return value
    plan = _plan(type(value))
    if plan is not None:
        record = {}
        for name, default in plan:
            part = getattr(value, name)
            if default is dataclasses.MISSING or (part is not default and part != default):
                record[name] = to_record(part)
        return record
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_record(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [to_record(part) for part in value]
    return value


def from_record(record: Any, type_: type[T]) -> T:
    """The model value of type `type_` that `record` (JSON-ready) stands for; raises msgspec.ValidationError with a path."""
    return msgspec.convert(record, type_)


def encode(value: object) -> bytes:
    """`value` as indented UTF-8 JSON, ending in a line feed; the same value gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(to_record(value)), indent=1) + b"\n"


def decode(data: bytes, type_: type[T]) -> T:
    """The value that `encode` wrote; raises msgspec.DecodeError or ValidationError."""
    return msgspec.json.decode(data, type=type_)
