"""Times a backfill through Dagster, in one run, against the stand-in in a process of its own.

    python -m benchmarks.backfill [DAYS [ORDERS_PER_DAY]] [--latency-ms N] [--concurrency N] [--profile FILE]

Lists the orders, then fetches, flattens and loads the days, with the project's definitions and a fresh history in
SQLite. Prints seconds per day, CPU seconds, peak memory, and where the time went. Parts are timed by watching the
functions that do the work; what a part does in other threads counts as its wall time and not as its CPU. What the
benchmark does not time is Dagster's engine.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

FIRST_DAY = date(2025, 1, 1)
_DAGSTER_YAML = Path(__file__).parents[1] / "dagster.yaml"


@dataclass
class Clock:
    """Wall and CPU seconds of this process's parts, summed over threads; of a part inside another the inner counts."""

    wall: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _here: threading.local = field(default_factory=threading.local)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        begun: list[str] = vars(self._here).setdefault("begun", [])
        self._turn(begun)
        begun.append(name)
        self.calls[name] += 1
        try:
            yield
        finally:
            self._turn(begun)
            begun.pop()

    def _turn(self, begun: list[str]) -> None:
        now = time.perf_counter(), time.thread_time()
        if begun:
            wall, cpu = self._here.since
            self.wall[begun[-1]] += now[0] - wall
            self.cpu[begun[-1]] += now[1] - cpu
        self._here.since = now

    def watch(self, owner: Any, name: str, part: str) -> None:
        """Time a function of a module or class as `part`, from now on."""
        found: Callable[..., Any] = getattr(owner, name)

        @wraps(found)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(part):
                return found(*args, **kwargs)

        setattr(owner, name, timed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfill")
    parser.add_argument("days", type=int, nargs="?", default=30)
    parser.add_argument("orders", type=int, nargs="?", default=20)
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--profile", metavar="FILE")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backfill-") as folder:
        root = Path(folder)
        with stand_in(given.days, given.orders, given.latency_ms) as url:
            os.environ |= _environment(root, url, given.concurrency)
            _backfill(given.days, given.orders, given)


def _backfill(days: int, orders: int, given: argparse.Namespace) -> None:
    clock = Clock()
    _watch(clock)
    steps = _watch_steps()
    from order_assets.defs import run_jobs

    profile = cProfile.Profile() if given.profile else None
    with run_jobs.history() as instance:
        listing = run_jobs.sync_index(instance)
        assert listing.succeeded, listing.failures
        clock.wall.clear(), clock.cpu.clear(), clock.calls.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        with profile or nullcontext(), clock.part("the rest: Dagster's engine"):
            run = run_jobs.refresh_days(instance, FIRST_DAY, FIRST_DAY + timedelta(days=days - 1))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert run.succeeded, run.failures
    assert len(run.days["warehouse/orders"]) == days
    if profile:
        profile.dump_stats(given.profile)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # The stand-in is not among the children that have ended.
    helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
    helped = helpers.ru_utime + helpers.ru_stime
    requests = sum(int(of_day["requests"]) for of_day in run.days["order_documents"].values())
    landed = sum(int(of_day["landed"]) for of_day in run.days["order_documents"].values())
    print(f"{days} days x {orders} orders: {landed} landed, {len(run.checks)} checks, load {os.getloadavg()[0]:.1f}")
    print(f"{wall:.1f} s, {wall / days:.3f} s per day; {cpu:.1f} s CPU, {cpu / days:.3f} per day; peak {peak:.0f} MB")
    print(f"helpers: {helped:.1f} s CPU, {helped / days:.3f} per day; peak of one {helpers.ru_maxrss / 1024:.0f} MB")
    print("; ".join(f"{name} {wall:.1f} s, {cpu:.1f} s CPU" for name, (wall, cpu) in steps.items()))
    step = steps["order_documents"][0]
    bound = (
        f"; {given.concurrency} in flight allow {given.concurrency * 1000 / given.latency_ms:.0f}"
        if given.latency_ms
        else ""
    )
    print(f"{requests} requests, {requests / step:.0f} per second of the whole step order_documents{bound}")
    print(f"  {'part':<34}{'s':>8}{'ms/day':>9}{'CPU s here':>12}{'calls':>8}")
    for name in sorted(clock.wall, key=clock.wall.__getitem__, reverse=True):
        seconds, own = clock.wall[name], clock.cpu[name]
        print(f"  {name:<34}{seconds:8.2f}{1000 * seconds / days:9.1f}{own:12.2f}{clock.calls[name]:8}", flush=True)


