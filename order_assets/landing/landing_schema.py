"""The columns of landing: what is known of each fetched version of an order, and of each listed order in the ledger.

How they are filled is said in `land` and `refresh`, where the files are in `landing_store`. Columns were added
over time: a file that lacks some is read as if they were null.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa

_TIME = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """What became of a listed order."""

    LANDED = "landed"
    TOMBSTONED = "tombstoned"
    QUARANTINED = "quarantined"
    PENDING = "pending"


LANDING_SCHEMA = pa.schema(
    [
        pa.field("order_pk", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        ("date_placed", _TIME),
        ("listed_modified_date", _TIME),
        ("listed_children_modified_date", _TIME),
        ("listed_created_date", _TIME),
        ("listed_checkout_provider_id", pa.string()),
        pa.field("fetched_at", _TIME, nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        ("refused_document", pa.string()),
        ("refused_path", pa.string()),
        ("reason", pa.string()),
        # As the detail document has them; of an order that is gone, as it had them last.
        ("status", pa.string()),
        ("cancel_status", pa.string()),
        ("detail", pa.large_string()),
        ("items", pa.large_string()),
        ("discounts", pa.large_string()),
        # Of a version whose documents were let go: what histories need of its detail, `null` where they need nothing.
        ("observed", pa.large_string()),
        pa.field("unmapped", pa.string(), nullable=False),
        pa.field("missing", pa.string(), nullable=False),
        pa.field("set_sizes", pa.string(), nullable=False),
        pa.field("irregular", pa.bool_(), nullable=False),
        pa.field("masked", pa.int64(), nullable=False),
        # JSON: the values that were masked by document, path and kind.
        ("masked_paths", pa.string()),
        ("content_hash", pa.string()),
        pa.field("contract_version", pa.string(), nullable=False),
        pa.field("privacy_policy", pa.string(), nullable=False),
        pa.field("requests", pa.int64(), nullable=False),
        pa.field("retries", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        # The order's row in the list that made it due, as the index knew it then.
        ("listed_fingerprint", pa.int64()),
        ("listed_row_changed_at", _TIME),
        # The documents beyond those of every order that were requested, by name with commas; null for none.
        ("further_documents", pa.string()),
    ]
)

LEDGER_SCHEMA = pa.schema(
    [
        pa.field("order_pk", pa.int64(), nullable=False),
        pa.field("number", pa.string(), nullable=False),
        pa.field("date_placed", _TIME, nullable=False),
        ("listed_modified_date", _TIME),
        ("listed_children_modified_date", _TIME),
        pa.field("outcome", pa.string(), nullable=False),
        ("reason", pa.string()),
        ("status", pa.string()),
        ("cancel_status", pa.string()),
        ("fetched_at", _TIME),
        pa.field("requests", pa.int64(), nullable=False),
        pa.field("retries", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        ("content_hash", pa.string()),
        ("contract_version", pa.string()),
        ("privacy_policy", pa.string()),
        ("masked_paths", pa.string()),
        ("listed_fingerprint", pa.int64()),
        ("listed_row_changed_at", _TIME),
        # The documents beyond those of every order that were requested, by name with commas; null for none.
        ("further_documents", pa.string()),
    ]
)

_NAMES = frozenset(LANDING_SCHEMA.names)


def further_names(columns: Iterable[str]) -> list[str]:
    """The columns of landing that are documents beyond those that every order has."""
    return [name for name in columns if name not in _NAMES]


def schema_with(names: Iterable[str]) -> pa.Schema:
    """The columns of landing with these further documents, each once, in the order of their names."""
    further = sorted(set(names))
    return pa.schema([*LANDING_SCHEMA, *((name, pa.large_string()) for name in further)]) if further else LANDING_SCHEMA


def conformed(rows: pa.Table, schema: pa.Schema = LANDING_SCHEMA) -> pa.Table:
    """Rows of a file with the columns of the schema, all of them and in its order; missing ones are null."""
    if rows.schema.names == schema.names:
        return rows
    columns = [
        rows[field.name] if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def plain_rows(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows as `to_pylist` gives them; Arrow takes ten times as long for a moment in UTC."""
    columns = [_moments(values) if values.type == _TIME else values.to_pylist() for values in rows.columns]
    names = rows.column_names
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _moments(values: pa.ChunkedArray) -> list[datetime | None]:
    counts = values.cast(pa.int64()).to_pylist()
    return [None if count is None else _EPOCH + timedelta(microseconds=count) for count in counts]
