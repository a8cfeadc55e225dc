"""The proof that nothing was lost finds what it should find, and only that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from order_assets.contract import CONTRACT, Document
from order_assets.landing import Landing
from order_assets.tables import DayFiles, Proof, Sample, nothing_lost, prove_day, table_file
from order_assets.tables.checks.reconciliation import prove
from order_assets.testing.landed_days import landing_rows
from order_assets_tests.tables.days import DAY, FLATTENER, Order, batch, gone, landed, order, rows_of

Row = dict[str, Any]


def flattened(root: Path, *rows: Mapping[str, Any]) -> Sample:
    """Land and flatten orders, all of which are in the sample."""
    sample = Sample(len(rows), percent=100, at_most=200)
    landing = Landing(root, DAY)
    landing.append(rows)
    FLATTENER.flatten_day(root, DAY, sample.watching(landing.documents([row["order_pk"] for row in rows])))
    return sample


def proof_of(root: Path, *rows: Mapping[str, Any]) -> Proof:
    return prove_day(DayFiles(root, DAY), CONTRACT, flattened(root, *rows))


def paths(proof: Proof) -> list[str]:
    return [found.path for found in proof.lost]


def damage(root: Path, table: str, change: Callable[[Row], Row | None]) -> None:
    """Change or drop rows in the file of a table."""
    path = table_file(root, table, DAY)
    old = pq.ParquetFile(path).read()
    rows = [new for row in old.to_pylist() if (new := change(row)) is not None]
    pq.write_table(pa.Table.from_pylist(rows, old.schema), path)


def having(**values: Any) -> Callable[[Row], Row]:
    return lambda row: row | values


def rich_order() -> Mapping[str, Any]:
    rich = order()
    rich.detail |= {"amount": "1203.45", "shipping_amount": "7.90", "extra_field": {"deep": [{"weight": 3}]}}
    rich.detail["brand_new"] = {"some": "thing"}
    rich.detail["bextransaction_set"] = [{"pk": 5, "amount": "0.10", "bank_says": [17]}]
    rich.detail["installment"]["interest_rate"] = "1.75"
    rich.items = [{"pk": 9, "order": 27, "product": {"pk": 3, "sku": "S-1", "size": {"eu": 42}}, "price": "1.00"}]
    rich.discounts = [
        {"pk": 4, "order": 27, "amount": "2.00", "benefitapplicant_set": [{"order_item": 9, "discount_item": 4}]}
    ]
    return landed(rich)


def test_every_value_of_a_months_orders_is_found(tmp_path: Path) -> None:
    rows = list(landing_rows(DAY, 60))
    proof = proof_of(tmp_path, *rows)
    assert paths(proof) == []
    assert (proof.orders, proof.values > 20_000) == (60, True)


def test_every_value_of_the_documented_order_is_found(tmp_path: Path) -> None:
    assert paths(proof_of(tmp_path, rich_order())) == []


@pytest.mark.parametrize(
    ("table", "change", "lost"),
    [
        ("orders", having(amount=None), "amount"),
        ("orders", having(extra_field='{"deep":[{}]}'), "extra_field.deep[0].weight"),
        ("orders", having(is_send=None), "is_send"),
        ("order_items", lambda row: None, "[0].product.size.eu"),
        ("order_items", having(product='{"pk":3,"sku":"S-1"}'), "[0].product.size.eu"),
        ("discount_items", having(amount=None), "[0].amount"),
        ("discount_applicants", lambda row: None, "[0].benefitapplicant_set[0].order_item"),
        ("bex_transactions", having(raw='{"pk":5,"amount":"0.10"}'), "bextransaction_set[0].bank_says[0]"),
        ("transactions", having(amount=None), "transaction_set[0].amount"),
        ("shipping_infos", lambda row: None, "ordershippinginfo_set[0].order_number"),
        ("customers", having(email="email_of_somebody_else"), "customer.email"),
        ("addresses", having(line=None), "shipping_address.line"),
        ("cities", lambda row: None, "shipping_address.city.name"),
        ("installments", having(interest_rate=None), "installment.interest_rate"),
        ("unmapped_fields", lambda row: None, "brand_new.some"),
    ],
)
def test_a_value_that_did_not_arrive_is_named(
    tmp_path: Path, table: str, change: Callable[[Row], Row | None], lost: str
) -> None:
    sample = flattened(tmp_path, rich_order())
    damage(tmp_path, table, change)
    assert lost in paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample))


def test_a_value_in_the_wrong_column_is_lost(tmp_path: Path) -> None:
    sample = flattened(tmp_path, rich_order())
    damage(tmp_path, "orders", lambda row: row | {"amount": row["shipping_amount"], "shipping_amount": row["amount"]})
    assert {"amount", "shipping_amount"} <= set(paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample)))


def test_a_value_that_only_the_history_of_the_order_has_is_lost() -> None:
    documents = {27: {Document.DETAIL: {"pk": 27, "aside": {"refund_amount": "5.00"}}}}
    tables: dict[str, list[Row]] = {"orders": [{"pk": 27, "refund_amount": None}], "unmapped_fields": []}
    tables["order_status_history"] = [{"order_pk": 27, "refund_amount": Decimal("5.00")}]
    assert paths(prove(documents, tables, [])) == ["aside.refund_amount"]


def test_a_table_that_cannot_be_read_loses_its_values(tmp_path: Path) -> None:
    sample = flattened(tmp_path, rich_order())
    table_file(tmp_path, "transactions", DAY).unlink()
    assert "transaction_set[0].transaction_id" in paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample))


def test_unusual_spellings_are_found(tmp_path: Path) -> None:
    unusual = order()
    unusual.detail |= {
        "amount": "AMOUNT",
        "notes": True,
        "segment": 12,
        "invoice_number": "007",
        "invoice_date": "2017-01-30 10:00:00+03",
        "extra_field": {"weight": "WEIGHT", "a.b": {'say "x"': [1, [2, "3"]], "": "empty"}},
        'odd."name"[0]': {"x": 1},
        "ordertransaction_set": [71, 72],
        "ordershippinginfo_set": unusual.detail["ordershippinginfo_set"][0],
    }
    unusual.raw = {'"AMOUNT"': "12e1", '"WEIGHT"': "12345678901234567890.0123456789"}
    proof = proof_of(tmp_path, landed(unusual))
    assert paths(proof) == []


def test_leading_zeros_that_went_missing_are_a_loss(tmp_path: Path) -> None:
    numbered = order()
    numbered.detail["invoice_number"] = "007"
    sample = flattened(tmp_path, landed(numbered))
    damage(tmp_path, "orders", having(invoice_number="7"))
    assert "invoice_number" in paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample))


def test_a_newer_version_of_a_thing_excuses_the_older_one(tmp_path: Path) -> None:
    first, second = order(101), order(102)
    second.detail["channel"] |= {"name": "new name", "modified_date": "2030-01-01T00:00:00Z"}
    proof = proof_of(tmp_path, landed(first), landed(second))
    assert paths(proof) == []
    assert proof.older > 0


def test_orders_that_disagree_about_a_thing_of_one_moment_keep_no_day_out(tmp_path: Path) -> None:
    # A channel that was renamed without a new date: the order that was read before has the old name.
    first, second = order(101), order(102)
    second.detail["channel"]["name"] = "new name"
    rows = [landed(first), landed(second)]
    sample = flattened(tmp_path, *rows)
    proof = prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample, lambda: [batch(rows)])
    assert (paths(proof), proof.older) == ([], 1)
    # A name that no order has is a loss for both.
    damage(tmp_path, "channels", having(name="invented"))
    proof = prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample, lambda: [batch(rows)])
    assert {(found.order_pk, found.path) for found in proof.lost} == {(101, "channel.name"), (102, "channel.name")}


def _two_customers(found: Order) -> None:
    found.detail["billing_address"]["customer"]["gender"] = "male"


def _keyless(found: Order) -> None:
    del found.detail["customer"]["pk"]


def _two_pos(found: Order) -> None:
    first = found.detail["transaction_set"][0]
    first["main_pos"] = first["pos"] | {"name": "another name"}


def _bare_key(found: Order) -> None:
    found.detail["customer"] = found.detail["customer"]["pk"]


def _other_city(found: Order) -> None:
    found.detail["billing_address"]["city"] |= {"pk": 990, "name": "Elsewhere"}


def _free_form(found: Order) -> None:
    found.detail["billing_address"]["customer"]["attributes"] = {"a": [1.10]}


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (_two_customers, "billing_address.customer.gender"),
        (_keyless, "customer.first_name"),
        (_two_pos, "transaction_set[0].main_pos.name"),
        (_bare_key, None),
        (_other_city, "billing_address.city.pk"),
        (_free_form, "billing_address.customer.attributes"),
    ],
)
def test_what_an_order_says_otherwise_of_one_thing_is_kept_beside_it(
    tmp_path: Path, change: Callable[[Order], None], lost: str | None
) -> None:
    differing = order()
    change(differing)
    proof = proof_of(tmp_path, landed(differing))
    assert (paths(proof), proof.older) == ([], 0)
    kept = {row["path"] for row in rows_of(tmp_path, "unmapped_fields")}
    assert lost is None or lost in kept


def test_versions_of_a_thing_without_a_date_may_differ(tmp_path: Path) -> None:
    first, second = order(101), order(102)
    second.detail["installment"]["label"] = "new label"
    proof = proof_of(tmp_path, landed(first), landed(second))
    assert (paths(proof), proof.older) == ([], 1)


def test_a_copy_that_differs_is_found_as_unmapped(tmp_path: Path) -> None:
    differing = order()
    differing.detail["transaction_set"][0]["order"]["amount"] = "17.77"
    sample = flattened(tmp_path, landed(differing))
    assert paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample)) == []
    damage(tmp_path, "unmapped_fields", lambda row: None)
    assert paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample)) == ["transaction_set[0].order.amount"]


def test_the_finding_names_path_and_order_and_never_the_value(tmp_path: Path) -> None:
    sample = flattened(tmp_path, rich_order())
    damage(tmp_path, "orders", having(amount=None))
    finding = nothing_lost(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample), DAY, sample)
    assert not finding.passed
    assert "detail: amount of order 27" in str(finding)
    assert "1203.45" not in json.dumps([str(finding), dict(finding.numbers)])
    assert finding.numbers["sample_at_most"] == 200


def test_the_sample_is_the_same_however_the_rows_come() -> None:
    rows = batch([{**landed(order()), "order_pk": pk} for pk in range(100, 140)])
    chosen = []
    for size in (1, 7, 40):
        sample = Sample(40, percent=10, at_most=200)
        passed = list(sample.watching(rows.slice(start, size) for start in range(0, 40, size)))
        assert pa.concat_tables(passed).equals(rows)
        chosen.append([row["order_pk"] for row in sample.rows])
    assert chosen[0] == chosen[1] == chosen[2]
    assert len(chosen[0]) == 4


def test_the_sample_is_of_orders_that_are_in_the_tables_at_least_one_and_bounded() -> None:
    refused = landed(order(1)) | {"outcome": "quarantined"}
    rows = batch([refused, gone(2), gone(3, landed(order(3))), landed(order(4))])
    everything = Sample(4, percent=100, at_most=200)
    list(everything.watching([rows]))
    assert sorted(row["order_pk"] for row in everything.rows) == [3, 4]
    assert Sample(4, percent=1, at_most=200).size == 1
    assert Sample(0, percent=5, at_most=200).size == 1
    assert Sample(50_000, percent=5, at_most=200).size == 200


def test_a_day_without_orders_has_nothing_to_lose(tmp_path: Path) -> None:
    sample = Sample(0, percent=5, at_most=200)
    FLATTENER.flatten_day(tmp_path, DAY, sample.watching([]))
    finding = nothing_lost(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample), DAY, sample)
    assert (finding.passed, finding.numbers["values"]) == (True, 0)


def test_a_time_is_found_in_any_zone(tmp_path: Path) -> None:
    placed = order()
    placed.detail["date_placed"] = "2017-01-30T11:28:26.158165+03:00"
    proof = proof_of(tmp_path, landed(placed))
    assert paths(proof) == []
    (row,) = pq.ParquetFile(table_file(tmp_path, "orders", DAY)).read().to_pylist()
    assert row["date_placed"] == datetime(2017, 1, 30, 8, 28, 26, 158165, UTC)


@pytest.mark.parametrize("given", [[7], [7, 7], [7, {"pk": 8}]])
def test_a_set_of_things_that_is_given_as_keys_is_found_and_keeps_no_day_out(tmp_path: Path, given: list[Any]) -> None:
    flat = order()
    flat.detail["mapping"] = given
    flat.detail["shipping_address"]["country"]["mapping"] = given
    sample = flattened(tmp_path, landed(flat))
    assert paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample)) == []
    damage(tmp_path, "integration_mappings", lambda row: None if row["pk"] == 7 else row)
    assert "mapping[0]" in paths(prove_day(DayFiles(tmp_path, DAY), CONTRACT, sample))
