"""Finds what documents say about a person outside the fields for it: names, addresses and numbers in free text.

Needed for the right to erasure only. The fields themselves are treated by the validator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from order_assets.contract.model import Document
from order_assets.contract.shape import Leaf, Record, SetOf, Shape
from order_assets.core import exact_json

_FORGOTTEN = "[forgotten]"
# Shorter texts (a two-letter first name, a house number) occur in too much that is not about the person.
_SHORTEST = 3
_LONG = 8


@dataclass(frozen=True)
class Said:
    """Patterns for the person's own texts: all of them, and those that can hardly mean anything else.

    A first name may be a carrier's name too; an address line or a phone number is nobody else's.
    """

    anywhere: re.Pattern[str] | None
    distinctive: re.Pattern[str] | None


def said_in(values: Mapping[Document, Any], shapes: Mapping[Document, Shape]) -> Said:
    """The person's own texts: those at the paths of an order's documents that the contract calls personal."""
    found = (text for document, value in values.items() for text in _personal_values(value, shapes[document]))
    words = {text.strip() for text in found if len(text.strip()) >= _SHORTEST}
    return Said(_any_of(words), _any_of({word for word in words if len(word) >= _LONG or not word.isalpha()}))


def without_mentions(text: str, shape: Shape, said: Said) -> str:
    """The JSON text of a document without the person's texts."""
    return text if said.anywhere is None else exact_json.dumps(_replaced(exact_json.loads(text), shape, said))


def _personal_values(value: Any, shape: Shape) -> Iterator[str]:
    """The texts at the paths that the contract calls personal."""
    match shape:
        case Record() if isinstance(value, dict):
            for name, child in shape.children.items():
                yield from _personal_values(value.get(name), child)
        case SetOf() if isinstance(value, list):
            for part in value:
                yield from _personal_values(part, shape.element)
        case Leaf() if shape.personal is not None and isinstance(value, str):
            yield value


def _any_of(words: set[str]) -> re.Pattern[str] | None:
    longest_first = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
    return re.compile(pattern, re.IGNORECASE) if words else None


def _replaced(value: Any, shape: Shape | None, said: Said) -> Any:
    """The value without the person's texts; where the contract knows a field, only distinctive ones are replaced."""
    match shape:
        case Record() if isinstance(value, dict):
            return {name: _replaced(part, shape.children.get(name), said) for name, part in value.items()}
        case SetOf() if isinstance(value, list):
            return [_replaced(part, shape.element, said) for part in value]
        case Leaf() if not shape.gateway_text:
            return _blotted(value, said.distinctive)
        case _:
            return _blotted(value, said.anywhere)


def _blotted(value: Any, pattern: re.Pattern[str] | None) -> Any:
    if pattern is None:
        return value
    if isinstance(value, dict):
        return {_blotted(key, pattern): _blotted(part, pattern) for key, part in value.items()}
    if isinstance(value, list):
        return [_blotted(part, pattern) for part in value]
    return pattern.sub(_FORGOTTEN, value) if type(value) is str else value
