"""In quiet hours nothing is asked, also not by a run that is under way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from order_assets.core.quiet_hours import parse_quiet_hours, quiet_until
from order_assets.defs.resources import OmnitronResource
from order_assets.omnitron import (
    ClientSettings,
    OmnitronClient,
    OmnitronConfigError,
    OmnitronQuietError,
    SharedBudget,
)
from order_assets.omnitron.rate_limit.budget_store import MemoryStore

from .conftest import VirtualTime
from .scripted_shop import Answer, Reply, ScriptedShop

ISTANBUL = "Europe/Istanbul"


def at(text: str, zone: str = ISTANBUL) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ("22:00-06:00", "2026-01-08 21:59", None),
        ("22:00-06:00", "2026-01-08 22:00", "2026-01-09 06:00"),
        ("22:00-06:00", "2026-01-09 05:59:59", "2026-01-09 06:00"),
        ("22:00-06:00", "2026-01-09 06:00", None),
        ("9:30-10:00", "2026-01-09 09:45", "2026-01-09 10:00"),
        ("12:00-13:00, 22:00-24:00", "2026-01-09 12:30", "2026-01-09 13:00"),
        ("12:00-13:00, 22:00-24:00", "2026-01-31 23:59", "2026-02-01 00:00"),
        ("22:00-24:00,00:00-06:00", "2026-01-09 23:00", "2026-01-10 06:00"),
        ("03:00-05:00,04:00-08:00", "2026-01-09 03:00", "2026-01-09 08:00"),
    ],
)
def test_quiet_hours_end_when_the_clock_of_the_zone_says_so(hours: str, now: str, until: str | None) -> None:
    found = quiet_until(at(now).astimezone(UTC), parse_quiet_hours(hours, ZoneInfo(ISTANBUL)))
    assert found == (until and at(until))


def test_without_quiet_hours_it_is_never_quiet() -> None:
    assert quiet_until(at("2026-01-09 03:00"), None) is None


def test_quiet_hours_in_an_hour_that_comes_twice_end_after_they_began() -> None:
    # On 2026-10-25 clocks in Berlin went from 3:00 back to 2:00.
    for now in (at("2026-10-25 02:15", "Europe/Berlin"), at("2026-10-25 02:15", "Europe/Berlin").replace(fold=1)):
        until = quiet_until(now.astimezone(UTC), parse_quiet_hours("02:00-02:30", ZoneInfo("Europe/Berlin")))
        assert until is not None
        assert until.astimezone(UTC) - now.astimezone(UTC) == timedelta(minutes=15)


@pytest.mark.parametrize(
    "hours", ["22-6", "25:00-06:00", "22:00", "10:00-10:00", "00:00-24:00", "00:00-12:00,12:00-24:00", "a,b", ","]
)
def test_hours_that_cannot_be_meant_are_refused(hours: str) -> None:
    with pytest.raises(ValueError, match=r"span|same time|whole day"):
        parse_quiet_hours(hours, ZoneInfo(ISTANBUL))
    resource = OmnitronResource(url="https://shop.example", token="t", quiet_hours=hours, timezone=ISTANBUL)
    with pytest.raises(OmnitronConfigError, match="quiet hours"), resource.client():
        pass


def test_a_call_in_quiet_hours_sends_nothing_and_says_when_to_come_back(
    serve: Callable[[Answer], ScriptedShop],
) -> None:
    shop = serve(lambda _: Reply({}))
    now = datetime.now(UTC)
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    with OmnitronClient(
        ClientSettings(shop.url, token="t", quiet_hours=parse_quiet_hours(hours, ZoneInfo("UTC")))
    ) as client:
        with pytest.raises(OmnitronQuietError) as caught:
            client.get_json_bytes("orders/")
        assert (caught.value.kind, caught.value.systemic) == ("transient", True)
    assert str(caught.value).startswith(f"Quiet hours until {now + timedelta(hours=1):%H:%M} UTC: nothing was asked")
    assert shop.asked == []


def test_a_run_that_is_under_way_stops_when_quiet_hours_begin(virtual: VirtualTime) -> None:
    start = at("2026-01-08 21:59:58")
    budget = SharedBudget(
        MemoryStore(virtual.clock),
        1,
        1,
        quiet=parse_quiet_hours("22:00-06:00", ZoneInfo(ISTANBUL)),
        wall=lambda: start + timedelta(seconds=virtual.now - 1000),
    )
    for _ in range(2):
        with budget.acquire(virtual.sleep):
            pass
    with pytest.raises(OmnitronQuietError, match="until 06:00 Europe/Istanbul"), budget.acquire(virtual.sleep):
        pass


def test_a_wait_that_ends_in_quiet_hours_gives_its_place_back(virtual: VirtualTime) -> None:
    moments = iter([at("2026-01-08 21:59"), at("2026-01-08 22:01"), *[at("2026-01-09 07:00")] * 5])
    budget = SharedBudget(
        MemoryStore(virtual.clock),
        1,
        1,
        quiet=parse_quiet_hours("22:00-06:00", ZoneInfo(ISTANBUL)),
        wall=lambda: next(moments),
    )
    budget.hold(60)
    with pytest.raises(OmnitronQuietError), budget.acquire(virtual.sleep):
        pass
    with budget.acquire(virtual.sleep):
        pass


def test_the_budget_of_one_process_keeps_quiet_hours_too() -> None:
    now = datetime.now(UTC)
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    with (
        pytest.raises(OmnitronQuietError),
        SharedBudget(MemoryStore(), 1, 1, quiet=parse_quiet_hours(hours, ZoneInfo("UTC"))).acquire(lambda _: None),
    ):
        pass
