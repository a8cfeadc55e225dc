"""Every kind of damage to a day's files is found and explained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from order_assets.contract import CONTRACT
from order_assets.contract.rules import KEY_RULE, REQUIRED_RULE, SCHEMA_RULE, SET_RULE
from order_assets.core.check_result import CheckResult
from order_assets.tables import FlattenReport, passed_days, table_file, write_verdict
from order_assets_tests.tables.days import DAY, faults, flatten, landed, order

WRITTEN_BY_ANOTHER = (
    ". Something else wrote this file: materialise tables of the day again, which asks the shop for nothing"
)


@pytest.fixture
def day(tmp_path: Path) -> tuple[Path, FlattenReport]:
    return tmp_path, flatten(tmp_path, landed(order(101)), landed(order(102)))


def damage(root: Path, table: str, change: Callable[[pa.Table], pa.Table]) -> None:
    path = table_file(root, table, DAY)
    pq.write_table(change(pq.ParquetFile(path).read()), path)


def found(day: tuple[Path, FlattenReport], table: str) -> dict[str, str]:
    assert all(finding.asset == table for finding in faults(*day))
    return {finding.name: str(finding) for finding in faults(*day)}


def test_whole_files_have_no_fault(day: tuple[Path, FlattenReport]) -> None:
    assert faults(*day) == []


def test_a_column_of_another_type_is_found(day: tuple[Path, FlattenReport]) -> None:
    def as_float(rows: pa.Table) -> pa.Table:
        at = rows.schema.get_field_index("amount")
        return rows.set_column(at, "amount", rows["amount"].cast(pa.float64()))

    damage(day[0], "orders", as_float)
    explained = found(day, "orders")
    assert list(explained) == [SCHEMA_RULE]
    assert "amount is double, declared decimal128(18, 2)" in explained[SCHEMA_RULE]


def test_a_missing_a_strange_and_a_moved_column_are_found(day: tuple[Path, FlattenReport]) -> None:
    damage(day[0], "cities", lambda rows: rows.drop_columns(["name"]))
    assert found(day, "cities") == {SCHEMA_RULE: "name is missing" + WRITTEN_BY_ANOTHER}
    flatten(day[0], landed(order(101)), landed(order(102)))
    damage(day[0], "cities", lambda rows: rows.append_column("mayor", rows["name"]))
    assert found(day, "cities") == {SCHEMA_RULE: "mayor is not declared" + WRITTEN_BY_ANOTHER}
    flatten(day[0], landed(order(101)), landed(order(102)))
    damage(day[0], "cities", lambda rows: rows.select(rows.column_names[::-1]))
    assert "the columns are in the order created_date" in found(day, "cities")[SCHEMA_RULE]


def test_a_key_that_comes_twice_is_found(day: tuple[Path, FlattenReport]) -> None:
    damage(day[0], "channels", lambda rows: pa.concat_tables([rows, rows]))
    explained = found(day, "channels")
    assert explained.keys() == {KEY_RULE}
    assert explained[KEY_RULE].startswith("2 rows, 1 distinct values of pk; for example pk ")


def test_a_key_that_two_orders_share_is_named_with_both_orders_and_what_to_do(day: tuple[Path, FlattenReport]) -> None:
    numbers = {row["pk"]: row["number"] for row in pq.read_table(table_file(day[0], "orders", DAY)).to_pylist()}

    def with_one_key(rows: pa.Table) -> pa.Table:
        at = rows.schema.get_field_index("pk")
        return rows.set_column(at, rows.schema.field(at), pa.array([7] * len(rows), pa.int64()))

    damage(day[0], "transactions", with_one_key)
    explained = found(day, "transactions")[KEY_RULE]
    both = " and ".join(f"order {pk} (number {numbers[pk]})" for pk in (101, 102))
    assert f"2 rows, 1 distinct values of pk; for example pk 7 in {both}. Look these orders up in the shop" in explained


def test_a_required_value_that_is_not_there_is_found(day: tuple[Path, FlattenReport]) -> None:
    def without_number(rows: pa.Table) -> pa.Table:
        at = rows.schema.get_field_index("number")
        return rows.set_column(at, pa.field("number", pa.string()), pa.array([None, "x"]))

    damage(day[0], "orders", without_number)
    explained = found(day, "orders")
    assert explained[REQUIRED_RULE].startswith("number is null in 1 rows; for example pk 101 in order 101. Look ")
    assert "number is string, declared string not null" in explained[SCHEMA_RULE]


def test_a_lost_row_is_found(day: tuple[Path, FlattenReport]) -> None:
    for table in ("orders", "transactions"):
        damage(day[0], table, lambda rows: rows.slice(1))
        explained = found(day, table)
        assert explained.keys() == {SET_RULE}
        assert explained[SET_RULE].startswith("1 rows, 2 in the documents. Rows were lost or doubled on the way")
        flatten(day[0], landed(order(101)), landed(order(102)))


def test_a_table_without_its_key_column_is_a_finding_and_not_a_crash(day: tuple[Path, FlattenReport]) -> None:
    damage(day[0], "orders", lambda rows: rows.drop_columns(["pk"]))
    assert found(day, "orders") == {
        SCHEMA_RULE: "pk is missing" + WRITTEN_BY_ANOTHER,
        KEY_RULE: "no column pk" + WRITTEN_BY_ANOTHER,
        REQUIRED_RULE: "no column pk" + WRITTEN_BY_ANOTHER,
    }


@pytest.mark.parametrize("broken", [None, b"", b"half a file"])
def test_a_file_that_is_missing_or_broken_is_a_finding_that_says_what_to_do(
    day: tuple[Path, FlattenReport], broken: bytes | None
) -> None:
    path = table_file(day[0], "pos", DAY)
    path.unlink()
    if broken is not None:
        path.write_bytes(broken)
    assert f"Materialise tables/pos of {DAY} again" in found(day, "pos")[SCHEMA_RULE]


def test_every_table_is_looked_at(day: tuple[Path, FlattenReport]) -> None:
    for table in CONTRACT:
        path = table_file(day[0], table.name, DAY)
        path.unlink()
    assert [finding.asset for finding in faults(*day)] == [table.name for table in CONTRACT]


def test_a_day_that_failed_is_not_among_the_days_that_passed(day: tuple[Path, FlattenReport]) -> None:
    root, _ = day
    for passed in (True, False, True):
        write_verdict(root, DAY, "a version", [CheckResult("orders", KEY_RULE, passed, "a key is there twice")])
        assert passed_days(root) == ([DAY] if passed else [])
