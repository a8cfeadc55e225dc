"""The history is written the quick way, and nobody who reads it can tell."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
)
from dagster._core.definitions.partitions.subset import DefaultPartitionsSubset
from dagster._core.events import (
    AssetMaterializationPlannedData,
    AssetObservationData,
    DagsterEvent,
    DagsterEventType,
    StepMaterializationData,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from order_assets.defs.event_log import BatchedEventLog
from order_assets.defs.reporting import written_together

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")
ORDERS, ITEMS = dg.AssetKey(["tables", "orders"]), dg.AssetKey(["tables", "order_items"])
RUN = "run-1"


def entry(number: int, kind: DagsterEventType, data: object = None, run: str = RUN) -> EventLogEntry:
    event = DagsterEvent(kind.value, "refresh_days", step_key="tables", event_specific_data=data, message="said")  # type: ignore[arg-type]
    return EventLogEntry(None, 20, "", run, 1_772_000_000.0 + number, "tables", "refresh_days", event)


def evaluation(asset: dg.AssetKey, check: str, day: str | None, *, passed: bool = True) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(asset_key=asset, check_name=check, passed=passed, metadata={}, partition=day)


def events() -> Iterator[EventLogEntry]:
    """What a run over three days writes, and some that a run of ours does not."""
    data: list[tuple[DagsterEventType, object]] = [(DagsterEventType.PIPELINE_START, None)]
    for asset in (ORDERS, ITEMS):
        for day in DAYS:
            planned = AssetMaterializationPlannedData(asset, partition=day, partitions_subset=None)
            data.append((DagsterEventType.ASSET_MATERIALIZATION_PLANNED, planned))
    subset = DefaultPartitionsSubset(set(DAYS))
    for check, days in (("conforms", subset), ("alone", None)):
        intended = AssetCheckEvaluationPlanned(asset_key=ORDERS, check_name=check, partitions_subset=days)
        data.append((DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, intended))
    for day in DAYS:
        for asset in (ORDERS, ITEMS):
            made = dg.AssetMaterialization(
                asset, partition=day, metadata={"rows": 5}, tags={"dagster/code_version": "1", "mine": day}
            )
            data.append((DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(made, [])))
        data.append(
            (DagsterEventType.ASSET_CHECK_EVALUATION, evaluation(ORDERS, "conforms", day, passed=day != DAYS[1]))
        )
        data.append((DagsterEventType.ASSET_CHECK_EVALUATION, evaluation(ITEMS, "not planned", day)))
    data.append((DagsterEventType.ASSET_CHECK_EVALUATION, evaluation(ORDERS, "alone", None)))
    data.append((DagsterEventType.ASSET_OBSERVATION, AssetObservationData(dg.AssetObservation(ITEMS))))
    data.append((DagsterEventType.STEP_START, None))
    data.append((DagsterEventType.PIPELINE_SUCCESS, None))
    for number, (kind, value) in enumerate(data):
        yield entry(number, kind, value)
    yield EventLogEntry(None, 20, "a line of the log", RUN, 1_772_000_099.0, "tables", "refresh_days", None)
    yield entry(100, DagsterEventType.ASSET_CHECK_EVALUATION, evaluation(ORDERS, "conforms", DAYS[0]), run="")
    again = dg.AssetMaterialization(ORDERS, partition=DAYS[0])
    yield entry(101, DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(again, []), run="run-2")


def rows(base: Path) -> dict[tuple[str, str], list[tuple[object, ...]]]:
    """All rows of all tables of all files, but for the moments at which SQLite made them."""
    found: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    for file in sorted(base.glob("*.db")):
        with closing(sqlite3.connect(file)) as connection:
            for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                cursor = connection.execute(f'SELECT * FROM "{table}"')
                names = [column[0] for column in cursor.description]
                found[file.name, table] = [
                    tuple(value for name, value in zip(names, row, strict=True) if name not in ("create_timestamp",))
                    for row in cursor.fetchall()
                    if table not in ("secondary_indexes",)
                ]
    return found


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[tuple[object, ...]]]:
    base = tmp_path_factory.mktemp("dagsters-own")
    own = SqliteEventLogStorage(str(base))
    for event in events():
        own.store_event(event)
    return rows(base)


def one_by_one(history: BatchedEventLog, found: Sequence[EventLogEntry]) -> None:
    for event in found:
        history.store_event(event)


def in_one_batch(history: BatchedEventLog, found: Sequence[EventLogEntry]) -> None:
    history.store_event_batch(found)


def in_a_block(history: BatchedEventLog, found: Sequence[EventLogEntry]) -> None:
    with history.together():
        one_by_one(history, found)


@pytest.mark.parametrize("write", [one_by_one, in_one_batch, in_a_block])
def test_the_rows_are_those_that_dagster_itself_writes(
    tmp_path: Path, expected: dict[tuple[str, str], list[tuple[object, ...]]], write: object
) -> None:
    history = BatchedEventLog(str(tmp_path))
    write(history, list(events()))  # type: ignore[operator]
    history.dispose()
    found = rows(tmp_path)
    assert found.keys() == expected.keys()
    assert sum(map(len, expected.values())) > 60
    for place, known in expected.items():
        assert found[place] == known, place


def test_a_reader_finds_what_was_reported_before_in_the_same_block(tmp_path: Path) -> None:
    history = BatchedEventLog(str(tmp_path))
    made = [event for event in events() if event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION]
    with history.together():
        for number, event in enumerate(made[:6], start=1):
            history.store_event(event)
            assert len(history.get_logs_for_run(RUN)) == number
            assert history.get_materialized_partitions(ORDERS)
        check = entry(50, DagsterEventType.ASSET_CHECK_EVALUATION, evaluation(ORDERS, "conforms", DAYS[0]))
        history.store_event(check)
        key = dg.AssetCheckKey(ORDERS, "conforms")
        (record,) = history.get_asset_check_execution_history(key, limit=5)
        assert record.status == AssetCheckExecutionRecordStatus.SUCCEEDED


def test_an_error_inside_a_block_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    history = BatchedEventLog(str(tmp_path))
    (first, *_) = (event for event in events() if event.dagster_event_type == DagsterEventType.STEP_START)

    def report() -> None:
        with history.together():
            history.store_event(first)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        report()
    assert [event.dagster_event_type for event in history.get_logs_for_run(RUN)] == [DagsterEventType.STEP_START]


def _report_two_days_and_die_at_the_third(base: str) -> None:
    made = [event for event in events() if event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION]
    history = BatchedEventLog(base)
    for day in range(3):
        with history.together():
            for event in made[2 * day : 2 * day + 2]:
                history.store_event(event)
            if day == 2:
                os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_keeps_the_days_it_had_reported(tmp_path: Path) -> None:
    killed = multiprocessing.get_context("fork").Process(
        target=_report_two_days_and_die_at_the_third, args=(str(tmp_path),)
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    # Read by Dagster's own storage.
    history = SqliteEventLogStorage(str(tmp_path))
    assert history.get_materialized_partitions(ORDERS) == history.get_materialized_partitions(ITEMS) == set(DAYS[:2])
    assert len(history.get_logs_for_run(RUN)) == 4


def test_an_instance_with_the_settings_of_the_project_writes_in_batches_where_dagster_would_look(
    new_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(new_home, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage) is BatchedEventLog
        with written_together(instance):
            instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, partition=DAYS[0]))
    # Without the settings it is Dagster's own storage that reads.
    (tmp_path / "dagster.yaml").unlink()
    with dg.DagsterInstance.get() as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert instance.get_materialized_partitions(ORDERS) == {DAYS[0]}


def test_a_block_of_events_works_with_any_storage() -> None:
    with dg.DagsterInstance.ephemeral() as instance, written_together(instance):
        instance.report_runless_asset_event(dg.AssetMaterialization(ORDERS, partition=DAYS[0]))
        assert instance.get_materialized_partitions(ORDERS) == {DAYS[0]}
