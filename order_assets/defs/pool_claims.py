"""Takes places in pools back from runs of the command whose process is gone.

Dagster frees the places of a run that ends; a run that was killed never ends by itself, and without a daemon nobody
notices. The next run would wait for ever.
"""

from __future__ import annotations

import dagster as dg

from order_assets.core.processes import is_gone
from order_assets.defs.shop_names import API_POOL, WAREHOUSE_POOL

# The UI hides tags that begin like this.
PROCESS_TAG = ".dagster/order_assets_process"
_FORMER_TAG = "order_assets/process"


def release_places_of_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Free what dead runs hold and end them; gives the ids of the runs that hold places and live."""
    living: list[str] = []
    for run_id in _holders(instance):
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            if not is_gone(run.tags.get(PROCESS_TAG) or run.tags.get(_FORMER_TAG)):
                living.append(run_id)
                continue
            instance.report_run_failed(run, "The process of the run is gone; what it had fetched is kept.")
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return living


def _holders(instance: dg.DagsterInstance) -> set[str]:
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return set()
    found: set[str] = set()
    for pool in storage.get_concurrency_keys():
        # Those of a shop that has a name end like this too.
        if not pool.endswith((API_POOL, WAREHOUSE_POOL)):
            continue
        info = storage.get_concurrency_info(pool)
        found |= info.active_run_ids | info.assigned_run_ids | info.pending_run_ids
    return found
