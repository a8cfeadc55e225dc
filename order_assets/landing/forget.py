"""Takes a customer's personal data out of what has been landed: the right to erasure.

Orders, amounts and keys stay; names, addresses, numbers and texts go, from every version that was kept. A customer
who was forgotten stays forgotten: later answers about them are treated the same way before they are stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from order_assets.contract import exact
from order_assets.contract.exact import ExactJsonError
from order_assets.contract.model import Contract, Document
from order_assets.contract.shape import Leaf, Record, SetOf, Shape, document_shape
from order_assets.landing.files import write_json
from order_assets.landing.gate import Gate, Refused
from order_assets.landing.privacy import Privacy, PrivacyMode
from order_assets.landing.quarantine import landed_days
from order_assets.landing.receive import customers_of, landed_columns
from order_assets.landing.store import Landing, Outcome

_FILE = "forgotten.json"
_FORGOTTEN = "[forgotten]"
# Shorter texts (a two-letter first name, a house number) occur in too much that is not about the person.
_SHORTEST = 3
_LONG = 8


@dataclass(frozen=True)
class Forgetting:
    """What forgetting a customer changed: the days with the number of stored versions rewritten on each."""

    customer_pk: int
    days: dict[date, int]


def forgotten_customers(data_root: Path) -> frozenset[int]:
    """The customers that were forgotten."""
    path = data_root / _FILE
    return frozenset(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else frozenset()


def forget(data_root: Path, customer_pk: int, contract: Contract) -> Forgetting:
    """Take the customer's personal data out of every landed version of their orders.

    Only days with such orders are rewritten. The customer is written down first, so that a run that is under way
    cannot bring the data back.
    """
    write_json(data_root / _FILE, sorted(forgotten_customers(data_root) | {customer_pk}))
    eraser = _Eraser(contract)
    days: dict[date, int] = {}
    for day in landed_days(data_root):
        count = Landing(data_root, day).rewrite(lambda row: eraser.erase(row, customer_pk))
        if count:
            days[day] = count
    return Forgetting(customer_pk, days)


class _Eraser:
    """Rewrites landing rows of one customer without their personal data."""

    def __init__(self, contract: Contract) -> None:
        self._gate = Gate(contract, Privacy(PrivacyMode.DROP))
        self._shapes = {document: document_shape(contract, document) for document in Document}

    def erase(self, row: dict[str, Any], customer_pk: int) -> dict[str, Any] | None:
        """The row without personal data; `None` where it is not about the customer."""
        detail = _loads(row["detail"])
        if customer_pk not in customers_of(detail):
            return None
        said = _said_about(
            value
            for document in Document
            for value in _personal_values(_loads(row[document.value]), self._shapes[document])
        )
        texts = {document: self._without(row[document.value], document, said) for document in Document}
        erased = {**row, **{document.value: text for document, text in texts.items()}}
        if row["outcome"] in (Outcome.LANDED, Outcome.TOMBSTONED):
            try:
                passed = {document: self._gate.check(document, text or "[]") for document, text in texts.items()}
            except Refused:
                # Landed under another contract; the texts are clean, and checking again is the work of a replay.
                return erased | {"unmapped": "[]"}
            kept = {"outcome": row["outcome"], "contract_version": row["contract_version"]}
            return erased | landed_columns(passed) | kept
        return erased

    def _without(self, text: str | None, document: Document, said: _Said) -> str | None:
        if text is None:
            return None
        cleaned = self._gate.redact_refused(document, text)
        if cleaned is None or said.anywhere is None:
            return cleaned
        return exact.dumps(_replaced(exact.loads(cleaned), self._shapes[document], said))


@dataclass(frozen=True)
class _Said:
    """Patterns for the person's own texts: all of them, and those that can hardly mean anything else.

    A first name may be a carrier's name too; an address line or a phone number is nobody else's.
    """

    anywhere: re.Pattern[str] | None
    distinctive: re.Pattern[str] | None


def _loads(text: str | None) -> Any:
    try:
        return None if text is None else exact.loads(text)
    except ExactJsonError:
        return None


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


def _said_about(values: Iterator[str]) -> _Said:
    words = {value.strip() for value in values if len(value.strip()) >= _SHORTEST}
    return _Said(_any_of(words), _any_of({word for word in words if len(word) >= _LONG or not word.isalpha()}))


def _any_of(words: set[str]) -> re.Pattern[str] | None:
    longest_first = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
    return re.compile(pattern, re.IGNORECASE) if words else None


def _replaced(value: Any, shape: Shape | None, said: _Said) -> Any:
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
