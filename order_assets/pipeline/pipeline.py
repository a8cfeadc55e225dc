"""The way of the data without Dagster: one object with a method for each step, for assets, the command and users.

Belongs here: which rooms a step needs and what they are given. Not here: the steps themselves, and anything of a run
in Dagster (`defs`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from order_assets.contract import CONTRACT, Contract
from order_assets.contract.rules import BLOCKING_RULES
from order_assets.contract.shape import contract_version
from order_assets.landing import (
    Attempt,
    DayReport,
    DueDay,
    Instance,
    ListedOrder,
    Reread,
    claim,
    forget,
    forgotten_customers,
    misfit_row,
    receive,
    refresh_days,
    sync_state,
)
from order_assets.landing.estimate import RunPlan, plan_run
from order_assets.landing.list_row import COMPARED_WITH_LANDED
from order_assets.omnitron import OmnitronClient, OmnitronMisfitError
from order_assets.omnitron.capabilities import Capabilities, probe
from order_assets.omnitron.incremental_listing import Margins
from order_assets.pipeline.build_day import DayJob, DayTables
from order_assets.pipeline.connect import (
    hours_or_never,
    instance_of,
    open_client,
    privacy_of,
    privacy_policy,
    reread_of,
)
from order_assets.pipeline.day_workers import build_days
from order_assets.pipeline.lake import LakeReport, export_days
from order_assets.pipeline.load_passed import Loaded, load_passed
from order_assets.pipeline.read_tables import Day, read_table
from order_assets.pipeline.stale_days import due_days
from order_assets.pipeline.sync import SyncReport, SyncRules, sync
from order_assets.redaction import Privacy, Validator
from order_assets.settings import Settings, read_settings
from order_assets.tables import landed_amounts, owners, passed_days
from order_assets.warehouse.marts import MARTS, Marts
from order_assets.warehouse.meta import WarehouseSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunReport:
    """What a run did: the listing, a report for each day fetched and for each day of tables, and the load."""

    sync: SyncReport
    refreshed: Sequence[DayReport]
    built: Sequence[DayTables]
    loaded: Loaded


@dataclass(frozen=True)
class Pipeline:
    """A shop, a data root, and what an order and a mart are.

    `client` opens a client of the shop, `get_privacy` gives the treatment of personal data and may make a key,
    `get_policy` says which treatment a run would use and makes none. What raises is an `OrderAssetsError`.
    """

    root: Path
    instance: Instance
    client: Callable[[], AbstractContextManager[OmnitronClient]]
    get_privacy: Callable[[], Privacy]
    get_policy: Callable[[], str]
    contract: Contract = CONTRACT
    marts: Marts = field(default_factory=lambda: MARTS)
    sync_rules: SyncRules = field(default_factory=lambda: SyncRules(Margins(), timedelta(hours=24), transactions=True))
    reread: Reread = field(default_factory=Reread)
    keep_versions: timedelta | None = None
    storage_version: str = "v1.0.0"
    prices_include_tax: str | None = None
    quantity_attribute: str = "quantity"
    sample_percent: float = 5.0
    sample_at_most: int = 20
    ignored: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, *, contract: Contract = CONTRACT, marts: Marts = MARTS) -> Pipeline:
        """The pipeline of the environment's settings. Raises `SettingsError`."""
        return cls.from_settings(read_settings(), contract=contract, marts=marts)

    @classmethod
    def from_settings(cls, settings: Settings, *, contract: Contract = CONTRACT, marts: Marts = MARTS) -> Pipeline:
        """The pipeline of these settings."""
        url, root = settings.url or "", settings.data_root
        key = settings.pii_key.get_secret_value() if settings.pii_key else ""
        return cls(
            root,
            instance_of(url, settings.timezone.key, settings.first_day),
            partial(_client_of, settings),
            partial(privacy_of, settings.pii, key, url, root),
            partial(privacy_policy, settings.pii, key, url, root),
            contract=contract,
            marts=marts,
            sync_rules=SyncRules(Margins(), hours_or_never(settings.whole_listing_hours), transactions=True),
            reread=reread_of(settings),
            keep_versions=timedelta(days=settings.keep_versions_days) if settings.keep_versions_days else None,
            storage_version=settings.storage_version,
            prices_include_tax=settings.prices_include_tax,
            quantity_attribute=settings.quantity_attribute,
        )

    @cached_property
    def contract_version(self) -> str:
        """The version of the contract."""
        return contract_version(self.contract)

    def probe(self) -> Capabilities:
        """What the shop's order list can do, found out in a few requests."""
        with self.client() as client:
            return probe(client)

    def sync(self, **options: Any) -> SyncReport:
        """Bring the index of orders up to the shop; `options` are those of `sync.sync`, such as `whole=True`."""
        with self.client() as client:
            return self.sync_with(client, **options)

    def sync_with(self, client: OmnitronClient, **options: Any) -> SyncReport:
        """Like `sync`, with a client that is open."""
        given: dict[str, Any] = {
            "owners": partial(owners, self.root),
            "landed_amounts": partial(landed_amounts, self.root, COMPARED_WITH_LANDED),
            "row_key": lambda: self.get_privacy().key,
            # Only an instance that answered makes the folder its own: a mistyped address must not.
            "on_answer": partial(claim, self.root, self.instance),
        }
        version = self.contract_version
        return sync(client, self.root, self.instance, self.sync_rules, contract_version=version, **given | options)

    def stale_days(self, first: date | None = None, last: date | None = None) -> list[DueDay]:
        """The days that need a run, by default of all days, each with its reasons."""
        first, last = first or self.instance.first_day, last or self.instance.today()
        return due_days(self.root, first, last, self.contract.documents)

    def estimate(self, first: date | None = None, last: date | None = None) -> RunPlan:
        """What refreshing the days would cost now, by default all, without asking the shop."""
        first, last = first or self.instance.first_day, last or self.instance.today()
        return plan_run(
            self.root,
            first,
            last,
            privacy_policy=self.get_policy(),
            reread=self.reread,
            documents=self.contract.documents,
        )

    def refresh(self, days: Sequence[date], *, reread: Reread | None = None, **options: Any) -> Iterator[DayReport]:
        """Fetch what is due of the days, a report for each as it is finished; `options` are those of `refresh_days`."""
        validator = Validator(self.contract, self.get_privacy())
        with self.client() as client:
            client.expect_prefixes(sync_state(self.root).capabilities.get("prefixes") or {})
            yield from refresh_days(
                self.root,
                days,
                partial(_fetch, client, validator, partial(forgotten_customers, self.root)),
                privacy_policy=validator.privacy.policy,
                reread=reread or self.reread,
                documents=self.contract.documents,
                keep_versions=self.keep_versions,
                **options,
            )

    def build(self, days: Sequence[date], *, compare: bool = False) -> Generator[DayTables, None, None]:
        """Make and check the tables of landed days, in order; with `compare` the rows that changed are counted."""
        job = DayJob(
            self.root,
            self.contract,
            self.get_privacy(),
            self.sample_percent,
            self.sample_at_most,
            self.ignored,
            BLOCKING_RULES,
            compare=compare,
        )
        with closing(build_days(job, days)) as made:
            for _, result in made:
                yield result.result()

    def load(self, days: Sequence[date], **options: Any) -> Loaded:
        """Load the days whose tables passed, and make their marts; `options` are those of `load_days`."""
        include_tax = {"yes": True, "no": False}.get(self.prices_include_tax or "")
        facts = WarehouseSettings(self.instance.timezone, self.instance.first_day, include_tax, self.quantity_attribute)
        given = {"storage_version": self.storage_version, "settings": facts, **options}
        return load_passed(self.root, days, self.contract, self.marts, **given)

    def export_lake(self, days: Sequence[date], lake: str) -> LakeReport:
        """Replace the days in the Delta tables below `lake`, a folder or an address such as s3://bucket/orders."""
        return export_days(self.root, days, lake, contract=self.contract, marts=self.marts)

    def run(self, first: date, last: date, **options: Any) -> RunReport:
        """List orders, then fetch, flatten and load the days from first to last; `options` are those of `refresh`."""
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        listing = self.sync()
        refreshed = list(self.refresh(days, **options))
        built = list(self.build(days))
        return RunReport(listing, refreshed, built, self.load(days))

    def replay(self, days: Sequence[date]) -> Loaded:
        """Make the tables of landed days again and load them, without asking the shop."""
        for _ in self.build(days):
            pass
        return self.load(days)

    def forget(self, customer: int) -> Mapping[date, int]:
        """Take a customer's personal data out of everything stored; stored versions rewritten, by day.

        The warehouse is made from scratch: a database keeps what was deleted in unused blocks.
        """
        forgetting = forget(self.root, customer, self.contract)
        if forgetting.days:
            self.replay(sorted(forgetting.days))
            self.load(passed_days(self.root), fresh=True)
        return forgetting.days

    def read_table(self, table: str, start: Day | None = None, end: Day | None = None, **options: Any) -> pd.DataFrame:
        """The rows of a table of the contract, as `order_assets.read_table` gives them."""
        found: pd.DataFrame = read_table(table, start, end, data_root=self.root, contract=self.contract, **options)
        return found


