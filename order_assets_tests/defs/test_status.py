"""What the command says about a data root: what is there, what waits, what runs by itself, and what to do next."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._daemon.types import DaemonHeartbeat

from order_assets import cli
from order_assets.defs.run_jobs import _repository
from order_assets.landing.landing_store import Landing
from order_assets.omnitron.instance import normalise_url
from order_assets.omnitron.rate_limit.budget_store import FileStore, instance_folder
from order_assets.omnitron.rate_limit.budget_use import BudgetUse, budget_use
from order_assets.omnitron.rate_limit.limiter import SharedBudget
from order_assets.tables.checks.verdict import verdict_file
from order_assets_tests.defs.conftest import Project

Asked = Callable[[], dict[str, Any]]


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str]) -> Asked:
    """What the command says to a program."""

    def ask() -> dict[str, Any]:
        capsys.readouterr()
        assert cli.main(["status", "--json"]) == 0
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        return said

    return ask


@pytest.mark.usefixtures("filled")
def test_a_program_reads_what_is_there_and_what_waits(project: Project, asked: Asked) -> None:
    said = asked()

    all_days = [f"2026-03-0{day}" for day in range(1, 9)]
    assert said["days"]["landed"] == said["days"]["loaded"] == all_days
    assert [state for state, days in said["days"].items() if days] == ["landed", "loaded"]
    assert (said["instance"], said["data_root"]) == (project.sandbox.url, str(project.data))
    until = datetime.fromisoformat(said["listed_until"])
    # The shop's clock stands still in March.
    assert until <= datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert abs((datetime.now(UTC) - until).total_seconds() - said["lag_seconds"]) < 60
    assert [run["job"] for run in said["runs"]] == ["refresh_days", "sync_index"]
    assert said["runs"][0]["days"] == "2026-03-01 to 2026-03-08"
    assert said["runs"][0]["status"] == "success"
    assert said["runs"][0]["seconds"] > 0
    assert {"sync_index_regularly", "changed_days"} <= {run["name"] for run in said["automation"]}
    assert sum(said["disk"].values()) > said["disk"]["warehouse.duckdb"] > 100_000
    assert said["free"] > 0
    assert any(step.startswith("nothing runs by itself") for step in said["next"])
    assert not project.sandbox.requests


@pytest.mark.usefixtures("filled")
def test_each_state_of_a_day_is_counted_and_leads_to_a_command(project: Project, asked: Asked) -> None:
    verdict = verdict_file(project.data, date(2026, 3, 2))
    failed = {**json.loads(verdict.read_text(encoding="utf-8")), "reasons": ["orders, key_unique: 2 rows"]}
    verdict.write_text(json.dumps(failed), encoding="utf-8")
    older = verdict_file(project.data, date(2026, 3, 3))
    text = older.read_text(encoding="utf-8")
    older.write_text(text.replace(json.loads(text)["contract_version"], "0" * 12), encoding="utf-8")
    for path in Landing(project.data, date(2026, 3, 1)).directory.iterdir():
        path.unlink()
    Landing(project.data, date(2026, 3, 1)).directory.rmdir()

    said = asked()

    days = said["days"]
    assert days["failed_checks"] == ["2026-03-02"]
    assert days["older_contract"] == ["2026-03-03"]
    assert days["not_fetched"] == ["2026-03-01"]
    steps = "\n".join(said["next"])
    assert "order-assets replay --from 2026-03-02 --to 2026-03-02" in steps
    assert "order-assets replay --stale" in steps
    assert "never fetched: 1 day (2026-03-01)" in steps


@pytest.mark.usefixtures("filled")
def test_a_schedule_that_is_on_has_a_next_tick_only_where_a_daemon_lives(project: Project, asked: Asked) -> None:
    origin = _repository().get_instigator_origin("sync_index_regularly")
    running = ScheduleInstigatorData(cron_schedule="*/10 * * * *", start_timestamp=time.time())
    project.instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, running)
    )
    (schedule,) = (run for run in asked()["automation"] if run["is_on"])
    assert (schedule["name"], schedule["next_tick"]) == ("sync_index_regularly", None)
    assert any("no daemon runs" in step for step in asked()["next"])

    project.instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), "SCHEDULER", "1", []))
    (schedule,) = (run for run in asked()["automation"] if run["is_on"])
    ahead = datetime.fromisoformat(schedule["next_tick"]) - datetime.now(UTC)
    assert timedelta(0) <= ahead <= timedelta(minutes=10)


@pytest.mark.usefixtures("filled")
def test_people_read_it_line_by_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines() if not line.startswith(" "))
    assert lines["days landed"].strip() == "8, 2026-03-01 to 2026-03-08"
    assert lines["days loaded"].strip().startswith("8, 2026-03-01 to 2026-03-08, last 20")
    assert lines["due"].strip() == lines["waiting"].strip() == "nothing"
    assert "in flight" in lines["budget"]
    assert " free" in lines["disk"]
    assert "2026-03-01 to 2026-03-08 success" in lines["last runs"]


def test_the_budget_in_use_is_seen_without_taking_any(tmp_path: Path) -> None:
    url = normalise_url("https://shop.example.com")
    assert budget_use(tmp_path, url) == budget_use(None, url) == BudgetUse()
    budget = SharedBudget(FileStore(instance_folder(tmp_path, url)), 1000, 4)
    with budget.acquire(time.sleep):
        assert budget_use(tmp_path, url) == BudgetUse(1.0, 1, 0.0)
    budget.hold(30)
    assert budget_use(tmp_path, url).in_flight == 0
    assert 29 < budget_use(tmp_path, url).held_seconds <= 30
