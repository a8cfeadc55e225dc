"""Dagster's SQLite event log, the same rows in the same files, written with a tenth of the work.

Dagster 1.13 makes a new SQLAlchemy engine for each event, looks up which tables and columns there are, serialises
the event two or three times and commits two or three times; a day has 170 events. Here engines stay open, and events
that come together are written together. `dagster.yaml` names the class as the event log storage of an instance; it is
no use for Postgres or a service, which have storages of their own.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as db
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS, DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy.pool import StaticPool

from order_assets.defs.check_records import evaluate, plan

# Dagster hands over the events of a range of days in batches of this size, where this variable asks it to.
_BATCH_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
_BATCH = "1000"

# The index and the runs that a process writes at a time; a file handle each.
_MOST_SHARDS = 8
# Events that wait to be written, a few kB each: what a kill can cost inside `together`.
_MOST_HELD = 500

_EVENTS = SqlEventLogStorageTable
_MIRRORED = ASSET_EVENTS | ASSET_CHECK_EVENTS
_PLANNED = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
_EVALUATED = DagsterEventType.ASSET_CHECK_EVALUATION

_INSERT = _EVENTS.insert()
_INSERT_GIVING_IDS = _EVENTS.insert().returning(_EVENTS.c.id, sort_by_parameter_order=True)


class BatchedEventLog(SqliteEventLogStorage):
    """The event log of an instance in SQLite files; threads may share it."""

    def __init__(self, base_dir: str | None = None, inst_data: Any = None) -> None:
        self._engines: OrderedDict[str, Any] = OrderedDict()
        self._here = threading.local()
        # Without a folder the instance's is taken, once it is known.
        self._is_ready, self._given = base_dir is not None, inst_data
        if base_dir is not None:
            super().__init__(base_dir, inst_data)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        """Take the folder in which Dagster's own event log of the instance would be, also of a temporary instance."""
        if not self._is_ready:
            self._is_ready = True
            super().__init__(str(Path(instance.root_directory) / "history" / "runs"), self._given)
        super().register_instance(instance)

    @property
    def inst_data(self) -> Any:
        """What `dagster.yaml` says of this storage."""
        return self._given

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """The configuration in `dagster.yaml`: there is none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> BatchedEventLog:  # noqa: ARG003
        """The event log of an instance that is being made."""
        os.environ.setdefault(_BATCH_VARIABLE, _BATCH)
        return cls(inst_data=inst_data)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write the events that this thread stores inside the block in few transactions, at its end at the latest.

        Whatever this thread reads in between has them. A killed process loses those that were not written yet.
        """
        if getattr(self._here, "held", None) is not None:
            yield
            return
        self._here.held = []
        try:
            yield
        finally:
            try:
                self._write_held()
            finally:
                self._here.held = None

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, or keep it for the end of the block."""
        held = getattr(self._here, "held", None)
        if not _is_plain(event):
            self._write_held()
            super().store_event(event)
        elif held is None:
            self._write([event])
        else:
            held.append(event)
            if len(held) >= _MOST_HELD:
                self._write_held()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction, those of each run."""
        self._write_held()
        waiting: list[EventLogEntry] = []
        for event in events:
            if waiting and (waiting[0].run_id != event.run_id or not _is_plain(event)):
                self._write(waiting)
                waiting = []
            if _is_plain(event):
                waiting.append(event)
            else:
                super().store_event(event)
        if waiting:
            self._write(waiting)

    def wipe(self) -> None:
        """Remove everything."""
        self._close_engines()
        super().wipe()

    def delete_events(self, run_id: str) -> None:
        """Remove the events of a run."""
        super().delete_events(run_id)
        self._close_engines()

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        self._close_engines()

    def _write_held(self) -> None:
        held: list[EventLogEntry] | None = getattr(self._here, "held", None)
        if held:
            self._here.held = []
            self.store_event_batch(held)

    def _write(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run: into the run's file, and those that are asked for across runs into the index."""
        rows = [self._event_to_row(event) for event in events]
        mirrored = [place for place, event in enumerate(events) if event.dagster_event_type in _MIRRORED]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(_INSERT, rows)
        if not mirrored:
            return
        with self.index_connection() as connection:
            found = connection.execute(_INSERT_GIVING_IDS, [rows[place] for place in mirrored])
            ids = dict(zip(mirrored, found.scalars().all(), strict=True))
            kinds = {place: events[place].dagster_event_type for place in mirrored}
            of_assets = [place for place, kind in kinds.items() if kind in ASSET_EVENTS and rows[place]["asset_key"]]
            self._store_assets(connection, {ids[place]: events[place] for place in of_assets})
            stored = {place: (rows[place], ids[place], events[place]) for place in mirrored}
            plan(connection, [stored[place] for place, kind in kinds.items() if kind == _PLANNED])
            evaluate(connection, [stored[place] for place, kind in kinds.items() if kind == _EVALUATED])

    def _store_assets(self, connection: Any, events: Mapping[int, EventLogEntry]) -> None:
        """What the index knows of assets: tags of events, and the last of each kind of event of each asset."""
        if not events:
            return
        self._store_asset_event_tags(connection, list(events.values()), list(events))
        last: dict[tuple[str, object], tuple[int, EventLogEntry]] = {}
        for number, event in events.items():
            key = (event.get_dagster_event().asset_key.to_string(), event.dagster_event_type)  # type: ignore[union-attr]
            last.pop(key, None)
            last[key] = number, event
        has_times = self._has_asset_key_index_cols_on_connection(connection)
        known: dict[str, dict[str, Any]] = {}
        for (asset, _), (number, event) in last.items():
            known.setdefault(asset, {}).update(self._get_asset_entry_values(event, number, has_times))
        for asset, values in known.items():
            if values:
                changed = connection.execute(
                    AssetKeyTable.update().values(**values).where(AssetKeyTable.c.asset_key == asset)
                )
                if not changed.rowcount:
                    connection.execute(AssetKeyTable.insert().values(asset_key=asset, **values))

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Any]:
        # A reader in this thread has to find what it stored before.
        self._write_held()
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Any:
        engine = self._engines.pop(shard, None)
        if engine is None:
            engine = db.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=StaticPool,
                # The lock of the storage lets one thread at a time in.
                connect_args={"timeout": 60, "check_same_thread": False},
            )
            with engine.connect() as connection:
                # With a write-ahead log this is safe against a killed process; one sync per commit is not needed.
                connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
        self._engines[shard] = engine
        if len(self._engines) > _MOST_SHARDS:
            _, oldest = self._engines.popitem(last=False)
            oldest.dispose()
        return engine

    def _close_engines(self) -> None:
        with self._db_lock:
            while self._engines:
                _, engine = self._engines.popitem()
                engine.dispose()


def _is_plain(event: EventLogEntry) -> bool:
    """Whether storing an event is inserting rows and no more; a change of the status of a run is more."""
    return not event.is_dagster_event or event.dagster_event_type not in EVENT_TYPE_TO_PIPELINE_RUN_STATUS
