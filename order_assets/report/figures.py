"""Asks the warehouse, the index and the ledgers for what the report shows. The questions are in `sql/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb

from order_assets.landing import index_file
from order_assets.landing.index import manifest_of
from order_assets.tables import read_verdict
from order_assets.warehouse import open_readonly
from order_assets.warehouse.marts.mart_refresh import known_days

# More days than this are shown by week, so that a plot of years can be read.
_DAYS_SHOWN_ONE_BY_ONE = 120

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Day:
    """What became of the orders of a day, and its `state` in one word; counts are orders and requests."""

    day: date
    listed: int
    landed: int
    quarantined: int
    pending: int
    requests: int
    retries: int
    is_landed: bool
    state: str = ""


# States of a day, the worst first.
STATES = ("failed checks", "not fetched", "pending", "quarantined", "not in the warehouse", "complete")


@dataclass(frozen=True)
class Facts:
    """All that the report shows, as rows. `step` is day or week. What nothing is known of is empty."""

    step: str
    totals: Row
    currencies: Sequence[Row]
    sales: Sequence[Row]
    payments: Sequence[Row]
    deliveries: Sequence[Row]
    refunds: Sequence[Row]
    lags: Sequence[Row]
    days: Sequence[Day]


def read_facts(data_root: Path, first: date, last: date) -> Facts:
    """Ask for everything, once. Raises `WarehouseError` without a warehouse; days are looked at from first to last."""
    with open_readonly(data_root) as connection:
        totals = _rows(connection, "totals")[0]
        step = "day" if totals["days"] <= _DAYS_SHOWN_ONE_BY_ONE else "week"
        return Facts(
            step=step,
            totals=totals,
            currencies=_rows(connection, "sales_by_currency"),
            sales=_rows(connection, "sales", step=step),
            payments=_rows(connection, "payments"),
            deliveries=_rows(connection, "deliveries"),
            refunds=_rows(connection, "refunds", step=step),
            lags=_rows(connection, "lags", step="day"),
            days=_days(connection, data_root, first, last),
        )


def _days(connection: duckdb.DuckDBPyConnection, data_root: Path, first: date, last: date) -> list[Day]:
    ledgers = sorted(map(str, data_root.glob("landing/date=*/ledger.parquet")))
    if not index_file(data_root).exists() or not ledgers:
        return []
    listed = {day: of.rows for day, of in manifest_of(data_root).days.items() if first <= day <= last}
    given = {"days": list(listed), "orders": list(listed.values()), "ledgers": ledgers, "first": first, "last": last}
    rows = _rows(connection, "days", **given)
    loaded = set(known_days(connection))
    days = [Day(**row) for row in rows]
    return [replace(day, state=_state(data_root, day, day.day in loaded)) for day in days]


def _state(data_root: Path, day: Day, is_loaded: bool) -> str:
    if not day.is_landed:
        return "not fetched"
    verdict = read_verdict(data_root, day.day)
    if verdict is not None and verdict.reasons:
        return "failed checks"
    if day.pending or day.listed > day.landed + day.quarantined + day.pending:
        return "pending"
    if day.quarantined:
        return "quarantined"
    return "complete" if is_loaded else "not in the warehouse"


def _rows(connection: duckdb.DuckDBPyConnection, name: str, **parameters: object) -> list[dict[str, Any]]:
    found = connection.execute(_text(name), parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@cache
def _text(name: str) -> str:
    return (resources.files(__package__) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
