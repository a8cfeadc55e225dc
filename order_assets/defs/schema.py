"""How the contract's tables look in the UI: columns tab, descriptions."""

from __future__ import annotations

import dagster as dg

from order_assets.contract.model import Column, Table


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


def _describe(column: Column) -> str:
    known = ", ".join(f"{value} {meaning}".strip() for value, meaning in column.values.items())
    return column.description + (f". Known values: {known}" if known else "")


def _other(column: Column) -> list[str]:
    return [column.sensitivity] if column.sensitivity else []
