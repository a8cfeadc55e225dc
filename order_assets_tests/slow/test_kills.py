"""kill -9 at any moment of sync, refresh and load: nothing is lost, half written, or fetched again beyond a batch."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from order_assets.contract import CONTRACT
from order_assets.sandbox import ShopSettings, running_sandbox
from order_assets.testing.trial import Pipeline, shop_state, warehouse_state

KILLS = int(os.environ.get("ORDER_ASSETS_TEST_KILLS", "50"))
FIRST, LAST = date(2026, 3, 6), date(2026, 3, 8)
SHOP = ShopSettings(
    orders_per_day=60,
    start=FIRST,
    now=datetime(2026, 3, 8, 23, tzinfo=UTC),
    capabilities=frozenset({"sort", "date-filter"}),
)
BATCH, IN_FLIGHT = 20, 8  # orders; of four workers and as many waiting
CHANGED = 40  # orders between two runs


def start(root: Path, url: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "order_assets_tests.slow.worker",
        str(root),
        url,
        str(FIRST),
        str(LAST),
        str(BATCH),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_kills_at_random_moments_leave_nothing_wrong_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(8)
    root = tmp_path / "killed"
    with running_sandbox(SHOP) as sandbox:
        pks = [row["pk"] for row in sandbox.shop.flat_orders() if row["date_placed"] >= FIRST.isoformat()]
        needed, ended, lasts = len(pks), Counter[str](), 3.0
        while ended["killed"] < KILLS and ended.total() < 4 * KILLS:
            process = start(root, sandbox.url)
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            began = time.monotonic()
            try:
                process.wait(timeout=chance.uniform(0, lasts))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            _, problem = process.communicate(timeout=60)
            assert process.returncode in (0, -signal.SIGKILL), problem
            if process.returncode == 0:
                # From then on moments are chosen within a run that has something to do.
                lasts = time.monotonic() - began
            ended["killed" if process.returncode else "finished before"] += 1
            sandbox.advance(timedelta(seconds=5))
            sandbox.bulk_modify(chance.sample(pks, CHANGED), status=chance.choice(["450", "500", "550"]))
            needed += CHANGED
        # What killed processes were writing goes when it is old enough that nobody can be writing it still.
        for left in root.rglob(".*.tmp"):
            os.utime(left, (time.time() - 7200,) * 2)
        pipeline = Pipeline(root, sandbox.url, FIRST, last_day=LAST)
        pipeline.run()
        details = [r for r in sandbox.requests if "/orders_integration/" in r.path and r.status == 200]
        undisturbed = Pipeline(tmp_path / "undisturbed", sandbox.url, FIRST, last_day=LAST)
        undisturbed.run()
        expected = shop_state(row for row in sandbox.shop.flat_orders() if row["date_placed"] >= FIRST.isoformat())
    assert ended["killed"] == KILLS
    # The clock goes on: orders that were placed meanwhile are due as well.
    needed += len(expected) - len(pks)
    repeated = len(details) - needed
    assert repeated <= ended["killed"] * (BATCH + IN_FLIGHT)
    assert warehouse_state(pipeline) == expected
    for table in CONTRACT:
        if table.name != "order_status_history":
            assert rows_of(root, table.name) == rows_of(undisturbed.root, table.name), table.name
    left = [path for path in root.rglob("*") if path.name.endswith((".tmp", ".draft"))]
    assert left == []
    with capsys.disabled():
        print(f"\n{dict(ended)}; {len(details)} details asked for, {needed} orders were due at most")


def rows_of(root: Path, table: str) -> list[str]:
    files = sorted((root / "tables" / table).glob("date=*/*.parquet"))
    rows = pa.concat_tables([pq.ParquetFile(path).read() for path in files]).to_pylist()
    return sorted(map(str, rows))
