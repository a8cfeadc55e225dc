"""A load whose rows are not those of the files is tried once more, and never published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import WarehouseError, load, load_days, open_readonly
from order_assets_tests.warehouse.inputs import DAY, some_rows, write_day


def _damaging(monkeypatch: pytest.MonkeyPatch, sql: str, *, times: int) -> list[str]:
    """A database that spoils rows that it has taken: what DuckDB did once in a thousand loads, and not on request."""
    really, done = load._load, []

    def damaged(connection: duckdb.DuckDBPyConnection, *given: Any) -> Any:
        found = really(connection, *given)
        if len(done) < times:
            done.append(sql)
            connection.execute(sql)
        return found

    monkeypatch.setattr(load, "_load", damaged)
    return done


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM orders.orders",
        "UPDATE orders.orders SET number = number || '0'",
        "INSERT INTO orders.orders FROM orders.orders",
        "SELECT error('Corrupted string segment')",
    ],
)
def test_a_spoilt_draft_is_made_again(
    root: Path, few: Contract, sql: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_day(root, DAY, some_rows(2, contract=few), contract=few)
    spoilt = _damaging(monkeypatch, sql, times=1)
    load_days(root, [DAY], contract=few, contract_version="1")
    assert spoilt == [sql]
    assert "tried once more" in caplog.text
    with open_readonly(root) as connection:
        assert connection.execute("SELECT count(*) FROM orders.orders").fetchall() == [(2,)]


def test_a_draft_that_is_spoilt_again_is_an_error_and_the_file_stays(
    root: Path, few: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_day(root, DAY, some_rows(2, contract=few), contract=few)
    load_days(root, [DAY], contract=few, contract_version="1")
    before = (root / "warehouse.duckdb").read_bytes()
    spoilt = _damaging(monkeypatch, "DELETE FROM orders.orders", times=9)
    with pytest.raises(WarehouseError, match=f"table orders .* for {DAY}"):
        load_days(root, [DAY], contract=few, contract_version="1")
    assert len(spoilt) == 2
    assert (root / "warehouse.duckdb").read_bytes() == before
