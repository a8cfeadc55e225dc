"""How the contract's tables look in the UI: columns tab, preview, lineage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from order_assets.contract.model import JSON, Column, Table

_PREVIEW_ROWS = 5
_PREVIEW_COLUMNS = 8
_PREVIEW_WIDTH = 40


def table_schema(table: Table) -> dg.TableSchema:
    """The columns of a table with types, descriptions and constraints."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.duckdb,
                description=_describe(column),
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=table.key == (column.name,), other=_other(column)
                ),
                tags={"sensitivity": column.sensitivity.replace(" ", "_")} if column.sensitivity else {},
            )
            for column in table.columns
        ]
    )


def preview(table: Table, path: Path) -> str:
    """The first rows as a Markdown table.

    Personal data, free-form JSON and gateway texts stay out, whatever the privacy settings: the preview is kept in
    Dagster's event log.
    """
    import pyarrow.parquet as pq

    shown = [
        column.name
        for column in table.columns
        if column.personal is None and column.type != JSON and not column.gateway_text and column.name != "value"
    ][:_PREVIEW_COLUMNS]
    rows = pq.ParquetFile(path)
    first: list[dict[str, Any]] = next(
        (batch.to_pylist() for batch in rows.iter_batches(_PREVIEW_ROWS, columns=shown)), []
    )
    return _markdown(shown, [[_cell(row[name]) for name in shown] for row in first])


def _markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return (text if len(text) <= _PREVIEW_WIDTH else text[: _PREVIEW_WIDTH - 1] + "…").replace("|", "\\|")


def _describe(column: Column) -> str:
    known = ", ".join(f"{value} {meaning}".strip() for value, meaning in column.values.items())
    return column.description + (f". Known values: {known}" if known else "")


def _other(column: Column) -> list[str]:
    return [column.sensitivity] if column.sensitivity else []
