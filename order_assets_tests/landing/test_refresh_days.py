"""Many days in one walk: nobody waits for the last orders of a day, and each day is as if it had been alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from order_assets.landing import (
    Attempt,
    Instance,
    Landing,
    LandingError,
    ListedOrder,
    receive,
    refresh_days,
    write_index,
)
from order_assets_tests.landing.samples import NOW, Answers, detail, gate, text_of

SHOP = Instance("https://shop.example.com", "UTC", date(2026, 1, 1))
DAYS = [date(2026, 1, 5) + timedelta(days=number) for number in range(4)]
POLICY = gate().privacy.policy
# The orders of the four days; the third has none.
ORDERS = ((1, 2, 3), (4, 5), (), (6, 7, 8))


class Api:
    """Answers as many workers do: `places` orders at a time, of which `choose` says which is ready first."""

    def __init__(
        self,
        places: int = 3,
        choose: Callable[[list[int]], int] = min,
        fails: Callable[[int], Exception | str | None] = lambda _pk: None,
    ) -> None:
        self.places, self.choose, self.fails = places, choose, fails
        self.asked: list[int] = []
        self.most_days_at_once = self.calls = 0

    def __call__(self, orders: Iterable[ListedOrder]) -> Iterator[Attempt]:
        self.calls += 1
        coming, running = iter(orders), dict[int, ListedOrder]()
        while True:
            for order in islice(coming, self.places - len(running)):
                self.asked.append(order.pk)
                running[order.pk] = order
            if not running:
                return
            self.most_days_at_once = max(self.most_days_at_once, len({o.date_placed for o in running.values()}))
            order = running.pop(self.choose(list(running)))
            failure = self.fails(order.pk)
            if isinstance(failure, Exception):
                raise failure
            yield Attempt(order, error=failure) if failure else Attempt(order, row(order))


def row(order: ListedOrder) -> dict[str, Any]:
    body = detail() | {"pk": order.pk, "number": order.number, "transaction_set": []}
    return receive(gate(), order, Answers(text_of(body).encode(), fetched_at=NOW))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    listed = [
        {"pk": pk, "number": f"n{pk}", "date_placed": f"{day}T10:00:00Z", "modified_date": "2026-01-09T10:00:00Z"}
        for day, pks in zip(DAYS, ORDERS, strict=True)
        for pk in pks
    ]
    write_index(tmp_path, SHOP, listed, datetime(2026, 1, 20, tzinfo=UTC))
    return tmp_path


def refresh(root: Path, api: Api, **options: Any) -> Iterator[Any]:
    return refresh_days(root, DAYS, api, **{"privacy_policy": POLICY, **options})


def landed(root: Path, day: date) -> list[int]:
    return sorted(Landing(root, day).current())


def test_orders_of_the_next_days_are_fetched_while_the_last_of_a_day_are_under_way(root: Path) -> None:
    api = Api()
    list(refresh(root, api))
    assert (api.calls, api.asked) == (1, [1, 2, 3, 4, 5, 6, 7, 8])
    assert api.most_days_at_once == 2


@pytest.mark.parametrize("choose", [min, max])
def test_each_day_is_as_if_it_had_been_refreshed_alone(
    root: Path, tmp_path_factory: pytest.TempPathFactory, choose: Callable[[list[int]], int]
) -> None:
    alone = tmp_path_factory.mktemp("alone")
    shutil.copytree(root / "index", alone / "index")
    together = list(refresh(root, Api(choose=choose, fails=lambda pk: "no answer in 60 s" if pk == 5 else None)))
    assert [report.day for report in together] == DAYS
    for report in together:
        [expected] = refresh_days(
            alone, [report.day], Api(fails=lambda pk: "no answer in 60 s" if pk == 5 else None), privacy_policy=POLICY
        )
        assert {**vars(report), "seconds": 0} == {**vars(expected), "seconds": 0}
        assert report.adds_up
        assert Landing(root, report.day).ledger() == Landing(alone, report.day).ledger()
        assert Landing(root, report.day).current() == Landing(alone, report.day).current()


def test_a_day_that_is_finished_early_waits_for_the_days_before_it(root: Path) -> None:
    # Order 1 comes last of all.
    reports = refresh(root, Api(choose=max))
    first = next(reports)
    assert first.day == DAYS[0]
    assert landed(root, DAYS[3]) == [6, 7, 8]
    assert Landing(root, DAYS[3]).ledger_file.exists()
    assert [report.day for report in reports] == DAYS[1:]


def test_days_on_which_nothing_is_due_ask_for_nothing(root: Path) -> None:
    list(refresh(root, Api()))
    api = Api()
    assert [report.carried_over for report in refresh(root, api)] == [3, 2, 0, 3]
    assert (api.calls, api.asked) == (0, [])


def test_an_error_that_stops_everything_keeps_what_came_and_reports_the_days_that_are_done(root: Path) -> None:
    reports = []
    with pytest.raises(PermissionError):  # noqa: PT012
        for report in refresh(root, Api(fails=lambda pk: PermissionError("403") if pk == 5 else None)):
            reports.append(report.day)
    assert reports == DAYS[:1]
    assert (landed(root, DAYS[0]), landed(root, DAYS[1])) == ([1, 2, 3], [4])
    api = Api()
    assert [report.pending for report in refresh(root, api)] == [0, 0, 0, 0]
    assert api.asked == [5, 6, 7, 8]


def test_a_listener_that_leaves_loses_nothing_that_came(root: Path) -> None:
    reports = refresh(root, Api(choose=lambda pks: next((pk for pk in (1, 2, 3, 5) if pk in pks), min(pks))))
    assert next(reports).day == DAYS[0]
    heard: list[int] = []
    reports = refresh(root, Api(choose=min), refetch=True, on_progress=lambda _day, done, _due: heard.append(done))
    next(reports)
    before = len(Landing(root, DAYS[0]).parts())
    reports.close()  # type: ignore[attr-defined]
    assert (before, heard) == (1, [1, 2, 3])
    api = Api()
    list(refresh(root, api))
    assert set(api.asked).isdisjoint(landed(root, DAYS[0]))


def test_a_day_that_cannot_be_read_lets_the_days_before_it_come_to_their_end(root: Path) -> None:
    list(refresh(root, Api()))
    (part,) = Landing(root, DAYS[1]).parts()
    part.write_bytes(b"not Parquet")
    api, reports = Api(), []
    with pytest.raises(LandingError, match=str(part)):  # noqa: PT012
        for report in refresh(root, api, refetch=True):
            reports.append(report)
    assert [(report.day, report.pending) for report in reports] == [(DAYS[0], 0)]
    assert api.asked == [1, 2, 3]


def test_what_a_kill_can_cost_is_bounded_over_all_days_under_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_assets.landing.refresh._BATCH", 2)
    lost_by_a_kill: list[int] = []

    def look(*_: object) -> None:
        lost_by_a_kill.append(len(lost_by_a_kill) + 1 - sum(len(landed(root, day)) for day in DAYS))

    # Of no day all orders come before the end.
    api = Api(places=8, choose=lambda pks: next(pk for pk in (1, 4, 6, 2, 7, 3, 5, 8) if pk in pks))
    list(refresh(root, api, on_progress=look))
    assert lost_by_a_kill == [1, 0, 1, 0, 1, 1, 1, 0]


def test_progress_is_heard_order_by_order_with_its_day(root: Path) -> None:
    heard: list[tuple[date, int, int]] = []
    list(refresh(root, Api(), on_progress=lambda *said: heard.append(said)))
    assert heard[:5] == [(DAYS[0], 1, 3), (DAYS[0], 2, 3), (DAYS[0], 3, 3), (DAYS[1], 1, 2), (DAYS[1], 2, 2)]
