"""Which days cannot be left as they are, found on whole columns: a shop has a million orders, and few of them move.

A first look only: the days given here may turn out to need nothing, no other day needs anything. Why and which of a
day's orders are due is decided order by order, in `refresh`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from order_assets.landing.index import index_rows, manifest_of
from order_assets.landing.landing_schema import LEDGER_SCHEMA, conformed
from order_assets.landing.landing_store import Landing, LedgerSummary, Outcome
from order_assets.landing.list_row import same_basis
from order_assets.landing.quarantine import landed_days
from order_assets.landing.refetch_policy import Reread

# Time zones are at most so far from UTC.
_DAY_MARGIN = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def days_unlike_the_list(data_root: Path, first: date, last: date) -> list[date]:
    """The days from first to last whose ledger is not what the index makes of it, in order.

    Where both have the same digest nothing is read. Raises `OrderIndexError` when there is no index, `LandingError` for
    a ledger that cannot be read.
    """
    listed = {day: of.digest for day, of in manifest_of(data_root).days.items() if first <= day <= last}
    landed = {day: Landing(data_root, day).summary() for day in landed_days(data_root, first, last)}
    unlike = {day for day in listed.keys() ^ landed.keys() if day in listed or _ledger(data_root, day)}
    doubtful = [day for day in listed.keys() & landed.keys() if not _is_same(listed[day], landed[day])]
    rows_of = dict(_listed_by_day(data_root, doubtful))
    unlike |= {day for day in doubtful if not _is_like(rows_of.get(day), _ledger(data_root, day))}
    return sorted(unlike)


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
    names = ["partition", "pk", "modified_date", "children_modified_date", "fingerprint", "row_changed_at"]
    for table in index_rows(data_root, names, min(days), max(days), only=set(days)):
        rows, begin = table.sort_by([("partition", "ascending"), ("pk", "ascending")]), 0
        # Sorted, so that the rows of a day are next to each other.
        for found in pc.value_counts(rows["partition"].combine_chunks()).to_pylist():
            yield found["values"], rows.slice(begin, found["counts"])
            begin += found["counts"]


def _is_like(listed: pa.Table | None, ledger: pa.Table | None) -> bool:
    if listed is None or ledger is None:
        return not (listed or ledger)
    if not (
        listed["pk"].equals(ledger["order_pk"])
        and listed["modified_date"].equals(ledger["listed_modified_date"])
        and listed["children_modified_date"].equals(ledger["listed_children_modified_date"])
    ):
        return False
    if pc.any(_row_changed(listed, ledger), min_count=0).as_py():
        return False
    gone = pc.equal(ledger["outcome"], Outcome.TOMBSTONED.value)
    gone_or_waiting = pc.or_(gone, pc.equal(ledger["outcome"], Outcome.PENDING.value))
    fits = pc.if_else(listed["listed"], pc.invert(gone), gone_or_waiting)
    return bool(pc.all(fits, min_count=0).as_py())


def _row_changed(listed: pa.Table, ledger: pa.Table) -> pa.ChunkedArray:
    """For each order what `due.row_changed` says."""
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


_COLUMNS = (
    "order_pk", "date_placed", "listed_modified_date", "listed_children_modified_date", "outcome", "fetched_at",
    "listed_fingerprint", "listed_row_changed_at",
)  # fmt: skip


def _ledger(data_root: Path, day: date) -> pa.Table | None:
    landing = Landing(data_root, day)
    if not landing.ledger_file.exists():
        return None
    schema = pa.schema([LEDGER_SCHEMA.field(name) for name in _COLUMNS])
    with landing.reading(landing.ledger_file), pq.ParquetFile(landing.ledger_file) as file:
        rows = file.read(columns=[name for name in _COLUMNS if name in file.schema_arrow.names])
    return conformed(rows, schema).sort_by("order_pk")
