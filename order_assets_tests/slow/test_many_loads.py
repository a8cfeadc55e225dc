"""Loads of some days over a file that is full of others: DuckDB 2.0.0 failed in every third of them."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.million import FIRST_DAY, VERSION, flatten, land
from order_assets.contract import CONTRACT
from order_assets.warehouse import load_days, open_readonly
from order_assets.warehouse.marts import MARTS

DAYS, ORDERS, LOADS = 100, 40, 40


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_days_loaded_again_and_again_are_as_their_files(tmp_path: Path) -> None:
    chance = random.Random(3)
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    land(tmp_path, days, ORDERS)
    flatten(tmp_path, days)
    load_days(tmp_path, days, contract=CONTRACT, marts=MARTS, contract_version=VERSION)
    for _ in range(LOADS):
        # Compares what it wrote with the files, and raises where they differ.
        load_days(tmp_path, sorted(chance.sample(days, 20)), contract=CONTRACT, marts=MARTS, contract_version=VERSION)
    with open_readonly(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM orders.orders").fetchone() == (DAYS * ORDERS,)
