"""Discovery: whatever moves while a list is read, two listings together show every order in its last state."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from order_assets.omnitron import OmnitronClient
from order_assets.omnitron.capabilities import SORTS, Capabilities
from order_assets.omnitron.incremental_listing import Listing, Margins, discover

from .scripted_shop import Asked, Reply, ScriptedShop

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARGINS = Margins(overlap=timedelta(minutes=10), settle=timedelta(minutes=1))
MODES = {
    "keyset": ({"sort", "filter"}, "filtered window"),
    "filtered": ({"filter"}, "filtered window"),
    "descending": ({"sort"}, "descending walk"),
    "full": (set(), "full listing"),
}
Serve = Callable[..., ScriptedShop]
Connect = Callable[..., OmnitronClient]


@dataclass
class LivingList:
    """An order list over HTTP that can change before each page; orders are pk -> modified_date."""

    abilities: set[str]
    orders: dict[int, datetime] = field(default_factory=dict)
    now: datetime = START
    clock_ahead: timedelta = timedelta()
    cap: int = 10
    before_page: Callable[[LivingList], None] = lambda _shop: None
    ties: random.Random | None = None

    def capabilities(self) -> Capabilities:
        sorts = "sort" in self.abilities
        filtered = "filter" in self.abilities
        return Capabilities(self.cap, filtered, dict.fromkeys(SORTS, sorts), 0.0, len(self.orders), 0, ())

    def __call__(self, asked: Asked) -> Reply:
        self.before_page(self)
        found = list(self.orders.items())
        if "filter" in self.abilities and (text := asked.query.get("modified_date__gte")):
            since = datetime.fromisoformat(text)
            found = [(pk, moment) for pk, moment in found if moment >= since]
        found.sort(reverse=True)
        sort = asked.query.get("sort", "") if "sort" in self.abilities else ""
        if sort.endswith("modified_date"):
            if self.ties:
                # As a database without a tie-break: equal times come in any order.
                self.ties.shuffle(found)
            found.sort(key=lambda order: order[1], reverse=sort.startswith("-"))
        elif sort == "pk":
            found.sort()
        limit = min(int(asked.query["limit"]), self.cap)
        first = (asked.page - 1) * limit
        rows = [row(pk, moment) for pk, moment in found[first : first + limit]]
        headers = {"Date": format_datetime(self.now + self.clock_ahead, usegmt=True)}
        if not rows and asked.page > 1:
            return Reply({"detail": "Invalid page."}, status=404, headers=headers)
        following = "more" if first + limit < len(found) else None
        return Reply({"count": len(found), "next": following, "previous": None, "results": rows}, headers=headers)

    def pass_time(self, **by: float) -> None:
        self.now += timedelta(**by)

    def place(self) -> None:
        self.orders[max(self.orders, default=0) + 1] = self.now

    def modify(self, pk: int) -> None:
        self.orders[pk] = self.now


def row(pk: int, moment: datetime) -> dict[str, Any]:
    return {"pk": pk, "number": f"n{pk}", "modified_date": moment.isoformat().replace("+00:00", "Z")}


class Follower:
    """Keeps what listings gave, as the index does."""

    def __init__(self, client: OmnitronClient, shop: LivingList) -> None:
        self.client, self.shop = client, shop
        self.cursor: datetime | None = None
        self.known: dict[int, datetime] = {}

    def listing(self) -> Listing:
        listing, rows = discover(self.client, self.shop.capabilities(), self.cursor, MARGINS)
        for found in rows:
            self.known[found["pk"]] = datetime.fromisoformat(found["modified_date"])
        if listing.agreed:
            self.cursor = listing.cursor
        return listing


@pytest.fixture(params=MODES)
def shop(request: pytest.FixtureRequest) -> LivingList:
    abilities, _ = MODES[request.param]
    orders = {pk: START - timedelta(hours=200 - pk) for pk in range(1, 101)}
    return LivingList(set(abilities), orders)


@pytest.fixture
def follower(shop: LivingList, serve: Serve, connect: Connect) -> Follower:
    return Follower(connect(serve(shop)), shop)


def everything(shop: LivingList) -> dict[int, datetime]:
    return dict(shop.orders)


def test_only_what_changed_is_asked_for_where_the_list_can_tell(follower: Follower, shop: LivingList) -> None:
    first = follower.listing()
    assert first.whole
    assert first.pages == 10
    shop.pass_time(hours=1)
    shop.modify(5)
    second = follower.listing()
    assert follower.known == everything(shop)
    assert second.pages <= 2 if shop.abilities else second.pages == 10
    assert second.mode == shop.capabilities().discovery()


def drift(*acts: Callable[[LivingList], None]) -> Callable[[LivingList], None]:
    def before_page(shop: LivingList) -> None:
        shop.pass_time(seconds=2)
        for act in acts:
            act(shop)

    return before_page


def modify_any(seed: int) -> Callable[[LivingList], None]:
    chance = random.Random(seed)
    return lambda shop: shop.modify(chance.choice(sorted(shop.orders)))


def delete_any(seed: int) -> Callable[[LivingList], None]:
    chance = random.Random(seed)
    return lambda shop: shop.orders.pop(chance.choice(sorted(shop.orders)), None) and None


@pytest.mark.parametrize("seed", range(5))
def test_orders_placed_and_changed_before_every_page_are_all_there_after_two_listings(
    follower: Follower, shop: LivingList, seed: int
) -> None:
    follower.listing()
    shop.pass_time(hours=1)
    for pk in range(20, 60):
        shop.modify(pk)
    shop.before_page = drift(LivingList.place, modify_any(seed), modify_any(seed + 100))
    follower.listing()
    shop.before_page = lambda _shop: None
    shop.pass_time(minutes=2)
    assert follower.listing().agreed
    assert follower.known == everything(shop)


@pytest.mark.parametrize("seed", range(5))
def test_orders_that_go_before_every_page_hide_no_other(follower: Follower, shop: LivingList, seed: int) -> None:
    follower.listing()
    shop.pass_time(hours=1)
    for pk in range(20, 60):
        shop.modify(pk)
    shop.before_page = drift(delete_any(seed))
    follower.listing()
    shop.before_page = lambda _shop: None
    shop.pass_time(minutes=2)
    follower.listing()
    assert everything(shop).items() <= follower.known.items()


def test_a_bulk_update_with_one_time_comes_whole(follower: Follower, shop: LivingList) -> None:
    shop.orders.update({pk: START - timedelta(hours=100) for pk in range(1000, 1500)})
    follower.listing()
    shop.pass_time(hours=1)
    for pk in [*range(1000, 1500, 2), 7]:
        shop.modify(pk)
    shop.pass_time(minutes=5)
    shop.modify(8)
    shop.pass_time(minutes=5)
    follower.listing()
    assert follower.known == everything(shop)


@pytest.mark.parametrize("seed", range(5))
def test_equal_times_in_any_order_on_every_page_hide_none(follower: Follower, shop: LivingList, seed: int) -> None:
    follower.listing()
    shop.pass_time(hours=1)
    for pk in range(1, 45):
        shop.modify(pk)
    shop.ties = random.Random(seed)
    shop.pass_time(minutes=5)
    for _ in range(8):
        follower.listing()
        shop.pass_time(minutes=1)
    assert follower.known == everything(shop)


@pytest.mark.parametrize("minutes", [-8, -1, 1, 8])
def test_clocks_of_web_server_and_database_may_differ_by_minutes(
    follower: Follower, shop: LivingList, minutes: int
) -> None:
    shop.clock_ahead = timedelta(minutes=minutes)
    follower.listing()
    for _ in range(6):
        shop.pass_time(minutes=1)
        shop.modify(3)
        shop.place()
        shop.pass_time(seconds=5)
        follower.listing()
    assert follower.known == everything(shop)


def test_a_server_clock_that_jumps_back_makes_all_orders_be_listed(serve: Serve, connect: Connect) -> None:
    shop = LivingList({"sort", "filter"}, dict.fromkeys(range(1, 30), START), clock_ahead=timedelta(hours=5))
    follower = Follower(connect(serve(shop)), shop)
    follower.listing()
    shop.clock_ahead = timedelta()
    shop.pass_time(minutes=30)
    shop.modify(3)
    listing = follower.listing()
    assert listing.whole
    assert "clock" in listing.fell_back
    assert follower.known == everything(shop)
    assert follower.cursor == shop.now - MARGINS.settle


@pytest.mark.parametrize(("mode", "what"), [("keyset", "filter"), ("filtered", "filter"), ("descending", "sort")])
def test_a_list_that_forgot_what_it_could_do_is_read_whole(
    mode: str, what: str, serve: Serve, connect: Connect
) -> None:
    shop = LivingList(set(MODES[mode][0]), {pk: START - timedelta(hours=pk) for pk in range(1, 30)})
    promised = shop.capabilities()
    follower = Follower(connect(serve(shop)), shop)
    follower.listing()
    shop.pass_time(hours=1)
    shop.modify(29)
    shop.abilities.remove(what)
    listing, rows = discover(follower.client, promised, follower.cursor, MARGINS)
    found = {each["pk"] for each in rows}
    assert listing.whole
    assert listing.contradicted
    assert found == set(shop.orders)


def test_a_list_that_never_stands_still_says_so_and_leaves_the_cursor(serve: Serve, connect: Connect) -> None:
    def backdated(shop: LivingList) -> None:
        shop.orders[max(shop.orders) + 1] = START - timedelta(days=1)

    shop = LivingList(set(), {pk: START - timedelta(days=1) for pk in range(1, 80)})
    shop.before_page = backdated
    follower = Follower(connect(serve(shop)), shop)
    listing = follower.listing()
    assert not listing.agreed
    assert follower.cursor is None


def test_a_list_without_modified_date_is_read_whole(serve: Serve, connect: Connect) -> None:
    def bare(asked: Asked) -> Reply:
        found: Sequence[dict[str, Any]] = [{"pk": pk, "number": f"n{pk}"} for pk in range(1, 6)]
        return Reply({"count": 5, "next": None, "previous": None, "results": list(found)})

    can = Capabilities(10, True, dict.fromkeys(SORTS, True), 0.0, 5, 0, ())
    listing, rows = discover(connect(serve(bare)), can, START, MARGINS)
    assert [each["pk"] for each in rows][-5:] == [1, 2, 3, 4, 5]
    assert listing.whole
    assert listing.fell_back


def test_an_order_that_jumps_to_a_page_read_already_whenever_the_list_is_read_is_missed_aloud(
    serve: Serve, connect: Connect
) -> None:
    # The list is given newest first; before page 2 the first order of that page goes to the top, each time.
    shop = LivingList(set(), {pk: START - timedelta(hours=200 - pk) for pk in range(1, 31)})
    jumping = {"on": True}

    def answer(asked: Asked) -> Reply:
        pks = sorted(shop.orders, reverse=True)
        pks.remove(20)
        pks.insert(0 if asked.page > 1 and jumping["on"] else 10, 20)
        first = (asked.page - 1) * 10
        found = [row(pk, shop.orders[pk]) for pk in pks[first : first + 10]]
        return Reply({"count": 30, "next": "more" if first < 20 else None, "results": found})

    follower = Follower(connect(serve(answer)), shop)
    listing = follower.listing()
    assert (len(follower.known), listing.agreed, listing.missing, listing.passes) == (29, False, 1, 5)
    assert follower.cursor is None
    jumping["on"] = False
    listing = follower.listing()
    assert (len(follower.known), listing.agreed, listing.passes) == (30, True, 1)


def test_odd_rows_are_counted_with_the_others_and_told_once(serve: Serve, connect: Connect) -> None:
    found: list[Any] = [row(1, START), 5, {"pk": "x"}, 5, row(2, START)]
    shop = serve(lambda _: Reply({"count": 5, "next": None, "results": found}))
    client = connect(shop)
    listing, rows = discover(client, LivingList(set()).capabilities(), None, MARGINS)
    assert [one["pk"] for one in rows] == [1, 2]
    assert [(odd.place, odd.problem) for odd in listing.odd.values()] == [
        (2, "it is a number, not an object"),
        (3, "its pk is text"),
        (4, "it is a number, not an object"),
    ]
    assert (listing.agreed, listing.passes) == (True, 1)
