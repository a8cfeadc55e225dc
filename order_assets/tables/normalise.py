"""Rewrites the few documents whose form SQL does not read exactly, so that one transform serves all documents.

Sets given as a single object or as bare keys become lists of objects, free-form JSON becomes text with its digits as
they are, and numbers with exponents become plain ones. Regular documents never come here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from order_assets.contract import exact
from order_assets.contract.exact import Number
from order_assets.contract.model import BIGINT
from order_assets.contract.shape import FreeForm, Leaf, Record, SetOf, Shape


def normalise(text: str, shape: Record | SetOf) -> str:
    """The JSON text of a document that passed the gate, in the one form that the transform reads exactly."""
    return exact.dumps(_normalised(exact.loads(text), shape))


def _normalised(value: Any, shape: Shape) -> Any:
    match shape:
        case SetOf() if value:
            rows = [value] if isinstance(value, dict) else value
            return [_normalised({"pk": row} if isinstance(row, int) else row, shape.element) for row in rows]
        case Record() if isinstance(value, dict):
            return {
                name: _normalised(part, shape.children[name]) if name in shape.children else None
                for name, part in value.items()
            }
        case FreeForm():
            return None if value is None else exact.dumps(value)
        case Leaf():
            return _single(value, shape)
        case _:
            return None


def _single(value: Any, leaf: Leaf) -> Any:
    if isinstance(value, dict | list):
        return exact.dumps(value)
    digits = value.digits if isinstance(value, Number) else value
    if value in (None, "") or isinstance(value, bool):
        return value
    if leaf.type.is_decimal:
        return format(Decimal(digits), "f")
    if leaf.type == BIGINT:
        return int(Decimal(digits))
    return digits
