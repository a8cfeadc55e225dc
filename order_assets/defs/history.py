"""Makes Dagster's SQLite history quick enough for days with two hundred events each.

How is said in `sqlite_history`; no row and no file becomes another one. Other storages (Postgres, a service) are left
alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg

# Dagster hands over the events of a range of days in batches of this size, where this variable asks it to.
_BATCH_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
_BATCH = "1000"


def keep_history_open(instance: dg.DagsterInstance) -> None:
    """Write the instance's event log the quick way in this process; does nothing where it is not in SQLite files."""
    from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

    storage = instance.event_log_storage
    if type(storage) is SqliteEventLogStorage:
        from order_assets.defs.sqlite_history import QuickHistory

        quick = QuickHistory(storage._base_dir, storage.inst_data)
        quick.register_instance(instance)
        vars(instance)["_event_storage"] = quick
        os.environ.setdefault(_BATCH_VARIABLE, _BATCH)


@contextmanager
def written_together(instance: dg.DagsterInstance) -> Iterator[None]:
    """Write the events that this thread reports inside the block in few transactions, at its end at the latest.

    Whoever reads in this thread finds them. A kill inside the block can lose them. Without SQLite files a plain block.
    """
    together: Any = getattr(instance.event_log_storage, "together", None)
    if together is None:
        yield
        return
    with together():
        yield
