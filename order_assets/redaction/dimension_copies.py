"""Finds what a document says of one thing in several places, where the places disagree.

A table of things has one row per key, so of copies that differ one is stored. Which one is decided as for the tables:
the copy that was modified last, else the one in the first place. What the others say differently, and all that a copy
without a key says, is given here; what becomes of it is decided in `redaction.validator`. Copies in other orders are
other versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from order_assets.contract.model import BIGINT, JSON, TIMESTAMP, ColumnType
from order_assets.contract.shape import FreeForm, Leaf, Record, SetOf, Shape
from order_assets.core import exact_json
from order_assets.redaction.typed_values import comparable, is_key

_NEVER = datetime.min.replace(tzinfo=UTC)
_MODIFIED = "modified_date"


class ThingCopy(NamedTuple):
    """One place's copy of a thing, where there are others that differ."""

    shape: Record
    path: list[str]
    value: Mapping[str, Any]


class _Cell(NamedTuple):
    path: tuple[str, ...]
    type: ColumnType
    value: Any


def lost_values(shape: Shape, document: Any) -> Iterator[tuple[list[str], Any]]:
    """The path and the value of all that no row will have because another copy of the same thing has it otherwise."""
    alike: dict[tuple[str, int | None], list[ThingCopy]] = defaultdict(list)
    for copy in _copies(shape, document, []):
        alike[_name(copy), key_of(copy.value)].append(copy)
    for (_, key), found in alike.items():
        if key is None:
            for copy in found:
                yield from _differing(copy, {})
        elif any(copy.value != found[0].value for copy in found):
            winner = max(sorted(found, key=_place), key=_modified)
            said = {cell.path: cell for cell in _cells(winner.shape, winner.value)}
            for copy in found:
                if copy is not winner:
                    yield from _differing(copy, said)


def _copies(shape: Shape, value: Any, path: list[str]) -> Iterator[ThingCopy]:
    """What each place of a document says of a thing; what a thing points to comes before it."""
    match shape:
        case Record() if isinstance(value, dict) and value:
            for name, part in value.items():
                if name in shape.children:
                    yield from _copies(shape.children[name], part, [*path, name])
            if shape.thing is not None:
                yield ThingCopy(shape, path, value)
        case Record() if shape.thing is not None and is_key(value):
            yield ThingCopy(shape, path, {"pk": value})
        case SetOf() if isinstance(value, list):
            for position, part in enumerate(value):
                if isinstance(part, dict):
                    yield from _copies(shape.element, part, [*path, f"[{position}]"])
        case SetOf() if isinstance(value, dict):
            yield from _copies(shape.element, value, path)


def _differing(copy: ThingCopy, said: Mapping[tuple[str, ...], _Cell]) -> Iterator[tuple[list[str], Any]]:
    for cell in _cells(copy.shape, copy.value):
        mine = comparable(cell.value, cell.type)
        other = said.get(cell.path)
        if mine is not None and (other is None or mine != comparable(other.value, other.type)):
            yield [*copy.path, *cell.path], cell.value


def _cells(shape: Record, value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[_Cell]:
    """The single values of a thing; of what it points to, which is a thing itself, the key."""
    for name, child in shape.children.items():
        part = value.get(name)
        inside = (*path, name)
        match child:
            case Leaf():
                yield _Cell(inside, child.type, part)
            case FreeForm():
                yield _Cell(inside, JSON, part)
            case Record() if child.thing is not None:
                key = part if not isinstance(part, dict) else part.get("pk")
                yield _Cell((*inside, "pk") if isinstance(part, dict) else inside, BIGINT, key)
            case Record() if isinstance(part, dict):
                yield from _cells(child, part, inside)


def _name(copy: ThingCopy) -> str:
    return copy.shape.thing[0] if copy.shape.thing else ""


def _place(copy: ThingCopy) -> int:
    return copy.shape.thing[1] if copy.shape.thing else 0


def key_of(value: Mapping[str, Any]) -> int | None:
    """The key of a thing in any of its spellings; `None` where it has none."""
    return exact_json.whole(value.get("pk", value.get("id")))


def _modified(copy: ThingCopy) -> datetime:
    said = comparable(copy.value.get(_MODIFIED), TIMESTAMP) if _MODIFIED in copy.shape.children else None
    return said if isinstance(said, datetime) else _NEVER