def _watch(clock: Clock) -> None:
    """Say which functions are which part."""
    from dagster._core.instance.runs.run_domain import RunDomain

    from order_assets.defs import run_jobs
    from order_assets.defs.event_log import BatchedEventLog
    from order_assets.landing import day
    from order_assets.pipeline import build_day, day_workers, load_passed, pipeline
    from order_assets.tables import Flattener

    clock.watch(RunDomain, "_log_asset_planned_events", "run creation: planned events")
    clock.watch(BatchedEventLog, "_write", "Dagster's event writes")
    clock.watch(run_jobs, "_summary", "summary of the run")
    clock.watch(day.DayRefresh, "__init__", "landing and ledger")
    clock.watch(day.DayRefresh, "finish", "landing and ledger")
    _watch_fetch(clock, pipeline)
    # Where worker processes make the days, only the waiting for them is seen here.
    clock.watch(day_workers, "_in_workers", "starting of workers")
    clock.watch(build_day, "revalidate_day", "look for older contracts")
    clock.watch(Flattener, "flatten_day", "flatten")
    for name in ("prove_day", "rows_name_their_order", "refunds_within_amount", "values_are_known"):
        clock.watch(build_day, name, "proof and controls")
    for name in ("_unmapped", "write_verdict"):
        clock.watch(build_day, name, "verify")
    _watch_generator(clock, build_day, "verify_day", "verify")
    clock.watch(build_day, "preview", "previews")
    clock.watch(load_passed, "load_days", "warehouse")


def _watch_steps() -> Mapping[str, tuple[float, float]]:
    """Wall and CPU seconds of the process during each step, as they come."""
    from dagster import DagsterEvent

    steps: dict[str, tuple[float, float]] = {}
    begin, end = DagsterEvent.step_start_event, DagsterEvent.step_success_event

    def begun(step: Any) -> Any:
        steps[step.step.key] = time.perf_counter(), time.process_time()
        return begin(step)

    def ended(step: Any, success: Any) -> Any:
        wall, cpu = steps[step.step.key]
        steps[step.step.key] = time.perf_counter() - wall, time.process_time() - cpu
        return end(step, success)

    DagsterEvent.step_start_event, DagsterEvent.step_success_event = begun, ended  # type: ignore[method-assign,assignment]
    return steps


def _watch_generator(clock: Clock, owner: Any, name: str, part: str) -> None:
    """Time what a generator does, which is not done when it is made."""
    find = getattr(owner, name)

    def listed(*args: Any, **kwargs: Any) -> list[Any]:
        with clock.part(part):
            return list(find(*args, **kwargs))

    setattr(owner, name, listed)


def _watch_fetch(clock: Clock, pipeline: Any) -> None:
    find = pipeline._fetch

    def fetch(*args: Any) -> Iterator[Any]:
        attempts = iter(find(*args))
        while True:
            with clock.part("fetch and gate"):
                attempt = next(attempts, None)
            if attempt is None:
                return
            yield attempt

    pipeline._fetch = fetch


@contextmanager
def stand_in(days: int, orders: int, latency_ms: int) -> Iterator[str]:
    """The stand-in as a command of its own; three weeks after the last day its orders are at rest."""
    now = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(days=days + 21)
    arguments = ["--port", "0", "--orders-per-day", str(orders), "--start", str(FIRST_DAY), "--now", now.isoformat()]
    command = [sys.executable, "-c", "import sys; from order_assets.cli import main; sys.exit(main())", "sandbox"]
    arguments += ["--latency-ms", str(latency_ms)]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def _environment(root: Path, url: str, concurrency: int) -> Mapping[str, str]:
    from order_assets.sandbox import PASSWORD, USERNAME

    home = root / "home"
    home.mkdir()
    shutil.copy(_DAGSTER_YAML, home)
    return {
        "DAGSTER_HOME": str(home),
        "ORDER_ASSETS_DATA": str(root / "data"),
        "ORDER_ASSETS_START_DATE": FIRST_DAY.isoformat(),
        "ORDER_ASSETS_REQUESTS_PER_SECOND": "10000",
        "ORDER_ASSETS_MAX_CONCURRENCY": str(concurrency),
        "OMNITRON_URL": url,
        "OMNITRON_USERNAME": USERNAME,
        "OMNITRON_PASSWORD": PASSWORD,
    }


if __name__ == "__main__":
    main()
