"""What a load reads: the Parquet files of its days, checked before anything is written.

Raises `WarehouseError` for a file that is missing, unreadable or of other columns than the contract has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from order_assets.contract import Contract, Table
from order_assets.warehouse.locations import WarehouseError, ledger_file, table_files
from order_assets.warehouse.statements import count_refused, file_pattern, statement

_TABLES_ADVICE = "materialise tables/{table} for that day first, then load it again"
_LEDGER_ADVICE = "materialise order_documents for that day first, then load it again"


@dataclass(frozen=True)
class Inputs:
    """The files of a load: for each table one per day, in the order of the days, as patterns for DuckDB."""

    days: tuple[date, ...]
    tables: dict[str, list[str]]
    ledgers: list[str]
    ledger_columns: tuple[tuple[str, str], ...]


def find_inputs(
    connection: duckdb.DuckDBPyConnection, contract: Contract, data_root: Path, days: Sequence[date]
) -> Inputs:
    """Find and check the files of these days."""
    for day in days:
        for table in contract:
            _require(table_files(data_root, table.name, day), f"table {table.name}", day, _advice(table))
        _require(ledger_file(data_root, day), "the ledger", day, _LEDGER_ADVICE)
    _check_columns(connection, contract, data_root, days)
    ledgers = [_pattern(ledger_file(data_root, day)) for day in days]
    return Inputs(
        days=tuple(days),
        tables={table.name: [_pattern(table_files(data_root, table.name, day)) for day in days] for table in contract},
        ledgers=ledgers,
        ledger_columns=_ledger_columns(connection, ledgers, data_root),
    )


def describe_refused(connection: duckdb.DuckDBPyConnection, table: Table, inputs: Inputs) -> str:
    """Say which days and columns hold values that the table refused; the values themselves are not shown."""
    required = [column.name for column in table.columns if not column.nullable]
    free_form = [column.name for column in table.columns if column.type.duckdb == "JSON"]
    faults = [f"no {column}" for column in required] + [f"no valid JSON in {column}" for column in free_form]
    counts = connection.execute(count_refused(required, free_form), {"files": inputs.tables[table.name]}).fetchall()
    found = [
        f"{count} rows of {inputs.days[file]} have {fault}"
        for file, *of_day in counts
        for fault, count in zip(faults, of_day, strict=True)
        if count
    ]
    reason = ", ".join(found) or "values do not fit their columns"
    return f"table {table.name} refused its Parquet file: {reason}. Nothing was changed; {_advice(table)}"


def _require(path: Path, what: str, day: date, advice: str) -> None:
    if not path.is_file():
        raise WarehouseError(f"no Parquet file of {what} for {day}: {path} is missing; {advice}")


def _check_columns(
    connection: duckdb.DuckDBPyConnection, contract: Contract, data_root: Path, days: Sequence[date]
) -> None:
    files = {str(table_files(data_root, table.name, day)): (table, day) for table in contract for day in days}
    found = _parquet_columns(connection, files)
    for file, (table, day) in files.items():
        difference = _difference(table, found[file])
        if difference:
            raise WarehouseError(
                f"the Parquet file of table {table.name} for {day} does not fit the contract:"
                f" it {difference} ({file}); {_advice(table)}"
            )


def _parquet_columns(connection: duckdb.DuckDBPyConnection, files: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    patterns = [file_pattern(file) for file in files]
    try:
        rows = connection.execute(statement("parquet_columns"), {"files": patterns}).fetchall()
    except duckdb.OutOfMemoryException:
        # Nothing is wrong with the files.
        raise
    except duckdb.Error as error:
        # DuckDB's message names the file.
        raise WarehouseError(
            f"a Parquet file cannot be read: {_first_line(error)}; materialise that table and day again,"
            " then load the day again"
        ) from None
    return {file: list(zip(names, types, strict=True)) for file, names, types in rows}


def _difference(table: Table, found: Sequence[tuple[str, str]]) -> str:
    wanted = [(column.name, column.type.duckdb) for column in table.columns]
    found_names = [name for name, _ in found]
    missing = [name for name in table.column_names if name not in found_names]
    unknown = [name for name in found_names if name not in table.column_names]
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"has unknown {', '.join(unknown)}"] if unknown else []
        return " and ".join(parts)
    if found_names != list(table.column_names):
        return "has its columns in another order"
    # JSON is kept as text in Parquet, marked as JSON or not.
    other = [
        f"has {name} as {found_type}, not {type_}"
        for (name, type_), (_, found_type) in zip(wanted, found, strict=True)
        if found_type != type_ and not (type_ == "JSON" and found_type == "VARCHAR")
    ]
    return ", ".join(other)


def _ledger_columns(
    connection: duckdb.DuckDBPyConnection, ledgers: list[str], data_root: Path
) -> tuple[tuple[str, str], ...]:
    try:
        rows = connection.execute(statement("ledger_columns"), {"files": ledgers}).fetchall()
    except duckdb.Error as error:
        raise WarehouseError(
            f"a ledger under {data_root / 'landing'} cannot be read: {_first_line(error)}; {_LEDGER_ADVICE}"
        ) from None
    return tuple((row[0], row[1]) for row in rows if row[0] != "date")


def _advice(table: Table) -> str:
    return _TABLES_ADVICE.format(table=table.name)


def _pattern(path: Path) -> str:
    return file_pattern(str(path))


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