def _client_of(settings: Settings) -> AbstractContextManager[OmnitronClient]:
    def secret(value: Any) -> str:
        return value.get_secret_value() if value else ""

    return open_client(
        settings.url or "",
        token=secret(settings.token),
        username=secret(settings.username),
        password=secret(settings.password),
        requests_per_second=settings.requests_per_second or 0,
        max_concurrency=settings.max_concurrency,
        budget_directory=str(settings.budget_directory or ""),
        budget=secret(settings.budget),
        api=settings.api or "",
        quiet_hours=settings.quiet_hours,
    )


def _fetch(
    client: OmnitronClient,
    validator: Validator,
    forgotten: Callable[[], frozenset[int]],
    orders: Iterable[ListedOrder],
) -> Iterator[Attempt]:
    """Fetch and check orders in the client's threads, as they complete."""

    def fetch(order: ListedOrder) -> dict[str, Any]:
        wanted = [document for document in validator.documents if document.is_of(order.date_placed)]
        documents = client.order_documents(order.pk, wanted)
        # Asked for each order: somebody may be forgotten while a long backfill runs.
        return receive(validator, order, documents, forgotten())

    for outcome in client.map_concurrently(fetch, orders):
        error = None if outcome.error is None else str(outcome.error)
        misfit = None
        if isinstance(outcome.error, OmnitronMisfitError):
            misfit = misfit_row(validator, outcome.item, outcome.error.document, str(outcome.error))
        yield Attempt(outcome.item, outcome.value, error, misfit)
