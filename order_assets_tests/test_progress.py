"""What a person reads while a long run fetches."""

from __future__ import annotations

from datetime import date, timedelta

from order_assets.core.progress import Spoken

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(7)]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_long_day_says_every_fifteen_seconds_how_far_it_is_and_how_long_it_takes() -> None:
    said: list[str] = []
    clock = Clock()
    spoken = Spoken(DAYS, said.append, clock=clock)
    for done in range(1, 3001):
        clock.now += 0.25
        spoken(DAYS[0], done, 3000)
    assert len(said) == 50
    # 60 of 21,000 orders in 15 seconds.
    assert said[0] == "day 1 of 7, 60 of 3,000 orders, about 87 min left"
    assert said[-1] == "day 1 of 7, 3,000 of 3,000 orders, about 75 min left"


def test_the_last_orders_of_the_last_day_take_less_than_a_minute() -> None:
    said: list[str] = []
    clock = Clock()
    spoken = Spoken(DAYS[:1], said.append, clock=clock)
    clock.now += 16
    spoken(DAYS[0], 90, 100)
    assert said == ["day 1 of 1, 90 of 100 orders, less than a minute left"]


def test_a_short_run_says_nothing_more_than_its_summary() -> None:
    said: list[str] = []
    spoken = Spoken(DAYS, said.append, clock=Clock())
    for done in range(100):
        spoken(DAYS[0], done, 100)
    assert said == []
