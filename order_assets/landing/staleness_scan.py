"""Which days cannot be left as they are, found on whole columns: a shop has a million orders, and few of them move.

Which of a day's orders are fetched is decided order by order, in `day`, by the same rules (`staleness.changed`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.landing.index import INDEX_SCHEMA, index_rows, manifest_of
from order_assets.landing.landing_schema import LEDGER_SCHEMA, conformed
from order_assets.landing.landing_store import Landing, LedgerSummary, Outcome
from order_assets.landing.list_row import same_basis
from order_assets.landing.quarantine import landed_days
from order_assets.landing.refetch_policy import Reread

MOVED_AWAY = "now of another day"
ROW_CHANGED = "row_changed"

# Time zones are at most so far from UTC.
_DAY_MARGIN = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LISTED_COLUMNS = ("pk", "modified_date", "children_modified_date", "fingerprint", "row_changed_at")
_LEDGER = pa.schema([
    LEDGER_SCHEMA.field(name)
    for name in (
        "order_pk", "date_placed", "listed_modified_date", "listed_children_modified_date", "outcome", "fetched_at",
        "listed_fingerprint", "listed_row_changed_at",
    )
])  # fmt: skip
_NO_ROWS = pa.schema([*(INDEX_SCHEMA.field(name) for name in _LISTED_COLUMNS), ("listed", pa.bool_())]).empty_table()


@dataclass(frozen=True)
class DayChanges:
    """The orders of a day that are not in the ledger as the list has them: how many by reason.

    `newest` is the last change of one of them that the list told of.
    """

    day: date
    reasons: dict[str, int]
    newest: datetime | None


def changes_by_day(data_root: Path, first: date, last: date) -> Iterator[DayChanges]:
    """The days from first to last whose ledger is not what the index makes of it, in order, with what differs.

    Where both have the same digest nothing is read. Raises `OrderIndexError` when there is no index, `LandingError` for
    a ledger that cannot be read.
    """
    listed = {day: of.digest for day, of in manifest_of(data_root).days.items() if first <= day <= last}
    landed = {day: Landing(data_root, day).summary() for day in landed_days(data_root, first, last)}
    doubtful = sorted(day for day in listed.keys() | landed.keys() if not _is_same(listed.get(day), landed.get(day)))
    rows_of = _listed_by_day(data_root, [day for day in doubtful if day in listed])
    at_hand = next(rows_of, None)
    for day in doubtful:
        rows = None
        if at_hand is not None and at_hand[0] == day:
            rows, at_hand = at_hand[1], next(rows_of, None)
        changes = _changes(day, rows, _ledger(data_root, day))
        if changes.reasons:
            yield changes


def _is_same(digest: int | None, ledger: LedgerSummary | None) -> bool:
    return digest is not None and ledger is not None and ledger.digest == digest


def days_with_old_or_unfinished(data_root: Path, first: date, last: date, reread: Reread, now: datetime) -> list[date]:
    """The landed days with orders that are not complete, or of which some may be due to be read again, in order.

    Raises `LandingError` for a ledger that cannot be read.
    """
    rules = [(reread.open_every, reread.open_days), (reread.recent_every, reread.recent_days)]
    bounds = [(now - every, now - timedelta(days=days)) for every, days in rules if every is not None]
    found = []
    for day in landed_days(data_root, first, last):
        turn = reread.turn(day, now)
        of_day = bounds if turn is None else [*bounds, (turn, _EPOCH)]
        summary = Landing(data_root, day).summary()
        latest = datetime.combine(day, time.max, UTC) + _DAY_MARGIN
        of_day = [bound for bound in of_day if bound[1] <= latest]
        if summary is not None and not summary.unfinished and not of_day:
            continue
        rows = _ledger(data_root, day)
        if rows is not None and (_any_unfinished(rows) or any(_any_old(rows, *bound) for bound in of_day)):
            found.append(day)
    return found


def _listed_by_day(data_root: Path, days: Sequence[date]) -> Iterator[tuple[date, pa.Table]]:
    if not days:
        return
    for table in index_rows(data_root, ("partition", *_LISTED_COLUMNS), min(days), max(days), only=set(days)):
        rows, begin = table.sort_by([("partition", "ascending"), ("pk", "ascending")]), 0
        # Sorted, so that the rows of a day are next to each other.
        for found in pc.value_counts(rows["partition"].combine_chunks()).to_pylist():
            yield found["values"], rows.slice(begin, found["counts"])
            begin += found["counts"]


def _changes(day: date, listed: pa.Table | None, ledger: pa.Table | None) -> DayChanges:
    """For each order what `staleness.changed` says, counted."""
    listed = _NO_ROWS if listed is None else listed
    ledger = _LEDGER.empty_table() if ledger is None else ledger
    # Of an order that is not in the ledger all columns are null.
    known = ledger.take(pc.index_in(listed["pk"], value_set=ledger["order_pk"]))
    gone = pc.fill_null(pc.equal(known["outcome"], Outcome.TOMBSTONED.value), False)
    waits = pc.or_(gone, pc.fill_null(pc.equal(known["outcome"], Outcome.PENDING.value), False))
    why = {
        "new": pc.is_null(known["order_pk"]),
        "changed": _differ(listed["modified_date"], known["listed_modified_date"]),
        "changed below": _differ(listed["children_modified_date"], known["listed_children_modified_date"]),
        ROW_CHANGED: _row_changed(listed, known),
        "gone from the list": pc.invert(pc.or_(listed["listed"], waits)),
        "listed again": pc.and_(listed["listed"], gone),
    }
    reasons = pc.case_when(pc.make_struct(*(of.combine_chunks() for of in why.values())), *why)
    found = listed.filter(pc.is_valid(reasons))
    counts = {of["values"]: of["counts"] for of in pc.value_counts(pc.drop_null(reasons)).to_pylist()}
    if moved := pc.sum(pc.invert(pc.is_in(ledger["order_pk"], value_set=listed["pk"]))).as_py():
        counts[MOVED_AWAY] = moved
    moments = [pc.max(found[name]).as_py() for name in ("modified_date", "row_changed_at")]
    return DayChanges(day, counts, max((of for of in moments if of is not None), default=None))


def _differ(some: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether values are not the same; null is a value."""
    return pc.fill_null(pc.not_equal(some, others), pc.xor(pc.is_null(some), pc.is_null(others)))


