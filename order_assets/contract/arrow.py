"""Derives from the contract how its tables look in Arrow, and so in Parquet."""

from __future__ import annotations

import pyarrow as pa

from order_assets.contract.model import BIGINT, BOOLEAN, DATE, JSON, TEXT, TIMESTAMP, ColumnType, Table

_ARROW = {
    BIGINT: pa.int64(),
    TEXT: pa.string(),
    JSON: pa.string(),
    BOOLEAN: pa.bool_(),
    TIMESTAMP: pa.timestamp("us", tz="UTC"),
    DATE: pa.date32(),
}


def arrow_type(type_: ColumnType) -> pa.DataType:
    """The Arrow type that holds a column type without loss; free-form JSON is text."""
    if type_.is_decimal:
        return pa.decimal128(type_.precision, type_.scale)
    return _ARROW[type_]


def arrow_schema(table: Table) -> pa.Schema:
    """The one schema of all Parquet files of a table, with the descriptions as field metadata."""
    return pa.schema(
        [
            pa.field(
                column.name,
                arrow_type(column.type),
                nullable=column.nullable,
                metadata={"description": column.description},
            )
            for column in table.columns
        ],
        metadata={"table": table.name, "grain": table.grain},
    )
