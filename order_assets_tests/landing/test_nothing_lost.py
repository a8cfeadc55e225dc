"""Every value that the API sent is in a table, in `unmapped_fields`, or at a place that is declared to be removed.

The walk is that of `tables.checks.reconciliation`, which knows nothing of the contract's declarations. Here it gets
the documents as they were sent, so that what the gate does to them is in the proof as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from order_assets.contract import CONTRACT, Document
from order_assets.contract.shape import removed_paths
from order_assets.core import exact_json
from order_assets.landing import receive
from order_assets.sandbox import documented_order
from order_assets.tables.checks.reconciliation import Proof, prove
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

# Texts of which only the harmless parts are kept, besides what the contract removes.
SANITISED = [
    "transaction_set[].raw_request",
    "transaction_set[].raw_response",
    "ordershippinginfo_set[].send_request",
    "ordershippinginfo_set[].send_response",
]
REMOVED = [*(path for _, path, _ in removed_paths(CONTRACT)), *SANITISED]


def proof_of(orders: Mapping[int, Mapping[Document, Any]]) -> Proof:
    """Look for the values that the API sent, before the gate, in the tables."""
    rows = []
    for pk, documents in orders.items():
        number = documents[Document.DETAIL]["number"]
        rows.append(receive(gate("clear"), listed(pk, number), answers(dict(documents))))
        assert rows[-1]["outcome"] == "landed", rows[-1]["reason"]
    sent = {
        pk: {document: exact_json.loads(text_of(value)) for document, value in documents.items()}
        for pk, documents in orders.items()
    }
    return prove(sent, tables_of(rows), REMOVED)


def test_each_value_of_the_documented_order_is_found_again() -> None:
    proof = proof_of({27: {Document.DETAIL: detail(), Document.ITEMS: [], Document.DISCOUNTS: []}})
    assert (proof.lost, proof.values > 300) == ([], True)


def test_each_value_of_sandbox_orders_is_found_again() -> None:
    proof = proof_of({pk: sandbox_documents(pk) for pk in sandbox_pks(60)})
    assert (proof.lost, proof.values > 10_000) == ([], True)


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
    assert proof_of({pk: documents}).lost == []


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
