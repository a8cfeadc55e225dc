"""What runs by itself: it is off at first, asks for exactly the days that are due, and never twice in a row."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from dagster._core.events import EngineEventData

from order_assets.defs import bounded_runs, build_definitions
from order_assets.defs.keys import order_documents_key
from order_assets.defs.run_retention import purge
from order_assets.defs.shop_names import API_POOL
from order_assets.landing import DueDay
from order_assets.settings import read_settings
from order_assets.testing.tampering import answer
from order_assets_tests.defs.conftest import Project


def tick(project: Project, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    definitions = build_definitions(read_settings())
    sensor = definitions.resolve_sensor_def("changed_days")
    resources = {"data_root": definitions.resources["data_root"]} if definitions.resources else {}
    context = dg.build_sensor_context(
        instance=project.instance, cursor=cursor, resources=resources, definitions=definitions
    )
    found = sensor.evaluate_tick(context)
    if found.run_requests:
        return dg.SensorResult(run_requests=found.run_requests, cursor=found.cursor)
    return dg.SkipReason(found.skip_message)


def days_of(result: dg.SensorResult | dg.SkipReason) -> list[tuple[str, str]]:
    assert isinstance(result, dg.SensorResult), result
    found = []
    for request in result.run_requests or []:
        tags = request.tags
        first = request.partition_key or tags["dagster/asset_partition_range_start"]
        found.append((first, request.partition_key or tags["dagster/asset_partition_range_end"]))
    return found


def test_nothing_runs_before_it_is_switched_on(project: Project) -> None:
    definitions = build_definitions(read_settings())
    assert {sensor.default_status for sensor in definitions.sensors or []} == {dg.DefaultSensorStatus.STOPPED}
    assert {schedule.default_status for schedule in definitions.schedules or []} == {dg.DefaultScheduleStatus.STOPPED}


def test_without_an_index_the_sensor_says_what_to_do(project: Project) -> None:
    result = tick(project)
    assert isinstance(result, dg.SkipReason)
    assert "materialise order_index" in (result.skip_message or "")


@pytest.mark.usefixtures("listed")
def test_a_history_that_nobody_asked_for_is_not_launched_and_the_sensor_says_how_to_start(project: Project) -> None:
    result = tick(project)
    assert isinstance(result, dg.SkipReason)
    assert "order-assets run --from DAY --to DAY" in (result.skip_message or "")
    assert f"The list has 8 days, {orders_placed(project, '2026-03-01', '2026-03-08')} orders, about" in (
        result.skip_message or ""
    )


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_days_from_the_first_one_fetched_to_today_are_launched_and_the_older_ones_are_named(project: Project) -> None:
    assert project.refresh("2026-03-07").succeeded
    result = tick(project)
    assert days_of(result) == [("2026-03-08", "2026-03-08")]
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or []
    due = orders_placed(project, "2026-03-08", "2026-03-08")
    assert request.tags["order_assets/costs"].startswith(f"1 day, {due} orders, about {3 * due} requests, 0.0 min")
    assert project.refresh("2026-03-08").succeeded
    older = orders_placed(project, "2026-03-01", "2026-03-06")
    said = tick(project)
    assert isinstance(said, dg.SkipReason)
    assert f"Left out: 6 days, {older} orders, about {3 * older} requests" in (said.skip_message or "")
    assert "before 2026-03-07, the first day fetched here" in (said.skip_message or "")


@pytest.mark.usefixtures("listed")
def test_three_ticks_after_a_few_days_were_fetched_launch_nothing_older_than_the_first_of_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(project, "2026-03-06")
    monkeypatch.setattr(bounded_runs, "_MOST_DAYS", 1)
    cursor, launched = None, []
    for _ in range(3):
        result = tick(project, cursor)
        if isinstance(result, dg.SensorResult):
            cursor = result.cursor
            launched += days_of(result)
    assert launched == [(day, day) for day in ("2026-03-08", "2026-03-07", "2026-03-06")]


@pytest.mark.usefixtures("listed")
def test_a_tick_launches_little_and_the_newest_days_first(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    landed(project, "2026-03-01")
    monkeypatch.setattr(bounded_runs, "_MOST_DAYS", 2)
    first = tick(project)
    assert days_of(first) == [("2026-03-07", "2026-03-08"), ("2026-03-05", "2026-03-06")]
    assert isinstance(first, dg.SensorResult)
    for request in first.run_requests or []:
        asked_for(project, "refresh_days", tags={**request.tags, "dagster/sensor_name": "changed_days"})
    second = tick(project, first.cursor)
    assert isinstance(second, dg.SkipReason)
    assert "4 days wait until a run that this sensor launched is through" in (second.skip_message or "")


def test_a_day_of_very_many_orders_is_a_run_of_its_own() -> None:
    due = [DueDay(date(2026, 3, number), {"new": orders}, "") for number, orders in ((1, 50), (2, 9000), (3, 60))]
    assert [[day.day.day for day in piece.days] for piece in bounded_runs.newest_first(due)] == [[3], [2], [1]]


def test_a_run_that_waits_for_a_pool_can_be_ended_at_once(project: Project) -> None:
    other = asked_for(project, "refresh_days", days=("2026-03-01", "2026-03-01"))
    storage = project.instance.event_log_storage
    storage.initialize_concurrency_limit_to_default(API_POOL)
    storage.claim_concurrency_slot(API_POOL, other.run_id, "order_documents")

    def terminate() -> None:
        """What Dagster does when somebody terminates a run; a run that does not listen gets its place later."""
        while not (waiting := storage.get_concurrency_info(API_POOL).pending_run_ids):
            done.wait(0.1)
        for run_id in waiting:
            project.instance.report_run_canceling(project.instance.get_run_by_id(run_id))
        signal.raise_signal(signal.SIGINT)
        done.wait(6)
        storage.free_concurrency_slots_for_run(other.run_id)

    done = threading.Event()
    user = threading.Thread(target=terminate)
    user.start()
    try:
        project.sync()
    finally:
        done.set()
        user.join()
    assert {run.status for run in project.instance.get_runs(dg.RunsFilter(job_name="sync_index"))} == {
        dg.DagsterRunStatus.CANCELED
    }


def landed(project: Project, day: str) -> None:
    """The day was begun and not one order of it fetched."""
    (project.data / "landing" / f"date={day}").mkdir(parents=True)


def orders_placed(project: Project, first: str, last: str) -> int:
    return sum(first <= row["date_placed"][:10] <= last for row in project.sandbox.shop.flat_orders())


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_changed_orders_become_exactly_the_days_that_they_touch(project: Project) -> None:
    assert isinstance(tick(project), dg.SkipReason)
    shop = project.sandbox.shop
    before = {order["pk"]: order for order in shop.flat_orders()}
    project.sandbox.set_now(shop.now().replace(hour=18))
    after = {order["pk"]: order for order in project.sandbox.shop.flat_orders()}
    touched = {
        order["date_placed"][:10]
        for pk, order in after.items()
        if pk not in before or before[pk]["modified_date"] != order["modified_date"]
    }
    assert touched
    assert len(touched) < 8
    project.sync()
    result = tick(project)
    asked: set[str] = set()
    for start, end in days_of(result):
        span = date.fromisoformat(end).toordinal() - date.fromisoformat(start).toordinal()
        asked |= {date.fromordinal(date.fromisoformat(start).toordinal() + n).isoformat() for n in range(span + 1)}
    assert asked == touched
    assert isinstance(result, dg.SensorResult)
    assert all(
        "changed" in request.tags["order_assets/why"] or "new" in request.tags["order_assets/why"]
        for request in result.run_requests or []
    )


@pytest.mark.usefixtures("listed")
def test_a_day_that_stays_due_is_not_asked_for_at_every_tick(project: Project) -> None:
    landed(project, "2026-03-07")
    first = tick(project)
    assert isinstance(first, dg.SensorResult)
    second = tick(project, first.cursor)
    assert isinstance(second, dg.SkipReason)
    assert "asked for" in (second.skip_message or "")


def schedule_tick(project: Project, name: str) -> ScheduleExecutionData:
    definitions = build_definitions(read_settings())
    wanted = ("data_root", "sync_rules", "omnitron", "contract", "privacy")
    resources = {key: (definitions.resources or {})[key] for key in wanted}
    context = dg.build_schedule_context(
        instance=project.instance, resources=resources, repository_def=definitions.get_repository_def()
    )
    return definitions.resolve_schedule_def(name).evaluate_tick(context)


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_the_nightly_schedule_asks_for_the_days_that_are_not_complete_and_no_others(project: Project) -> None:
    rows = project.sandbox.shop.flat_orders()
    days = ("2026-03-02", "2026-03-04")
    for day in days:
        bad = next(row["pk"] for row in rows if row["date_placed"].startswith(day))
        project.tampered.rules.append(answer(f"/orders_integration/{bad}/", 409, '{"detail": "locked"}'))
    assert not project.refresh("2026-03-02", "2026-03-04").succeeded
    requests = schedule_tick(project, "read_again_nightly").run_requests or []
    assert [(request.partition_key, request.tags["order_assets/why"]) for request in requests] == [
        (day, "1 pending") for day in reversed(days)
    ]


def what_lies(project: Project) -> set[str]:
    """The files of the history and the data root."""
    return {path.relative_to(project.root).as_posix() for path in project.root.rglob("*") if path.is_file()}


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_five_syncs_that_find_nothing_leave_no_run_and_no_file_and_the_index_says_when_it_was_asked(
    project: Project,
) -> None:
    project.sync()
    runs, files = project.instance.get_runs_count(), what_lies(project)
    index = project.data / "index" / "index.json"
    times = [index.stat().st_mtime_ns]
    for _ in range(5):
        tick = schedule_tick(project, "sync_index_regularly")
        assert not tick.run_requests
        assert (tick.skip_message or "").startswith(f"nothing is new: {len(project.sandbox.shop.flat_orders())} orders")
        times.append(index.stat().st_mtime_ns)
    assert (project.instance.get_runs_count(), what_lies(project)) == (runs, files)
    assert times == sorted(set(times))


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_a_sync_that_would_find_something_becomes_a_run_that_finds_it(project: Project) -> None:
    project.sync()
    before = (project.data / "index" / "index.json").read_bytes()
    project.sandbox.set_now(project.sandbox.shop.now().replace(hour=18))
    (request,) = schedule_tick(project, "sync_index_regularly").run_requests or []
    assert "orders new" in request.tags["order_assets/why"]
    assert (project.data / "index" / "index.json").read_bytes() == before
    assert project.sync().days["order_index"][""]["orders_new"] > 0


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_a_check_of_the_index_that_would_say_something_else_becomes_a_run(project: Project) -> None:
    bad = next(row for row in project.sandbox.shop.flat_orders() if row["date_placed"].startswith("2026-03-04"))
    project.tampered.rules.append(answer(f"/orders_integration/{bad['pk']}/", 409, '{"detail": "locked"}'))
    assert not project.refresh(bad["date_placed"][:10]).succeeded
    tick = schedule_tick(project, "sync_index_regularly")
    assert tick.run_requests, tick.skip_message
    (request,) = tick.run_requests
    assert "no_day_failed_or_pending" in request.tags["order_assets/why"]
    project.sync()
    assert not schedule_tick(project, "sync_index_regularly").run_requests


@pytest.mark.usefixtures("listed")
def test_an_error_is_said_by_the_tick_and_one_that_stays_becomes_a_run_that_fails(project: Project) -> None:
    project.tampered.rules.append(answer("/orders/", 403, '{"detail": "not allowed"}'))
    tick = schedule_tick(project, "sync_index_regularly")
    assert not tick.run_requests
    assert "asked again at the next tick: " in (tick.skip_message or "")
    index = project.data / "index" / "index.json"
    hours_ago = time.time() - 2 * 3600
    os.utime(index, (hours_ago, hours_ago))
    (request,) = schedule_tick(project, "sync_index_regularly").run_requests or []
    assert "for an hour or more no sync was well" in request.tags["order_assets/why"]


def test_a_sync_that_waits_or_runs_is_not_asked_for_again(project: Project) -> None:
    assert len(schedule_tick(project, "sync_index_regularly").run_requests or []) == 1
    run = asked_for(project, "sync_index")
    data = schedule_tick(project, "sync_index_regularly")
    assert not data.run_requests
    assert run.run_id in (data.skip_message or "")
    project.instance.report_run_canceled(run)
    assert len(schedule_tick(project, "sync_index_regularly").run_requests or []) == 1


@pytest.mark.usefixtures("listed")
def test_days_of_a_run_from_the_ui_are_left_to_it(project: Project) -> None:
    landed(project, "2026-03-01")
    asked_for(project, "__ASSET_JOB", asset=order_documents_key(), days=("2026-03-03", "2026-03-05"))
    asked_for(project, "__ASSET_JOB", asset=dg.AssetKey(["warehouse", "orders"]), days=("2026-03-07", "2026-03-08"))
    assert days_of(tick(project)) == [("2026-03-06", "2026-03-08"), ("2026-03-01", "2026-03-02")]
    asked_for(project, "refresh_days", days=("2026-03-01", "2026-03-08"))
    result = tick(project)
    assert isinstance(result, dg.SkipReason)
    assert "under way" in (result.skip_message or "")


@pytest.mark.usefixtures("listed")
def test_a_run_that_went_down_with_its_machine_ends_and_leaves_its_pool(project: Project) -> None:
    landed(project, "2026-03-01")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runs = {
        "dead": started(project, gone.pid, time.time()),
        "number taken by another": started(project, os.getpid(), time.time() - 86_400),
        "lives": started(project, os.getpid(), time.time()),
    }
    project.instance.event_log_storage.claim_concurrency_slot(API_POOL, runs["dead"].run_id, "order_documents")
    # Dagster may launch them again itself, so their days are left out once more.
    assert isinstance(tick(project), dg.SkipReason)
    status = {name: project.instance.get_run_by_id(run.run_id).status.value for name, run in runs.items()}  # type: ignore[union-attr]
    assert status == {"dead": "FAILURE", "number taken by another": "FAILURE", "lives": "STARTED"}
    assert project.instance.event_log_storage.get_concurrency_info(API_POOL).active_run_ids == set()
    project.instance.report_run_canceled(runs["lives"])
    assert days_of(tick(project)) == [("2026-03-01", "2026-03-08")]


def asked_for(
    project: Project,
    job_name: str,
    *,
    asset: dg.AssetKey | None = None,
    days: tuple[str, str] | None = None,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.NOT_STARTED,
    tags: dict[str, str] | None = None,
) -> dg.DagsterRun:
    """A run as the daemon finds it, of a job over days; nobody carries it out."""
    span = (
        {"dagster/asset_partition_range_start": days[0], "dagster/asset_partition_range_end": days[1]} if days else {}
    )
    return project.instance.create_run_for_job(
        build_definitions(read_settings()).get_repository_def().get_job(job_name),
        asset_selection=frozenset({asset}) if asset else None,
        tags={**span, **(tags or {})},
        status=status,
    )


def started(project: Project, pid: int, at: float) -> dg.DagsterRun:
    """A run over all days that says to have started as process `pid` at a time (seconds since 1970)."""
    run = asked_for(
        project,
        "refresh_days",
        days=("2026-03-01", "2026-03-08"),
        status=dg.DagsterRunStatus.STARTED,
        tags={".dagster/grpc_info": '{"host": "localhost", "socket": "/tmp/gone"}'},
    )
    said = dg.DagsterEvent(
        event_type_value="ENGINE_EVENT",
        job_name="refresh_days",
        message=f"Started process for run (pid: {pid}).",
        event_specific_data=EngineEventData.in_process(pid),
    )
    entry = dg.EventLogEntry(
        error_info=None,
        level="debug",
        user_message="",
        run_id=run.run_id,
        timestamp=at,
        job_name="refresh_days",
        dagster_event=said,
    )
    project.instance.handle_new_event(entry)
    return run


@pytest.mark.long
def test_old_runs_are_removed_with_their_files_and_no_day_of_an_asset_goes_missing(project: Project) -> None:
    old_sync = project.sync().run_id
    superseded = project.refresh("2026-03-02", "2026-03-03").run_id
    kept = project.refresh("2026-03-05").run_id
    newer = [project.refresh("2026-03-02", "2026-03-03").run_id, project.sync().run_id]
    days = project.materialised(order_documents_key())
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    assert purge(project.instance, datetime.now(UTC) - timedelta(days=1)) == 0
    assert purge(project.instance, in_a_year) == 2
    assert {run.run_id for run in project.instance.get_runs()} == {kept, *newer}
    assert project.materialised(order_documents_key()) == days == {"2026-03-02", "2026-03-03", "2026-03-05"}
    files = what_lies(project)
    assert not [file for file in files if old_sync in file or superseded in file]
    assert [file for file in files if kept in file]
    assert purge(project.instance, in_a_year) == 0
