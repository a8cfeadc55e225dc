"""What is in a data root and what waits there, for the command `status`; everything is read from the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from order_assets.landing import DueDay, incomplete_days, index_file, landed_days, sync_state
from order_assets.pipeline.stale_days import due_days
from order_assets.tables import passed_days, stale_days
from order_assets.warehouse import loaded_days


@dataclass(frozen=True)
class Status:
    """A data root at a glance. Days and orders are counted; `due` maps reasons to orders, `waiting` those of orders
    that were fetched in vain. `listed_until` is the moment (UTC) up to which the index has all changes, None without.
    """

    data_root: Path
    listed_until: datetime | None
    landed: tuple[date, ...]
    passed: int
    loaded: int
    loaded_at: datetime | None
    older_contract: int
    due_days: int
    due: Mapping[str, int]
    waiting: Mapping[str, int]


def status(data_root: Path, first: date, last: date, contract_version: str) -> Status:
    """The state of the days from first to last. Raises an `OrderAssetsError` for files that cannot be read."""
    is_listed = index_file(data_root).exists()
    state = sync_state(data_root)
    due = due_days(data_root, first, last) if is_listed else []
    loaded = loaded_days(data_root)
    return Status(
        data_root,
        state.cursor or state.whole_at,
        tuple(landed_days(data_root, first, last)),
        len(passed_days(data_root)),
        len(loaded),
        max(loaded.values(), default=None),
        len(stale_days(data_root, contract_version)),
        len(due),
        _total(due),
        _total(incomplete_days(data_root)),
    )


def _total(days: Iterable[DueDay]) -> dict[str, int]:
    """Orders by reason, over all days."""
    found: Counter[str] = Counter()
    for day in days:
        found.update(day.reasons)
    return dict(found)
