"""The slow sweep: every order of the last year is read again, some each night; what it does not reach is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from order_assets.defs.bounded_runs import newest_first
from order_assets.landing import DueDay, Instance, Landing, Outcome, waiting_days, write_index
from order_assets.landing.refetch_policy import NEVER, SWEPT, Reread
from order_assets.landing.unwatched_orders import OutsideOrders, outside_of_every_window

FIRST = date(2026, 1, 1)
SHOP = Instance("https://shop.example.com", "UTC", FIRST)
LANDED_AT = datetime(2026, 4, 1, 12, tzinfo=UTC)
DAYS = 35
SWEEP = Reread(open_every=None, recent_every=None, sweep_every=timedelta(weeks=1))


def pks_of(day: date) -> list[int]:
    return [(day - FIRST).days * 10 + number for number in (1, 2)]


def land(root: Path, day: date, fetched_at: datetime) -> None:
    """Write the ledger of a day as a run does that read all its orders at this moment."""
    placed = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=10)
    zero: dict[str, Any] = {"requests": 3, "retries": 0, "bytes": 1}
    Landing(root, day).write_ledger(
        [
            {
                "order_pk": pk,
                "number": str(pk),
                "date_placed": placed,
                "outcome": Outcome.LANDED.value,
                "status": "550",
                "fetched_at": fetched_at,
                **zero,
            }
            for pk in pks_of(day)
        ]
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = []
    for day in (FIRST + timedelta(days=number) for number in range(DAYS)):
        rows += [
            {"pk": pk, "number": str(pk), "date_placed": f"{day}T10:00:00Z", "status": "550"} for pk in pks_of(day)
        ]
        land(tmp_path, day, LANDED_AT)
    write_index(tmp_path, SHOP, rows, LANDED_AT)
    return tmp_path


def night(root: Path, now: datetime, **options: Any) -> list[date]:
    """One night: what is due is read; gives the days that were."""
    due = waiting_days(root, FIRST, now.date(), SWEEP, now, **options)
    assert {reason for day in due for reason in day.reasons} <= {SWEPT}
    for found in due:
        land(root, found.day, now)
    return [found.day for found in due]


def test_every_order_is_read_once_in_the_time_and_each_night_has_its_share(root: Path) -> None:
    nights = [night(root, LANDED_AT + timedelta(days=number, hours=14)) for number in range(14)]
    assert [len(days) for days in nights] == [5] * 14
    assert Counter(day for days in nights for day in days) == {FIRST + timedelta(days=d): 2 for d in range(DAYS)}


def test_nights_that_were_missed_are_made_up_for_oldest_read_first_and_never_beyond_the_share(root: Path) -> None:
    late = LANDED_AT + timedelta(weeks=5)
    older = FIRST + timedelta(days=20)
    land(root, older, LANDED_AT - timedelta(days=9))
    nights = [night(root, late + timedelta(minutes=number), most_swept=12) for number in range(7)]
    assert older in nights[0]
    assert [len(days) for days in nights] == [6, 6, 6, 6, 6, 5, 0]
    assert len({day for days in nights for day in days}) == DAYS


def test_a_day_with_more_orders_than_the_share_is_read_all_the_same(root: Path) -> None:
    assert len(night(root, LANDED_AT + timedelta(weeks=5), most_swept=1)) == 1


def test_the_run_of_a_day_whose_turn_it_is_is_told_so_and_that_of_its_neighbour_is_not() -> None:
    due = [DueDay(FIRST, {"recent, read again": 1}, "1"), DueDay(FIRST + timedelta(days=1), {SWEPT: 3}, "3")]
    requests = [piece.run_request("order_documents", 10.0, keyed=True) for piece in newest_first(due)]
    swept = {"ops": {"order_documents": {"config": {"sweep": True}}}}
    assert [(one.partition_key, one.run_config) for one in requests] == [("2026-01-02", swept), ("2026-01-01", {})]


def test_nothing_is_swept_that_was_read_lately_is_older_than_a_year_or_where_the_sweep_is_off(root: Path) -> None:
    assert night(root, LANDED_AT + timedelta(hours=2)) == []
    assert night(root, datetime(2027, 3, 1, tzinfo=UTC)) == []
    assert waiting_days(root, FIRST, date(2026, 12, 1), NEVER, datetime(2026, 12, 1, tzinfo=UTC)) == []


def test_orders_that_no_rule_reads_again_are_counted_and_those_whose_refund_would_not_show_too(tmp_path: Path) -> None:
    rows = [
        {"pk": 1, "number": "1", "date_placed": "2026-01-05T10:00:00Z", "status": "550", "refund_amount": "0.00"},
        {"pk": 2, "number": "2", "date_placed": "2026-01-05T10:00:00Z", "status": "550"},
        {"pk": 3, "number": "3", "date_placed": "2026-01-05T10:00:00Z", "status": "450"},
        {"pk": 4, "number": "4", "date_placed": "2026-02-20T10:00:00Z", "status": "550"},
        {"pk": 5, "number": "5", "date_placed": "2025-12-01T10:00:00Z", "status": "550"},
    ]
    write_index(tmp_path, SHOP, rows, LANDED_AT)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert outside_of_every_window(tmp_path, FIRST, Reread(), now) == OutsideOrders(2, 1)
    swept = Reread(sweep_every=timedelta(weeks=8))
    assert outside_of_every_window(tmp_path, FIRST, swept, now) == OutsideOrders(0, 0)
    assert outside_of_every_window(tmp_path, FIRST, swept, now + timedelta(days=400)) == OutsideOrders(4, 3)
    assert outside_of_every_window(tmp_path, FIRST, NEVER, now, whole_listings=False) == OutsideOrders(4, 4)
