"""The assets `marts/<name>` and their checks, as values; the step that makes them is in `warehouse`.

Marts are made and published with the tables that they read, so each of them is a part of that step: a reader never
finds new tables beside old marts. All have days. A mart that is made whole, such as `dim_customers`, holds all days
that are loaded; its day says that this day is in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.core.check_result import CheckResult
from order_assets.defs.keys import mart_key, place_key
from order_assets.defs.lineage import LINEAGE, lineage_of_mart, ways_to_the_api
from order_assets.defs.reporting import OWNERS, check_spec
from order_assets.defs.schema import mart_schema
from order_assets.warehouse.marts import SCHEMA, Mart, Refresh
from order_assets.warehouse.marts_catalogue import MARTS
from order_assets.warehouse.marts_facts import MartFacts
from order_assets.warehouse.rules import BLOCKING, rules_of

if TYPE_CHECKING:
    from datetime import date

    from order_assets.warehouse import LoadReport

MART_KEYS: Mapping[dg.AssetKey, Mart] = {mart_key(mart.name): mart for mart in MARTS}


def mart_specs(facts: Mapping[str, MartFacts]) -> list[dg.AssetSpec]:
    """The marts in the order in which they are made."""
    ways = ways_to_the_api(facts)
    return [_spec(mart, facts[mart.name], ways[mart.name]) for mart in MARTS]


def mart_checks(days: dg.PartitionsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks of all marts; those of a mart that is made whole are evaluated once in a run."""
    return [
        check_spec(
            mart_key(mart.name),
            rule,
            meaning,
            None if mart.refresh is Refresh.WHOLE else days,
            blocking=rule in BLOCKING,
        )
        for mart in MARTS
        for rule, meaning in rules_of(mart).items()
    ]


def shown(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Results about marts, with these named as Dagster names them."""
    return tuple(replace(found, asset=mart_key(found.asset).to_user_string()) for found in results)


def mart_metadata(
    report: LoadReport, asked: Iterable[dg.AssetKey], facts: Mapping[str, MartFacts], file: dg.PathMetadataValue
) -> Iterator[tuple[tuple[dg.AssetKey, date], dict[str, Any]]]:
    """What the materialisation of each mart and day says."""
    for key in asked:
        if key not in MART_KEYS:
            continue
        mart = MART_KEYS[key]
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
                    "file": file,
                    LINEAGE: lineage_of_mart(facts[mart.name]),
                }
            yield (key, day), values


def _spec(mart: Mart, facts: MartFacts, way: str) -> dg.AssetSpec:
    whole = " Made whole by each load, from all days." if mart.refresh is Refresh.WHOLE else ""
    tables = ", ".join(f"{schema}.{table}" for schema, table in facts.reads)
    return dg.AssetSpec(
        mart_key(mart.name),
        deps=[place_key(schema, table) for schema, table in facts.reads],
        group_name="marts",
        kinds={"duckdb", "sql"},
        owners=OWNERS,
        code_version=hashlib.sha256(mart.select.encode()).hexdigest()[:12],
        skippable=True,
        description=(
            f"{mart.description}. Grain: {mart.grain}.{whole} Source: {tables}, by "
            f"order_assets/warehouse/sql/marts/{mart.name}.sql. What each column is made from stands under Columns "
            "and, down to the API's documents, in the metadata `way_to_the_api`."
        ),
        metadata={
            "dagster/column_schema": mart_schema(mart, facts),
            LINEAGE: lineage_of_mart(facts),
            "dagster/table_name": f"{SCHEMA}.{mart.name}",
            "way_to_the_api": dg.MetadataValue.md(way),
            "sql": dg.MetadataValue.md(f"```sql\n{mart.select}\n```"),
        },
    )
