"""Loading days: what a user finds in the warehouse afterwards."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from order_assets.contract import CONTRACT, Contract, Kind
from order_assets.warehouse import WarehouseError, drop_days, load_days, open_readonly
from order_assets.warehouse.marts import MARTS
from order_assets_tests.warehouse.inputs import DAY, Rows, at, days, some_rows, write_day, write_ledger

NEXT = DAY + timedelta(days=1)


def load(root: Path, *wanted: date, contract: Contract) -> Any:
    return load_days(root, wanted, contract=contract, marts=MARTS if contract == CONTRACT else (), contract_version="1")


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = open_readonly(root)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_a_reloaded_day_replaces_itself_and_leaves_the_others_alone(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"orders": [{"pk": 1}, {"pk": 2}]}, contract=few)
    write_day(root, NEXT, {"orders": [{"pk": 3}]}, contract=few)
    load(root, DAY, NEXT, contract=few)
    write_day(root, DAY, {"orders": [{"pk": 2}, {"pk": 4}]}, contract=few)

    report = load(root, DAY, contract=few)

    assert query(root, "SELECT date, pk FROM orders ORDER BY pk") == [(DAY, 2), (NEXT, 3), (DAY, 4)]
    assert query(root, "SELECT date, order_pk FROM order_ledger ORDER BY order_pk") == [
        (DAY, 2),
        (NEXT, 3),
        (DAY, 4),
    ]
    assert report.rows["orders"] == {DAY: 2}


def test_values_arrive_exactly_in_the_types_of_the_contract(root: Path) -> None:
    order = {"pk": 1, "amount": Decimal("1234567890123456.78"), "modified_date": at(9)}
    write_day(root, DAY, {"orders": [order]})
    load(root, DAY, contract=CONTRACT)

    assert query(root, "SELECT amount, modified_date FROM orders") == [(order["amount"], at(9))]
    types = dict(
        query(
            root,
            "SELECT table_name, list((column_name, data_type, is_nullable) ORDER BY column_index)"
            " FROM duckdb_columns() WHERE schema_name = 'orders' GROUP BY ALL",
        )
    )
    for table in CONTRACT:
        wanted = [(column.name, column.type.duckdb, column.nullable) for column in table.columns]
        assert types[table.name] == [("date", "DATE", False), *wanted]


def test_an_empty_day_gives_every_table_under_its_short_name(root: Path) -> None:
    write_day(root, DAY)
    report = load(root, DAY, contract=CONTRACT)
    with open_readonly(root) as connection:
        for table in CONTRACT:
            assert connection.execute(f"SELECT * FROM {table.name}").fetchall() == []
            assert report.rows[table.name] == {DAY: 0}
    assert query(root, "SELECT date, rows, contract_version FROM meta.days") == [(DAY, 0, "1")]


def test_every_row_of_many_days_gets_the_day_of_its_own_file(root: Path, few: Contract) -> None:
    wanted = days(40)
    for number, day in enumerate(wanted):
        rows = {"orders": [{"pk": number * 100 + each} for each in range(number % 4)]}
        write_day(root, day, rows, contract=few)
    shuffled = random.Random(1).sample(wanted, len(wanted))

    report = load(root, *shuffled, contract=few)

    found = dict(query(root, "SELECT date, list(pk ORDER BY pk) FROM orders GROUP BY date"))
    assert found == {
        day: [number * 100 + each for each in range(number % 4)] for number, day in enumerate(wanted) if number % 4
    }
    assert report.days == tuple(wanted)
    assert [report.rows["orders"][day] for day in wanted] == [number % 4 for number in range(40)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_newest_version_of_a_thing_wins_in_whatever_order_days_are_loaded(
    root: Path, few: Contract, order: tuple[int, ...]
) -> None:
    wanted = days(3)
    # The middle day saw the newest customer 1; customer 2 was never dated, so the last day decides.
    changed = [at(8), at(20), at(9)]
    for day, when in zip(wanted, changed, strict=True):
        customers: list[dict[str, Any]] = [
            {"pk": 1, "modified_date": when},
            {"pk": 2, "first_name": str(day)},
        ]
        rows: dict[str, Rows] = {"customers": customers, "installments": [{"pk": 7}]}
        write_day(root, day, rows, contract=few)
    for number in order:
        load(root, wanted[number], contract=few)

    assert query(root, "SELECT pk, date, modified_date, first_name FROM customers ORDER BY pk") == [
        (1, wanted[1], at(20), None),
        (2, wanted[2], None, str(wanted[2])),
    ]
    assert query(root, "SELECT pk, date FROM installments") == [(7, wanted[2])]
    assert query(root, "SELECT count(*) FROM history.customers") == [(6,)]


def test_a_dated_version_wins_over_an_undated_one_of_a_later_day(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"customers": [{"pk": 1, "modified_date": at(8)}]}, contract=few)
    write_day(root, NEXT, {"customers": [{"pk": 1}]}, contract=few)
    load(root, DAY, NEXT, contract=few)
    assert query(root, "SELECT date FROM customers") == [(DAY,)]


def test_the_older_version_comes_back_when_the_newest_is_gone(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"customers": [{"pk": 1, "modified_date": at(8)}]}, contract=few)
    newer: list[dict[str, Any]] = [{"pk": 1, "modified_date": at(9)}, {"pk": 2}]
    write_day(root, NEXT, {"customers": newer}, contract=few)
    load(root, DAY, NEXT, contract=few)
    assert query(root, "SELECT pk, date FROM customers ORDER BY pk") == [(1, NEXT), (2, NEXT)]

    write_day(root, NEXT, contract=few)
    load(root, NEXT, contract=few)

    assert query(root, "SELECT pk, date FROM customers") == [(1, DAY)]


def test_a_dropped_day_leaves_all_tables_and_its_things_go_back(root: Path, few: Contract) -> None:
    for day in (DAY, NEXT):
        write_day(root, day, some_rows(2, day, contract=few), contract=few)
    load(root, DAY, NEXT, contract=few)

    drop_days(root, [NEXT, NEXT + timedelta(days=9)], contract=few, marts=())

    for table in few:
        assert query(root, f"SELECT DISTINCT date FROM orders.{table.name}") == [(DAY,)]
    assert query(root, "SELECT DISTINCT date FROM history.customers") == [(DAY,)]
    assert query(root, "SELECT DISTINCT date FROM order_ledger") == [(DAY,)]
    assert query(root, "SELECT date FROM meta.days") == [(DAY,)]


def test_dropping_a_day_before_there_is_a_warehouse_makes_none(root: Path, few: Contract) -> None:
    drop_days(root, [DAY], contract=few, marts=())
    assert not (root / "warehouse.duckdb").exists()


def test_a_ledger_with_more_columns_keeps_the_rows_of_the_older_ones(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"orders": [{"pk": 1}]}, contract=few)
    load(root, DAY, contract=few)
    write_day(root, NEXT, contract=few)
    schema = pa.schema([("order_pk", pa.int64()), ("attempts", pa.int32()), ("date", pa.date32())])
    write_ledger(root, NEXT, [{"order_pk": 2, "attempts": 3, "date": date(1999, 1, 1)}], schema)

    load(root, DAY, NEXT, contract=few)

    rows = query(root, "SELECT date, order_pk, state, attempts FROM order_ledger ORDER BY date")
    assert rows == [(DAY, 1, "landed", None), (NEXT, 2, None, 3)]


def test_a_day_given_as_a_moment_is_the_day_it_falls_on(root: Path, few: Contract) -> None:
    write_day(root, DAY, {"orders": [{"pk": 1}]}, contract=few)
    report = load(root, datetime(2026, 1, 1, 15), DAY, contract=few)
    assert report.days == (DAY,)
    assert query(root, "SELECT date FROM orders") == [(DAY,)]


def test_a_data_root_with_pattern_characters_is_read_as_it_is_named(tmp_path: Path, few: Contract) -> None:
    root = tmp_path / "shop=[a]*"
    write_day(root, DAY, {"orders": [{"pk": 1}]}, contract=few)
    write_day(tmp_path / "shop=a1", DAY, {"orders": [{"pk": 2}]}, contract=few)
    load(root, DAY, contract=few)
    assert query(root, "SELECT pk FROM orders") == [(1,)]


def test_a_relative_data_root_works(root: Path, few: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    write_day(root, DAY, {"orders": [{"pk": 1}]}, contract=few)
    monkeypatch.chdir(root.parent)
    load(Path("./data"), DAY, contract=few)
    assert query(Path("data"), "SELECT pk FROM orders") == [(1,)]


def test_a_call_without_days_says_so(root: Path) -> None:
    with pytest.raises(WarehouseError, match="no day was named"):
        load(root, contract=CONTRACT)


def test_a_hundred_days_load_in_a_sane_time_and_a_day_behind_them_too(root: Path, few: Contract) -> None:
    wanted = days(101)
    for day in wanted:
        write_day(root, day, some_rows(3, day, contract=few), contract=few)

    batch = load(root, *wanted[:100], contract=few)
    one = load(root, wanted[100], contract=few)

    # Generous bounds for a busy machine; usual are 0.4 s and 0.1 s.
    assert batch.load_seconds < 10
    assert one.load_seconds < 3
    for table in few.of_kind(Kind.DIMENSION):
        assert query(root, f"SELECT count(*), min(date) FROM {table.name}") == [(3, wanted[100])]
