"""Takes a customer's personal data out of what has been landed: the right to erasure.

Orders, amounts and keys stay; names, addresses, numbers and texts go, from every version that was kept. A customer
who was forgotten stays forgotten: later answers about them are treated the same way before they are stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from order_assets.contract import exact
from order_assets.contract.exact import ExactJsonError
from order_assets.contract.model import Contract, Document
from order_assets.disk import write_json
from order_assets.landing.gate import Gate, Refused
from order_assets.landing.mentions import Said, said_in, without_mentions
from order_assets.landing.privacy import Privacy, PrivacyMode
from order_assets.landing.quarantine import landed_days
from order_assets.landing.receive import check_again, customers_of
from order_assets.landing.store import Landing, Outcome

_FILE = "forgotten.json"


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

    def erase(self, row: dict[str, Any], customer_pk: int) -> dict[str, Any] | None:
        """The row without personal data; `None` where it is not about the customer."""
        detail = _loads(row["detail"])
        if customer_pk not in customers_of(detail):
            return None
        said = said_in({document: _loads(row[document.value]) for document in Document}, self._gate.shapes)
        texts = {document: self._without(row[document.value], document, said) for document in Document}
        erased = {**row, **{document.value: text for document, text in texts.items()}}
        if row["outcome"] in (Outcome.LANDED, Outcome.TOMBSTONED):
            try:
                landed = check_again(self._gate, texts)
            except Refused:
                # Landed under another contract; the texts are clean, and checking again is the work of a replay.
                return erased | {"unmapped": "[]"}
            kept = {"outcome": row["outcome"], "contract_version": row["contract_version"]}
            return erased | landed | kept
        return erased

    def _without(self, text: str | None, document: Document, said: Said) -> str | None:
        if text is None:
            return None
        cleaned = self._gate.redact_refused(document, text)
        return None if cleaned is None else without_mentions(cleaned, self._gate.shapes[document], said)


def _loads(text: str | None) -> Any:
    try:
        return None if text is None else exact.loads(text)
    except ExactJsonError:
        return None
