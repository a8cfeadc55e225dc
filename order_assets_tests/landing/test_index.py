"""Which orders there are and which day they belong to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from order_assets.landing import Instance, OrderIndexError, index_file, orders_of_day, write_index

ISTANBUL = Instance("https://shop.example.com", "Europe/Istanbul", date(2026, 1, 1))
SEEN = datetime(2026, 1, 20, tzinfo=UTC)
LATER = SEEN + timedelta(hours=1)


def row(pk: int = 1, **changes: Any) -> dict[str, Any]:
    facts = {"pk": pk, "number": f"n{pk}", "channel": 3, "status": 400, "date_placed": "2026-01-05T10:00:00Z"}
    return {**facts, "modified_date": "2026-01-06T10:00:00.5Z", "created_date": None, **changes}


def test_an_order_listed_twice_is_kept_in_its_newest_version(tmp_path: Path) -> None:
    rows = [row(), row(modified_date="2026-01-07T10:00:00Z", number="newer"), row(modified_date="2026-01-05T10:00:00Z")]
    report = write_index(tmp_path, ISTANBUL, rows, SEEN)
    (order,) = orders_of_day(tmp_path, date(2026, 1, 5))
    assert (order.number, report.orders, report.rows_read) == ("newer", 1, 3)


def test_days_begin_at_midnight_of_the_business_time_zone(tmp_path: Path) -> None:
    rows = [
        row(1, date_placed="2026-01-04T20:59:59.999999Z"),
        row(2, date_placed="2026-01-04T21:00:00Z"),
        row(3, date_placed="2026-01-05T23:59:59+03:00"),
        row(4, date_placed="2026-01-05T20:00:00"),
        row(5, date_placed="2026-01-05T21:00:00"),
    ]
    write_index(tmp_path, ISTANBUL, rows, SEEN)
    days = {day: [order.pk for order in orders_of_day(tmp_path, date(2026, 1, day))] for day in (4, 5, 6)}
    assert days == {4: [1], 5: [2, 3, 4], 6: [5]}


def test_orders_before_the_first_day_are_counted(tmp_path: Path) -> None:
    rows = [row(1, date_placed="2025-12-31T10:00:00Z"), row(2, date_placed="2025-12-31T21:00:00Z")]
    assert write_index(tmp_path, ISTANBUL, rows, SEEN).before_first_day == 1


def test_an_order_that_vanished_from_the_list_is_kept_and_marked(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1), row(2)], SEEN)
    report = write_index(tmp_path, ISTANBUL, [row(2)], LATER)
    assert [(order.pk, order.listed) for order in orders_of_day(tmp_path, date(2026, 1, 5))] == [(1, False), (2, True)]
    assert (report.orders, report.vanished, report.new, report.changed) == (1, 1, 0, 0)


def test_an_empty_listing_after_a_full_one_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    before = index_file(tmp_path).read_bytes()
    with pytest.raises(OrderIndexError, match="has 0 orders, though 1 are known"):
        write_index(tmp_path, ISTANBUL, [], LATER)
    assert index_file(tmp_path).read_bytes() == before


def test_new_and_changed_orders_are_counted(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1), row(2)], SEEN)
    moved = row(2, modified_date="2026-01-09T00:00:00Z")
    report = write_index(tmp_path, ISTANBUL, [row(1), moved, row(3)], LATER)
    assert (report.new, report.changed) == (1, 1)
    assert report.newest_change == datetime(2026, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize("placed", [None, "", "yesterday", 5])
def test_an_order_without_a_day_is_an_error_that_names_it(tmp_path: Path, placed: Any) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    before = index_file(tmp_path).read_bytes()
    with pytest.raises(OrderIndexError, match="order 2 has"):
        write_index(tmp_path, ISTANBUL, [row(1), row(2, date_placed=placed)], LATER)
    assert index_file(tmp_path).read_bytes() == before


def test_without_an_index_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OrderIndexError, match="materialise order_index first"):
        orders_of_day(tmp_path, date(2026, 1, 5))


def test_a_broken_index_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    index_file(tmp_path).write_bytes(b"PAR1 no more")
    with pytest.raises(OrderIndexError, match="materialise order_index again"):
        orders_of_day(tmp_path, date(2026, 1, 5))


def test_the_index_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_index(tmp_path, ISTANBUL, [row(1)], SEEN)
    assert index_file(tmp_path).stat().st_mode & 0o777 == 0o600
