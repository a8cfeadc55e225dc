"""Lists the orders that are in quarantine, over many days, for people who mend them; sets aside those that landed.

What is refused when it is fetched goes there in `land`; here it is what was found out later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from order_assets.landing.land import quarantined_columns
from order_assets.landing.landing_store import LANDING_SCHEMA, Landing, Outcome
from order_assets.redaction.validator import Refused

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


def set_aside(landing: Landing, refusals: Mapping[int, Refused]) -> None:
    """Put landed orders of a day into quarantine, by pk, in landing and ledger; they are fetched again as all there."""
    renewed = {
        row["order_pk"]: row | quarantined_columns(refusals[row["order_pk"]])
        for rows in landing.documents(refusals.keys())
        for row in rows.to_pylist()
    }
    landing.append(list(renewed.values()))
    landing.compact()
    amend_ledger(landing, renewed)


def amend_ledger(landing: Landing, renewed: Mapping[int, Mapping[str, Any]]) -> None:
    """Bring the ledger up to rows that were judged anew; who is pending stays pending."""
    amended = []
    for entry in landing.ledger():
        row = renewed.get(entry["order_pk"])
        if row is not None and entry["outcome"] != Outcome.PENDING:
            names = ("outcome", "reason", "status", "cancel_status", "content_hash", "contract_version")
            entry |= {name: row[name] for name in names}
        amended.append(entry)
    landing.write_ledger(amended)


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
