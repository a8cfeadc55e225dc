"""Keeping up: what a sync, refresh and load cost when some of 200 days' orders have changed.

The plain steps, without Dagster, against the stand-in in this process. Ten orders a day instead of a shop's
hundreds: the first fetch of them all is what takes time here, and it is asked for only once.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.clocked import cpu
from benchmarks.figures import Figure
from order_assets.sandbox import Sandbox, ShopSettings, running_sandbox
from order_assets_tests.pipeline import Pipeline

TITLE = "Refresh: 200 days x 10 orders, some changed, against a full reload"
_FIRST = date(2025, 6, 1)
_DAYS, _ORDERS = 200, 10
_SHARES = (0.001, 0.01, 0.1)
_RUNS = 5
# Requests that a sync needs to see what has changed, whatever the history.
_FIXED_REQUESTS = 40


def figures(*, quick: bool) -> Iterator[Figure]:
    """The full load, then the shares of changed orders, from few to many."""
    days, orders, runs = (5, 4, 1) if quick else (_DAYS, _ORDERS, _RUNS)
    now = datetime(_FIRST.year, _FIRST.month, _FIRST.day, tzinfo=UTC) + timedelta(days=days + 21)
    shop = ShopSettings(orders_per_day=orders, start=_FIRST, now=now, capabilities=frozenset({"sort", "date-filter"}))
    chance = random.Random(5)
    with tempfile.TemporaryDirectory(prefix="bench-refresh-") as folder, running_sandbox(shop) as sandbox:
        last = _FIRST + timedelta(days=days - 1)
        client = {"requests_per_second": 10_000}
        pipeline = Pipeline(Path(folder), sandbox.url, _FIRST, last_day=last, client_settings=client)
        full, asked_in_full, used, written_in_full = _round(pipeline, sandbox)
        yield Figure(f"full load, {asked_in_full:,} requests", (full,), "s", cpu_seconds=used)
        yield Figure("full load, bytes written", (written_in_full / 1e6,), "MB")
        pks = [pk for pk in sandbox.shop.order_pks() if sandbox.shop.flat_order(pk)["date_placed"] <= f"{last}T23"]
        for share in _SHARES[-1:] if quick else _SHARES:
            changed = max(1, round(len(pks) * share))
            rounds = [_changed_round(pipeline, sandbox, chance.sample(pks, changed)) for _ in range(runs)]
            yield from _cost(share, changed, rounds, (full, asked_in_full, written_in_full))


def _cost(
    share: float, changed: int, rounds: list[tuple[float, int, float, int]], full: tuple[float, int, int]
) -> Iterator[Figure]:
    seconds, asked, _used, written = (tuple(column) for column in zip(*rounds, strict=True))
    what = f"{share:.1%} changed ({changed} orders)"
    middle = sorted(rounds)[len(rounds) // 2]
    most = 3 * changed + _FIXED_REQUESTS
    yield Figure(f"{what}: time", seconds, "s", "the full load", middle[0] / full[0], cpu_seconds=middle[2])
    yield Figure(
        f"{what}: requests",
        asked,
        "",
        "the full load",
        middle[1] / full[1],
        f"at most 3 an order and {_FIXED_REQUESTS}",
        max(asked) <= most,
    )
    yield Figure(f"{what}: written", tuple(size / 1e6 for size in written), "MB", "the full load", middle[3] / full[2])


def _changed_round(pipeline: Pipeline, sandbox: Sandbox, pks: list[int]) -> tuple[float, int, float, int]:
    sandbox.advance(timedelta(minutes=30))
    sandbox.bulk_modify(pks, status=random.choice(["450", "500", "550"]))
    sandbox.advance(timedelta(minutes=5))
    return _round(pipeline, sandbox)


def _round(pipeline: Pipeline, sandbox: Sandbox) -> tuple[float, int, float, int]:
    """Seconds, requests, CPU seconds and bytes of the files that were written."""
    sandbox.requests.clear()
    before = _files(pipeline.root)
    started, used = time.perf_counter(), cpu()
    pipeline.run()
    seconds, used = time.perf_counter() - started, cpu() - used
    after = _files(pipeline.root)
    written = sum(size for path, (size, changed) in after.items() if before.get(path) != (size, changed))
    return seconds, len(sandbox.requests), used, written


def _files(root: Path) -> dict[Path, tuple[int, int]]:
    found = ((path, path.stat()) for path in root.rglob("*") if path.is_file())
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found}
