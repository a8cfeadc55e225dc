"""Loads days into the warehouse and takes days out of it: one call, one transaction on a draft of the file.

One statement per table serves all days of a call, so thirty days in one call are far cheaper than thirty
calls. The files to read are checked in `inputs`, tables are made in `schema`, marts in `marts.mart_refresh`, and the
swap is in `publish`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb

from order_assets.contract import Contract, Kind, Table
from order_assets.core.check_result import CheckResult
from order_assets.warehouse.database import attach_draft, detach, scratch
from order_assets.warehouse.inputs import Inputs, describe_refused, find_inputs
from order_assets.warehouse.layout import (
    META,
    ORDERS,
    TableLayout,
    history_layout,
    loaded_layout,
)
from order_assets.warehouse.load_diff import refuse_unlike
from order_assets.warehouse.locations import STORAGE_VERSION, WarehouseError, warehouse_file
from order_assets.warehouse.marts.mart import SCHEMA, Mart
from order_assets.warehouse.marts.mart_checks import check_marts, refuse_wrong
from order_assets.warehouse.marts.mart_refresh import MartReport, known_days, known_settings, refresh_marts
from order_assets.warehouse.meta import (
    LEDGER,
    OUTCOME,
    WarehouseSettings,
    Watermarks,
    code_version,
    days_layout,
    ledger_layout,
)
from order_assets.warehouse.publish import Draft, drafting
from order_assets.warehouse.reader_catalogue import ensure_catalogue
from order_assets.warehouse.schema import ensure_schema
from order_assets.warehouse.statements import age, count_per_day, count_rows, name, names, statement


@dataclass(frozen=True)
class LoadReport:
    """What a load did: days, rows that each table has of each day now, seconds, and the file's bytes.

    `rows` counts rows in `orders.<table>`; for things, versions in `history.<table>`. `marts` tells of each mart,
    `findings` what the rules say of these days of the marts; where a mart was made anew, of all days. `totals` are the
    rows of all days by (schema, table).
    """

    days: tuple[date, ...]
    rows: Mapping[str, Mapping[date, int]]
    copy_seconds: float
    load_seconds: float
    bytes: int
    marts: Mapping[str, MartReport]
    findings: tuple[CheckResult, ...] = ()
    totals: Mapping[tuple[str, str], int] = field(default_factory=dict)


def load_days(
    data_root: Path,
    days: Collection[date],
    *,
    contract: Contract,
    marts: Sequence[Mart],
    contract_version: str,
    watermarks: Watermarks | None = None,
    settings: WarehouseSettings | None = None,
    fresh: bool = False,
    storage_version: str = STORAGE_VERSION,
    lock_timeout: float = 600,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> LoadReport:
    """Load these days from their Parquet files; what the warehouse had of them is replaced, other days stay.

    With `fresh` the file is made anew from these days alone. A file of another `storage_version` (v1.0.0, v1.2.0,
    v1.4.0, v1.5.0 or v2.0.0: the first DuckDB that reads it) is first written anew with all that is in it.
    `marts` are made from the tables; what the file has of others is dropped.
    `lock_timeout` (seconds) bounds the wait for another writer. `contract_version` is recorded with the days,
    `watermarks` and `settings` beside them; without `settings` those that are recorded stay.
    Raises `WarehouseError` if a file is missing or does not fit the contract, or if the warehouse cannot be
    written, and `QualityError`, one of these, if a mart is wrong; the published file is then as it was before.
    Before it is published, the rows of these days are compared with those of their files.
    """
    wanted, data_root = _distinct(days), data_root.absolute()
    with drafting(data_root, lock_timeout) as draft:
        started = time.perf_counter()
        with scratch(draft.spill, memory_limit, threads) as connection, _explained(wanted, draft):
            inputs = find_inputs(connection, contract, data_root, wanted)
            copy_seconds = draft.start(fresh=fresh)
            attach_draft(connection, draft, storage_version)
            rows, made = _load(connection, contract, marts, contract_version, inputs, watermarks, settings)
            refuse_unlike(connection, contract, inputs)
            findings = _look_at(connection, wanted, marts, contract, made)
            totals = _totals(connection, contract, marts)
            detach(connection)
        draft.publish()
        return LoadReport(
            days=wanted,
            rows=rows,
            copy_seconds=copy_seconds,
            load_seconds=time.perf_counter() - started - copy_seconds,
            bytes=draft.published.stat().st_size,
            marts=made,
            findings=findings,
            totals=totals,
        )


def drop_days(
    data_root: Path,
    days: Collection[date],
    *,
    contract: Contract,
    marts: Sequence[Mart],
    storage_version: str = STORAGE_VERSION,
    lock_timeout: float = 600,
    memory_limit: str = "2GB",
    threads: int = 2,
) -> None:
    """Take these days out of the warehouse; a day that is not in it is no error. Raises as `load_days`."""
    wanted = _distinct(days)
    with drafting(data_root, lock_timeout) as draft:
        if not warehouse_file(data_root).exists():
            return
        with scratch(draft.spill, memory_limit, threads) as connection, _explained(wanted, draft):
            draft.start()
            attach_draft(connection, draft, storage_version)
            connection.begin()
            ensure_schema(connection, contract, ())
            _replace(connection, contract, wanted, None)
            refresh_marts(connection, wanted, marts, contract)
            connection.commit()
            detach(connection)
        draft.publish()


def _distinct(days: Iterable[date]) -> tuple[date, ...]:
    # A datetime is a date to Python, but not the same key as the date it falls on.
    plain = {day.date() if isinstance(day, datetime) else day for day in days}
    if not plain:
        raise WarehouseError("no day was named; give at least one")
    return tuple(sorted(plain))


@contextmanager
def _explained(days: tuple[date, ...], draft: Draft) -> Iterator[None]:
    """Turn what DuckDB refuses into an error that names the days and shows no value of a row."""
    try:
        yield
    except duckdb.ConversionException:
        # Its message quotes the value, which may be a customer's; so does the chained error.
        raise WarehouseError(_refusal(days, draft, "a value does not fit its column")) from None
    except duckdb.OutOfMemoryException as error:
        reason = f"{str(error).splitlines()[0].rstrip('.')}; `memory_limit` in the config of the run gives DuckDB more"
        raise WarehouseError(_refusal(days, draft, reason)) from error
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].rstrip(".")
        if "corrupt" in reason.casefold():
            reason += "; the job rebuild_warehouse makes the file anew from the Parquet files"
        raise WarehouseError(_refusal(days, draft, reason)) from error


def _refusal(days: tuple[date, ...], draft: Draft, reason: str) -> str:
    span = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days)} days)"
    return f"{draft.published}: writing {span} failed: {reason}. The published file is as it was."


def _load(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    marts: Sequence[Mart],
    contract_version: str,
    inputs: Inputs,
    watermarks: Watermarks | None,
    settings: WarehouseSettings | None,
) -> tuple[dict[str, dict[date, int]], dict[str, MartReport]]:
    connection.begin()
    ensure_schema(connection, contract, inputs.ledger_columns)
    _replace(connection, contract, inputs.days, inputs)
    rows = _count(connection, contract, inputs.days)
    totals = [sum(of_table[day] for of_table in rows.values()) for day in inputs.days]
    has_outcome = OUTCOME in dict(inputs.ledger_columns)
    versions = {"contract_version": contract_version, "code_version": code_version()}
    connection.execute(
        statement("record_days", outcome=name(OUTCOME) if has_outcome else "NULL::VARCHAR"),
        {**_day_parameters(inputs.days), "rows": totals, **versions},
    )
    settings = settings or known_settings(connection)
    connection.execute(statement("record_settings"), {**asdict(settings), **versions})
    ensure_catalogue(connection, contract, marts, settings.time_zone)
    if watermarks is not None:
        connection.execute(statement("record_sync"), asdict(watermarks))
    made = refresh_marts(connection, inputs.days, marts, contract)
    connection.commit()
    return rows, made


def _totals(
    connection: duckdb.DuckDBPyConnection, contract: Contract, marts: Sequence[Mart]
) -> dict[tuple[str, str], int]:
    """The rows of all days that each table and mart has."""
    tables = [(ORDERS, table.name) for table in contract] + [(META, LEDGER), *((SCHEMA, mart.name) for mart in marts)]
    return {(schema, table): rows for schema, table, rows in connection.execute(count_rows(tables)).fetchall()}


def _look_at(
    connection: duckdb.DuckDBPyConnection,
    days: tuple[date, ...],
    marts: Sequence[Mart],
    contract: Contract,
    made: Mapping[str, MartReport],
) -> tuple[CheckResult, ...]:
    """What the rules say of the marts of these days; of all days where a mart was made anew."""
    made_anew = any(report.made_anew for report in made.values())
    # An order that moved changes the day that it was on as well.
    changed = {*days, *(day for report in made.values() for day in report.rows)}
    findings = tuple(check_marts(connection, known_days(connection) if made_anew else changed, marts, contract))
    refuse_wrong(findings)
    return findings


def _replace(
    connection: duckdb.DuckDBPyConnection, contract: Contract, days: tuple[date, ...], inputs: Inputs | None
) -> None:
    """Take the days out of all tables and, if there are inputs, put them in again."""
    for table in contract:
        layout = loaded_layout(table)
        if table.kind is Kind.DIMENSION:
            _forget_newest(connection, table, days)
        _delete(connection, layout, days)
        if inputs:
            _insert_table(connection, table, inputs)
        if table.kind is Kind.DIMENSION:
            _forget_newest(connection, table, days)
            _find_newest(connection, table)
    ledger = ledger_layout(inputs.ledger_columns if inputs else ())
    _delete(connection, ledger, days)
    if inputs:
        _insert(connection, ledger, inputs, inputs.ledgers)
    _delete(connection, days_layout(), days)


def _delete(connection: duckdb.DuckDBPyConnection, table: TableLayout, days: tuple[date, ...]) -> None:
    sql = statement("delete_days", table=name(table.schema, table.name))
    connection.execute(sql, _day_parameters(days))


def _insert_table(connection: duckdb.DuckDBPyConnection, table: Table, inputs: Inputs) -> None:
    try:
        _insert(connection, loaded_layout(table), inputs, inputs.tables[table.name])
    except (duckdb.ConstraintException, duckdb.ConversionException):
        connection.rollback()
        raise WarehouseError(describe_refused(connection, table, inputs)) from None


def _insert(connection: duckdb.DuckDBPyConnection, table: TableLayout, inputs: Inputs, files: list[str]) -> None:
    sql = statement(
        "insert_days",
        table=name(table.schema, table.name),
        columns=names(column for column in table.column_names if column != "date"),
        # Ledgers of older days may have fewer columns; the files of the contract's tables are all alike.
        by_name=str(table.name == LEDGER).lower(),
    )
    connection.execute(sql, {"days": list(inputs.days), "files": files})


def _forget_newest(connection: duckdb.DuckDBPyConnection, table: Table, days: tuple[date, ...]) -> None:
    sql = statement("forget_newest", **_newest_names(table), key=names(table.key))
    connection.execute(sql, _day_parameters(days))


def _find_newest(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = history_layout(table).column_names
    sql = statement(
        "find_newest",
        **_newest_names(table),
        key=names(table.key),
        columns=names(columns),
        age=age(columns),
    )
    connection.execute(sql)


def _newest_names(table: Table) -> dict[str, str]:
    history = history_layout(table)
    return {"newest": name(ORDERS, table.name), "history": name(history.schema, history.name)}


def _count(
    connection: duckdb.DuckDBPyConnection, contract: Contract, days: tuple[date, ...]
) -> dict[str, dict[date, int]]:
    rows = {table.name: dict.fromkeys(days, 0) for table in contract}
    sql = count_per_day(loaded_layout(table) for table in contract)
    for table_name, day, count in connection.execute(sql, _day_parameters(days)).fetchall():
        rows[table_name][day] = count
    return rows


def _day_parameters(days: tuple[date, ...]) -> dict[str, object]:
    return {"days": list(days), "first": days[0], "last": days[-1]}
