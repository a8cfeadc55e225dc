"""Times flattening of a landed day against the bare `json_transform` of the same text, in the same run.

    python -m benchmarks.flatten [ORDERS ...]

Prints seconds, orders per second, CPU seconds and the peak of the process in MB; medians of five.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.landed_days import land_day, order_pks
from order_assets.contract import CONTRACT
from order_assets.landing import Landing, earlier_versions
from order_assets.tables import DayFiles, Flattener, Sample, prove_day, verify_day
from order_assets.tables.plan import document_statements

DAY = date(2026, 1, 1)
RUNS = 5


def main(sizes: list[int]) -> None:
    """Land a day of each size in a process of its own, and time it in another, so that peaks do not mix."""
    for orders in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for step in ("land", "time"):
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.flatten", step, str(orders), folder], check=True, timeout=900
                )


def time_day(root: Path, orders: int) -> None:
    landing = Landing(root, DAY)
    pks = order_pks(landing)
    flattener = Flattener(CONTRACT)
    expected: dict[str, int] = {}

    def flatten() -> None:
        report = flattener.flatten_day(root, DAY, landing.documents(pks), earlier_versions(landing, pks))
        expected.update({**report.expected, "orders": report.orders})

    flattened = _median(flatten)
    # Before the comparison, whose own memory is not the point.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    verified = _median(lambda: list(verify_day(DayFiles(root, DAY), CONTRACT, expected)))
    sample = Sample(orders, percent=5, at_most=20)
    for _ in sample.watching(landing.documents(pks)):
        pass
    proven = _median(lambda: prove_day(DayFiles(root, DAY), CONTRACT, sample))
    bare = _median(lambda: _bare_transform(landing))
    load = os.getloadavg()[0]
    print(f"{orders:>6} orders, load {load:.1f}, peak {peak:.0f} MB")
    for name, (wall, cpu) in (
        ("flatten", flattened),
        ("verify", verified),
        ("prove a sample", proven),
        ("json_transform alone", bare),
    ):
        print(f"  {name:<22}{wall:8.3f} s {orders / wall:10.0f} orders/s {cpu:8.3f} s CPU")
    print(f"  flatten / json_transform alone: {flattened[1] / bare[1]:.2f} of the CPU", flush=True)


def _bare_transform(landing: Landing) -> None:
    files = ", ".join(f"'{path}'" for path in landing.parts())
    with duckdb.connect() as connection:
        for document, statement in document_statements(CONTRACT).items():
            texts = f"(SELECT {document.value} AS text FROM read_parquet([{files}]))"
            connection.execute(f"SELECT count(d) FROM ({statement.replace('FROM texts', f'FROM {texts}')})").fetchall()


def _median(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    walls, cpus = [], []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


if __name__ == "__main__":
    if sys.argv[1:2] == ["land"]:
        land_day(Path(sys.argv[3]), DAY, int(sys.argv[2]))
    elif sys.argv[1:2] == ["time"]:
        time_day(Path(sys.argv[3]), int(sys.argv[2]))
    else:
        main([int(size) for size in sys.argv[1:]] or [1, 20, 10_000, 30_000])
