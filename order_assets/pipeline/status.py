"""What is in a data root and what waits there, for the command `status`; everything is read from the disk."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from order_assets.core.counted import counted
from order_assets.landing import DueDay, incomplete_days, index_file, landed_days, sync_state
from order_assets.landing.index import manifest_of
from order_assets.pipeline.stale_days import due_days
from order_assets.tables import read_verdict, stale_days
from order_assets.warehouse import loaded_days

# The states of days. A day may be in several of them, but for the last.
LANDED, LOADED, PENDING, QUARANTINED = "landed", "loaded", "pending", "quarantined"
FAILED, OLDER, NOT_FETCHED = "failed_checks", "older_contract", "not_fetched"
_LATE = timedelta(days=1)


@dataclass(frozen=True)
class Status:
    """A data root at a glance, of the days from `first` to `last`.

    `days` are the days by state; `not_fetched` are those that have orders in the index. `listed_until` is the moment
    (UTC) up to which the index has all changes, None without; `lag` is how long ago that was. `due` maps reasons to
    orders, `waiting` those of orders that were fetched in vain. `disk` has the bytes of each part, `free` those that
    are left on its disk.
    """

    data_root: Path
    first: date
    last: date
    listed_until: datetime | None
    lag: timedelta | None
    days: Mapping[str, tuple[date, ...]]
    loaded_at: datetime | None
    due_days: tuple[date, ...]
    due: Mapping[str, int]
    waiting: Mapping[str, int]
    disk: Mapping[str, int]
    free: int


def status(data_root: Path, first: date, last: date, contract_version: str, now: datetime) -> Status:
    """The state of the days from first to last. Raises an `OrderAssetsError` for files that cannot be read."""
    listed = sorted(manifest_of(data_root).days) if index_file(data_root).exists() else []
    state, loaded = sync_state(data_root), loaded_days(data_root)
    until = state.cursor or state.whole_at
    landed, unfinished = landed_days(data_root, first, last), incomplete_days(data_root)
    # Days before the first that was fetched are no work that waits: nobody asked for them.
    due = due_days(data_root, landed[0], last) if landed and listed else []
    verdicts = {day: verdict for day in landed if (verdict := read_verdict(data_root, day)) is not None}
    days: dict[str, Iterable[date]] = {
        LANDED: landed,
        LOADED: loaded,
        PENDING: [found.day for found in unfinished if PENDING in found.reasons],
        QUARANTINED: [found.day for found in unfinished if QUARANTINED in found.reasons],
        FAILED: [day for day, verdict in verdicts.items() if not verdict.passed],
        OLDER: stale_days(data_root, contract_version),
        NOT_FETCHED: set(listed).difference(landed),
    }
    return Status(
        data_root=data_root,
        first=first,
        last=last,
        listed_until=until,
        lag=now - until if until else None,
        days={name: tuple(sorted(day for day in found if first <= day <= last)) for name, found in days.items()},
        loaded_at=max(loaded.values(), default=None),
        due_days=tuple(found.day for found in due),
        due=_total(due),
        waiting=_total(unfinished),
        disk=_disk(data_root),
        free=shutil.disk_usage(data_root).free,
    )


def next_steps(found: Status) -> list[str]:
    """What to do, most urgent first, each with its command; empty where nothing waits."""
    days, steps = found.days, []
    if found.listed_until is None:
        return ["list and fetch the days you want: order-assets run --from DAY --to DAY"]
    if days[FAILED]:
        steps.append(
            f"kept out of the warehouse: {_of(days[FAILED])}; see the failed check of the day in the UI; after a "
            f"change of the contract {_command('replay', days[FAILED])}"
        )
    if days[OLDER]:
        steps.append(f"of an older contract: {_of(days[OLDER])}; order-assets replay --stale")
    if days[QUARANTINED]:
        steps.append(f"refused orders: {_of(days[QUARANTINED])}; order-assets quarantine list says why")
    if found.due_days:
        steps.append(f"orders to fetch or to load: {_of(found.due_days)}; {_command('run', found.due_days)}")
    if days[PENDING]:
        steps.append(f"orders that could not be fetched: {_of(days[PENDING])}; {_command('run', days[PENDING])}")
    if found.lag is not None and found.lag > _LATE:
        steps.append(
            "the index is more than a day behind the shop: switch sync_index_regularly on, or "
            f"order-assets run --from {found.last} --to {found.last}"
        )
    if before := [day for day in days[NOT_FETCHED] if day not in found.due_days]:
        steps.append(f"never fetched: {_of(before)}; if you want them, {_command('run', before)}")
    return steps


def _command(name: str, days: Sequence[date]) -> str:
    return f"order-assets {name} --from {days[0]} --to {days[-1]}"


def _of(days: Sequence[date]) -> str:
    span = f"{days[0]} to {days[-1]}" if len(days) > 1 else f"{days[0]}"
    return f"{counted(len(days), 'day')} ({span})"


def _disk(data_root: Path) -> dict[str, int]:
    """The bytes of each file and folder of the data root, the largest first."""
    sizes = {
        path.name: sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())
        if path.is_dir()
        else path.lstat().st_size
        for path in data_root.iterdir()
    }
    return dict(sorted(sizes.items(), key=lambda size: -size[1]))


def _total(days: Iterable[DueDay]) -> dict[str, int]:
    """Orders by reason, over all days."""
    found: Counter[str] = Counter()
    for day in days:
        found.update(day.reasons)
    return dict(found)
