"""Loads days into the warehouse that passed their checks; a day whose marts are wrong stays as it was.

Belongs here: which days may be loaded, and what is loaded where some may not. The load itself is
`order_assets.warehouse`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from order_assets.contract import Contract
from order_assets.contract.shape import contract_version
from order_assets.core.check_result import CheckResult
from order_assets.landing import index_file
from order_assets.landing.index import manifest_of
from order_assets.tables import read_verdict
from order_assets.warehouse import LoadReport, QualityError, Watermarks, load_days
from order_assets.warehouse.marts import Marts


@dataclass(frozen=True)
class Loaded:
    """What came of a load: its report if days were loaded, why days were refused, and what was found of the marts."""

    report: LoadReport | None
    refused: Mapping[date, str] = field(default_factory=dict)
    findings: tuple[CheckResult, ...] = ()


def refusal(root: Path, day: date) -> str:
    """Why the tables of a day may not be loaded, or an empty string."""
    verdict = read_verdict(root, day)
    if verdict is None:
        return "its tables are not complete; materialise tables for the day first"
    return "; ".join(verdict.reasons[:3])


def load_passed(root: Path, days: Sequence[date], contract: Contract, marts: Marts, **options: Any) -> Loaded:
    """Load the days whose tables passed; the others are refused, each with the reason.

    `options` are those of `load_days`. A day whose marts are wrong is refused too; all are, where it cannot be said of
    single days, or with `fresh`, which makes the file from scratch. Raises `WarehouseError` and `OrderIndexError`.
    """
    refused = {day: why for day in days if (why := refusal(root, day))}
    loaded = _load(root, [day for day in days if day not in refused], contract, marts, options)
    return Loaded(loaded.report, {**refused, **loaded.refused}, loaded.findings)


def _load(root: Path, days: Sequence[date], contract: Contract, marts: Marts, options: Mapping[str, Any]) -> Loaded:
    if not days:
        return Loaded(None)
    version = contract_version(contract)
    try:
        report = load_days(
            root,
            days,
            contract=contract,
            marts=marts,
            contract_version=version,
            watermarks=watermarks(root),
            **options,
        )
    except QualityError as error:
        # A changed mart is made anew for all days: one that is not loaded now can be wrong too, and then none can be.
        alone = not options.get("fresh") and error.days is not None and error.days <= set(days)
        wrong = error.days if alone and error.days is not None else frozenset(days)
        others = _load(root, [day for day in days if day not in wrong], contract, marts, options)
        refused = {day: _why(error, day) for day in sorted(wrong)}
        return Loaded(others.report, {**others.refused, **refused}, (*others.findings, *error.findings))
    return Loaded(report, {}, tuple(report.findings))


def watermarks(root: Path) -> Watermarks | None:
    """How far the shop was read, from the index; None where there is no index."""
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


def _why(error: QualityError, day: date) -> str:
    of_day = [found for found in error.findings if found.day in (day, None)]
    return "; ".join(f"{found.asset}, {found.name}: {found}" for found in of_day) or str(error)
