"""A small shop, data roots on it, and the comparison with what an undisturbed run makes of the same shop.

Three days of eight orders at first; then some orders change and a few hours pass. A scenario begins either with an
empty data root or with one that has the first state, and has to end with the second.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from faults.scenario import hold
from order_assets.contract import CONTRACT
from order_assets.landing import incomplete_days
from order_assets.landing.index import read_index
from order_assets.sandbox import PASSWORD, Sandbox, ShopSettings, known_secrets, running_sandbox
from order_assets.testing.stored import found_in
from order_assets.testing.trial import Pipeline, shop_state, warehouse_state

FIRST, LAST = date(2026, 3, 6), date(2026, 3, 8)
EARLY, LATE = datetime(2026, 3, 8, 12, tzinfo=UTC), datetime(2026, 3, 8, 18, tzinfo=UTC)
SHOP = ShopSettings(
    orders_per_day=8,
    start=FIRST,
    now=EARLY,
    page_cap=5,
    capabilities=frozenset({"sort", "date-filter"}),
)
# Short enough for a matrix; the ways that are taken are the same as with the usual times.
CLIENT: dict[str, Any] = {
    "retries": 2,
    "backoff_seconds": 0.02,
    "read_timeout": 0.5,
    "total_timeout": 1.5,
    "max_body_bytes": 1_000_000,
    "max_retry_after_seconds": 3,
}


@dataclass
class World:
    """The shop that is served, a place for data roots, and what is right: one world serves many scenarios."""

    sandbox: Sandbox
    place: Path

    def __post_init__(self) -> None:
        self._names = count()
        first = self.pipeline("first")
        first.run()
        self._first = first.root
        pks = self.sandbox.shop.order_pks()
        self.changed = sorted(pks)[2:15:4]
        self.sandbox.set_now(LATE)
        self.sandbox.bulk_modify(self.changed, status="550")

    def pipeline(self, name: str) -> Pipeline:
        """A pipeline on a data root of its own."""
        root = self.place / f"{name}-{next(self._names)}"
        return Pipeline(root, self.sandbox.url, FIRST, last_day=LAST, client_settings=CLIENT)

    def empty(self) -> Pipeline:
        """A pipeline that has not run yet."""
        return self.pipeline("empty")

    def once_run(self) -> Pipeline:
        """A pipeline that knows the shop as it was before the last changes."""
        pipeline = self.pipeline("again")
        shutil.copytree(self._first, pipeline.root)
        return pipeline

    def up_to_date(self) -> Pipeline:
        """A pipeline with nothing to do."""
        pipeline = self.pipeline("done")
        shutil.copytree(self.undisturbed.root, pipeline.root)
        return pipeline

    @cached_property
    def undisturbed(self) -> Pipeline:
        """The second state, reached without a fault."""
        pipeline = self.once_run()
        pipeline.run()
        return pipeline

    @cached_property
    def right_rows(self) -> dict[str, list[str]]:
        """The rows of all tables as they have to be."""
        return rows_of(self.undisturbed.root)

    @cached_property
    def right_shop(self) -> dict[int, tuple[Any, ...]]:
        """What the shop says of its orders."""
        rows = self.sandbox.shop.flat_orders()
        return shop_state(row for row in rows if row["date_placed"] >= FIRST.isoformat())

    def recover(self, pipeline: Pipeline, *, whole: bool = False) -> None:
        """What schedules and sensors do when a fault is over: sync, what is due, and days that stayed incomplete."""
        pipeline.sync(whole=whole)
        days = sorted({*pipeline.due(), *(found.day for found in incomplete_days(pipeline.root))})
        pipeline.refresh(days)
        pipeline.load(days)

    def check_is_right(self, pipeline: Pipeline) -> None:
        """Tables, ledger and warehouse are what an undisturbed run makes, and nothing unfinished lies about."""
        rows = rows_of(pipeline.root)
        for table, right in self.right_rows.items():
            hold(rows[table] == right, f"table {table} has {len(rows[table])} rows, unlike the {len(right)} it should")
        hold(warehouse_state(pipeline) == self.right_shop, "the warehouse is not the shop")
        counts = "SELECT count(*), count(*) FILTER (outcome = 'landed') FROM meta.order_ledger"
        hold(pipeline.query(counts) == self.undisturbed.query(counts), "the ledger has other orders")
        check_accounted(pipeline)
        check_listed_once(pipeline)

    def check_readable(self, pipeline: Pipeline, *, may_be_gone: bool = False) -> None:
        """Whatever has come of a disturbed run: what is there can be read and is whole."""
        if (pipeline.root / "warehouse.duckdb").exists():
            hold(pipeline.query("SELECT count(*) FROM orders.orders") != [], "the warehouse cannot be read")
            gone = pipeline.query("SELECT count(*) FROM meta.order_ledger WHERE outcome = 'tombstoned'")
            hold(may_be_gone or gone == [(0,)], f"{gone[0][0]} orders are taken for deleted")
            check_accounted(pipeline)

    def check_message(self, text: str) -> None:
        """A message says something and gives nothing away."""
        hold(len(text) > 20, f"the message says nothing: {text!r}")
        for secret in (self.sandbox.token, f'"{PASSWORD}"', *known_secrets()):
            hold(secret not in text, "a secret stands in a message")

    def check_disk(self, pipeline: Pipeline) -> None:
        """No secret lies in a file, whatever the shop sent."""
        found = found_in(pipeline.root, (self.sandbox.token, *known_secrets()))
        hold(not found, f"a secret lies in {found[:1]}")

    def check_no_writes(self) -> None:
        """Login is the only POST that the shop has seen."""
        bad = [r for r in self.sandbox.requests if r.method != "GET" and not r.path.endswith("/auth/login/")]
        hold(not bad, f"the shop was written to: {bad[:1]}")


@contextmanager
def made_world(place: Path) -> Iterator[World]:
    """A world below a folder."""
    with running_sandbox(SHOP) as sandbox:
        yield World(sandbox, place)


def rows_of(root: Path) -> dict[str, list[str]]:
    """The rows of each table as text, sorted; without the history of statuses, which depends on when one looks."""
    found: dict[str, list[str]] = {}
    for table in CONTRACT:
        if table.name != "order_status_history":
            files = sorted((root / "tables" / table.name).glob("date=*/*.parquet"))
            parts = [pq.ParquetFile(path).read() for path in files]
            found[table.name] = sorted(map(str, pa.concat_tables(parts).to_pylist())) if parts else []
    return found


def check_accounted(pipeline: Pipeline) -> None:
    """listed = landed + tombstoned + quarantined + pending for every day, and the ledger says the same."""
    days = pipeline.query("SELECT date, listed, landed, tombstoned, quarantined, pending FROM meta.days")
    for day, listed, *outcomes in days:
        hold(listed == sum(outcomes), f"{day}: {listed} listed, {outcomes} accounted for")
    counts = "SELECT outcome, count(*) FROM meta.order_ledger GROUP BY outcome"
    names = ("landed", "tombstoned", "quarantined", "pending")
    of_days = {name: sum(row[place] for row in days) for place, name in enumerate(names, 2)}
    of_ledger = dict(pipeline.query(counts))
    hold(of_ledger.keys() <= set(names), f"outcomes of the ledger: {of_ledger}")
    hold(all(of_ledger.get(name, 0) == of_days[name] for name in names), f"{of_days}, but the ledger {of_ledger}")


def check_listed_once(pipeline: Pipeline) -> None:
    """Each order of the index stands in the ledger of its day, once."""
    index = read_index(pipeline.root, ["partition", "pk"])
    listed = sorted((day, pk) for day, pk in zip(*index.to_pydict().values(), strict=True) if FIRST <= day <= LAST)
    accounted = sorted(pipeline.query("SELECT date, order_pk FROM meta.order_ledger"))
    hold(accounted == listed, f"{len(listed)} orders of the index, {len(accounted)} of the ledgers")


def left_over(root: Path) -> list[Path]:
    """Files that a process that ended was still writing."""
    return [path for path in root.rglob("*") if path.name.endswith((".tmp", ".draft"))]


def age(root: Path) -> None:
    """Let an hour pass for all that lies about, so that it counts as left by a dead process."""
    for path in left_over(root):
        os.utime(path, (time.time() - 7200,) * 2)