def _row_changed(listed: pa.Table, ledger: pa.Table) -> pa.ChunkedArray:
    """For each order what `staleness.row_changed` says."""
    now, before = listed["fingerprint"], ledger["listed_fingerprint"]
    marked, known = listed["row_changed_at"], ledger["listed_row_changed_at"]
    other_mark = pc.and_(pc.is_valid(marked), pc.fill_null(pc.not_equal(marked, known), True))
    return pc.if_else(same_basis(now, before), pc.not_equal(now, before), other_mark)


def _any_unfinished(ledger: pa.Table) -> bool:
    unfinished = pa.array([Outcome.PENDING.value, Outcome.QUARANTINED.value])
    return bool(pc.any(pc.is_in(ledger["outcome"], unfinished), min_count=0).as_py())


def _any_old(ledger: pa.Table, read_until: datetime, placed_from: datetime) -> bool:
    """Whether an order was read at `read_until` or before, and placed at `placed_from` or later."""
    old = pc.less_equal(ledger["fetched_at"], pa.scalar(read_until, ledger["fetched_at"].type))
    young = pc.greater_equal(ledger["date_placed"], pa.scalar(placed_from, ledger["date_placed"].type))
    return bool(pc.any(pc.and_(old, young), min_count=0).as_py())


def _ledger(data_root: Path, day: date) -> pa.Table | None:
    landing = Landing(data_root, day)
    if not landing.ledger_file.exists():
        return None
    with landing.reading(landing.ledger_file), pq.ParquetFile(landing.ledger_file) as file:
        rows = file.read(columns=[name for name in _LEDGER.names if name in file.schema_arrow.names])
    return conformed(rows, _LEDGER)
