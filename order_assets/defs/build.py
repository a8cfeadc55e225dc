"""Puts the definitions together from settings, a contract and marts; other projects build theirs here."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from order_assets.contract import CONTRACT, Contract
from order_assets.defs.alerts import AlertResource, alert_sensor
from order_assets.defs.assets.lake_assets import lake_assets
from order_assets.defs.assets.order_documents import order_documents_asset
from order_assets.defs.assets.order_index import order_index_asset
from order_assets.defs.assets.report_asset import report_asset
from order_assets.defs.assets.table_assets import tables_assets
from order_assets.defs.assets.warehouse_assets import warehouse_assets
from order_assets.defs.automation import (
    changed_days_sensor,
    read_again_schedule,
    refuse_times_that_never_come,
    sync_index_schedule,
)
from order_assets.defs.executor import EXECUTOR
from order_assets.defs.jobs import jobs_of
from order_assets.defs.partitions import daily_partitions
from order_assets.defs.rebuild import rebuild_warehouse_job
from order_assets.defs.resources import (
    ContractResource,
    DataRootResource,
    OmnitronResource,
    PrivacyResource,
    SyncRulesResource,
    resource_from,
)
from order_assets.defs.run_retention import purge_sensor
from order_assets.defs.shop_names import ALERT, CONTRACT_POLICY, DATA_ROOT, OMNITRON, PRIVACY, SYNC_RULES, Shop
from order_assets.settings import Settings, SettingsError, prefix, read_settings, state_folder
from order_assets.warehouse.marts import MARTS, Mart, Marts

_SHOP_NAME = re.compile(r"[a-z][a-z0-9_]*")


def build_definitions(
    settings: Settings | None = None,
    resources: Mapping[str, object] | None = None,
    *,
    contract: Contract = CONTRACT,
    marts: tuple[Mart, ...] = MARTS,
    shop: str = "",
    assets: Iterable[Any] = (),
    checks: Iterable[Any] = (),
    jobs: Iterable[Any] = (),
    schedules: Iterable[Any] = (),
    sensors: Iterable[Any] = (),
) -> dg.Definitions:
    """All definitions for these settings, by default those of the environment.

    `contract` and `marts` are what an order is and what is made from it: `CONTRACT.with_columns(...)`,
    `MARTS + load_marts(folder)`. `assets` and the others are a user's own, downstream of ours; the jobs, and with them
    the command, make own assets of the same days or of none. `resources` replace the ones made from the settings, by
    name.

    `shop` prefixes keys, pools, jobs, schedules, sensors, groups and resources, so that several shops live in one
    Dagster instance; `read_settings` says which variables are its own. Raises `SettingsError`, and `MartError` for
    marts that cannot be made from the contract.
    """
    if shop and not _SHOP_NAME.fullmatch(shop):
        raise SettingsError(f"a shop cannot be called {shop!r}: take small letters, digits and _, such as tr")
    settings = settings or read_settings(shop=shop)
    refuse_times_that_never_come(settings)
    own = [*assets]
    with warnings.catch_warnings():
        # Checks per day are a preview and backfill policies a beta of Dagster; the pinned line of releases has them.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        days = daily_partitions(settings.first_day, settings.timezone.key)
        # Of this machine and no data: with the shops' budgets, else with the data.
        kept = state_folder(os.environ) or settings.data_root
        of = Shop(contract, Marts(marts).checked(contract), days, shop, _made_with_days(own, days), kept)
        found = {**_resources(settings, of), **(resources or {}), of.named("shop"): of}
        ours = _definitions(settings, of, found)
    others = dg.Definitions(
        assets=own, asset_checks=[*checks], jobs=[*jobs], schedules=[*schedules], sensors=[*sensors], resources=found
    )
    return dg.Definitions.merge(ours, others)


def _definitions(settings: Settings, shop: Shop, resources: Mapping[str, object]) -> dg.Definitions:
    warehouse = warehouse_assets(shop)
    tables = tables_assets(shop)
    lake = [lake_assets(shop, settings.lake)] if settings.lake else []
    jobs = jobs_of(shop, [*tables.keys, *warehouse.keys, *(key for copies in lake for key in copies.keys)])
    timezone, quiet, rate = settings.timezone.key, settings.quiet_hours, settings.requests_per_second
    index = order_index_asset(shop, sandbox=settings.uses_sandbox)
    return dg.Definitions(
        assets=dg.with_source_code_references(
            [index, order_documents_asset(shop), tables, warehouse, report_asset(shop), *lake]
        ),
        jobs=[*jobs.all(), rebuild_warehouse_job(shop)],
        schedules=[
            sync_index_schedule(shop, jobs, settings.sync_cron, timezone, quiet),
            read_again_schedule(shop, jobs, settings.nightly_cron, timezone, quiet, rate),
        ],
        sensors=[
            changed_days_sensor(shop, jobs, quiet, rate),
            alert_sensor(shop),
            purge_sensor(settings.keep_runs_days, shop.named),
        ],
        resources=resources,
        executor=EXECUTOR,
    )


def _resources(settings: Settings, shop: Shop) -> dict[str, object]:
    before = prefix(shop.name)
    found: dict[str, object] = {
        OMNITRON: resource_from(OmnitronResource, settings, before),
        PRIVACY: resource_from(PrivacyResource, settings, before),
        CONTRACT_POLICY: ContractResource(),
        ALERT: resource_from(AlertResource, settings, before),
        SYNC_RULES: resource_from(SyncRulesResource, settings, before),
        DATA_ROOT: resource_from(DataRootResource, settings, before),
    }
    return {shop.named(name): resource for name, resource in found.items()}


def _made_with_days(assets: Iterable[Any], days: dg.PartitionsDefinition) -> tuple[dg.AssetKey, ...]:
    """The assets that a run over days can make: those of the same days, and those that have none."""
    made = [
        asset for asset in assets if isinstance(asset, dg.AssetsDefinition) and asset.partitions_def in (None, days)
    ]
    return tuple(key for asset in made for key in asset.keys)
