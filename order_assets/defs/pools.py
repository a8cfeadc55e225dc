"""Takes places in pools back from runs of the command whose process is gone.

Dagster frees the places of a run that ends; a run that was killed never ends by itself, and without a daemon nobody
notices. The next run would wait for ever.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import dagster as dg

from order_assets.defs.index import API_POOL
from order_assets.defs.warehouse import WAREHOUSE_POOL

# The UI hides tags that begin like this.
PROCESS_TAG = ".dagster/order_assets_process"
_FORMER_TAG = "order_assets/process"
_POOLS = (API_POOL, WAREHOUSE_POOL)


def this_process() -> str:
    """Names this process so that another one can tell whether it still lives: host, id and time of start."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def release_places_of_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Free what dead runs hold and end them; gives the ids of the runs that hold places and live."""
    living: list[str] = []
    for run_id in _holders(instance):
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            if not _is_dead(run.tags.get(PROCESS_TAG) or run.tags.get(_FORMER_TAG)):
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
    for pool in _POOLS:
        info = storage.get_concurrency_info(pool)
        found |= info.active_run_ids | info.assigned_run_ids | info.pending_run_ids
    return found


def _is_dead(process: str | None) -> bool:
    """Whether a process that named itself is gone; of one that did not, or of another host, nothing is known."""
    if process is None:
        return False
    host, pid, started = process.rsplit("/", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where the system does not say."""
    try:
        # The name of the program, in brackets, may hold anything; the numbers come after it.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
