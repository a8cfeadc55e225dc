"""Who was forgotten, and the erasing of one stored order: what every writer of landing holds its rows against.

A customer who is forgotten while their orders are on the way, or while a day is made into one part, stays forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from order_assets.contract import CONTRACT
from order_assets.contract.model import Contract, Document
from order_assets.core import exact_json
from order_assets.core.exact_json import ExactJsonError
from order_assets.landing.land import check_again, customers_of
from order_assets.landing.landing_schema import Outcome, further_names
from order_assets.redaction.free_text import Said, said_in, without_mentions
from order_assets.redaction.privacy import Privacy, PrivacyMode
from order_assets.redaction.validator import Refused, Validator

FORGOTTEN_FILE = "forgotten.json"


def forgotten_customers(data_root: Path) -> frozenset[int]:
    """The customers that were forgotten."""
    path = data_root / FORGOTTEN_FILE
    return frozenset(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else frozenset()


def without_forgotten(data_root: Path, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Landing rows without the personal data of customers who were forgotten since the rows were made."""
    gone = forgotten_customers(data_root)
    if not gone:
        return rows
    eraser = _eraser()
    return [eraser.erase(row, gone) or row for row in rows]


@cache
def _eraser() -> Eraser:
    return Eraser(CONTRACT)


class Eraser:
    """Rewrites landing rows of customers without their personal data."""

    def __init__(self, contract: Contract) -> None:
        self._validator = Validator(contract, Privacy(PrivacyMode.DROP))

    def erase(self, row: Mapping[str, Any], customers: Iterable[int]) -> dict[str, Any] | None:
        """The row without personal data; `None` where it is not about one of the customers."""
        if not row.get("detail"):
            return None
        detail = _loads(row["detail"])
        if customers_of(detail).isdisjoint(customers):
            return None
        documents = self._validator.documents
        said = said_in({document: _loads(row.get(document.name)) for document in documents}, self._validator.shapes)
        texts = {document: self._without(row.get(document.name), document, said) for document in documents}
        # Whom a document is about that this contract does not know cannot be told.
        unknown = dict.fromkeys(name for name in further_names(row) if name not in {of.name for of in documents})
        erased = {**row, **unknown, **{of.name: text for of, text in texts.items() if of.name in row}}
        if row["outcome"] in (Outcome.LANDED, Outcome.TOMBSTONED):
            try:
                landed = check_again(self._validator, texts)
            except Refused:
                # Landed under another contract; the texts are clean, and checking again is the work of a replay.
                return erased | {"unmapped": "[]"}
            kept = {"outcome": row["outcome"], "contract_version": row["contract_version"]}
            return erased | landed | kept
        return erased

    def _without(self, text: str | None, document: Document, said: Said) -> str | None:
        if text is None:
            return None
        cleaned = self._validator.redact_refused(document, text)
        return None if cleaned is None else without_mentions(cleaned, self._validator.shapes[document], said)


def _loads(text: str | None) -> Any:
    try:
        return None if text is None else exact_json.loads(text)
    except ExactJsonError:
        return None
