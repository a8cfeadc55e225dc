"""What loading days into the warehouse is for Dagster: configuration, refused days, numbers and verdicts.

Used by the assets in `warehouse` and by the job in `rebuild`; the load itself is `order_assets.warehouse`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from order_assets.core.check_result import CheckResult
from order_assets.defs.assets.mart_assets import mart_metadata, shown
from order_assets.defs.column_lineage import LINEAGE, lineage_of_warehouse
from order_assets.defs.partitions import span
from order_assets.defs.shop_names import Shop

if TYPE_CHECKING:
    from order_assets.warehouse import LoadReport, QualityError, Watermarks

LEDGER = "order_ledger"

Metadata = dict[tuple[dg.AssetKey, date], dict[str, Any]]


class WarehouseConfig(dg.Config):
    """What a load may take of the machine."""

    memory_limit: str = Field(
        default="2GB",
        pattern=r"^[1-9]\d*(\.\d+)? ?[KMGT]i?B$",
        description="Memory that DuckDB may use before it writes to the disk below the data root, such as 500MB or 4GB",
    )
    threads: int = Field(default=2, ge=1, le=64, description="Threads that DuckDB may use, 1 to 64")


@dataclass(frozen=True)
class Loaded:
    """What came of a load: its report if days were loaded, why days were refused, and what was found of the marts."""

    report: LoadReport | None
    refused: Mapping[date, str] = field(default_factory=dict)
    results: tuple[CheckResult, ...] = ()


def refusal(root: Path, day: date) -> str:
    """Why the tables of a day may not be loaded, or an empty string."""
    from order_assets.tables import read_verdict

    verdict = read_verdict(root, day)
    if verdict is None:
        return "its tables are not complete; materialise tables for the day first"
    return "; ".join(verdict.reasons[:3])


def load(
    shop: Shop,
    root: Path,
    days: Sequence[date],
    config: WarehouseConfig,
    *,
    storage_version: str,
    fresh: bool = False,
) -> Loaded:
    """Load days whose tables passed. A day whose marts are wrong is left as it was; all are, where it cannot be said of
    single days, or with `fresh`, which makes the file anew from these days.

    Raises `WarehouseError` and `OrderIndexError`.
    """
    from order_assets.warehouse import QualityError, load_days

    if not days:
        return Loaded(None)
    try:
        report = load_days(
            root,
            days,
            contract=shop.contract,
            marts=shop.marts,
            contract_version=shop.contract_version,
            watermarks=watermarks(root),
            fresh=fresh,
            storage_version=storage_version,
            memory_limit=config.memory_limit,
            threads=config.threads,
        )
    except QualityError as error:
        # A changed mart is made anew for all days: one that is not loaded now can be wrong too, and then none can be.
        alone = not fresh and error.days is not None and error.days <= set(days)
        wrong = error.days if alone and error.days is not None else frozenset(days)
        others = load(shop, root, [day for day in days if day not in wrong], config, storage_version=storage_version)
        refused = {day: _why(error, day) for day in sorted(wrong)}
        return Loaded(others.report, {**others.refused, **refused}, (*others.results, *shown(shop, error.findings)))
    return Loaded(report, {}, shown(shop, report.findings))


def log_load(log: dg.DagsterLogManager, report: LoadReport) -> None:
    """Say how long a load took."""
    marts = sum(made.seconds for made in report.marts.values())
    log.info(
        f"{span(report.days)}: {len(report.days)} days loaded in {report.load_seconds:.2f} s, of which the marts took "
        f"{marts:.2f} s; the copy took {report.copy_seconds:.2f} s, and the file has {report.bytes} bytes"
    )


def load_metadata(shop: Shop, root: Path, report: LoadReport, asked: Iterable[dg.AssetKey]) -> Metadata:
    """What the materialisation of each table and mart says for each day of a load."""
    asked = list(asked)
    file = dg.MetadataValue.path(str(root / "warehouse.duckdb"))
    found: Metadata = {}
    for table in [*shop.contract.table_names, LEDGER]:
        if shop.warehouse(table) not in asked:
            continue
        rows = _ledger_rows(root, report) if table == LEDGER else report.rows[table]
        for day in report.days:
            values = {"dagster/partition_row_count": rows.get(day, 0), "file": file}
            found[shop.warehouse(table), day] = values
        if table != LEDGER:
            # Whoever draws column lineage reads it from the newest materialisation.
            values[LINEAGE] = lineage_of_warehouse(shop, shop.contract.table(table))
    return found | dict(mart_metadata(shop, report, asked, file))


def _why(error: QualityError, day: date) -> str:
    of_day = [found for found in error.findings if found.day in (day, None)]
    return "; ".join(f"{found.asset}, {found.name}: {found}" for found in of_day) or str(error)


def _ledger_rows(root: Path, report: LoadReport) -> dict[date, int]:
    from order_assets.landing import Landing

    return {day: len(Landing(root, day).listed_pks()) for day in report.days}


def watermarks(root: Path) -> Watermarks | None:
    """How far the shop was read, from the index; None where there is no index."""
    from order_assets.landing import index_file
    from order_assets.landing.index import manifest_of
    from order_assets.warehouse import Watermarks

    file = index_file(root)
    if not file.exists():
        return None
    manifest = manifest_of(root)
    state = manifest.state
    return Watermarks(
        cursor=state.cursor,
        transactions_cursor=state.transactions_cursor,
        # Each sync writes the index anew, also where nothing changed.
        synced_at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
        whole_listing_at=state.whole_at,
        orders_known=manifest.rows,
    )
