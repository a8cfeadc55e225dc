"""How much of a shop's budget is in use at the moment, looked up without taking any of it."""

from __future__ import annotations

import fcntl
import time
from dataclasses import dataclass
from pathlib import Path

from order_assets.omnitron.rate_limit.budget_store import BudgetRecord, instance_folder, read_record


@dataclass(frozen=True)
class BudgetUse:
    """`share` of the full rate that is used since the shop was slow, 1 meaning all of it, `in_flight` requests of all
    processes, and the seconds for which nobody may ask because the shop said so or failed for every call.
    """

    share: float = 1.0
    in_flight: int = 0
    held_seconds: float = 0.0


def budget_use(directory: Path | None, url: str | None) -> BudgetUse:
    """The use of the budget of an instance (its normalised URL), as it is kept in the folder of all budgets.

    Where there is none, or none was used since the machine started, nothing is in use.
    """
    if directory is None or url is None:
        return BudgetUse()
    folder, now = instance_folder(directory, url), time.monotonic()
    try:
        record = read_record((folder / "record").read_bytes(), now) or BudgetRecord()
        in_flight = sum(map(_is_taken, folder.glob("place-*")))
    except OSError:
        return BudgetUse()
    held = max(record.held_until, record.circuit.until if record.circuit.span else now, now) - now
    return BudgetUse(record.speed.share, in_flight, held)


def _is_taken(place: Path) -> bool:
    with place.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
