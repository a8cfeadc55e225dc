"""A data root belongs to one instance, and keeps to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from order_assets.landing import DataRootError, Instance, check, claim

SHOP = Instance("https://shop.example.com", "Europe/Istanbul", date(2026, 1, 1))


def test_an_empty_root_is_anybodys_until_it_is_claimed(tmp_path: Path) -> None:
    check(tmp_path, SHOP)
    assert list(tmp_path.iterdir()) == []
    claim(tmp_path, SHOP)
    claim(tmp_path, SHOP)
    check(tmp_path, SHOP)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (replace(SHOP, url="https://other.example.com"), "ORDER_ASSETS_DATA"),
        (replace(SHOP, timezone="UTC"), "ORDER_ASSETS_TIMEZONE=Europe/Istanbul"),
    ],
)
def test_another_instance_or_time_zone_is_refused_with_what_to_set(tmp_path: Path, other: Instance, named: str) -> None:
    claim(tmp_path, SHOP)
    before = (tmp_path / "instance.json").read_bytes()
    with pytest.raises(DataRootError, match=named):
        claim(tmp_path, other)
    assert (tmp_path / "instance.json").read_bytes() == before


def test_the_first_day_may_move_back_and_forward_up_to_the_first_landed_day(tmp_path: Path) -> None:
    claim(tmp_path, SHOP)
    (tmp_path / "landing" / "date=2026-01-10").mkdir(parents=True)
    claim(tmp_path, replace(SHOP, first_day=date(2025, 1, 1)))
    claim(tmp_path, replace(SHOP, first_day=date(2026, 1, 10)))
    with pytest.raises(DataRootError, match="2026-01-10"):
        claim(tmp_path, replace(SHOP, first_day=date(2026, 1, 11)))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1, "timezone": "UTC", "first_day": "soon"}', "\x00"])
def test_a_root_that_says_nothing_readable_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "instance.json").write_text(text)
    with pytest.raises(DataRootError, match="cannot be read"):
        claim(tmp_path, SHOP)
