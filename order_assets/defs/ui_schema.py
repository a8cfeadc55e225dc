"""How tables and marts look in the UI: columns tab with types, descriptions, and where each column comes from."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from order_assets.contract.lineage import full_paths
from order_assets.contract.model import Column, Contract, Table
from order_assets.defs.column_lineage import source_link
from order_assets.defs.shop_names import Shop
from order_assets.warehouse.layout import orders_layout
from order_assets.warehouse.marts import Mart

# Name, type and meaning of what landing keeps of each fetched version of an order.
_LANDED: Sequence[tuple[str, str, str]] = (
    ("order_pk", "BIGINT", "Order"),
    ("number", "VARCHAR", "Order number shown to people"),
    ("date_placed", "TIMESTAMP WITH TIME ZONE", "When the customer placed the order, UTC"),
    ("listed_modified_date", "TIMESTAMP WITH TIME ZONE", "When the order was last changed, by the order list, UTC"),
    ("listed_children_modified_date", "TIMESTAMP WITH TIME ZONE", "When something below it was last seen changed, UTC"),
    ("listed_created_date", "TIMESTAMP WITH TIME ZONE", "When Omnitron created the order, by the order list, UTC"),
    ("listed_checkout_provider_id", "VARCHAR", "Identifier given by the checkout provider, by the order list"),
    ("fetched_at", "TIMESTAMP WITH TIME ZONE", "When this version was fetched, UTC"),
    ("outcome", "VARCHAR", "What became of it: landed, tombstoned or quarantined"),
    ("refused_document", "VARCHAR", "Document for which the order was refused"),
    ("refused_path", "VARCHAR", "Place in that document"),
    ("reason", "VARCHAR", "Why it was refused"),
    ("status", "VARCHAR", "Status code of the order"),
    ("cancel_status", "VARCHAR", "State of a cancellation or return"),
    ("detail", "JSON", "Answer of orders_integration/PK/detailed_integration/, with nothing secret in it"),
    ("items", "JSON", "The order's items, all pages of the list of items"),
    ("discounts", "JSON", "The order's discounts, all pages of the list of discount items"),
    ("observed", "JSON", "Of an older version whose documents were let go: what histories need of it"),
    ("unmapped", "JSON", "Values that the contract does not know"),
    ("missing", "JSON", "Documented fields that were not there"),
    ("set_sizes", "JSON", "Number of rows of each set"),
    ("irregular", "BOOLEAN", "Whether the documents are of a shape that needs the slower way into the tables"),
    ("masked", "BIGINT", "Values that were masked or left out where the contract does not name them"),
    ("masked_paths", "JSON", "Those values by document, path and kind"),
    ("content_hash", "VARCHAR", "Digest of the stored documents"),
    ("contract_version", "VARCHAR", "Version of the contract that it was checked with"),
    ("privacy_policy", "VARCHAR", "Treatment of personal data that it was stored under"),
    ("requests", "BIGINT", "Requests that fetching it took"),
    ("retries", "BIGINT", "Those among them that were repeats"),
    ("bytes", "BIGINT", "Bytes that the shop sent"),
    ("listed_fingerprint", "BIGINT", "Digest of the order's row in the order list that made it due"),
    ("listed_row_changed_at", "TIMESTAMP WITH TIME ZONE", "When that row was first seen in that form, UTC"),
    ("further_documents", "VARCHAR", "Documents beyond detail, items and discounts that were requested, by name"),
)


def documents_schema(contract: Contract) -> dg.TableSchema:
    """The columns of landing, with one for each document that the contract adds."""
    added = [(of.name, "JSON", f"Answer of {of.path.format(order_id='PK')}") for of in contract.further_documents]
    return dg.TableSchema([dg.TableColumn(name, type_, description) for name, type_, description in (*_LANDED, *added)])


def table_schema(table: Table) -> dg.TableSchema:
    """The columns of a table with types, descriptions and constraints."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.duckdb,
                description=_describe(table, column),
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=table.key == (column.name,), other=_other(column)
                ),
                tags={"sensitivity": column.sensitivity.replace(" ", "_")} if column.sensitivity else {},
            )
            for column in table.columns
        ]
    )


def warehouse_schema(table: Table) -> dg.TableSchema:
    """The columns of a table as the warehouse has them: the day comes first."""
    day = dg.TableColumn("date", "DATE", orders_layout(table).columns[0].comment)
    return dg.TableSchema([day, *table_schema(table).columns])


def mart_schema(shop: Shop, mart: Mart) -> dg.TableSchema:
    """The columns of a mart with types, descriptions and the columns that they are made from."""
    facts = shop.facts[mart.name]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=facts.types[name],
                description=_described(shop, description, facts.sources[name]),
                constraints=dg.TableColumnConstraints(
                    unique=mart.key == (name,), other=["key"] if name in mart.key else []
                ),
            )
            for name, description in mart.columns.items()
        ]
    )


def _described(shop: Shop, description: str, sources: Sequence[tuple[str, str, str]]) -> str:
    shown = _some([source_link(shop, *source) for source in sources], 2)
    return f"{description}. From {shown}" if sources else description


def _describe(table: Table, column: Column) -> str:
    known = _some([f"{value} {known.meaning}".strip() for value, known in column.values.items()], 4)
    paths = _some(full_paths(table, column), 1)
    return (
        column.description + (f". Known values: {known}" if known else "") + (f". In the API: {paths}" if paths else "")
    )


def _some(words: Sequence[str], most: int) -> str:
    """The first of these: a page shows a line or two of a column, and the data dictionary has all of it."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _other(column: Column) -> list[str]:
    return [column.sensitivity] if column.sensitivity else []
