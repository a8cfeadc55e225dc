"""Keeping up: what a sync, refresh and load cost when some orders have changed, by their number and by the history.

The plain steps, without Dagster, against the stand-in in this process. Orders change as they do in a shop, in the
three weeks after they were placed. The history that lies there at first is listed and landed straight from the
stand-in's documents, in two processes and not counted: to ask for it would take longer than everything else here. The
rounds with most changes are run once, since they take a minute.
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clocked import cpu
from benchmarks.figures import Figure
from order_assets.contract import CONTRACT
from order_assets.landing import Attempt, IndexDraft, ListedOrder, receive
from order_assets.landing.index import orders_by_day
from order_assets.omnitron import OmnitronClient
from order_assets.pipeline import DayJob, build_days
from order_assets.sandbox import Sandbox, Shop, ShopSettings, running_sandbox
from order_assets.sandbox.life import LONGEST_LIFE
from order_assets.sandbox.world import FIRST_PK
from order_assets.testing.landed_days import shop_answers
from order_assets.testing.trial import VERSION, Pipeline
from order_assets.warehouse import load_days
from order_assets.warehouse.marts import MARTS

_FIRST = date(2025, 6, 1)
# The days after its own on which something can happen to an order.
_LIVING = timedelta(microseconds=LONGEST_LIFE) + timedelta(days=1)
_ORDERS, _HISTORIES, _RECENT = 500, (50, 200), 21
TITLE = f"Refresh: {_HISTORIES[-1]} days x {_ORDERS} orders, some of the last {_RECENT} days' changed"
_SHARES = (0.001, 0.01, 0.1)
# The share that is also measured with the short history: with few changes the history weighs most.
_COMPARED = 0.001
_RUNS = 5
_DAYS_PER_LOAD, _PROCESSES = 50, 2
# Days that are loaded as a new shop would be, to say what all of them would cost.
_RELOADED = 3
# Requests that a sync needs to see what has changed, whatever the history, and orders that a page of the list shows.
_FIXED_REQUESTS, _PAGE = 40, 100
_FLAT = 1.25


@dataclass(frozen=True)
class _Round:
    """What it took: seconds, those of the copy of the warehouse among them, requests, CPU seconds, bytes written."""

    seconds: float
    copy: float
    requests: int
    cpu: float
    files: int
    warehouse: int


def figures(*, quick: bool) -> Iterator[Figure]:
    """A full reload, then shares of changed orders, from few to many, with a short and a long history."""
    histories, orders, runs = ((4, 8), 20, 1) if quick else (_HISTORIES, _ORDERS, _RUNS)
    full = _full_reload(min(_RELOADED, histories[-1]), orders, histories[-1])
    yield Figure(f"full reload, scaled up from {_RELOADED} days", (full.seconds,), "s", cpu_seconds=full.cpu)
    yield Figure("full reload: requests", (full.requests,), "")
    yield Figure("full reload: written, without the warehouse", (full.files / 1e6,), "MB")
    # Of a short history as many orders change as of the long one.
    counts = {share: max(1, round(share * orders * histories[-1])) for share in _SHARES}
    found: dict[tuple[int, float], list[_Round]] = {}
    for history, share, rounds in _growing(histories, orders, counts, runs):
        found[history, share] = rounds
        if history == histories[-1]:
            yield from _cost(share, counts[share], rounds, full)
    few, many = found[histories[-1], _SHARES[1]], found[histories[-1], _SHARES[2]]
    yield _growth(
        f"{_SHARES[2]:.0%} against {_SHARES[1]:.0%} changed: time", many, few, 10, f"that of {_SHARES[1]:.0%}", quick
    )
    short, long = (found[history, _COMPARED] for history in histories)
    name = f"{_COMPARED:.1%} changed, {histories[-1]} days of history: time without the copy of the file"
    yield _growth(name, long, short, _FLAT, f"that with {histories[0]} days", quick)


def _growth(name: str, of: Sequence[_Round], against: Sequence[_Round], most: float, words: str, quick: bool) -> Figure:
    seconds = tuple(took.seconds - took.copy for took in of)
    ratio = median(seconds) / median(took.seconds - took.copy for took in against)
    return Figure(name, seconds, "s", words, ratio, f"at most {most:g} x", None if quick else ratio <= most)


def _cost(share: float, changed: int, rounds: Sequence[_Round], full: _Round) -> Iterator[Figure]:
    what = f"{share:.1%} changed ({changed:,} orders)"
    middle = sorted(rounds, key=lambda took: took.seconds)[len(rounds) // 2]
    seconds = tuple(took.seconds for took in rounds)
    yield Figure(f"{what}: time", seconds, "s", "the reload", middle.seconds / full.seconds, cpu_seconds=middle.cpu)
    asked = tuple(took.requests for took in rounds)
    goal = f"at most 3 an order, {_FIXED_REQUESTS}, and the pages that list them"
    met = max(asked) <= 3 * changed + _FIXED_REQUESTS + changed / _PAGE
    yield Figure(f"{what}: requests", asked, "", "the reload", middle.requests / full.requests, goal, met)
    files = tuple(took.files / 1e6 for took in rounds)
    ratio = middle.files / full.files
    yield Figure(f"{what}: written, without the warehouse", files, "MB", "the reload", ratio)
    yield Figure(f"{what}: copy of the warehouse", (middle.copy,), f"s for {middle.warehouse / 1e6:.0f} MB")


def _settings(days: int, orders: int) -> ShopSettings:
    capabilities = frozenset({"sort", "date-filter"})
    return ShopSettings(orders_per_day=orders, start=_FIRST, now=_at_rest(days), capabilities=capabilities)


def _at_rest(days: int) -> datetime:
    """A while after the last of so many days, when nothing happens to its orders any more by itself."""
    return datetime(_FIRST.year, _FIRST.month, _FIRST.day, tzinfo=UTC) + timedelta(days=days) + _LIVING


def _pipeline(root: Path, url: str, days: int) -> Pipeline:
    last = _FIRST + timedelta(days=days - 1)
    return Pipeline(root, url, _FIRST, last_day=last, client_settings={"requests_per_second": 10_000})


def _full_reload(days: int, orders: int, of: int) -> _Round:
    settings = _settings(days, orders)
    with tempfile.TemporaryDirectory(prefix="bench-refresh-") as folder, running_sandbox(settings) as sandbox:
        took = _round(_pipeline(Path(folder), sandbox.url, days), sandbox)
    times = of / days
    return _Round(
        took.seconds * times,
        took.copy * times,
        round(took.requests * times),
        took.cpu * times,
        round(took.files * times),
        round(took.warehouse * times),
    )


def _growing(
    histories: Sequence[int], orders: int, counts: Mapping[float, int], runs: int
) -> Iterator[tuple[int, float, list[_Round]]]:
    """Rounds by share, in one shop whose history grows from one length to the next."""
    chance, filled = random.Random(5), 0
    shop = running_sandbox(replace(_settings(0, orders), now=_at_rest(1) - _LIVING))
    folder = tempfile.TemporaryDirectory(prefix="bench-refresh-")
    pool = ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn"))
    with pool, folder as root, shop as sandbox:
        # The first day is listed as a new shop is: this finds out what its list can do.
        _pipeline(Path(root), sandbox.url, 1).sync(whole=True)
        for history in histories:
            sandbox.advance(_at_rest(history) - sandbox.shop.now())
            pipeline = _pipeline(Path(root), sandbox.url, history)
            settings = _settings(history, orders)
            _list(pool, pipeline, settings, range(filled, history + _LIVING.days))
            _fill(pool, pipeline, settings, [_FIRST + timedelta(days=number) for number in range(filled, history)])
            filled = history
            assert not pipeline.due()
            recent = orders_by_day(pipeline.root, _FIRST + timedelta(days=max(0, history - _RECENT)), pipeline.last_day)
            pks = [order.pk for of_day in recent.values() for order in of_day]
            for share in counts if history == histories[-1] else (_COMPARED,):
                times = runs if share < max(_SHARES) else 1
                changed = (chance.sample(pks, counts[share]) for _ in range(times))
                yield history, share, [_changed_round(pipeline, sandbox, some) for some in changed]


def _list(pool: ProcessPoolExecutor, pipeline: Pipeline, settings: ShopSettings, days: range) -> None:
    """Bring the index up to the shop, of which only the orders of these days are not in it as they are."""
    first, per_day = FIRST_PK + days.start * settings.orders_per_day, settings.orders_per_day
    draft = IndexDraft(pipeline.root, pipeline.instance, datetime.now(UTC))
    for rows in pool.map(_rows, repeat(settings), (first + number * per_day for number in range(len(days)))):
        for row in rows:
            draft.take(row)
    draft.write(replace(draft.state, cursor=settings.now, transactions_cursor=settings.now))


def _rows(settings: ShopSettings, first: int) -> list[dict[str, Any]]:
    shop = Shop(settings)
    return [shop.flat_order(pk) for pk in range(first, first + settings.orders_per_day)]


def _fill(pool: ProcessPoolExecutor, pipeline: Pipeline, settings: ShopSettings, days: list[date]) -> None:
    parts = (days[start::_PROCESSES] for start in range(_PROCESSES))
    for filled in [pool.submit(_fill_some, pipeline.root, pipeline.url, settings, part) for part in parts]:
        filled.result()
    for start in range(0, len(days), _DAYS_PER_LOAD):
        load_days(
            pipeline.root,
            days[start : start + _DAYS_PER_LOAD],
            contract=CONTRACT,
            marts=MARTS,
            contract_version=VERSION,
        )


def _fill_some(root: Path, url: str, settings: ShopSettings, days: list[date]) -> None:
    # In a process that ends after this, looking for garbage is a tenth of the work.
    gc.disable()
    pipeline = _Straight(root, url, _FIRST)
    pipeline.shop = Shop(settings)
    pipeline.refresh(days)
    for _, made in build_days(pipeline.task, days, workers=0):
        made.result()


class _Straight(Pipeline):
    """Lands what the stand-in would answer, without asking it, and proves one order of a day."""

    shop: Shop

    @property
    def task(self) -> DayJob:
        return replace(super().task, sample_at_most=1)

    def _fetch(self, _client: OmnitronClient, orders: Iterable[ListedOrder]) -> Iterator[Attempt]:
        for order in orders:
            yield Attempt(order, receive(self.gate, order, shop_answers(self.shop, order.pk)), None)


def _changed_round(pipeline: Pipeline, sandbox: Sandbox, pks: list[int]) -> _Round:
    sandbox.advance(timedelta(minutes=30))
    sandbox.bulk_modify(pks, status=random.choice(["450", "500", "550"]))
    sandbox.advance(timedelta(minutes=5))
    return _round(pipeline, sandbox)


def _round(pipeline: Pipeline, sandbox: Sandbox) -> _Round:
    sandbox.requests.clear()
    before = _files(pipeline.root)
    started, used = time.perf_counter(), cpu()
    pipeline.sync()
    days = pipeline.due()
    pipeline.refresh(days)
    for _, made in build_days(pipeline.task, days):
        made.result()
    report = load_days(pipeline.root, days, contract=CONTRACT, marts=MARTS, contract_version=VERSION)
    seconds, used = time.perf_counter() - started, cpu() - used
    written = {path: size for path, (size, at) in _files(pipeline.root).items() if before.get(path) != (size, at)}
    warehouse = written.pop(pipeline.root / "warehouse.duckdb")
    return _Round(seconds, report.copy_seconds, len(sandbox.requests), used, sum(written.values()), warehouse)


def _files(root: Path) -> dict[Path, tuple[int, int]]:
    found = ((path, path.stat()) for path in root.rglob("*") if path.is_file())
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in found}
