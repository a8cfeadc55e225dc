"""Lists the orders that are in quarantine, over many days, for people who mend them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from order_assets.landing.store import LANDING_SCHEMA, Landing, Outcome

_COLUMNS = (
    "order_pk",
    "number",
    "outcome",
    "refused_document",
    "refused_path",
    "reason",
    "contract_version",
    "fetched_at",
)


@dataclass(frozen=True)
class QuarantinedOrder:
    """An order that was refused: where the bad value sits and why it does not fit; times are UTC."""

    day: date
    order_pk: int
    number: str
    document: str
    path: str
    reason: str
    contract_version: str
    fetched_at: datetime


def landed_days(data_root: Path, first: date | None = None, last: date | None = None) -> list[date]:
    """The days that have a landing, in order, between the given ones."""
    found = sorted(
        date.fromisoformat(path.name.removeprefix("date="))
        for path in (data_root / "landing").glob("date=????-??-??")
        if path.is_dir()
    )
    return [day for day in found if (first is None or day >= first) and (last is None or day <= last)]


def quarantined(data_root: Path, first: date | None = None, last: date | None = None) -> Iterator[QuarantinedOrder]:
    """The orders in quarantine by day and pk."""
    for day in landed_days(data_root, first, last):
        current: dict[int, dict[str, object]] = {}
        for part in Landing(data_root, day).parts():
            for row in pq.read_table(part, schema=LANDING_SCHEMA, columns=list(_COLUMNS)).to_pylist():
                current[row["order_pk"]] = row
        for pk, row in sorted(current.items()):
            if row["outcome"] == Outcome.QUARANTINED:
                yield QuarantinedOrder(
                    day=day,
                    order_pk=pk,
                    number=str(row["number"]),
                    document=str(row["refused_document"]),
                    path=str(row["refused_path"] or "root"),
                    reason=str(row["reason"]),
                    contract_version=str(row["contract_version"]),
                    fetched_at=row["fetched_at"],  # type: ignore[arg-type]
                )
