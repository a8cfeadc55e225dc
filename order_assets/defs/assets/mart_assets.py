"""The assets `marts/<name>` and their checks, as values; the step that makes them is in `warehouse`.

Marts are made and published with the tables that they read, so each of them is a part of that step: a reader never
finds new tables beside old marts. All have days. A mart that is made whole, such as `dim_customers`, holds all days
that are loaded; its day says that this day is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.core.check_result import CheckResult
from order_assets.defs.column_lineage import LINEAGE, lineage_of_mart, ways_to_the_api
from order_assets.defs.reporting import OWNERS, check_spec
from order_assets.defs.shop_names import Shop
from order_assets.defs.ui_schema import mart_schema
from order_assets.warehouse.marts import Mart, Refresh
from order_assets.warehouse.marts.mart import SCHEMA
from order_assets.warehouse.marts.mart_rules import BLOCKING, rules_of

if TYPE_CHECKING:
    from datetime import date

    from order_assets.warehouse import LoadReport


def mart_specs(shop: Shop) -> list[dg.AssetSpec]:
    """The marts in the order in which they are made."""
    ways = ways_to_the_api(shop)
    return [_spec(shop, mart, ways[mart.name]) for mart in shop.marts]


def mart_checks(shop: Shop) -> list[dg.AssetCheckSpec]:
    """The checks of all marts; those of a mart that is made whole are evaluated once in a run."""
    return [
        check_spec(
            shop.mart(mart.name),
            rule,
            meaning,
            None if mart.refresh is Refresh.WHOLE else shop.days,
            blocking=rule in BLOCKING,
        )
        for mart in shop.marts
        for rule, meaning in rules_of(mart).items()
    ]


def shown(shop: Shop, results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Results about marts, with these named as Dagster names them."""
    return tuple(replace(found, asset=shop.mart(found.asset).to_user_string()) for found in results)


def mart_metadata(
    shop: Shop, report: LoadReport, asked: Iterable[dg.AssetKey], file: dg.PathMetadataValue
) -> Iterator[tuple[tuple[dg.AssetKey, date], dict[str, Any]]]:
    """What the materialisation of each mart and day says."""
    for key in asked:
        if key not in shop.marts_by_key:
            continue
        mart = shop.marts_by_key[key]
        made = report.marts[mart.name]
        for day in report.days:
            values: dict[str, Any] = (
                {"rows": made.written}
                if mart.refresh is Refresh.WHOLE
                else {"dagster/partition_row_count": made.rows.get(day, 0)}
            )
            if day == report.days[-1]:
                # What holds for the load is said once.
                values |= {
                    "seconds": round(made.seconds, 3),
                    "dagster/row_count": report.totals[SCHEMA, mart.name],
                    "file": file,
                    LINEAGE: lineage_of_mart(shop, shop.facts[mart.name]),
                }
            yield (key, day), values


def _code(mart: Mart) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Where the mart is written, for the link to an editor."""
    if mart.file is None:
        return {}
    reference = dg.LocalFileCodeReference(file_path=str(mart.file.absolute()), line_number=1, label=mart.file.name)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def _spec(shop: Shop, mart: Mart, way: str) -> dg.AssetSpec:
    whole = " Made whole by each load, from all days." if mart.refresh is Refresh.WHOLE else ""
    facts, select = shop.facts[mart.name], mart.select(shop.contract)
    tables = ", ".join(f"{schema}.{table}" for schema, table in facts.reads)
    return dg.AssetSpec(
        shop.mart(mart.name),
        deps=[shop.place(schema, table) for schema, table in facts.reads],
        group_name=shop.named("marts"),
        kinds={"duckdb", "sql"},
        tags=shop.tags("marts", personal=any(shop.personal_columns.intersection(of) for of in facts.origins.values())),
        owners=OWNERS,
        code_version=hashlib.sha256(select.encode()).hexdigest()[:12],
        skippable=True,
        description=(
            f"{mart.description}. Grain: {mart.grain}.{whole} Source: {tables}, by {mart.name}.sql. What each column "
            "is made from is under Columns and, down to the API's documents, in the metadata `lineage_to_source`."
        ),
        metadata={
            "dagster/column_schema": mart_schema(shop, mart),
            LINEAGE: lineage_of_mart(shop, facts),
            "dagster/table_name": f"{SCHEMA}.{mart.name}",
            "lineage_to_source": dg.MetadataValue.md(way),
            "sql": dg.MetadataValue.md(f"```sql\n{select}\n```"),
            **_code(mart),
        },
    )
