"""Looks at the marts and the rows that they are made from, and says what does not hold.

Each rule gives a finding per mart; what a finding means for a run is decided elsewhere. Findings show counts, days,
codes and keys of orders, and nothing personal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

import duckdb

from order_assets.warehouse.marts import SCHEMA, Mart, Reference, Refresh
from order_assets.warehouse.marts_catalogue import AGG_DAILY_SALES, FCT_ORDERS, MARTS
from order_assets.warehouse.statements import name, names, statement

GRAIN = "grain_is_unique"
REFERENCES = "references_resolve"
AMOUNTS = "amounts_add_up"
STATUS = "status_goes_forward"
DAILY_SALES = "daily_sales_equal_orders"
VOLUME = "volume_as_usual"


class Severity(StrEnum):
    """How bad it is that a rule does not hold."""

    ERROR = "error"  # the marts are wrong, or what they are made from is
    WARN = "warn"  # somebody should look


@dataclass(frozen=True)
class MartFinding:
    """The verdict of one rule on one mart, with the numbers behind it."""

    mart: str
    rule: str
    severity: Severity
    passed: bool
    explanation: str
    numbers: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Usual:
    """When a day's orders are as usual: against the median of the same weekday in the `weeks` before.

    Fewer than `least` or more than `most` times the median are not. With fewer than `known_weeks` such days, or a
    difference of at most `few` orders, nothing is said.
    """

    weeks: int = 8
    known_weeks: int = 3
    least: float = 0.5
    most: float = 2.0
    few: int = 10


def check_marts(
    connection: duckdb.DuckDBPyConnection, days: Collection[date], usual: Usual = Usual(), marts: Sequence[Mart] = MARTS
) -> Iterator[MartFinding]:
    """Apply all rules to these days of the marts; marts without days are looked at whole.

    The connection stands in a warehouse that has the marts, as from `open_readonly`. Without days there is nothing to
    find.
    """
    if not days:
        return
    for mart in marts:
        yield grain_is_unique(connection, mart, days)
        yield from (references_resolve(connection, mart, reference, days) for reference in mart.references)
    yield amounts_add_up(connection, days)
    yield status_goes_forward(connection, days)
    yield daily_sales_equal_orders(connection, days)
    yield volume_as_usual(connection, days, usual)


def grain_is_unique(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> MartFinding:
    """No key of the mart has two rows."""
    filters, parameters = _of_days(mart, days)
    sql = statement(f"quality/{GRAIN}", mart=name(SCHEMA, mart.name), key=names(mart.key), days=filters)
    keys, too_many = connection.execute(sql, parameters).fetchall()[0]
    text = f"{keys} keys ({', '.join(mart.key)}) have more than one row" if keys else "every key has one row"
    return MartFinding(mart.name, GRAIN, Severity.ERROR, not keys, text, {"keys": keys, "rows_too_many": too_many})


def references_resolve(
    connection: duckdb.DuckDBPyConnection, mart: Mart, reference: Reference, days: Collection[date]
) -> MartFinding:
    """What the columns of a reference name is there."""
    filters, parameters = _of_days(mart, days)
    pairs = zip(reference.columns, reference.key, strict=True)
    sql = statement(
        f"quality/{REFERENCES}",
        mart=name(SCHEMA, mart.name),
        target=name(reference.schema, reference.table),
        columns=", ".join(name("m", column) for column in reference.columns),
        first=name("m", reference.columns[0]),
        matches=" AND ".join(f"{name('t', key)} IS NOT DISTINCT FROM {name('m', column)}" for column, key in pairs),
        days=filters,
    )
    rows, values = connection.execute(sql, parameters).fetchall()[0]
    what = f"{', '.join(reference.columns)} in {reference.schema}.{reference.table}"
    text = f"{rows} rows name {values} values of {what} that are not there" if rows else f"every {what} is there"
    return MartFinding(
        mart.name, REFERENCES, Severity.ERROR, not rows, text, {"reference": what, "rows": rows, "values": values}
    )


def amounts_add_up(connection: duckdb.DuckDBPyConnection, days: Collection[date]) -> MartFinding:
    """Items, shipping and discounts make the order amount, to the cent; how a shop computes it is not documented."""
    rows = _rows(connection, AMOUNTS, days)
    orders, off = sum(row["orders"] for row in rows), sum(row["orders_off"] for row in rows)
    spread = {
        f"{row['currency']}_{measure}": str(row[measure])
        for row in rows
        if row["orders_off"]
        for measure in ("least", "p05", "median", "p95", "most")
    }
    text = f"in {off} of {orders} orders items + shipping - discounts is not the order amount"
    return MartFinding(
        FCT_ORDERS.name, AMOUNTS, Severity.WARN, not off, text, {"orders": orders, "orders_off": off, **spread}
    )


def status_goes_forward(connection: duckdb.DuckDBPyConnection, days: Collection[date]) -> MartFinding:
    """No order was seen in a status that lies before one that it was seen in earlier, but for cancellations."""
    rows = _rows(connection, STATUS, days)
    steps = {f"{row['status_before']} to {row['status']}": row["orders"] for row in rows}
    examples = "; ".join(
        f"{row['status_before']} to {row['status']} in {row['orders']} orders, as {row['example']}" for row in rows[:5]
    )
    text = f"statuses went back: {examples}" if rows else "no status went back"
    return MartFinding(FCT_ORDERS.name, STATUS, Severity.ERROR, not rows, text, steps)


def daily_sales_equal_orders(connection: duckdb.DuckDBPyConnection, days: Collection[date]) -> MartFinding:
    """`agg_daily_sales` is `fct_orders` added up, in every sum, to the cent."""
    rows = _rows(connection, DAILY_SALES, days)
    found = sorted({row["date"] for row in rows})
    text = "every group is the sum of its orders"
    if found:
        text = f"{len(rows)} groups are not the sum of their orders, first on {found[0]}: load those days again"
    return MartFinding(
        AGG_DAILY_SALES.name, DAILY_SALES, Severity.ERROR, not rows, text, {"groups": len(rows), "days": len(found)}
    )


def volume_as_usual(
    connection: duckdb.DuckDBPyConnection, days: Collection[date], usual: Usual = Usual()
) -> MartFinding:
    """The days have about as many orders as the same weekdays before them."""
    sql = statement(f"quality/{VOLUME}")
    found = connection.execute(sql, {"days": list(days), "weeks": usual.weeks}).fetchall()
    compared = [row for row in found if row[2] >= usual.known_weeks]
    unusual = [
        (day, orders, median)
        for day, orders, _, median in compared
        if abs(orders - median) > usual.few and not usual.least * median <= orders <= usual.most * median
    ]
    text = f"{len(compared)} of {len(found)} days compared, all as usual"
    if unusual:
        text = "; ".join(f"{day}: {orders} orders, usually {median:g}" for day, orders, median in unusual[:5])
    return MartFinding(
        FCT_ORDERS.name,
        VOLUME,
        Severity.WARN,
        not unusual,
        text,
        {"days": len(found), "days_compared": len(compared), "days_unusual": len(unusual)},
    )


def _rows(connection: duckdb.DuckDBPyConnection, rule: str, days: Collection[date]) -> list[dict[str, Any]]:
    sql = statement(f"quality/{rule}", days=statement("quality/of_days"))
    result = connection.execute(sql, _parameters(days))
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _of_days(mart: Mart, days: Collection[date]) -> tuple[str, dict[str, Any]]:
    if mart.refresh is Refresh.WHOLE:
        return "true", {}
    return statement("quality/of_days"), _parameters(days)


def _parameters(days: Collection[date]) -> dict[str, Any]:
    return {"days": sorted(days), "first": min(days), "last": max(days)}
