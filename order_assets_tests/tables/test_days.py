"""What a day's tables hold: which orders, which version of what they point to, and the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from order_assets.contract import CONTRACT, Contract
from order_assets.contract.model import BOOLEAN, column
from order_assets.tables import Flattener, table_file
from order_assets.testing.landed_days import landing_rows
from order_assets_tests.tables.days import (
    DAY,
    FLATTENER,
    batch,
    faults,
    flatten,
    gone,
    landed,
    order,
    rows_of,
)

STAND_IN_DAY = date(2026, 1, 1)


def test_an_order_with_a_bad_value_is_in_quarantine_and_its_siblings_are_in_the_tables(tmp_path: Path) -> None:
    bad = order(101)
    bad.detail["amount"] = "1.234"
    report = flatten(tmp_path, landed(bad), landed(order(102)))
    assert [row["pk"] for row in rows_of(tmp_path, "orders")] == [102]
    assert {row["order_pk"] for row in rows_of(tmp_path, "transactions")} == {102}
    (refused,) = rows_of(tmp_path, "quarantine")
    assert (refused["order_pk"], refused["document"], refused["path"]) == (101, "detail", "amount")
    assert refused["reason"]
    assert faults(tmp_path, report) == []


def test_a_field_that_nobody_declared_is_kept_as_unmapped(tmp_path: Path) -> None:
    curious = order()
    curious.detail["loyalty_tier"] = {"level": 3}
    flatten(tmp_path, landed(curious))
    (found,) = [row for row in rows_of(tmp_path, "unmapped_fields") if row["path"] == "loyalty_tier"]
    assert (found["order_pk"], found["document"], found["value"]) == (27, "detail", '{"level":3}')


def test_an_order_that_is_gone_keeps_its_last_version(tmp_path: Path) -> None:
    last = landed(order(101))
    report = flatten(tmp_path, gone(101, last), gone(102))
    assert [row["pk"] for row in rows_of(tmp_path, "orders")] == [101]
    assert report.orders == 1
    assert faults(tmp_path, report) == []


@pytest.mark.parametrize(
    ("dates", "kept"),
    [
        (("2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z"), "first"),
        (("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"), "second"),
        (("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"), "second"),
        ((None, None), "second"),
        (("2020-01-01T00:00:00Z", None), "first"),
    ],
)
def test_of_a_thing_the_version_modified_last_is_kept_and_the_later_order_decides_a_tie(
    tmp_path: Path, dates: tuple[str | None, str | None], kept: str
) -> None:
    rows = []
    for pk, name, modified in zip((101, 102), ("first", "second"), dates, strict=True):
        shop_order = order(pk)
        shop_order.detail["channel"] |= {"name": name, "modified_date": modified}
        rows.append(landed(shop_order))
    flatten(tmp_path, *rows)
    (channel,) = rows_of(tmp_path, "channels")
    assert channel["name"] == kept


def test_rows_of_child_tables_equal_the_sizes_of_the_sets(tmp_path: Path) -> None:
    rows = list(landing_rows(STAND_IN_DAY, 40))
    report = flatten(tmp_path, *rows)
    assert report.expected["order_items"] > 40
    assert {name: report.rows[name] for name in report.expected} == dict(report.expected)
    assert faults(tmp_path, report) == []


def test_positions_count_from_zero_in_every_set(tmp_path: Path) -> None:
    flatten(tmp_path, *landing_rows(STAND_IN_DAY, 40))
    positions: dict[int, list[int]] = {}
    for row in rows_of(tmp_path, "order_items"):
        positions.setdefault(row["order_pk"], []).append(row["position"])
    assert positions
    assert all(found == list(range(len(found))) for found in positions.values())
    applicants: dict[tuple[int, str], list[int]] = {}
    for row in rows_of(tmp_path, "discount_applicants"):
        applicants.setdefault((row["discount_item_pk"], row["role"]), []).append(row["position"])
    assert applicants
    assert all(found == list(range(len(found))) for found in applicants.values())


def test_a_new_column_is_filled_from_what_is_landed_already(tmp_path: Path) -> None:
    shop_order = order()
    shop_order.detail["preorder_flag"] = True
    row = landed(shop_order)
    flatten(tmp_path, row)
    orders = CONTRACT.table("orders")
    wider = replace(orders, columns=(*orders.columns, column("preorder_flag", BOOLEAN, "Whether it was preordered")))
    contract = Contract(tuple(wider if table.name == "orders" else table for table in CONTRACT))
    report = Flattener(contract).flatten_day(tmp_path, DAY, [batch([row])])
    (found,) = rows_of(tmp_path, "orders")
    assert found["preorder_flag"] is True
    assert faults(tmp_path, report, contract) == []


def test_two_tables_of_one_set_both_have_its_rows(tmp_path: Path) -> None:
    row = landed(order())
    transactions = CONTRACT.table("transactions")
    contract = Contract((*CONTRACT, replace(transactions, name="transactions_again")))
    report = Flattener(contract).flatten_day(tmp_path, DAY, [batch([row])])
    assert report.rows["transactions"] == report.rows["transactions_again"] > 0
    assert report.expected["transactions"] == report.expected["transactions_again"] == report.rows["transactions"]
    assert faults(tmp_path, report, contract) == []


def test_the_same_orders_give_the_same_bytes_in_whatever_pieces_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Groups and batches of another size than the pieces, so that their ends fall differently.
    monkeypatch.setattr("order_assets.tables.flatten._ORDERS_PER_BATCH", 30)
    monkeypatch.setattr("order_assets.tables.parquet.ROWS_PER_GROUP", 50)
    rows = batch(landing_rows(STAND_IN_DAY, 100))
    for name, size, threads in (("one", 100, 2), ("two", 100, 2), ("small", 7, 2), ("alone", 33, 1)):
        pieces = [rows.slice(start, size) for start in range(0, 100, size)]
        Flattener(CONTRACT, threads=threads).flatten_day(tmp_path / name, DAY, pieces)
    first = _digests(tmp_path / "one")
    assert all(_digests(tmp_path / name) == first for name in ("two", "small", "alone"))


def test_a_failure_in_the_middle_leaves_the_old_files_and_nothing_else(tmp_path: Path) -> None:
    flatten(tmp_path, landed(order(101)))
    before = _digests(tmp_path)

    def cut_off() -> Iterator[pa.Table]:
        yield batch([landed(order(102))])
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        FLATTENER.flatten_day(tmp_path, DAY, cut_off())
    assert _digests(tmp_path) == before
    assert _leftovers(tmp_path) == []


def test_a_batch_that_cannot_be_read_leaves_the_old_files(tmp_path: Path) -> None:
    flatten(tmp_path, landed(order(101)))
    before = _digests(tmp_path)
    with pytest.raises(Exception, match=r"(?i)json"):
        FLATTENER.flatten_day(tmp_path, DAY, [batch([landed(order(102), detail='{"pk": ')])])
    assert (_digests(tmp_path), _leftovers(tmp_path)) == (before, [])
    # The statement that failed does not stop the next day.
    assert FLATTENER.flatten_day(tmp_path, DAY, [batch([landed(order(103))])]).orders == 1


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    folder = table_file(tmp_path, "orders", DAY).parent
    folder.mkdir(parents=True)
    old, young = folder / ".part-0.parquet.1.tmp", folder / ".part-0.parquet.2.tmp"
    for left in (old, young):
        left.write_bytes(b"half a file")
    os.utime(old, (1, 1))
    flatten(tmp_path, landed(order()))
    assert _leftovers(tmp_path) == [young]


def test_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    flatten(tmp_path, landed(order()))
    path = table_file(tmp_path, "orders", DAY)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_flattening_says_nothing_on_the_side(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flatten(tmp_path, landed(order()))


def _digests(root: Path) -> dict[str, Any]:
    files = sorted((root / "tables").rglob("*.parquet"))
    return {path.parts[-3]: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _leftovers(root: Path) -> list[Path]:
    return [path for path in (root / "tables").rglob(".*") if path.is_file()]
