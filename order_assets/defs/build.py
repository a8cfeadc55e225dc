"""Puts the definitions together from settings; tests and other projects build their own variants here."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import dagster as dg

from order_assets.defs.alerts import AlertResource, alert_sensor
from order_assets.defs.automation import (
    changed_days_sensor,
    read_again_schedule,
    refuse_times_that_never_come,
    sync_index_schedule,
)
from order_assets.defs.documents import order_documents_asset
from order_assets.defs.executor import one_process_executor
from order_assets.defs.index import order_index_asset
from order_assets.defs.jobs import JOBS
from order_assets.defs.partitions import daily_partitions
from order_assets.defs.purge import purge_sensor
from order_assets.defs.rebuild import rebuild_warehouse_job
from order_assets.defs.report import WRITE_REPORT, report_asset
from order_assets.defs.resources import (
    ContractResource,
    DataRootResource,
    OmnitronResource,
    PrivacyResource,
    SyncRulesResource,
    resource_from,
)
from order_assets.defs.tables import tables_assets
from order_assets.defs.warehouse import warehouse_assets
from order_assets.settings import Settings, from_environment


def build_definitions(
    settings: Settings | None = None, resources: Mapping[str, object] | None = None
) -> dg.Definitions:
    """All definitions for these settings, by default those of the environment.

    `resources` replace the ones made from the settings, by name. Raises `SettingsError`.
    """
    settings = settings or from_environment()
    refuse_times_that_never_come(settings)
    with warnings.catch_warnings():
        # Checks per day are a preview and backfill policies a beta of Dagster; the pinned line of releases has them.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _definitions(settings, resources or {})


def _definitions(settings: Settings, resources: Mapping[str, object]) -> dg.Definitions:
    timezone = settings.timezone.key
    days = daily_partitions(settings.first_day, timezone)
    index = order_index_asset(sandbox=settings.uses_sandbox)
    documents = order_documents_asset(days)
    tables = tables_assets(days)
    warehouse = warehouse_assets(days)
    return dg.Definitions(
        assets=[index, documents, tables, warehouse, report_asset()],
        jobs=[*JOBS, rebuild_warehouse_job(), WRITE_REPORT],
        schedules=[
            sync_index_schedule(settings.sync_cron, timezone, settings.quiet_hours),
            read_again_schedule(
                days,
                settings.nightly_cron,
                timezone,
                settings.quiet_hours,
                settings.requests_per_second,
            ),
        ],
        sensors=[
            changed_days_sensor(days, settings.quiet_hours, settings.requests_per_second),
            alert_sensor(),
            purge_sensor(settings.keep_runs_days),
        ],
        resources={**_resources(settings), **resources},
        # Few steps, each busy inside: in one process they start at once. A step that failed for one day must not
        # hold back the days that it finished, so a step starts when its inputs are there.
        executor=one_process_executor.configured({"step_dependency_config": {"require_upstream_step_success": False}}),
    )


def _resources(settings: Settings) -> dict[str, object]:
    return {
        "omnitron": resource_from(OmnitronResource, settings),
        "privacy": resource_from(PrivacyResource, settings),
        "contract": ContractResource(),
        "alert": resource_from(AlertResource, settings),
        "sync_rules": resource_from(SyncRulesResource, settings),
        "data_root": resource_from(DataRootResource, settings),
    }
