"""Builds tables, warehouse and marts of a million landed orders, then of one day of them again.

    python -m benchmarks.million [DAYS [ORDERS_PER_DAY]] [--root FOLDER]

The orders are written straight into landing, which takes longest and is not counted; with --root they are kept and
used again. Memory is that of this process and its helpers together, looked at ten times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from order_assets.contract import CONTRACT
from order_assets.contract.shape import contract_version
from order_assets.landing import Landing
from order_assets.pipeline import DayJob, build_days
from order_assets.redaction import Privacy, PrivacyMode
from order_assets.testing.landed_days import land_day, write_ledger
from order_assets.warehouse import load_days
from order_assets.warehouse.marts import MARTS

FIRST_DAY = date(2026, 1, 1)
VERSION = contract_version(CONTRACT)
# Orders of a day that are drawn; the others repeat them with keys of their own.
_DISTINCT = 250
# Days that are loaded at a time, so that what they need does not grow with the history.
_DAYS_PER_LOAD = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("days", nargs="?", type=int, default=200)
    parser.add_argument("orders", nargs="?", type=int, default=5_000, help="per day")
    parser.add_argument("--root", type=Path, help="where to keep the landed orders")
    parser.add_argument("--land-only", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="million-") as folder:
        root = given.root or Path(folder)
        days = [FIRST_DAY + timedelta(days=number) for number in range(given.days)]
        land(root, days, given.orders)
        if not given.land_only:
            _build(root, days, given.days * given.orders)


def land(root: Path, days: list[date], orders: int) -> None:
    missing = [day for day in days if not Landing(root, day).ledger_file.exists()]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(_land_one, [root] * len(missing), missing, [orders] * len(missing)):
            pass


def _land_one(root: Path, day: date, orders: int) -> None:
    turns = -(-orders // _DISTINCT)
    landing = land_day(root, day, orders, distinct=_DISTINCT, first_turn=(day - FIRST_DAY).days * turns)
    write_ledger(landing)


def _build(root: Path, days: list[date], orders: int) -> None:
    landed = _size(root / "landing")
    print(f"{orders} orders of {len(days)} days, landed in {landed:.0f} MB; load {os.getloadavg()[0]:.1f}", flush=True)
    with _peak() as peak:
        flattened = _timed(lambda: flatten(root, days))
        loaded = _timed(lambda: _load(root, days, fresh=True))
    total = flattened + loaded
    print(
        f"tables {flattened:.0f} s, warehouse and marts {loaded:.0f} s, together {total:.0f} s; peak {peak[0]:.0f} MB"
    )
    print(
        f"tables {_size(root / 'tables'):.0f} MB, warehouse {(root / 'warehouse.duckdb').stat().st_size / 1e6:.0f} MB"
    )
    day = days[len(days) // 2]
    _change(root, day)
    with _peak() as peak:
        flattened = _timed(lambda: flatten(root, [day]))
        report = load_days(root, [day], contract=CONTRACT, marts=MARTS, contract_version=VERSION)
    seconds = flattened + report.copy_seconds + report.load_seconds
    print(
        f"one changed day again: {seconds:.1f} s (tables {flattened:.1f} s, "
        f"copy of the file {report.copy_seconds:.1f} s, load, marts and publish {report.load_seconds:.1f} s); "
        f"peak {peak[0]:.0f} MB"
    )
    for mart, did in report.marts.items():
        print(f"  {mart:<20}{did.seconds:7.2f} s {did.written:>9} rows")


def flatten(root: Path, days: list[date], sample_at_most: int = 20) -> None:
    """Make the tables of landed days, and prove a sample of each."""
    privacy = Privacy(PrivacyMode.TOKENISE, "benchmark")
    task = DayJob(root, CONTRACT, privacy, 5.0, sample_at_most, frozenset(), frozenset())
    for day, made in build_days(task, days):
        reasons = made.result().reasons
        assert not reasons, (day, reasons)


def _load(root: Path, days: list[date], *, fresh: bool) -> None:
    for start in range(0, len(days), _DAYS_PER_LOAD):
        load_days(
            root,
            days[start : start + _DAYS_PER_LOAD],
            contract=CONTRACT,
            marts=MARTS,
            contract_version=VERSION,
            fresh=fresh and start == 0,
        )


def _change(root: Path, day: date) -> None:
    """One order in a hundred of the day is landed again, with another status."""
    landing = Landing(root, day)
    pks = sorted(landing.current())[::100]
    changed = []
    for row in pq.read_table(landing.parts()[0], filters=[("order_pk", "in", pks)]).to_pylist():
        detail = json.loads(row["detail"], parse_float=str) | {"status": "550"}
        changed.append({**row, "detail": json.dumps(detail, ensure_ascii=False), "status": "550"})
    landing.append(changed)
    landing.compact()
    write_ledger(landing)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@contextmanager
def _peak() -> Iterator[list[float]]:
    """The most memory, in MB, that this process and its helpers had at a time."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], sum(map(_resident, [os.getpid(), *_children()])))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        done.set()
        watching.join()


def _children() -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split()]


def _resident(pid: int) -> float:
    """Its resident memory in MB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


if __name__ == "__main__":
    main()
