"""What the definitions of one shop are made from: its contract, marts and days, and the names that are its own.

Two shops live in one Dagster instance, and in one `Definitions`, when each has a name: keys, pools, jobs, schedules,
sensors, groups and resources are prefixed with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.contract import Contract, Table
from order_assets.contract.shape import contract_version
from order_assets.defs.keys import (
    lake_key,
    mart_key,
    order_documents_key,
    order_index_key,
    report_key,
    table_key,
    warehouse_key,
)
from order_assets.warehouse.marts import Mart, Marts
from order_assets.warehouse.marts.mart import SCHEMA
from order_assets.warehouse.marts.mart_facts import MartFacts, mart_facts

if TYPE_CHECKING:
    from order_assets.defs.alerts import AlertResource
    from order_assets.defs.resources import (
        ContractResource,
        DataRootResource,
        OmnitronResource,
        PrivacyResource,
        SyncRulesResource,
    )
    from order_assets.pipeline.pipeline import Pipeline

OMNITRON, CONTRACT_POLICY, PRIVACY, DATA_ROOT, SYNC_RULES = "omnitron", "contract", "privacy", "data_root", "sync_rules"
ALERT = "alert"
API_POOL, WAREHOUSE_POOL = "omnitron_api", "warehouse_writer"


@dataclass(frozen=True)
class Shop:
    """One shop's contract, marts and days; `name` is empty where there is only one."""

    contract: Contract
    marts: Marts
    days: dg.DailyPartitionsDefinition
    name: str = ""
    # Of the user's own assets those that can be made with the shop's days.
    own_assets: tuple[dg.AssetKey, ...] = ()
    # Where it is kept what loading the definitions would derive each time.
    cache: Path | None = None

    @cached_property
    def contract_version(self) -> str:
        """The version of the contract."""
        return contract_version(self.contract)

    @cached_property
    def facts(self) -> Mapping[str, MartFacts]:
        """What is derived from the SQL of the marts, by mart."""
        return mart_facts(self.marts, self.contract, cache=self.cache)

    @cached_property
    def marts_by_key(self) -> Mapping[dg.AssetKey, Mart]:
        """The marts by the keys of their assets."""
        return {self.mart(mart.name): mart for mart in self.marts}

    def named(self, name: str) -> str:
        """A name that is this shop's: of a job, a pool, a group, a resource."""
        return f"{self.name}_{name}" if self.name else name

    @property
    def order_index(self) -> dg.AssetKey:
        """The key of the list of orders."""
        return order_index_key(self.name)

    @property
    def order_documents(self) -> dg.AssetKey:
        """The key of the landed documents."""
        return order_documents_key(self.name)

    @property
    def report(self) -> dg.AssetKey:
        """The key of the report."""
        return report_key(self.name)

    def table(self, table: Table | str) -> dg.AssetKey:
        """The key of a table's Parquet files."""
        return table_key(table, self.name)

    def warehouse(self, name: str) -> dg.AssetKey:
        """The key of a table of the warehouse."""
        return warehouse_key(name, self.name)

    def lake(self, name: str) -> dg.AssetKey:
        """The key of the copy of a table or mart in the lake."""
        return lake_key(name, self.name)

    def mart(self, name: str) -> dg.AssetKey:
        """The key of a mart."""
        return mart_key(name, self.name)

    def place(self, schema: str, table: str) -> dg.AssetKey:
        """The key of what a SELECT names as a table of a schema, `orders` or `marts`."""
        return self.mart(table) if schema == SCHEMA else self.warehouse(table)

    @property
    def api_pool(self) -> str:
        """The pool of what asks the shop."""
        return self.named(API_POOL)

    @property
    def warehouse_pool(self) -> str:
        """The pool of what writes the warehouse."""
        return self.named(WAREHOUSE_POOL)

    def tags(self, layer: str, *, personal: bool = False) -> dict[str, str]:
        """What an asset is found by: its layer, its shop where there are several, and `pii` for data of persons."""
        return {"layer": layer, **({"shop": self.name} if self.name else {}), **({"pii": "yes"} if personal else {})}

    @cached_property
    def personal_columns(self) -> frozenset[tuple[str, str]]:
        """The columns (table, column) of the contract with data of persons, tokens or not."""
        return frozenset(
            (table.name, column.name) for table in self.contract for column in table.columns if column.personal
        )

    def needs(self, *resources: str) -> set[str]:
        """The keys of these resources."""
        return set(map(self.named, resources))

    def resources(self, context: Any) -> Resources:
        """The shop's resources, as a context of Dagster gives them."""
        return Resources(context.resources, self)


@dataclass(frozen=True)
class Resources:
    """The resources of a shop, by what they are; only what was named as needed is there."""

    _given: Any
    _shop: Shop

    @property
    def omnitron(self) -> OmnitronResource:
        """The shop's API."""
        return self._get(OMNITRON)  # type: ignore[no-any-return]

    @property
    def contract(self) -> ContractResource:
        """What happens when orders are not as the contract says."""
        return self._get(CONTRACT_POLICY)  # type: ignore[no-any-return]

    @property
    def privacy(self) -> PrivacyResource:
        """The privacy settings."""
        return self._get(PRIVACY)  # type: ignore[no-any-return]

    @property
    def data_root(self) -> DataRootResource:
        """Where the data is."""
        return self._get(DATA_ROOT)  # type: ignore[no-any-return]

    @property
    def alert(self) -> AlertResource:
        """Where alerts go."""
        return self._get(ALERT)  # type: ignore[no-any-return]

    @property
    def sync_rules(self) -> SyncRulesResource:
        """How everything is kept up to date."""
        return self._get(SYNC_RULES)  # type: ignore[no-any-return]

    def pipeline(self, *resources: str) -> Pipeline:
        """The shop's pipeline, with these of its resources beside the data root. Raises `DataRootError`."""
        from order_assets.defs.resources import pipeline_of

        names = {OMNITRON: "omnitron", PRIVACY: "privacy", SYNC_RULES: "sync_rules", CONTRACT_POLICY: "policy"}
        given = {names[name]: self._get(name) for name in resources}
        return pipeline_of(self._shop.contract, self._shop.marts, self.data_root, **given)

    def _get(self, name: str) -> Any:
        return getattr(self._given, self._shop.named(name))
