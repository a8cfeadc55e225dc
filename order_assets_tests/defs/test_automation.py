"""What runs by itself: it is off at first, asks for exactly the days that are due, and never twice in a row."""

from __future__ import annotations

from datetime import date

import dagster as dg

from order_assets.defs import build_definitions
from order_assets.settings import from_environment
from order_assets_tests.defs.conftest import Project
from order_assets_tests.tampering import answer


def tick(project: Project, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    definitions = build_definitions(from_environment())
    sensor = definitions.resolve_sensor_def("changed_days")
    resources = {"data_root": definitions.resources["data_root"]} if definitions.resources else {}
    context = dg.build_sensor_context(
        instance=project.instance, cursor=cursor, resources=resources, definitions=definitions
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def days_of(result: dg.SensorResult | dg.SkipReason) -> list[tuple[str, str]]:
    assert isinstance(result, dg.SensorResult), result
    found = []
    for request in result.run_requests or []:
        tags = request.tags
        first = request.partition_key or tags["dagster/asset_partition_range_start"]
        found.append((first, request.partition_key or tags["dagster/asset_partition_range_end"]))
    return found


def test_nothing_runs_before_it_is_switched_on(project: Project) -> None:
    definitions = build_definitions(from_environment())
    assert {sensor.default_status for sensor in definitions.sensors or []} == {dg.DefaultSensorStatus.STOPPED}
    assert {schedule.default_status for schedule in definitions.schedules or []} == {dg.DefaultScheduleStatus.STOPPED}


def test_without_an_index_the_sensor_says_what_to_do(project: Project) -> None:
    result = tick(project)
    assert isinstance(result, dg.SkipReason)
    assert "materialise order_index" in (result.skip_message or "")


def test_changed_orders_become_exactly_the_days_that_they_touch(project: Project) -> None:
    project.sync()
    first = tick(project)
    assert days_of(first) == [("2026-03-01", "2026-03-08")]
    assert project.refresh("2026-03-01", "2026-03-08").succeeded
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


def test_a_day_that_stays_due_is_not_asked_for_at_every_tick(project: Project) -> None:
    project.sync()
    first = tick(project)
    assert isinstance(first, dg.SensorResult)
    second = tick(project, first.cursor)
    assert isinstance(second, dg.SkipReason)
    assert "asked for" in (second.skip_message or "")


def test_the_nightly_schedule_asks_for_days_that_are_not_complete(project: Project) -> None:
    project.sync()
    bad = next(order["pk"] for order in project.sandbox.shop.flat_orders() if order["date_placed"] > "2026-03-05")
    day = project.sandbox.shop.flat_order(bad)["date_placed"][:10]
    project.tampered.rules.append(answer(f"/orders_integration/{bad}/", 409, '{"detail": "locked"}'))
    assert not project.refresh(day).succeeded
    definitions = build_definitions(from_environment())
    schedule = definitions.resolve_schedule_def("read_again_nightly")
    resources = {name: (definitions.resources or {})[name] for name in ("data_root", "sync_rules")}
    context = dg.build_schedule_context(
        instance=project.instance, resources=resources, repository_def=definitions.get_repository_def()
    )
    data = schedule.evaluate_tick(context)
    assert data.run_requests is not None
    assert [(request.partition_key, request.tags["order_assets/why"]) for request in data.run_requests] == [
        (day, "1 pending")
    ]
