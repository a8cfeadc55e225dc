"""Analysts query the warehouse file all the time while it is loaded and published again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from order_assets.contract import CONTRACT
from order_assets.contract.shape import contract_version
from order_assets.landing import Landing
from order_assets.landing.landing_schema import LEDGER_SCHEMA
from order_assets.pipeline.build_day import DayBuilder, DayJob
from order_assets.redaction import Privacy, PrivacyMode
from order_assets.testing.landed_days import land_day
from order_assets.warehouse import load_days
from order_assets.warehouse.marts import MARTS

FIRST = date(2026, 1, 1)
PUBLISHES = 30
READERS = 8
ORDERS = 25

# What an analyst's program does: open, ask, close. It needs nothing but DuckDB.
READER = """
import json, sys, duckdb
path, stop = sys.argv[1], sys.argv[2]
import os
questions = {
    "days": "SELECT count(*) FROM meta.days",
    "orders": "SELECT count(*) FROM orders.orders",
    "ledger": "SELECT count(*) FROM meta.order_ledger",
    "facts": "SELECT count(*) FROM marts.fct_orders",
    "sales": "SELECT sum(orders)::BIGINT FROM marts.agg_daily_sales",
    "customers": "SELECT sum(orders)::BIGINT FROM marts.agg_customer_currency",
}
print("reads", flush=True)
seen, queries = [], 0
while True:
    last = os.path.exists(stop)
    with duckdb.connect(path, read_only=True, config={"threads": 1}) as warehouse:
        answer = {name: warehouse.execute(sql).fetchall()[0][0] for name, sql in questions.items()}
    queries += len(questions)
    if not seen or seen[-1] != answer:
        seen.append(answer)
    if last:
        break
print(json.dumps({"queries": queries, "seen": seen}), flush=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_eight_readers_never_meet_a_lock_or_half_a_load(tmp_path: Path) -> None:
    root, stop = tmp_path / "data", tmp_path / "stop"
    days = [FIRST + timedelta(days=number) for number in range(PUBLISHES + 1)]
    maker = DayBuilder(DayJob(root, CONTRACT, Privacy(PrivacyMode.TOKENISE, "k"), 0.0, 0, frozenset(), frozenset()))
    for number, day in enumerate(days):
        _write_ledger(land_day(root, day, ORDERS, first_turn=number))
        assert maker.make(day).reasons == ()
    load: dict[str, Any] = {"contract": CONTRACT, "marts": MARTS, "contract_version": contract_version(CONTRACT)}
    load_days(root, days[:1], **load)
    path = root / "warehouse.duckdb"
    readers = [
        subprocess.Popen([sys.executable, "-c", READER, str(path), str(stop)], stdout=subprocess.PIPE, text=True)
        for _ in range(READERS)
    ]
    try:
        assert [reader.stdout.readline() for reader in readers if reader.stdout] == ["reads\n"] * READERS
        with duckdb.connect(str(path), read_only=True) as held:
            for day in days[1:]:
                # Nobody else writes, so a load that has to wait at all was blocked by a reader.
                load_days(root, [day], lock_timeout=0, **load)
            assert held.execute("SELECT count(*) FROM orders.orders").fetchall() == [(ORDERS,)]
        stop.touch()
        told = [json.loads(reader.communicate(timeout=120)[0]) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
    assert [reader.returncode for reader in readers] == [0] * READERS
    for of_reader in told:
        states = [answer["days"] for answer in of_reader["seen"]]
        assert states == sorted(states)
        assert states[-1] == len(days)
        for answer in of_reader["seen"]:
            counts = {name: count for name, count in answer.items() if name != "days"}
            assert counts == dict.fromkeys(counts, ORDERS * answer["days"])
    queries = sum(of_reader["queries"] for of_reader in told)
    states_met = {answer["days"] for of_reader in told for answer in of_reader["seen"]}
    assert len(states_met) > PUBLISHES // 3, "the readers looked too seldom to prove anything"
    print(f"{queries} queries of {READERS} readers during {PUBLISHES} publishes met {len(states_met)} states")


def _write_ledger(landing: Landing) -> None:
    rows = [{"number": str(pk), **row} for pk, row in landing.current().items()]
    landing.write_ledger([{name: row[name] for name in LEDGER_SCHEMA.names if name in row} for row in rows])
