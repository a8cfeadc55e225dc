"""Which days need a run, over all steps: changed in the shop, or left between two steps by a run that was cut off.

Everything is read from the disk: nothing has to be remembered between runs, and nothing is forgotten by a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.landing import DueDay, Landing, changed_days, landed_days
from order_assets.landing.staleness import NEW_DOCUMENT, days_lacking_documents
from order_assets.tables import DayVerdict, read_verdict, unflattened_days
from order_assets.warehouse import loaded_days

NOT_FLATTENED = "day landed, not flattened"
NOT_LOADED = "day flattened, not loaded"


def due_days(data_root: Path, first: date, last: date, documents: Sequence[Document] = DOCUMENTS) -> list[DueDay]:
    """The days from first to last that need a run, in order, each with its reasons.

    `documents` are those of the contract: orders that landed without one of them are due.
    Raises `OrderIndexError` when there is no index, `LandingError` and `WarehouseError` for files that cannot be read.
    """
    found = {day.day: day for day in changed_days(data_root, first, last)}
    landed = [day for day in landed_days(data_root, first, last) if Landing(data_root, day).ledger_file.exists()]
    for lacking in days_lacking_documents(data_root, landed, documents):
        found[lacking.day] = _with_reason(
            found.get(lacking.day), lacking.day, NEW_DOCUMENT, lacking.reasons[NEW_DOCUMENT]
        )
    unflattened = set(unflattened_days(data_root, landed))
    loaded = loaded_days(data_root)
    for day in landed:
        if day in unflattened:
            found[day] = _with_reason(found.get(day), day, NOT_FLATTENED)
        elif _is_newer(read_verdict(data_root, day), loaded.get(day)):
            found[day] = _with_reason(found.get(day), day, NOT_LOADED)
    return [found[day] for day in sorted(found)]


def _is_newer(verdict: DayVerdict | None, loaded_at: datetime | None) -> bool:
    """Whether tables that passed wait for the warehouse."""
    return verdict is not None and verdict.passed and (loaded_at is None or loaded_at < verdict.checked_at)


def _with_reason(due: DueDay | None, day: date, reason: str, orders: int = 1) -> DueDay:
    if due is None:
        return DueDay(day, {reason: orders}, reason)
    return DueDay(day, {**due.reasons, reason: orders}, f"{due.fingerprint}, {reason}")
