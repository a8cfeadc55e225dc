"""Rewrites the few documents whose form SQL does not read exactly, so that one transform serves all documents.

Sets given as a single object or as bare keys become lists of objects, free-form JSON becomes text with its digits as
they are, and numbers with exponents become plain ones. Regular documents never come here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from order_assets.contract.model import BIGINT, ColumnType
from order_assets.contract.shape import FreeForm, Leaf, Record, SetOf, Shape
from order_assets.core import exact_json
from order_assets.core.exact_json import Number


def normalise(text: str, shape: Record | SetOf) -> str:
    """The JSON text of a document that passed the validator, in the one form that the transform reads exactly."""
    return exact_json.dumps(_normalised(exact_json.loads(text), shape))


def wanted_of_free_form(text: str, wanted: Mapping[str, ColumnType]) -> str:
    """Of free-form JSON text only the values that are columns, by name, in the form that is read exactly.

    A thing that is given as its key has the key alone.
    """
    value = exact_json.loads_whole(text)
    if not isinstance(value, dict):
        value = {"pk": exact_json.whole(value)}
    return exact_json.dumps({name: _single(value[name], type_) for name, type_ in wanted.items() if name in value})


def _normalised(value: Any, shape: Shape) -> Any:
    match shape:
        case SetOf() if value:
            rows = [value] if isinstance(value, dict) else value
            return [_normalised({"pk": row} if isinstance(row, int) else row, shape.element) for row in rows]
        case Record() if value not in (None, "") and not isinstance(value, dict | list):
            # What the order points to, given as its key.
            return _normalised({"pk": value}, shape)
        case Record() if isinstance(value, dict):
            if "pk" in shape.children and "pk" not in value and "id" not in shape.children:
                value = value | {"pk": value.get("id")}
            return {
                name: _normalised(part, shape.children[name]) if name in shape.children else None
                for name, part in value.items()
            }
        case FreeForm():
            return None if value is None else exact_json.dumps(value)
        case Leaf():
            return _single(value, shape.type)
        case _:
            return None


def _single(value: Any, type_: ColumnType) -> Any:
    if isinstance(value, dict | list):
        return exact_json.dumps(value)
    digits = value.digits if isinstance(value, Number) else value
    if value in (None, "") or isinstance(value, bool):
        return value
    if type_.is_decimal:
        return format(Decimal(digits), "f")
    if type_ == BIGINT:
        return int(Decimal(digits))
    return digits
