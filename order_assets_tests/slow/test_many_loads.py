"""Loads of some days over a file that is full of others: DuckDB 2.0.0 failed in every third of them."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from order_assets.contract import CONTRACT
from order_assets.pipeline import DayJob, build_days
from order_assets.redaction import Privacy, PrivacyMode
from order_assets.testing.landed_days import land_day, write_ledger
from order_assets.testing.trial import VERSION
from order_assets.warehouse import load_days, open_readonly
from order_assets.warehouse.marts import MARTS

FIRST_DAY = date(2024, 1, 1)
DAYS, ORDERS, LOADS = 100, 40, 40


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_days_loaded_again_and_again_are_as_their_files(tmp_path: Path) -> None:
    chance = random.Random(3)
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    for turn, day in enumerate(days):
        write_ledger(land_day(tmp_path, day, ORDERS, first_turn=turn))
    job = DayJob(tmp_path, CONTRACT, Privacy(PrivacyMode.TOKENISE, "loads"), 5.0, 20, frozenset(), frozenset())
    assert [made.result().reasons for _, made in build_days(job, days)] == [()] * DAYS
    load_days(tmp_path, days, contract=CONTRACT, marts=MARTS, contract_version=VERSION)
    for _ in range(LOADS):
        # Compares what it wrote with the files, and raises where they differ.
        load_days(tmp_path, sorted(chance.sample(days, 20)), contract=CONTRACT, marts=MARTS, contract_version=VERSION)
    with open_readonly(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM orders.orders").fetchone() == (DAYS * ORDERS,)
