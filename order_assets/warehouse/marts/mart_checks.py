"""Looks at the marts and the rows that they are made from, and says what does not hold, day by day.

Each rule gives one result per mart and day, or one for all days of a mart that is made whole. Results show counts,
days, codes and keys of rows, and nothing personal. Rules that are `BLOCKING` keep a draft from being published, which
is done in `load`; what the others mean for a run is decided elsewhere. Names, meaning and advice are in `mart_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

import duckdb

from order_assets.contract import Contract
from order_assets.core.check_result import CheckResult, Severity
from order_assets.warehouse.locations import WarehouseError
from order_assets.warehouse.marts.known_values import filled_in
from order_assets.warehouse.marts.mart import SCHEMA, Mart, Reference, Refresh
from order_assets.warehouse.marts.mart_refresh import known_settings
from order_assets.warehouse.marts.mart_rules import (
    ADVICE,
    ALLOCATED,
    AMOUNTS,
    BLOCKING,
    DAILY_SALES,
    DISCOUNTS,
    GRAIN,
    KINDS,
    ONCE,
    QUANTITIES,
    REFERENCES,
    REFUNDS,
    SALES,
    STATUS,
    VOLUME,
)
from order_assets.warehouse.statements import name, names, statement

_Row = Mapping[str, Any]
_Numbers = Mapping[str, str | int | float]
# Other ways in which a shop may compute its order amount.
_FORMULAS = {
    "without_discounts": "items + shipping, with prices that have the discounts taken off already,",
    "with_interest": "items + shipping - discounts + interest for instalments",
}
_MOST_EXAMPLES = 3
# Rules whose SQL gives a row per day and kind of contradiction: how many orders have it, and one of them.
_CONTRADICTIONS = {
    ONCE: Severity.ERROR,
    ALLOCATED: Severity.ERROR,
    DISCOUNTS: Severity.WARN,
}


class QualityError(WarehouseError):
    """Marts of a draft are wrong, so it was not published; `findings` are those of the rules that block."""

    def __init__(self, message: str, findings: Sequence[CheckResult]) -> None:
        super().__init__(message)
        self.findings = tuple(findings)

    @property
    def days(self) -> frozenset[date] | None:
        """The days that are wrong; None where it cannot be said of single days."""
        days = {found.day for found in self.findings}
        return None if None in days else frozenset(day for day in days if day is not None)


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
    connection: duckdb.DuckDBPyConnection,
    days: Collection[date],
    marts: Sequence[Mart],
    contract: Contract,
    usual: Usual = Usual(),
) -> Iterator[CheckResult]:
    """Apply the rules of each mart to these days; marts without days are looked at whole.

    The connection stands in a warehouse that has the marts, as from `open_readonly`. Without days there is nothing to
    find.
    """
    if not days:
        return
    rules: dict[str, Callable[[Mart], Iterator[CheckResult]]] = {
        AMOUNTS: lambda mart: amounts_add_up(connection, mart, days),
        STATUS: lambda mart: status_goes_forward(connection, mart, days, contract),
        DAILY_SALES: lambda mart: daily_sales_equal_orders(connection, mart, days),
        KINDS: lambda mart: kinds_are_known(connection, mart, days),
        QUANTITIES: lambda mart: quantities_are_read(connection, mart, days),
        REFUNDS: lambda mart: refunds_agree(connection, mart, days),
        SALES: lambda mart: sales_add_up(connection, mart, days),
        **{
            rule: partial(_no_contradiction, connection, days=days, rule=rule, severity=severity)
            for rule, severity in _CONTRADICTIONS.items()
        },
        VOLUME: lambda mart: volume_as_usual(connection, mart, days, usual),
    }
    for mart in marts:
        yield from grain_is_unique(connection, mart, days)
        yield from references_resolve(connection, mart, days)
        for rule in mart.rules:
            yield from rules[rule](mart)


def refuse_wrong(findings: Sequence[CheckResult]) -> None:
    """Raise `QualityError` if a rule that blocks does not hold."""
    wrong = [found for found in findings if found.name in BLOCKING and not found.passed]
    if wrong:
        shown = " ".join(f"{found.asset} {found.day or ''}: {found}." for found in wrong[:3])
        raise QualityError(f"{len(wrong)} checks say that marts are wrong, so nothing was published. {shown}", wrong)


def grain_is_unique(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> Iterator[CheckResult]:
    """Each key of the mart is there once."""
    of_days, parameters = _of_days(mart, days)
    key = [column for column in mart.key if column != "date"]
    sql = statement(
        f"quality/{GRAIN}",
        mart=name(SCHEMA, mart.name),
        key=names(mart.day_and_key),
        example=names(key),
        order_pk=_order_pk(mart),
        day=_day(mart),
        days=of_days,
    )
    found = {row["day"]: row for row in _rows(connection, sql, parameters)}
    for day in _each(mart, days):
        row = found.get(day)
        numbers: _Numbers = {"keys": row["keys"], "rows_too_many": row["too_many"]} if row else {}
        text = (
            f"{row['keys']} keys are there more than once, {row['too_many']} rows too many"
            if row
            else f"each {', '.join(mart.key)} is there once"
        )
        examples = _shown(connection, key, row["examples"]) if row else ()
        yield _result(mart, GRAIN, day, Severity.ERROR, text, not row, numbers, examples)


def references_resolve(
    connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]
) -> Iterator[CheckResult]:
    """What the references of the mart name is there; nothing for a mart without references."""
    if not mart.references:
        return
    lost: dict[date | None, dict[str, _Row]] = {}
    for reference in _that_lose_rows(connection, mart, days):
        what = f"{', '.join(reference.columns)} in {reference.schema}.{reference.table}"
        for row in _lost(connection, mart, reference, days):
            lost.setdefault(row["day"], {})[what] = row
    key = [column for column in mart.key if column != "date"]
    for day in _each(mart, days):
        of_day = lost.get(day, {})
        text = "; ".join(
            f"{row['rows']} rows name {row['values']} values of {what} that are not there"
            for what, row in of_day.items()
        )
        examples = tuple(text for row in of_day.values() for text in _shown(connection, key, row["examples"]))
        numbers = {what: row["rows"] for what, row in of_day.items()}
        all_there = f"all {len(mart.references)} references lead to a row"
        yield _result(mart, REFERENCES, day, Severity.ERROR, text or all_there, not of_day, numbers, examples)


def amounts_add_up(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> Iterator[CheckResult]:
    """Items, shipping and discounts make the order amount, to the cent; how a shop computes it is not documented.

    Where they do not, it is said how many orders another formula fits.
    """
    text = "in {off} of {orders} orders items + shipping - discounts is not the order amount"
    yield from _add_up(connection, mart, days, AMOUNTS, text)


def sales_add_up(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> Iterator[CheckResult]:
    """Net sales from the side of the order are those of its items, to the cent."""
    text = "in {off} of {orders} sales gross sales - discounts - canceled - returned items is not the net sales"
    yield from _add_up(connection, mart, days, SALES, text)


def _add_up(
    connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date], rule: str, text: str
) -> Iterator[CheckResult]:
    found = _by_day(connection, rule, days)
    for day in sorted(days):
        rows = found.get(day, [])
        orders, off = sum(row["orders"] for row in rows), sum(row["orders_off"] for row in rows)
        spread = {
            f"{row['currency']}_{measure}": str(row[measure])
            for row in rows
            if row["orders_off"]
            for measure in ("least", "p05", "median", "p95", "most")
        }
        examples = [f"order_pk {pk}" for row in rows for pk in row["examples"] or []]
        fits = {formula: sum(row[formula] for row in rows) for formula in _FORMULAS if rows and formula in rows[0]}
        fits = {formula: count for formula, count in fits.items() if count}
        said = text.format(off=off, orders=orders) + "".join(
            f"; {_FORMULAS[formula]} is it in {count} of these" for formula, count in fits.items()
        )
        numbers = {"orders": orders, "orders_off": off, **fits, **spread}
        yield _result(mart, rule, day, Severity.WARN, said, not off, numbers, examples if off else ())


def status_goes_forward(
    connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date], contract: Contract
) -> Iterator[CheckResult]:
    """No order was seen in a status that lies before one that it was seen in earlier, but for cancellations."""
    found = _by_day(connection, STATUS, days, statuses=filled_in("{statuses}", contract))
    for day in sorted(days):
        rows = found.get(day, [])
        steps = {f"{row['status_before']} to {row['status']}": row["orders"] for row in rows}
        examples = [
            f"{row['status_before']} to {row['status']} in {row['orders']} orders, as order_pk {row['example']}"
            for row in rows
        ]
        text = "statuses went back" if rows else "no status went back"
        yield _result(mart, STATUS, day, Severity.ERROR, text, not rows, steps, examples)


def daily_sales_equal_orders(
    connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]
) -> Iterator[CheckResult]:
    """`agg_daily_sales` is `fct_orders` added up, in every sum, to the cent."""
    found = _by_day(connection, DAILY_SALES, days)
    for day in sorted(days):
        rows = found.get(day, [])
        text = f"{len(rows)} groups are not the sum of their orders" if rows else "every group is the sum of its orders"
        examples = [f"channel_pk {row['channel_pk']}, {row['currency']}, {row['status_group']}" for row in rows]
        numbers = {"groups": len(rows)}
        yield _result(mart, DAILY_SALES, day, Severity.ERROR, text, not rows, numbers, examples)


def kinds_are_known(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> Iterator[CheckResult]:
    """Every movement is of a kind that is known to move money; those that are not count as none."""
    found = _by_day(connection, KINDS, days)
    for day in sorted(days):
        rows = found.get(day, [])
        examples = [
            f"{row['shown_kind']} in {row['rows']} rows of {row['source']}, as order_pk {row['order_pk']}, position "
            f"{row['position']}"
            for row in rows
        ]
        numbers = {f"{row['source']}: {row['shown_kind']}": row["rows"] for row in rows}
        text = f"{len(rows)} kinds are not known to move money" if rows else "every kind is known"
        yield _result(mart, KINDS, day, Severity.WARN, text, not rows, numbers, examples)


def quantities_are_read(
    connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]
) -> Iterator[CheckResult]:
    """Every quantity that is given for an item is a number of units; what is given instead is named by its kind."""
    path = filled_in("{quantity_path}", Contract(()), known_settings(connection))
    found = _by_day(connection, QUANTITIES, days, quantity_path=path)
    for day in sorted(days):
        rows = found.get(day, [])
        examples = [f"item_pk {row['item_pk']} of order_pk {row['order_pk']} has {row['given']}" for row in rows]
        numbers = {"items": len(rows), **Counter(row["given"] for row in rows)}
        text = f"the quantity of {len(rows)} items cannot be read" if rows else "every quantity is read"
        yield _result(mart, QUANTITIES, day, Severity.WARN, text, not rows, numbers, examples)


def refunds_agree(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> Iterator[CheckResult]:
    """What refund transactions moved and what their order says was refunded do not contradict each other."""
    yield from _no_contradiction(connection, mart, days=days, rule=REFUNDS, severity=Severity.WARN)


def _no_contradiction(
    connection: duckdb.DuckDBPyConnection, mart: Mart, *, days: Collection[date], rule: str, severity: Severity
) -> Iterator[CheckResult]:
    found = _by_day(connection, rule, days)
    for day in sorted(days):
        rows = found.get(day, [])
        examples = [f"{row['contradiction']} in {row['orders']} orders, as order_pk {row['example']}" for row in rows]
        text = f"{len(rows)} kinds of contradiction" if rows else "no contradiction"
        numbers = {row["contradiction"]: row["orders"] for row in rows}
        yield _result(mart, rule, day, severity, text, not rows, numbers, examples)


def volume_as_usual(
    connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date], usual: Usual = Usual()
) -> Iterator[CheckResult]:
    """The days have about as many orders as the same weekdays before them; of days that are not loaded nothing."""
    parameters = {**_parameters(days), "weeks": usual.weeks}
    for row in _rows(connection, statement(f"quality/{VOLUME}"), parameters):
        orders, weeks, median = row["orders"], row["weeks"], row["usual"]
        numbers: dict[str, str | int | float] = {"orders": orders, "weeks_compared": weeks}
        text, passed = f"{orders} orders; only {weeks} of the weekdays before are loaded, too few to compare", True
        if weeks >= usual.known_weeks:
            numbers["usual"] = median
            text = f"{orders} orders, usually {median:g}"
            passed = abs(orders - median) <= usual.few or usual.least * median <= orders <= usual.most * median
        yield _result(mart, VOLUME, row["day"], Severity.WARN, text, passed, numbers)


def _result(
    mart: Mart,
    rule: str,
    day: date | None,
    severity: Severity,
    text: str,
    passed: bool,
    numbers: _Numbers,
    examples: Sequence[str] = (),
) -> CheckResult:
    shown = tuple(examples[:_MOST_EXAMPLES])
    return CheckResult(mart.name, rule, passed, text, numbers, day, severity, shown, ADVICE[rule])


def _that_lose_rows(connection: duckdb.DuckDBPyConnection, mart: Mart, days: Collection[date]) -> list[Reference]:
    """The references that lead nowhere from some rows; which rows these are is asked for them alone."""
    of_days, parameters = _of_days(mart, days)
    counts = ", ".join(
        f"count_if({name('m', reference.columns[0])} IS NOT NULL AND {_leads_nowhere(reference)})"
        for reference in mart.references
    )
    sql = statement("quality/count_lost", mart=name(SCHEMA, mart.name), counts=counts, days=of_days)
    (lost,) = connection.execute(sql, parameters).fetchall()
    return [reference for reference, rows in zip(mart.references, lost, strict=True) if rows]


def _leads_nowhere(reference: Reference) -> str:
    target = name(reference.schema, reference.table)
    pairs = zip(reference.columns, reference.key, strict=True)
    matches = " AND ".join(f"{name('t', key)} IS NOT DISTINCT FROM {name('m', column)}" for column, key in pairs)
    return f"NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {matches})"  # noqa: S608


def _lost(
    connection: duckdb.DuckDBPyConnection, mart: Mart, reference: Reference, days: Collection[date]
) -> list[_Row]:
    of_days, parameters = _of_days(mart, days)
    sql = statement(
        f"quality/{REFERENCES}",
        mart=name(SCHEMA, mart.name),
        columns=", ".join(name("m", column) for column in reference.columns),
        first=name("m", reference.columns[0]),
        leads_nowhere=_leads_nowhere(reference),
        example=", ".join(name("m", column) for column in mart.key if column != "date"),
        order_pk=_order_pk(mart),
        day=_day(mart),
        days=of_days,
    )
    return _rows(connection, sql, parameters)


def _order_pk(mart: Mart) -> str:
    """The column by which a row of the mart names its order; nothing for marts whose rows are of no order."""
    return name("m", "order_pk") if "order_pk" in mart.columns else "NULL::BIGINT"


def _shown(connection: duckdb.DuckDBPyConnection, key: Sequence[str], examples: Sequence[_Row]) -> tuple[str, ...]:
    """Up to three keys, with what they name and the numbers of their orders."""
    pks = [example["order_pk"] for example in examples if example["order_pk"] is not None]
    found = _rows(connection, statement("quality/numbers_of_orders"), {"pks": pks}) if pks else []
    numbers = {row["pk"]: row["number"] for row in found}
    texts = []
    for example in examples:
        names_it = f" names {example['named']}" if "named" in example else ""
        number = numbers.get(example["order_pk"])
        key_and_value = f"{', '.join(key)} = {example['key']}{names_it}"
        texts.append(key_and_value + (f" (order number {number})" if number else ""))
    return tuple(texts)


def _by_day(
    connection: duckdb.DuckDBPyConnection, rule: str, days: Collection[date], **relations: str
) -> dict[date, list[_Row]]:
    sql = statement(f"quality/{rule}", days=statement("quality/of_days"), **relations)
    rows = sorted(_rows(connection, sql, _parameters(days)), key=lambda row: row["day"])
    return {day: list(of_day) for day, of_day in groupby(rows, key=lambda row: row["day"])}


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]) -> list[_Row]:
    result = connection.execute(sql, dict(parameters))
    columns = [column[0] for column in result.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


def _each(mart: Mart, days: Collection[date]) -> Sequence[date | None]:
    return [None] if mart.refresh is Refresh.WHOLE else sorted(days)


def _day(mart: Mart) -> str:
    return "NULL::DATE" if mart.refresh is Refresh.WHOLE else name("m", "date")


def _of_days(mart: Mart, days: Collection[date]) -> tuple[str, dict[str, Any]]:
    if mart.refresh is Refresh.WHOLE:
        return "true", {}
    return statement("quality/of_days"), _parameters(days)


def _parameters(days: Collection[date]) -> dict[str, Any]:
    return {"days": sorted(days), "first": min(days), "last": max(days)}
