"""Refreshing a day: asks only for what is due, stores what came, and accounts for every listed order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from order_assets.landing import (
    Attempt,
    Instance,
    Landing,
    ListedOrder,
    receive,
    refresh_days,
    write_index,
)
from order_assets_tests.landing.samples import NOW, Answers, detail, gate, text_of

DAY = date(2026, 1, 5)
SHOP = Instance("https://shop.example.com", "UTC", date(2026, 1, 1))
MODIFIED = "2026-01-06T10:00:00Z"


class Api:
    """Answers for orders, and notes which were asked for."""

    def __init__(self, **answers: Any) -> None:
        self.asked: list[int] = []
        self.answers: dict[int, Any] = {int(name[1:]): answer for name, answer in answers.items()}
        self.calls = 0

    def __call__(self, due: Iterable[ListedOrder]) -> Iterator[Attempt]:
        self.calls += 1
        for order in due:
            self.asked.append(order.pk)
            answer = self.answers.get(order.pk, "fine")
            if isinstance(answer, Exception):
                raise answer
            if answer == "error":
                yield Attempt(order, error="no answer in 60 s")
                continue
            amount = "16.405" if answer == "bad" else "16.40"
            body = detail() | {"pk": order.pk, "number": order.number, "amount": amount}
            body["transaction_set"] = []
            gone = answer == "gone"
            moment = NOW + timedelta(seconds=self.calls)
            fetched = Answers(None if gone else text_of(body).encode(), fetched_at=moment)
            yield Attempt(order, receive(gate(), order, fetched))


def index(root: Path, pks: Iterable[int], *, hour: int = 0, **modified: str) -> None:
    rows = [
        {"pk": pk, "number": f"n{pk}", "date_placed": "2026-01-05T10:00:00Z"}
        | {"modified_date": modified.get(f"o{pk}", MODIFIED)}
        for pk in pks
    ]
    write_index(root, SHOP, rows, datetime(2026, 1, 20, hour, tzinfo=UTC))


def refresh(root: Path, api: Api, **options: Any) -> Any:
    [report] = refresh_days(root, [DAY], api, **{"privacy_policy": gate().privacy.policy, **options})
    assert report.adds_up
    ledger = Landing(root, DAY).ledger()
    assert len(ledger) == report.listed
    for outcome, count in report.outcomes.items():
        assert count == sum(row["outcome"] == outcome for row in ledger)
    return report


def test_the_first_time_all_are_new_and_the_second_time_none_is_asked_for(tmp_path: Path) -> None:
    index(tmp_path, (1, 2, 3))
    first = refresh(tmp_path, Api())
    assert (first.outcomes["landed"], dict(first.due), first.carried_over, first.requests) == (3, {"new": 3}, 0, 9)
    api = Api()
    again = refresh(tmp_path, api)
    assert (api.asked, api.calls, again.carried_over, again.requests) == ([], 0, 3, 0)
    assert again.outcomes["landed"] == 3


def test_only_changed_orders_are_asked_for_again(tmp_path: Path) -> None:
    index(tmp_path, (1, 2, 3))
    refresh(tmp_path, Api())
    index(tmp_path, (1, 2, 3, 4), hour=1, o2="2026-01-08T00:00:00Z")
    api = Api()
    report = refresh(tmp_path, api)
    assert api.asked == [2, 4]
    assert dict(report.due) == {"changed": 1, "new": 1}


def test_refetch_asks_for_all(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api())
    api = Api()
    assert dict(refresh(tmp_path, api, refetch=True).due) == {"refetch": 2}


def test_other_privacy_settings_ask_for_all_again(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api())
    report = refresh(tmp_path, Api(), privacy_policy="drop")
    assert dict(report.due) == {"privacy settings changed": 2}
    # The versions that were stored under the old settings are gone, not only outdated.
    (part,) = Landing(tmp_path, DAY).parts()
    stored = pq.read_table(part, columns=["order_pk", "fetched_at"]).to_pylist()
    assert [row["order_pk"] for row in stored] == [1, 2]
    assert all(row["fetched_at"] == Landing(tmp_path, DAY).current()[row["order_pk"]]["fetched_at"] for row in stored)


def test_an_order_in_quarantine_is_tried_again_until_it_fits(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    report = refresh(tmp_path, Api(o2="bad"))
    assert (report.outcomes["landed"], report.outcomes["quarantined"]) == (1, 1)
    api = Api()
    report = refresh(tmp_path, api)
    assert (api.asked, dict(report.due), report.outcomes["landed"]) == ([2], {"quarantined": 1}, 2)


def test_an_order_that_cannot_be_fetched_is_pending_and_keeps_its_last_version(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api())
    index(tmp_path, (1, 2), hour=1, o2="2026-01-08T00:00:00Z")
    report = refresh(tmp_path, Api(o2="error"))
    assert (report.outcomes["pending"], dict(report.errors)) == (1, {2: "no answer in 60 s"})
    reasons = {row["order_pk"]: row["reason"] for row in Landing(tmp_path, DAY).ledger()}
    assert reasons == {1: None, 2: "no answer in 60 s"}
    assert Landing(tmp_path, DAY).last_documents(2) is not None
    assert refresh(tmp_path, Api()).pending == 0


def test_an_order_that_was_never_fetched_is_pending(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    report = refresh(tmp_path, Api(o1="error", o2="error"))
    assert report.pending == 2
    assert list(Landing(tmp_path, DAY).documents((1, 2))) == []


def test_an_order_that_is_gone_is_a_tombstone_with_its_last_documents(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api())
    index(tmp_path, (1, 2), hour=1, o2="2026-01-08T00:00:00Z")
    report = refresh(tmp_path, Api(o2="gone"))
    assert (report.outcomes["tombstoned"], report.outcomes["landed"]) == (1, 1)
    rows = [row for batch in Landing(tmp_path, DAY).documents((2,)) for row in batch.to_pylist()]
    assert [(row["outcome"], '"number":"n2"' in row["detail"]) for row in rows] == [("tombstoned", True)]


def test_an_order_that_vanished_from_the_list_is_asked_for_and_one_that_returned_too(tmp_path: Path) -> None:
    index(tmp_path, (1, 2))
    refresh(tmp_path, Api())
    index(tmp_path, (1,), hour=1)
    report = refresh(tmp_path, Api(o2="gone"))
    assert dict(report.due) == {"gone from the list": 1}
    assert refresh(tmp_path, Api()).carried_over == 2
    index(tmp_path, (1, 2), hour=2)
    report = refresh(tmp_path, Api())
    assert (dict(report.due), report.outcomes["landed"]) == ({"listed again": 1}, 2)


def test_an_error_that_stops_everything_keeps_what_was_fetched(tmp_path: Path) -> None:
    index(tmp_path, (1, 2, 3))
    with pytest.raises(PermissionError):
        refresh(tmp_path, Api(o3=PermissionError("403")))
    api = Api()
    report = refresh(tmp_path, api)
    assert api.asked == [3]
    assert (report.carried_over, report.outcomes["landed"]) == (2, 3)


def test_progress_is_heard_order_by_order(tmp_path: Path) -> None:
    index(tmp_path, (1, 2, 3))
    heard: list[tuple[int, int]] = []
    refresh(tmp_path, Api(o2="error"), on_progress=lambda _day, done, due: heard.append((done, due)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_an_empty_day_has_an_empty_ledger(tmp_path: Path) -> None:
    index(tmp_path, ())
    report = refresh(tmp_path, Api())
    assert (report.listed, Landing(tmp_path, DAY).ledger()) == (0, [])


def test_a_day_of_several_batches_ends_in_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_assets.landing.refresh._BATCH", 2)
    index(tmp_path, range(1, 8))
    report = refresh(tmp_path, Api())
    assert report.outcomes["landed"] == 7
    assert len(Landing(tmp_path, DAY).parts()) == 1


def test_what_is_unknown_or_masked_is_counted(tmp_path: Path) -> None:
    index(tmp_path, (1,))

    def fetch(due: Iterable[ListedOrder]) -> Iterator[Attempt]:
        for order in due:
            body = detail() | {"pk": order.pk, "number": order.number, "brand_new": "Bearer abc123def456"}
            yield Attempt(order, receive(gate(), order, Answers(text_of(body).encode())))

    [report] = refresh_days(tmp_path, [DAY], fetch, privacy_policy=gate().privacy.policy)
    assert report.unmapped_orders == 1
    assert report.masked >= 1
    assert replace(report).adds_up
