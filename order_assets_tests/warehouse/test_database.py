"""What holds for each connection to the warehouse, writers' and readers'."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from order_assets.contract import Contract
from order_assets.warehouse import load, load_days, open_readonly
from order_assets_tests.warehouse.inputs import DAY, some_rows, write_day

SETTING = "SELECT current_setting('disabled_optimizers')"


def test_join_filters_that_damage_transactions_are_off(
    root: Path, few: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    really = load._load

    def noting(connection: duckdb.DuckDBPyConnection, *given: Any) -> Any:
        seen.append(connection.execute(SETTING).fetchall())
        return really(connection, *given)

    monkeypatch.setattr(load, "_load", noting)
    write_day(root, DAY, some_rows(2, contract=few), contract=few)
    load_days(root, [DAY], contract=few, contract_version="1")
    with open_readonly(root) as connection:
        seen.append(connection.execute(SETTING).fetchall())
    assert seen == [[("join_filter_pushdown",)]] * 2
