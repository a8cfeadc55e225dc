"""Every value that the API sent is in a table, in `unmapped_fields`, or at a place that is declared to be removed.

The walk over the documents below knows nothing of the contract: only the names of the tables' files, and the list of
places whose values are taken out on purpose.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from order_assets.contract import CONTRACT, Document
from order_assets.contract.shape import removed_paths
from order_assets.landing import receive
from order_assets.sandbox import documented_order
from order_assets_tests.landing.flattened import tables_of
from order_assets_tests.landing.samples import (
    answers,
    detail,
    gate,
    listed,
    sandbox_documents,
    sandbox_pks,
    text_of,
)

# Repeats its order; a value that differs is reported as unmapped, which the last test looks at.
COPY = "transaction_set[].order"
SANITISED = re.compile(r"(raw_request|raw_response|send_request|send_response)(\.|\[|$)")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, f"{path}[]")
    elif value not in (None, ""):
        yield path, value


def facts(value: Any) -> Iterator[str]:
    """The forms in which a value may be found again: one text for all spellings of a number or time."""
    if isinstance(value, bool):
        yield f"bool {value}"
    elif isinstance(value, (int, Decimal)):
        yield f"number {Decimal(value).normalize():f}"
    elif isinstance(value, datetime):
        yield f"time {value.astimezone(UTC).isoformat()}"
    elif isinstance(value, date):
        yield f"text {value.isoformat()}"
    elif isinstance(value, str):
        yield f"text {value}"
        with suppress(InvalidOperation):
            yield f"number {Decimal(value).normalize():f}"
        if re.match(r"\d{4}-\d\d-\d\dT", value):
            moment = datetime.fromisoformat(value)
            yield f"time {(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()}"


def cells(tables: dict[str, list[dict[str, Any]]]) -> set[str]:
    found: set[str] = set()
    for rows in tables.values():
        for row in rows:
            for cell in row.values():
                found.update(facts(cell))
                if isinstance(cell, str) and cell[:1] in ("{", "[", '"'):
                    found.update(inside(cell))
    return found


def inside(text: str) -> set[str]:
    """What a cell of free-form JSON holds."""
    try:
        value = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError:
        return set()
    return {fact for _, leaf in leaves(value) for fact in facts(leaf)}


def lost(documents: dict[Document, Any], pk: int, number: str) -> list[tuple[str, Any]]:
    row = receive(gate("clear"), listed(pk, number), answers(documents))
    assert row["outcome"] == "landed", row["reason"]
    there = cells(tables_of([row]))
    removed = tuple(path for _, path, _ in removed_paths(CONTRACT))
    sent = [leaf for value in documents.values() for leaf in leaves(json.loads(text_of(value), parse_float=Decimal))]
    return [
        (path, value)
        for path, value in sent
        if not path.startswith((*removed, COPY))
        and SANITISED.search(path) is None
        and there.isdisjoint(facts(value))
        and value != "[redacted]"
    ]


def test_each_value_of_the_documented_order_is_found_again() -> None:
    documents = {Document.DETAIL: detail(), Document.ITEMS: [], Document.DISCOUNTS: []}
    assert lost(documents, 27, "bf7b66149236455") == []


def test_each_value_of_sandbox_orders_is_found_again() -> None:
    rows, sent = [], []
    for pk in sandbox_pks(60):
        documents = sandbox_documents(pk)
        rows.append(receive(gate("clear"), listed(pk, documents[Document.DETAIL]["number"]), answers(documents)))
        sent += [
            (pk, leaf)
            for value in documents.values()
            for leaf in leaves(json.loads(text_of(value), parse_float=Decimal))
        ]
    assert {row["outcome"] for row in rows} == {"landed"}
    # Day by day things come once; here all orders are one day, so an older version of a thing may be covered.
    there = cells(tables_of(rows))
    removed = tuple(path for _, path, _ in removed_paths(CONTRACT))
    things = re.compile(r"(customer|address|channel|payment_option|installment|pos|cargo_company|city|bank)\b.*\.")
    missing = [
        (pk, path, value)
        for pk, (path, value) in sent
        if not path.startswith((*removed, COPY))
        and SANITISED.search(path) is None
        and there.isdisjoint(facts(value))
        and not (things.search(path) and path.endswith("modified_date"))
    ]
    assert missing == []
    assert len(sent) > 10_000


def test_a_value_planted_at_any_new_place_is_found_again() -> None:
    """At every object of every document one new field is put; each comes back as unmapped or inside kept JSON."""
    pk = next(pk for pk in sandbox_pks(60) if sandbox_documents(pk)[Document.DISCOUNTS])
    documents = sandbox_documents(pk)
    planted = 0

    def plant(value: Any, name: str) -> None:
        nonlocal planted
        if isinstance(value, dict):
            for key, part in value.items():
                plant(part, key)
            if value:
                planted += 1
                # The same in the two copies of a city: of one thing one version is kept.
                value["brand_new"] = f"new in {name}"
        elif isinstance(value, list):
            for index, part in enumerate(value):
                plant(part, f"{name} {index}")

    for value in documents.values():
        plant(value, "")
    assert planted > 30
    assert lost(documents, pk, documents[Document.DETAIL]["number"]) == []


def test_numbers_of_rows_are_the_sizes_of_the_sets() -> None:
    order = detail()
    order["ordertransaction_set"] = [{"pk": pk, "amount": "1.00"} for pk in range(7)]
    row = receive(gate(), listed(), answers({Document.DETAIL: order, Document.ITEMS: [], Document.DISCOUNTS: []}))
    counted = Counter({name: len(rows) for name, rows in tables_of([row]).items()})
    assert counted["order_transactions"] == 7
    assert counted["transactions"] == len(documented_order()["transaction_set"])


def test_what_an_orders_copy_says_differently_is_not_lost() -> None:
    order = detail()
    order["transaction_set"][0]["order"] |= {"amount": "17.77", "notes": "only in the copy"}
    row = receive(
        gate("clear"), listed(), answers({Document.DETAIL: order, Document.ITEMS: [], Document.DISCOUNTS: []})
    )
    values = {entry["path"]: entry["value"] for entry in tables_of([row])["unmapped_fields"]}
    assert values == {
        "transaction_set[0].order.amount": '"17.77"',
        "transaction_set[0].order.notes": '"only in the copy"',
    }
