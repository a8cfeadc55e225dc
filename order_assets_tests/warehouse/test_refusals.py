"""Inputs that a load refuses: the message says what to do, and the published file does not change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import WarehouseError, load_days, open_readonly, table_files
from order_assets_tests.warehouse.inputs import DAY, write_day, write_table

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def loaded(root: Path, few: Contract) -> Path:
    """A warehouse with one day, and good inputs for the next."""
    write_day(root, DAY, {"orders": [{"pk": 1}]}, contract=few)
    write_day(root, NEXT, {"orders": [{"pk": 2}]}, contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    return root


def refusal(root: Path, few: Contract) -> str:
    """Load both days, which must fail and change nothing. Returns the message."""
    before = (root / "warehouse.duckdb").read_bytes()
    with pytest.raises(WarehouseError) as raised:
        load_days(root, [DAY, NEXT], contract=few, marts=(), contract_version="2")
    assert (root / "warehouse.duckdb").read_bytes() == before
    assert sorted(path.name for path in root.glob("*warehouse*")) == [".warehouse.lock", "warehouse.duckdb"]
    return str(raised.value)


def test_a_missing_table_is_named_with_its_day(loaded: Path, few: Contract) -> None:
    table_files(loaded, "transactions", NEXT).unlink()
    message = refusal(loaded, few)
    assert "table transactions for 2026-01-02" in message
    assert "materialise tables/transactions for that day first" in message


def test_a_missing_ledger_is_named_with_its_day(loaded: Path, few: Contract) -> None:
    (loaded / "landing" / "date=2026-01-02" / "ledger.parquet").unlink()
    message = refusal(loaded, few)
    assert "the ledger for 2026-01-02" in message
    assert "materialise order_documents" in message


def _without_pk(table: pa.Table) -> pa.Table:
    return table.drop_columns(["pk"])


def _with_extra(table: pa.Table) -> pa.Table:
    return table.append_column("surprise", pa.array([None] * len(table), pa.string()))


def _turned_round(table: pa.Table) -> pa.Table:
    return table.select(table.column_names[::-1])


def _pk_as_text(table: pa.Table) -> pa.Table:
    at = table.column_names.index("pk")
    return table.set_column(at, "pk", table["pk"].cast(pa.string()))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_pk, "lacks pk"),
        (_with_extra, "has unknown surprise"),
        (_turned_round, "another order"),
        (_pk_as_text, "has pk as VARCHAR, not BIGINT"),
    ],
)
def test_a_file_of_another_contract_is_refused_and_the_difference_named(
    loaded: Path, few: Contract, spoil: Callable[[pa.Table], pa.Table], words: str
) -> None:
    path = table_files(loaded, "orders", NEXT)
    pq.write_table(spoil(pq.ParquetFile(path).read()), path)
    message = refusal(loaded, few)
    assert words in message
    assert "table orders for 2026-01-02" in message
    assert "materialise tables/orders" in message


def test_a_torn_parquet_file_is_named(loaded: Path, few: Contract) -> None:
    path = table_files(loaded, "customers", NEXT)
    path.write_bytes(path.read_bytes()[:-7])
    assert str(path) in refusal(loaded, few)


def test_a_missing_required_value_names_table_day_and_column(loaded: Path, few: Contract) -> None:
    # The last table of the contract: all others were already replaced in the transaction.
    write_table(loaded, NEXT, few.table("unmapped_fields"), [{"path": None}, {"path": "a"}])
    message = refusal(loaded, few)
    assert "table unmapped_fields" in message
    assert "1 rows of 2026-01-02 have no path" in message


def test_broken_json_is_refused_without_showing_the_customers_value(loaded: Path, few: Contract) -> None:
    write_table(loaded, NEXT, few.table("customers"), [{"pk": 1, "extra_field": "{Ayse Yilmaz"}])
    message = refusal(loaded, few)
    assert "1 rows of 2026-01-02 have no valid JSON in extra_field" in message
    assert "Ayse" not in message


@pytest.mark.parametrize("content", [b"", b"this is no database" * 1000])
def test_a_file_that_is_no_database_is_left_alone_and_the_way_out_is_told(
    root: Path, few: Contract, content: bytes
) -> None:
    write_day(root, DAY, contract=few)
    write_day(root, NEXT, contract=few)
    (root / "warehouse.duckdb").write_bytes(content)
    message = refusal(root, few)
    assert "cannot be opened as a DuckDB database" in message
    assert "Move it away" in message
    assert ".tmp" not in message
    with pytest.raises(WarehouseError, match="Move it away"):
        open_readonly(root)


def test_reading_before_the_first_load_says_what_to_do(root: Path) -> None:
    with pytest.raises(WarehouseError, match="load a day first"):
        open_readonly(root)


def test_the_same_load_works_once_the_fault_is_mended(loaded: Path, few: Contract) -> None:
    write_table(loaded, NEXT, few.table("unmapped_fields"), [{"path": None}])
    refusal(loaded, few)
    write_table(loaded, NEXT, few.table("unmapped_fields"), [])
    report = load_days(loaded, [DAY, NEXT], contract=few, marts=(), contract_version="2")
    assert report.rows["orders"] == {date(2026, 1, 1): 1, date(2026, 1, 2): 1}
