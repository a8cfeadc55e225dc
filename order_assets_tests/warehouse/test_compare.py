"""A load whose rows are not those of the files is an error and never published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import WarehouseError, load, load_days
from order_assets_tests.warehouse.inputs import DAY, some_rows, write_day


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM orders.orders", f"table orders .* for {DAY}"),
        ("UPDATE orders.orders SET number = number || '0'", f"table orders .* for {DAY}"),
        ("INSERT INTO orders.orders FROM orders.orders", f"table orders .* for {DAY}"),
        ("SELECT error('Corrupted string segment')", "rebuild_warehouse"),
    ],
)
def test_a_spoilt_draft_is_not_published(
    root: Path, few: Contract, sql: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_day(root, DAY, some_rows(2, contract=few), contract=few)
    load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    before = (root / "warehouse.duckdb").read_bytes()
    really = load._load

    # A database that spoils rows that it has taken: DuckDB 2.0.0 did, and not on request.
    def spoiling(connection: duckdb.DuckDBPyConnection, *given: Any) -> Any:
        found = really(connection, *given)
        connection.execute(sql)
        return found

    monkeypatch.setattr(load, "_load", spoiling)
    with pytest.raises(WarehouseError, match=said):
        load_days(root, [DAY], contract=few, marts=(), contract_version="1")
    assert (root / "warehouse.duckdb").read_bytes() == before
