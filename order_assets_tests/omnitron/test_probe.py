"""The probe: what it says an order list can do must be true, however the list looks by chance."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from order_assets.omnitron import ClientSettings, OmnitronClient, OmnitronForbiddenError
from order_assets.omnitron.capabilities import MONEY_LISTS, SORTS, Capabilities, probe
from order_assets.sandbox import PASSWORD, USERNAME, ShopSettings, running_sandbox

from .scripted_shop import Answer, Asked, Reply, ScriptedShop

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
NOTHING = dict.fromkeys(SORTS, False)
Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]


def probe_sandbox(capabilities: set[str], **changes: Any) -> Capabilities:
    facts: dict[str, Any] = {"orders_per_day": 20, "start": date(2026, 1, 1), "now": NOW, **changes}
    with running_sandbox(ShopSettings(capabilities=frozenset(capabilities), **facts)) as sandbox:
        settings = ClientSettings(sandbox.url, username=USERNAME, password=PASSWORD, requests_per_second=None)
        with OmnitronClient(settings) as client:
            found = probe(client)
        assert found.requests == len(list(sandbox.requests)) <= 22
        assert found.orders == len(sandbox.shop.order_pks())
        return found


@pytest.mark.parametrize(
    ("capabilities", "date_filter", "sorts", "discovery"),
    [
        (set(), False, False, "full listing"),
        ({"sort"}, False, True, "descending walk"),
        ({"date-filter"}, True, False, "filtered window"),
        ({"sort", "date-filter"}, True, True, "filtered window"),
    ],
)
def test_what_is_ignored_without_a_word_does_not_count_as_working(
    capabilities: set[str], date_filter: bool, sorts: bool, discovery: str
) -> None:
    found = probe_sandbox(capabilities)
    assert (found.date_filter, dict(found.sorts)) == (date_filter, dict.fromkeys(SORTS, sorts))
    assert found.discovery() == discovery


@pytest.mark.parametrize(("page_cap", "found"), [(30, 30), (100, 100), (1000, None)])
def test_the_page_size_is_the_one_that_the_server_keeps_to(page_cap: int, found: int | None) -> None:
    assert probe_sandbox(set(), page_cap=page_cap).page_cap == found


@pytest.mark.parametrize("orders", [0, 1])
def test_a_shop_with_hardly_an_order_tells_nothing_and_is_listed_in_full(
    orders: int, serve: Serve, connect: Connect
) -> None:
    def understood(query: Mapping[str, str]) -> Reply | None:
        return page([]) if query.get("modified_date__gte", "") > "2900" else None

    found = probe(connect(serve(listing([row(1, 1)][:orders], understood))))
    assert (found.orders, found.page_cap, found.date_filter) == (orders, None, None)
    assert set(found.sorts.values()) == {None}
    assert found.discovery() == "full listing"


def test_lists_of_money_that_name_their_order_are_found_where_they_are_and_can_be_filtered() -> None:
    assert list(probe_sandbox(set()).money_lists) == list(MONEY_LISTS)
    assert list(probe_sandbox(set(), lacks=frozenset(MONEY_LISTS[1:])).money_lists) == ["transactions"]


def test_a_list_of_money_that_ignores_the_filter_is_not_asked_for_changes(serve: Serve, connect: Connect) -> None:
    assert list(probe(connect(serve(listing([row(2, 2), row(1, 1)])))).money_lists) == []


def test_the_clock_of_the_server_is_compared_with_ours() -> None:
    expected = (NOW - datetime.now(UTC)).total_seconds()
    assert probe_sandbox(set()).server_clock_offset_seconds == pytest.approx(expected, abs=30)


def row(pk: int, minute: int | None) -> dict[str, Any]:
    moment = None if minute is None else (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()
    return {"pk": pk, "number": f"n{pk}", "modified_date": moment}


def listing(
    rows: list[dict[str, Any]], understood: Callable[[Mapping[str, str]], Reply | None] | None = None
) -> Answer:
    """Answer with all rows, whatever was asked, unless `understood` has an answer to the query."""

    def answer(asked: Asked) -> Reply:
        reply = understood(asked.query) if understood else None
        return reply or page(rows)

    return answer


def page(rows: list[dict[str, Any]], count: int | None = None) -> Reply:
    shown = rows[:100]
    return Reply({"count": len(rows) if count is None else count, "next": None, "results": shown})


def test_a_list_that_is_in_order_by_itself_is_not_taken_for_a_sorted_one(serve: Serve, connect: Connect) -> None:
    newest_first = [row(pk, minute=pk) for pk in range(60, 0, -1)]
    found = probe(connect(serve(listing(newest_first))))
    assert dict(found.sorts) == NOTHING
    assert found.discovery() == "full listing"


def test_orders_changed_at_the_same_moment_prove_no_order(serve: Serve, connect: Connect) -> None:
    found = probe(connect(serve(listing([row(pk, minute=1) for pk in range(9, 0, -1)]))))
    assert (found.sorts["modified_date"], found.sorts["-modified_date"], found.sorts["-pk"]) == (None, None, False)


def test_orders_without_a_date_of_change_keep_the_full_listing(serve: Serve, connect: Connect) -> None:
    rows = [row(1, 1), row(2, 2), row(3, None)]

    def understood(query: Mapping[str, str]) -> Reply | None:
        since = query.get("modified_date__gte")
        return (
            None
            if since is None
            else page([one for one in rows if str(one["modified_date"]) >= since and one["pk"] < 3])
        )

    found = probe(connect(serve(listing(rows, understood))))
    assert (found.date_filter, found.discovery()) == (None, "full listing")


@pytest.mark.parametrize(("kept", "count"), [([], 0), ([4, 3, 2, 1], 4), ([4, 3], 4)])
def test_a_filter_that_hides_or_adds_orders_is_not_used(
    kept: list[int], count: int, serve: Serve, connect: Connect
) -> None:
    rows = [row(pk, minute=pk) for pk in range(4, 0, -1)]

    def understood(query: Mapping[str, str]) -> Reply | None:
        since = query.get("modified_date__gte", "")
        if since > "2900":
            return page([])
        return page([one for one in rows if one["pk"] in kept], count) if since else None

    found = probe(connect(serve(listing(rows, understood))))
    assert (found.date_filter, found.discovery()) == (False, "full listing")


def test_a_refused_parameter_does_not_work_and_a_failing_one_is_unknown(serve: Serve, connect: Connect) -> None:
    def understood(query: Mapping[str, str]) -> Reply | None:
        if "modified_date__gte" in query:
            return Reply({"modified_date__gte": ["no such filter"]}, status=400)
        return Reply({"detail": "broken"}, status=500) if "sort" in query else None

    found = probe(connect(serve(listing([row(2, 2), row(1, 1)], understood)), retries=1))
    assert (found.date_filter, set(found.sorts.values())) == (False, {None})


def test_an_instance_without_the_right_to_list_is_an_error_and_no_finding(serve: Serve, connect: Connect) -> None:
    denied = Reply(json.dumps({"detail": "no"}).encode(), status=403)
    with pytest.raises(OmnitronForbiddenError):
        probe(connect(serve(lambda _: denied)))


def test_a_list_without_a_count_leaves_open_what_hangs_on_it(serve: Serve, connect: Connect) -> None:
    rows = [row(2, 2), row(1, 1)]
    found = probe(connect(serve(lambda _: Reply({"next": None, "results": rows}))))
    assert (found.orders, found.page_cap, found.date_filter) == (None, None, False)
    assert found.server_clock_offset_seconds is None
