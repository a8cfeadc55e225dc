"""What nobody foresaw in an order costs that order, and says nothing of its content."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest

from order_assets.contract import Document
from order_assets.contract.model import DOCUMENTS
from order_assets.landing import receive
from order_assets.landing.land import check_again
from order_assets.redaction import Validator
from order_assets_tests.landing.samples import answers, detail, gate, listed


def received(order: Any) -> dict[str, Any]:
    return receive(gate(), listed(), answers({Document.DETAIL: order, Document.ITEMS: [], Document.DISCOUNTS: []}))


@pytest.mark.parametrize("field", ["date_placed", "invoice_date"])
@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-01T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-01T23:59:60Z",
        "0000-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-13-01T00:00:00Z",
        "2026-03-01T12:00:00+99:00",
    ],
)
def test_a_copy_of_the_order_with_a_moment_that_does_not_exist_is_kept_as_unmapped(field: str, moment: str) -> None:
    order = detail()
    order["transaction_set"][0]["order"][field] = moment
    row = received(order)
    assert row["outcome"] == "landed", row["reason"]
    expected = {"document": "detail", "path": f"transaction_set[0].order.{field}", "value": json.dumps(moment)}
    assert expected in json.loads(row["unmapped"])


@pytest.mark.parametrize("moment", ["2026-03-01T24:00:00Z", "0000-01-01", "9999-12-31T23:59:59-12:00"])
def test_a_column_that_would_hold_a_moment_that_does_not_exist_refuses_its_order(moment: str) -> None:
    order = detail()
    order["transaction_set"][0]["order"]["modified_date"] = moment
    row = received(order)
    assert (row["outcome"], row["refused_document"]) == ("quarantined", "detail")
    assert row["refused_path"] == "transaction_set[0].order.modified_date"


def broken(*_arguments: Any, **_options: Any) -> Any:
    raise KeyError("ayse@example.com")


def test_an_error_that_nobody_foresaw_quarantines_its_order_and_is_named_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Validator, "_compare_copies", broken)
    row = received(detail())
    assert (row["outcome"], row["order_pk"], row["refused_document"]) == ("quarantined", 27, "detail")
    assert row["reason"] == "it could not be judged (KeyError)"
    assert row["detail"] is not None
    assert "ayse" not in str(row)


def test_an_error_behind_the_gate_quarantines_its_order_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("order_assets.landing.land"), "landed_columns", broken)
    row = received(detail())
    assert (row["outcome"], row["reason"]) == ("quarantined", "it could not be judged (KeyError)")
    assert "ayse" not in str(row)


def test_checking_a_landed_order_again_names_an_error_that_nobody_foresaw(monkeypatch: pytest.MonkeyPatch) -> None:
    row = received(detail())
    monkeypatch.setattr(import_module("order_assets.landing.land"), "landed_columns", broken)
    with pytest.raises(Exception, match="could not be judged") as caught:
        check_again(gate(), {document: row[document.name] for document in DOCUMENTS})
    assert "ayse" not in str(caught.value)


def test_the_path_of_a_refused_value_can_always_be_stored() -> None:
    order = detail() | {"\ud800": {"a": "\ud800"}}
    none: dict[Document, Any] = {Document.DETAIL: {}, Document.ITEMS: [], Document.DISCOUNTS: []}
    row = receive(gate(), listed(), answers(none, detail=json.dumps(order).encode()))
    assert row["outcome"] == "quarantined"
    row["refused_path"].encode()
