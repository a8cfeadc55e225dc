"""The whole way of the data without Dagster: sync, refresh, flatten, load, quick enough for many tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import order_assets as oa
from order_assets.contract import CONTRACT, Contract
from order_assets.contract.shape import contract_version
from order_assets.landing import DayReport, DueDay, Instance, Reread
from order_assets.landing.refetch_policy import NEVER
from order_assets.omnitron import ClientSettings, OmnitronClient
from order_assets.omnitron.incremental_listing import Margins
from order_assets.pipeline.build_day import DayBuilder, DayJob
from order_assets.pipeline.load_passed import refusal
from order_assets.pipeline.stale_days import due_days
from order_assets.pipeline.sync import SyncReport, SyncRules
from order_assets.redaction import Privacy, PrivacyMode, Validator
from order_assets.sandbox import PASSWORD, USERNAME
from order_assets.warehouse import WarehouseError, open_readonly
from order_assets.warehouse.marts import MARTS, Marts

VERSION = contract_version(CONTRACT)
RULES = SyncRules(Margins(), whole_every=timedelta(hours=24), transactions=True)


@dataclass
class Pipeline:
    """A data root and a shop, by its URL."""

    root: Path
    url: str
    first_day: date
    rules: SyncRules = RULES
    last_day: date | None = None
    client_settings: dict[str, Any] = field(default_factory=dict)
    gate: Validator = field(default_factory=lambda: Validator(CONTRACT, Privacy(PrivacyMode.CLEAR)))
    contract: Contract = CONTRACT
    marts: Marts = MARTS

    @property
    def instance(self) -> Instance:
        """The shop, as the index knows it."""
        return Instance(self.url, "UTC", self.first_day)

    @property
    def task(self) -> DayJob:
        """What building the tables of a day takes."""
        return DayJob(self.root, self.contract, self.gate.privacy, 5.0, 20, frozenset(), frozenset())

    @cached_property
    def maker(self) -> DayBuilder:
        """Builds the tables of days in this process."""
        return DayBuilder(self.task)

    @contextmanager
    def client(self) -> Iterator[OmnitronClient]:
        """A client of the shop without a limit of requests."""
        settings = {"requests_per_second": None, "max_concurrency": 4, "retries": 0, **self.client_settings}
        with OmnitronClient(ClientSettings(self.url, username=USERNAME, password=PASSWORD, **settings)) as client:
            yield client

    @property
    def way(self) -> oa.Pipeline:
        """The steps, as users and assets have them."""
        return oa.Pipeline(
            self.root,
            self.instance,
            self.client,
            lambda: self.gate.privacy,
            lambda: self.gate.privacy.policy,
            contract=self.contract,
            marts=self.marts,
            sync_rules=self.rules,
            reread=NEVER,
        )

    def sync(self, **options: Any) -> SyncReport:
        """Bring the index up to date."""
        return self.way.sync(**options)

    def due_days(self) -> list[DueDay]:
        """The days that are to be fetched, with the reasons."""
        return list(due_days(self.root, self.first_day, self.last_day or datetime.now(UTC).date()))

    def due(self) -> list[date]:
        """The days that are to be fetched."""
        return [found.day for found in self.due_days()]

    def refresh(self, days: Iterable[date], *, again: bool = False) -> list[DayReport]:
        """Fetch what is due; with `again` every order that was not just read."""
        return list(self.refreshing(days, again=again))

    def refreshing(self, days: Iterable[date], *, again: bool = False) -> Iterator[DayReport]:
        """Like `refresh`, a report at a time; what ends the walk raises after the days that were finished."""
        reread = Reread(recent_every=timedelta(microseconds=1), recent_days=10_000) if again else NEVER
        yield from self.way.refresh(list(days), reread=reread)

    def load(self, days: Iterable[date]) -> None:
        """Make the tables of days and load them; raises `WarehouseError` for a day that may not be loaded."""
        days = list(days)
        for day in days:
            self.maker.make(day)
        for day in days:
            if why := refusal(self.root, day):
                # As in the warehouse asset. Another run may be making the day anew at this very moment.
                raise WarehouseError(f"{day} is not loaded: {why}")
        if days:
            self.way.load(days, threads=1)

    def run(self) -> list[date]:
        """One sync and what follows from it; gives the days that it touched."""
        self.sync()
        days = self.due()
        self.refresh(days)
        self.load(days)
        return days

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows that the warehouse gives."""
        with open_readonly(self.root) as connection:
            rows: list[tuple[Any, ...]] = connection.execute(sql).fetchall()
            return rows


def shop_state(flat_orders: Iterable[dict[str, Any]]) -> dict[int, tuple[Any, ...]]:
    """What a shop says of its orders, by pk: status, amounts and last change."""
    return {
        row["pk"]: (row["status"], str(row["amount"]), str(row["refund_amount"]), _moment(row["modified_date"]))
        for row in flat_orders
    }


def warehouse_state(pipeline: Pipeline) -> dict[int, tuple[Any, ...]]:
    """What the warehouse says of the orders that it has and that are not gone."""
    rows = pipeline.query(
        "SELECT pk, status, amount::VARCHAR, refund_amount::VARCHAR, modified_date FROM orders.orders "
        "WHERE pk IN (SELECT order_pk FROM meta.order_ledger WHERE outcome = 'landed')"
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def files_of(root: Path, pattern: str) -> dict[Path, bytes]:
    """The files below a folder that fit a pattern, with what is in them."""
    return {path: path.read_bytes() for path in sorted(root.glob(pattern)) if path.is_file()}
