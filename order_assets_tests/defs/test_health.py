"""What was left behind is said at every sync, with what to do; failures are told once, without secrets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import pytest

from order_assets.defs import build_definitions
from order_assets.defs.alerts import AlertError, AlertResource
from order_assets.pipeline.health import newest_day_is_fresh
from order_assets.settings import read_settings
from order_assets.testing.tampering import answer
from order_assets_tests.defs.conftest import FIRST_DAY, Project

DAY = "2026-03-05"


def checks_of(project: Project) -> dict[str, tuple[bool, str]]:
    run = project.sync()
    assert run.succeeded, run.failures
    return {check.name: (check.passed, check.explanation) for check in run.checks}


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_a_day_with_pending_orders_is_named_until_it_is_complete(project: Project) -> None:
    bad = next(order["pk"] for order in project.sandbox.shop.flat_orders() if order["date_placed"].startswith(DAY))
    project.tampered.rules.append(answer(f"/orders_integration/{bad}/", 409, '{"detail": "locked"}'))
    assert not project.refresh(DAY).succeeded
    passed, explanation = checks_of(project)["no_day_failed_or_pending"]
    assert not passed
    assert explanation.startswith(f"{DAY}: 1 pending orders; run refresh_days")
    project.tampered.rules.clear()
    assert project.refresh(DAY).succeeded
    assert checks_of(project)["no_day_failed_or_pending"] == (True, "no day failed, waits or was left in the middle")


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_the_newest_day_is_late_when_its_orders_are_not_landed_in_time(project: Project) -> None:
    now, day = project.sandbox.shop.now(), project.sandbox.shop.now().date()
    late = newest_day_is_fresh(project.data, FIRST_DAY, day, now, timedelta(hours=1))
    assert not late.passed
    assert "Switch on the sensor" in late.next_step
    # An old day that was landed today makes nothing fresh.
    assert project.refresh("2026-03-01").succeeded
    assert not newest_day_is_fresh(project.data, FIRST_DAY, day, now, timedelta(hours=1)).passed
    assert project.refresh(day.isoformat()).succeeded
    assert newest_day_is_fresh(project.data, FIRST_DAY, day, now, timedelta(hours=1)).passed


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A webhook on this machine, and what it was sent."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(json.loads(body)["text"])
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/secret-path", received
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def tick(project: Project, cursor: str | None, webhook: str) -> dg.SensorResult:
    definitions = build_definitions(read_settings(), {"alert": AlertResource(webhook=webhook)})
    sensor = definitions.resolve_sensor_def("alert_on_failures")
    context = dg.build_sensor_context(
        instance=project.instance, cursor=cursor, resources={"alert": AlertResource(webhook=webhook)}
    )
    found = sensor.evaluate_tick(context)
    return dg.SensorResult(run_requests=found.run_requests, cursor=found.cursor)


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_runs_that_failed_since_the_last_tick_make_one_message(project: Project) -> None:
    with receiver() as (webhook, received):
        first = tick(project, None, webhook)
        assert received == []
        project.tampered.rules.append(answer("/detailed_integration/", 403, '{"detail": "no"}'))
        assert not project.refresh("2026-03-02").succeeded
        assert not project.refresh("2026-03-03").succeeded
        second = tick(project, first.cursor, webhook)
        (message,) = received
        assert message.startswith("order_assets: 2 runs failed")
        assert "403" in message
        tick(project, second.cursor, webhook)
        assert len(received) == 1


def test_an_alert_that_was_not_delivered_comes_later_and_its_error_does_not_show_the_address(project: Project) -> None:
    since = json.dumps({"since": datetime(2026, 1, 1, tzinfo=UTC).isoformat(), "told": []})
    project.tampered.rules.append(answer("/api/v1/orders/", 403, '{"detail": "no"}'))
    assert not project.sync().succeeded
    with receiver(500) as (webhook, received):
        with pytest.raises(AlertError, match="answered 500") as raised:
            tick(project, since, webhook)
        assert len(received) == 1
    assert "secret-path" not in str(raised.value)
    with pytest.raises(AlertError, match="https"):
        AlertResource(webhook="http://alerts.example.com/secret-path").send("x")
