"""Values that a field lets through as they are: most of a document, known without a look at each.

Integers are known by a range, true and false by their type, texts because they passed before: channels, cities and
means of payment are the same in every order. What happens to all other values is the work of `redaction.validator`.
"""

from __future__ import annotations

from collections.abc import Container

from order_assets.contract.model import BIGINT, BOOLEAN, TEXT, ColumnType
from order_assets.contract.shape import CopyOf, FreeForm, Leaf, Record, Removed, SetOf
from order_assets.core.exact_json import Number

# By the type of a value and the name of its field.
Passing = dict[type, dict[str, Container[object]]]

_MOST_TEXTS, _LONGEST_TEXT = 20_000, 100
_BIGINTS = range(-(2**63), 2**63)
_FLAGS = (False, True)


class Texts(set[str]):
    """Texts that passed. Forgets all when it is full, so memory stays flat; safe to share between threads."""

    def learn(self, text: str) -> None:
        """Let this text pass from now on."""
        if len(text) <= _LONGEST_TEXT:
            if len(self) >= _MOST_TEXTS:
                self.clear()
            self.add(text)


class Known:
    """What one validator has learned: a text that passed for one field passes for all of the same kind."""

    def __init__(self) -> None:
        self._texts: dict[ColumnType | None, Texts] = {}

    def texts(self, field: Leaf | CopyOf) -> Texts:
        """The texts known for fields of this kind."""
        # Copies are read as their type says only where that is text.
        kind = field.type if isinstance(field, Leaf) or field.type == TEXT else None
        return self._texts.setdefault(kind, Texts())

    def passing(self, record: Record) -> Passing:
        """What passes for the fields of a record."""
        passing = nothing_passes(record)
        for name, shape in record.children.items():
            if isinstance(shape, Record | SetOf | FreeForm | Removed):
                passing[dict][name] = ({},)
            elif shape.personal is None and not (isinstance(shape, Leaf) and shape.gateway_text):
                self._pass_values(passing, name, shape)
            if isinstance(shape, Leaf) and shape.required:
                passing[type(None)][name] = ()
        return passing

    def _pass_values(self, passing: Passing, name: str, field: Leaf | CopyOf) -> None:
        if field.type == BIGINT:
            passing[int][name] = _BIGINTS
        if field.type in (BOOLEAN, TEXT):
            passing[bool][name] = _FLAGS
        # Of a required field the empty text must not pass, which others may have taught.
        if isinstance(field, CopyOf) or not field.required:
            passing[str][name] = self.texts(field)


def nothing_passes(record: Record) -> Passing:
    """What passes where every value is to be looked at: nulls alone. All names are there for each kind of value."""
    kinds = (bool, int, str, Number, list, dict)
    nothing: Passing = {kind: dict.fromkeys(record.children, ()) for kind in kinds}
    return {type(None): dict.fromkeys(record.children, (None,)), **nothing}
