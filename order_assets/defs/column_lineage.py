"""Column lineage as Dagster keeps it: from a mart's column over warehouse and tables to the API's documents.

What it is derived from stands elsewhere: the contract says which document fills a column, and `mart_facts` what the
SQL of a mart reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from order_assets.contract.lineage import full_paths
from order_assets.contract.model import Column, Kind, Origin, Table
from order_assets.defs.shop_names import Shop
from order_assets.warehouse.marts.mart_facts import MartFacts

LINEAGE = "dagster/column_lineage"
_SHOWN = 3


def lineage_of_table(shop: Shop, table: Table) -> dg.TableColumnLineage:
    """From the columns of a table to those of the landed documents."""
    return _lineage(
        {column.name: [(shop.order_documents, name) for name in _landed(table, column)] for column in table.columns}
    )


def lineage_of_warehouse(shop: Shop, table: Table) -> dg.TableColumnLineage:
    """From the columns of a warehouse table to those of its Parquet files."""
    return _lineage({column: [(shop.table(table), column)] for column in table.column_names})


def lineage_of_mart(shop: Shop, facts: MartFacts) -> dg.TableColumnLineage:
    """From the columns of a mart to those that its SELECT names."""
    return _lineage(
        {
            column: [(shop.place(schema, table), name) for schema, table, name in sources]
            for column, sources in facts.sources.items()
        }
    )


def _shown_paths(paths: Sequence[str]) -> str:
    """Some of these paths in words, and how many more there are."""
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:_SHOWN]) + more


def ways_to_the_api(shop: Shop) -> dict[str, str]:
    """The lineage of each mart as a table in Markdown, with links to assets and the paths of the API's documents."""
    paths = {
        (table.name, column.name): full_paths(table, column) for table in shop.contract for column in table.columns
    }
    return {mart: _way(shop, of_mart, paths) for mart, of_mart in shop.facts.items()}


def source_link(shop: Shop, schema: str, table: str, column: str) -> str:
    """A column of a warehouse table or mart, linked to the page of its asset."""
    path = "/".join(shop.place(schema, table).path)
    return f"[{table}.{column}](/assets/{path}?view=overview)"


def _way(shop: Shop, facts: MartFacts, paths: Mapping[tuple[str, str], tuple[str, ...]]) -> str:
    lines = ["| column | made from | in the documents of the API |", "| --- | --- | --- |"]
    for column, sources in facts.sources.items():
        made_from = ", ".join(source_link(shop, *source) for source in sources) or "made in the SELECT"
        # The day is no field of a document.
        found = dict.fromkeys(path for origin in facts.origins[column] for path in paths.get(origin, ()))
        lines.append(f"| `{column}` | {made_from} | {_shown_paths(list(found))} |")
    return "\n".join(lines)


def _landed(table: Table, column: Column) -> list[str]:
    """The columns of landing that fill a column of a table."""
    if table.kind is Kind.OVERFLOW:
        return []
    documents = list(dict.fromkeys(source.document.name for source in table.sources))
    match column.origin:
        case Origin.ORDER_PK:
            return ["order_pk"]
        case Origin.VERSION:
            return [column.path]
        case Origin.GONE:
            return ["outcome"]
        case Origin.GONE_AT:
            return ["outcome", column.path]
        case Origin.LABEL:
            return []
        case Origin.FOLDED:
            return [*documents, f"listed_{column.path}"]
        case _:
            return documents


def _lineage(sources: Mapping[str, Iterable[tuple[dg.AssetKey, str]]]) -> dg.TableColumnLineage:
    deps = {column: [dg.TableColumnDep(key, name) for key, name in of_column] for column, of_column in sources.items()}
    return dg.TableColumnLineage({column: of_column for column, of_column in deps.items() if of_column})
