"""The quick look over all days loses none that looking order by order finds: no change is left lying."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from order_assets.landing import IndexDraft, Instance, Landing, Reread, changed_days, waiting_days
from order_assets.landing.index import SyncState, orders_by_day, sync_state
from order_assets.landing.landing_schema import LEDGER_SCHEMA
from order_assets.landing.staleness import changed
from order_assets.landing.staleness_scan import MOVED_AWAY
from order_assets_tests.landing.old_index import OLD_SCHEMA, write_old_index

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
REREAD = Reread(timedelta(hours=24), 200, timedelta(hours=48), 150)
# Every way in which an order of the list and its row in the ledger can be to each other, a day for each.
CASES = [
    *itertools.product(
        ("both",),
        (NOW, None),  # modified_date in the ledger
        (NOW, None),  # that of its children
        (NOW, NOW - timedelta(days=1)),  # last seen in the list
        ("landed", "pending", "quarantined", "tombstoned"),
        (NOW - timedelta(hours=1), NOW - timedelta(hours=30), NOW - timedelta(hours=60), None),  # read
    ),
    ("list", NOW, NOW, NOW, "landed", None),
    ("ledger", NOW, NOW, NOW, "landed", NOW),
    ("neither", NOW, NOW, NOW, "landed", NOW),
]
RECENT = NOW.date() - timedelta(days=len(CASES))
LONG_AGO = RECENT - timedelta(days=400)


def test_the_days_found_on_columns_are_those_found_order_by_order(tmp_path: Path) -> None:
    for name, first in (("recent", RECENT), ("long ago", LONG_AGO)):
        # Only orders of the last days are read again.
        root = tmp_path / name
        chosen = [(first + timedelta(days=number), case) for number, case in enumerate(CASES)]
        write(root, chosen)
        last = chosen[-1][0]
        if name == "recent":
            with_digests(root, [day for day, _ in chosen])
        listed = orders_by_day(root, first, last)
        due: dict[date, Counter[str]] = {}
        waiting = set()
        for day, _ in chosen:
            landing = Landing(root, day)
            ledger = {row["order_pk"]: row for row in landing.ledger()} if landing.ledger_file.exists() else {}
            of_day = {order.pk: order for order in listed.get(day, [])}
            why = Counter(reason for pk, order in of_day.items() if (reason := changed(order, ledger.get(pk))))
            why[MOVED_AWAY] = len(ledger.keys() - of_day.keys())
            if why.total():
                due[day] = +why
            for pk in of_day.keys() & ledger.keys():
                unfinished = ledger[pk]["outcome"] in ("pending", "quarantined")
                # An order that is gone would be read again every night.
                landed = ledger[pk]["outcome"] == "landed" and not changed(of_day[pk], ledger[pk])
                again = landed and REREAD.reason(of_day[pk], ledger[pk], NOW)
                waiting |= {day} if unfinished or again else set()
        assert {one.day: one.reasons for one in changed_days(root, first, last)} == due
        assert {one.day for one in waiting_days(root, first, last, REREAD, NOW)} == waiting
        assert 0 < len(due) < len(CASES)
        assert 0 < len(waiting) < len(CASES)


def test_a_row_that_changed_is_found_on_columns_as_it_is_order_by_order(tmp_path: Path) -> None:
    one_way, other_way = 5 << 48, -7 << 48
    fingerprints = (None, one_way + 1, one_way + 2, other_way + 1)
    moments = (None, NOW, NOW - timedelta(days=1))
    days = {}
    listed = []
    for number, (now, before, marked, known) in enumerate(
        itertools.product(fingerprints, fingerprints, moments, moments)
    ):
        day = RECENT + timedelta(days=number)
        placed = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        both = {"number": "1", "date_placed": placed, "status": "400"}
        listed.append(
            {**both, "pk": number, "partition": day, "last_seen": NOW, "fingerprint": now, "row_changed_at": marked}
        )
        row = {**both, "order_pk": number, "outcome": "landed", "fetched_at": NOW, "listed_fingerprint": before}
        row |= {"listed_row_changed_at": known, **dict.fromkeys(("requests", "retries", "bytes"), 1)}
        put(Landing(tmp_path, day).ledger_file, pa.Table.from_pylist([row], LEDGER_SCHEMA))
        comparable = now is not None and before is not None and now >> 48 == before >> 48
        days[day] = now != before if comparable else marked is not None and marked != known
    write_old_index(tmp_path, pa.Table.from_pylist(listed, OLD_SCHEMA), SyncState(whole_at=NOW))
    expected = [day for day, is_due in days.items() if is_due]
    for _ in range(2):
        assert [found.day for found in changed_days(tmp_path, RECENT, max(days))] == expected
        with_digests(tmp_path, list(days))


def with_digests(root: Path, days: list[date]) -> None:
    """Write index and ledgers as this version does, with what tells quickly that a day is as it was."""
    draft = IndexDraft(root, Instance("https://shop.example.com", "UTC", days[0]), NOW + timedelta(minutes=1))
    draft.write(sync_state(root))
    for landing in (Landing(root, day) for day in days):
        landing.write_ledger(landing.ledger())


def write(root: Path, chosen: list[tuple[date, tuple[Any, ...]]]) -> None:
    """Each day with an order that needs nothing, and one of the case."""
    listed = []
    for number, (day, (where, modified, below, seen, outcome, read)) in enumerate(chosen):
        placed = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        ledger = []
        for pk, is_case in ((1000 + number, True), (5000 - number, False)):
            both = {"number": str(pk), "date_placed": placed, "status": "400"}
            if not is_case or where in ("both", "list"):
                times = {"modified_date": NOW, "children_modified_date": NOW, "last_seen": seen if is_case else NOW}
                listed.append({**both, **times, "pk": pk, "partition": day})
            if not is_case or where in ("both", "ledger"):
                ledger.append(
                    {
                        **both,
                        "order_pk": pk,
                        "listed_modified_date": modified if is_case else NOW,
                        "listed_children_modified_date": below if is_case else NOW,
                        "outcome": outcome if is_case else "landed",
                        "fetched_at": read if is_case else NOW,
                        **dict.fromkeys(("requests", "retries", "bytes"), 1),
                    }
                )
        put(Landing(root, day).ledger_file, pa.Table.from_pylist(ledger, LEDGER_SCHEMA))
    write_old_index(root, pa.Table.from_pylist(listed, OLD_SCHEMA), SyncState(whole_at=NOW))


def put(file: Path, table: pa.Table) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file)
