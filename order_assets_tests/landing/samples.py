"""Documents, gates and orders that the tests of this room share."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from order_assets.contract import CONTRACT, Document
from order_assets.landing import ListedOrder
from order_assets.redaction import Privacy, PrivacyMode, Validator
from order_assets.redaction.validator import Passed
from order_assets.sandbox import Shop, ShopSettings, documented_order
from order_assets.testing.landed_days import Answers

KEY = "a key for tests"
NOW = datetime(2026, 2, 1, tzinfo=UTC)


@cache
def gate(mode: str = "tokenise") -> Validator:
    return Validator(CONTRACT, Privacy(PrivacyMode(mode), key=KEY))


def detail() -> dict[str, Any]:
    return copy.deepcopy(documented_order())


def text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def check(value: Any, document: Document = Document.DETAIL, mode: str = "tokenise") -> Passed:
    """Check a value, or JSON text, as the gate gets it from the wire."""
    return gate(mode).check(document, value if isinstance(value, (str, bytes)) else text_of(value))


def with_raw(path: list[str | int], raw: str) -> str:
    """The documented order with the JSON text `raw` at a path."""
    order = detail()
    put(order, path, "@@planted@@")
    return text_of(order).replace('"@@planted@@"', raw)


def put(root: Any, path: list[str | int], value: Any) -> None:
    for step in path[:-1]:
        root = root[step]
    root[path[-1]] = value


@cache
def shop() -> Shop:
    return Shop(ShopSettings(now=NOW, start=date(2026, 1, 1)))


@cache
def sandbox_pks(count: int) -> tuple[int, ...]:
    pks = shop().order_pks()
    step = max(1, len(pks) // count)
    return tuple(pks[::step][:count])


def sandbox_documents(pk: int) -> dict[Document, Any]:
    """The three documents of an order as JSON values, before the gate."""
    return copy.deepcopy(
        {
            Document.DETAIL: shop().order_detail(pk),
            Document.ITEMS: shop().order_items(pk),
            Document.DISCOUNTS: shop().discount_items(pk),
        }
    )


def answers(documents: dict[Document, Any], **changes: Any) -> Answers:
    facts = {
        "detail": text_of(documents[Document.DETAIL]).encode(),
        "item_pages": (text_of({"count": 1, "results": documents[Document.ITEMS]}).encode(),),
        "discount_pages": (text_of(documents[Document.DISCOUNTS]).encode(),),
        "fetched_at": NOW,
    }
    return Answers(**{**facts, **changes})


def listed(pk: int = 27, number: str = "bf7b66149236455", **changes: Any) -> ListedOrder:
    moment = datetime(2026, 1, 5, 12, tzinfo=UTC)
    facts = {"pk": pk, "number": number, "date_placed": moment, "modified_date": moment, "created_date": moment}
    return ListedOrder(**{**facts, "checkout_provider_id": None, "listed": True, **changes})
