"""What a reader finds beside tables and marts: `meta.keys`, which says how they join, and the views in `versions`.

Both are written again only when the contract, the marts or the business zone are others than those they were made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import duckdb

from order_assets.contract import Contract, Kind, Table
from order_assets.warehouse.layout import (
    HISTORY,
    ORDERS,
    VERSIONS,
    ColumnLayout,
    TableLayout,
    history_layout,
    required,
)
from order_assets.warehouse.marts.mart import SCHEMA, Mart, Refresh
from order_assets.warehouse.statements import comments, name, names, relation, statement, text

_COLUMNS = ("schema_name", "table_name", "kind", "columns", "references_table", "references_columns")
_DAYS = "dim_dates"
_Row = tuple[str, str, str, str, str | None, str | None]


def ensure_catalogue(
    connection: duckdb.DuckDBPyConnection, contract: Contract, marts: Sequence[Mart], time_zone: str
) -> None:
    """Bring `meta.keys` and the views in `versions` to what is loaded, in the current database and transaction."""
    keys = statement("create_keys", keys=relation(_COLUMNS, [*_keys(contract, marts), *_references(contract, marts)]))
    versions = [_versions_of(table, time_zone) for table in contract.of_kind(Kind.DIMENSION)]
    made_of = hashlib.sha256("".join((keys, *versions)).encode()).hexdigest()[:16]
    comment = f"How tables and marts join. Grain: one row per key or reference. Made of {made_of}"
    if connection.execute(statement("known_catalogue")).fetchone() == (comment,):
        return
    for (view,) in connection.execute(statement("known_versions")).fetchall():
        connection.execute(statement("drop_view", view=name(VERSIONS, view)))
    connection.execute(statement("create_schema", schema=name(VERSIONS)))
    for sql in (keys, *versions, statement("comment_catalogue", comment=text(comment))):
        connection.execute(sql)


def _keys(contract: Contract, marts: Sequence[Mart]) -> Iterator[_Row]:
    for table in contract:
        # Of a thing the newest version is there, of everything else the rows of each day.
        key = table.key if table.kind is Kind.DIMENSION else ("date", *table.key)
        yield ORDERS, table.name, "key", ", ".join(key), None, None
    for mart in marts:
        yield SCHEMA, mart.name, "key", ", ".join(mart.key), None, None


def _references(contract: Contract, marts: Sequence[Mart]) -> Iterator[_Row]:
    daily = {table.name for table in contract if table.kind is not Kind.DIMENSION}
    for table in contract:
        for column, (target, key) in contract.references(table).items():
            # Rows of orders are there per day, things once.
            day = "date, " if {table.name, target} <= daily else ""
            yield ORDERS, table.name, "reference", day + column, f"{ORDERS}.{target}", day + key
    has_days = any(mart.name == _DAYS for mart in marts)
    for mart in marts:
        for reference in mart.references:
            target = f"{reference.schema}.{reference.table}"
            yield SCHEMA, mart.name, "reference", ", ".join(reference.columns), target, ", ".join(reference.key)
        if has_days and mart.refresh is Refresh.DAYS:
            yield SCHEMA, mart.name, "reference", "date", f"{SCHEMA}.{_DAYS}", "day"


def _versions_of(table: Table, time_zone: str) -> str:
    """The view of the versions of a thing: by the moment of its last change, else by the days that it was seen in."""
    columns = table.column_names
    seen = f"CAST(date AS TIMESTAMP) AT TIME ZONE {text(time_zone)}"
    key = names(table.key)
    if "modified_date" in columns:
        changed = f"coalesce(modified_date, {seen})"
        is_version = f"row_number() OVER (PARTITION BY {key}, {changed} ORDER BY date DESC) = 1"
        since = "since the thing was changed last"
    else:
        changed = seen
        same = f"hash({names(columns)})"
        is_version = f"{same} IS DISTINCT FROM lag({same}) OVER (PARTITION BY {key} ORDER BY date)"
        since = "since the first day that it was seen in like this, for nothing says when it was changed"
    history = history_layout(table)
    view = TableLayout(
        VERSIONS,
        table.name,
        (
            *(column for column in history.columns if column.name != "date"),
            required("valid_from", "TIMESTAMP WITH TIME ZONE", "When the version began, UTC"),
            ColumnLayout(
                "valid_to", "TIMESTAMP WITH TIME ZONE", False, "When the next began, UTC; empty for the newest"
            ),
        ),
        f"{table.description}: every version, each {since}. Grain: {', '.join(table.key)} and valid_from",
    )
    made = statement(
        "create_versions",
        view=name(VERSIONS, table.name),
        columns=names(columns),
        history=name(HISTORY, history.name),
        valid_from=changed,
        is_version=is_version,
        key=key,
    )
    return ";\n".join([made, *comments("VIEW", view, VERSIONS)])
