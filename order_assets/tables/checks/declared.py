"""Looks at the Parquet files of a day as they lie on disk, and says what is not as declared.

Each rule gives a result per table; what a result means for a run is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from order_assets.contract.arrow import arrow_schema
from order_assets.contract.model import Contract, Table
from order_assets.contract.rules import KEY_RULE, REQUIRED_RULE, SCHEMA_RULE, SET_RULE
from order_assets.core.check_result import CheckResult
from order_assets.tables.day_files import DayFiles
from order_assets.tables.named_rows import rows_with_null, same_key

_AGAIN = "materialise tables of the day again, which asks the shop for nothing"
_REWRITTEN = f"Something else wrote this file: {_AGAIN}"
# What to do when a rule does not hold: the day stays as it was in the warehouse until then.
_NEXT_STEPS = {
    SCHEMA_RULE: _REWRITTEN,
    KEY_RULE: "Look these orders up in the shop: the same key must not stand for two things. When the shop's answer is "
    f"right again run refresh_days for the day; when the contract's key is too short, add a column to it and {_AGAIN}",
    REQUIRED_RULE: "Look these orders up in the shop; when its answer is right, the contract has to call the column "
    f"nullable: then {_AGAIN}",
    SET_RULE: f"Rows were lost or doubled on the way: {_AGAIN}. If it stays, the transform of the table is wrong; the "
    "documents are in landing",
}


def verify_day(files: DayFiles, contract: Contract, expected: Mapping[str, int]) -> Iterator[CheckResult]:
    """Check the files of a day; `expected` are rows per table as counted from the documents."""
    for table in contract:
        try:
            yield from _verify_table(table, files, expected)
        except (OSError, pa.ArrowException) as error:
            # Whatever else is wrong with it, such a file does not have the columns.
            text = f"{files.path(table.name)} cannot be read ({type(error).__name__})"
            again = f"Materialise tables/{table.name} of {files.day} again"
            yield CheckResult(table.name, SCHEMA_RULE, False, text, next_step=again)


def _verify_table(table: Table, files: DayFiles, expected: Mapping[str, int]) -> Iterator[CheckResult]:
    found, rows = files.shape(table.name)
    yield _columns_as_declared(table, found)
    required = [column.name for column in table.columns if not column.nullable]
    looked_at = [name for name in dict.fromkeys((*table.key, *required)) if name in found.names]
    values = files.read(table.name, looked_at) if rows else found.empty_table().select(looked_at)
    yield _key_unique(files, table, values)
    if required:
        yield _required_present(files, table, values, required)
    if table.name in expected:
        counted = expected[table.name]
        yield CheckResult(
            table.name,
            SET_RULE,
            rows == counted,
            f"{rows} rows, {counted} in the documents",
            {"rows": rows, "in_documents": counted},
            next_step=_NEXT_STEPS[SET_RULE],
        )


def _columns_as_declared(table: Table, found: pa.Schema) -> CheckResult:
    declared = arrow_schema(table)
    as_declared = found.equals(declared)
    text = "as declared" if as_declared else "; ".join(_differences(found, declared))
    numbers = {"columns": len(found)}
    return CheckResult(table.name, SCHEMA_RULE, as_declared, text, numbers, next_step=_NEXT_STEPS[SCHEMA_RULE])


def _differences(found: pa.Schema, declared: pa.Schema) -> Iterator[str]:
    for field_ in declared:
        if field_.name not in found.names:
            yield f"{field_.name} is missing"
        elif not found.field(field_.name).equals(field_):
            yield f"{field_.name} is {_described(found.field(field_.name))}, declared {_described(field_)}"
    for name in found.names:
        if name not in declared.names:
            yield f"{name} is not declared"
    if sorted(found.names) == sorted(declared.names) and found.names != declared.names:
        yield f"the columns are in the order {', '.join(found.names)}"


def _described(field_: pa.Field) -> str:
    return f"{field_.type}{'' if field_.nullable else ' not null'}"


def _key_unique(files: DayFiles, table: Table, values: pa.Table) -> CheckResult:
    keys = ", ".join(table.key)
    absent = [name for name in table.key if name not in values.column_names]
    if absent:
        return CheckResult(table.name, KEY_RULE, False, f"no column {', '.join(absent)}", next_step=_REWRITTEN)
    rows = values.num_rows
    distinct = values.group_by(list(table.key), use_threads=False).aggregate([]).num_rows if rows else 0
    return CheckResult(
        table.name,
        KEY_RULE,
        rows == distinct,
        f"{rows} rows, {distinct} distinct values of {keys}",
        {"rows": rows, "distinct": distinct},
        examples=() if rows == distinct else same_key(files, table, values),
        next_step=_NEXT_STEPS[KEY_RULE],
    )


def _required_present(files: DayFiles, table: Table, values: pa.Table, required: list[str]) -> CheckResult:
    missing = [name for name in required if name not in values.column_names]
    nulls = {name: values[name].null_count for name in required if name not in missing}
    absent = {name: count for name, count in nulls.items() if count}
    texts = [f"no column {name}" for name in missing]
    texts += [f"{name} is null in {count} rows" for name, count in absent.items()]
    return CheckResult(
        table.name,
        REQUIRED_RULE,
        not texts,
        ", ".join(texts) or "all there",
        absent,
        examples=tuple(row for name in absent for row in rows_with_null(files, table, values, name)),
        next_step=_NEXT_STEPS[REQUIRED_RULE] if absent else _REWRITTEN,
    )
