"""What the pages of checks say after runs: each day of a run passed or failed, and is about what was last made."""

from __future__ import annotations

from collections import Counter
from logging import WARNING

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionResolvedStatus

from order_assets.defs import build_definitions, run_jobs
from order_assets.defs.keys import order_documents_key
from order_assets.settings import read_settings
from order_assets.testing.tampering import answer
from order_assets_tests.defs.conftest import Project

PASSED = AssetCheckExecutionResolvedStatus.SUCCEEDED
FAILED = AssetCheckExecutionResolvedStatus.FAILED


def days_by_status(project: Project) -> dict[str, Counter[AssetCheckExecutionResolvedStatus]]:
    """How many days of each check are in which state, by the lookup behind the pages of the UI."""
    graph = build_definitions(read_settings()).resolve_asset_graph()
    days = graph.get(order_documents_key()).partitions_def
    keys = [(key, days) for key in graph.asset_check_keys if graph.get(key).partitions_def is not None]
    assert len(keys) > 40
    found = project.instance.event_log_storage.get_asset_check_state(keys)
    return {
        key.to_user_string(): Counter(
            {status: subset.size for status, subset in state.subsets.items() if not subset.is_empty}
        )
        for key, state in found.items()
    }


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_after_a_run_over_seven_days_each_check_has_seven_days_that_passed_or_failed(project: Project) -> None:
    bad = next(row["pk"] for row in project.sandbox.shop.flat_orders() if row["date_placed"].startswith("2026-03-04"))
    project.tampered.rules.append(answer(f"/orders_integration/{bad}/", 409, '{"detail": "locked"}'))
    assert not project.refresh("2026-03-02", "2026-03-08").succeeded
    states = days_by_status(project)
    assert {name: dict(state) for name, state in states.items() if state[PASSED] + state[FAILED] != 7} == {}
    assert all(set(state) <= {PASSED, FAILED} for state in states.values())
    assert states["order_documents:nothing_pending"] == {PASSED: 6, FAILED: 1}
    project.tampered.rules.clear()
    assert project.refresh("2026-03-04").succeeded
    assert project.refresh("2026-03-02").succeeded
    states = days_by_status(project)
    assert {name: dict(state) for name, state in states.items() if state[PASSED] + state[FAILED] != 7} == {}
    assert states["order_documents:nothing_pending"] == {PASSED: 7}


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_a_warehouse_made_anew_leaves_no_check_stale(project: Project) -> None:
    assert project.refresh("2026-03-02", "2026-03-04").succeeded
    assert run_jobs.rebuild_warehouse(project.instance).succeeded
    assert {name for name, state in days_by_status(project).items() if state[PASSED] + state[FAILED] != 3} == set()


@pytest.mark.long
@pytest.mark.usefixtures("filled")
def test_after_a_run_over_all_days_each_check_has_all_of_them_as_passed_or_failed(project: Project) -> None:
    states = days_by_status(project)
    assert {name: dict(state) for name, state in states.items() if state[PASSED] + state[FAILED] != 8} == {}
    assert states["order_documents:nothing_pending"] == {PASSED: 8}


@pytest.mark.parametrize(
    "asset",
    [
        "marts/fct_orders",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("order_documents", "tables/orders")),
    ],
)
@pytest.mark.usefixtures("listed")
def test_execute_all_on_a_page_of_checks_says_what_to_do_and_turns_no_check_red(project: Project, asset: str) -> None:
    project.sandbox.requests.clear()
    job = build_definitions(read_settings()).get_repository_def().get_job("__ASSET_JOB")
    key = dg.AssetKey(asset.split("/"))
    keys = {check for check in job.asset_layer.asset_graph.asset_check_keys if check.asset_key == key}
    # What the button launches: checks, no asset and no day.
    result = job.get_subset(asset_selection=set(), asset_check_selection=keys).execute_in_process(
        instance=project.instance, raise_on_error=False
    )
    assert result.success
    said = [entry.user_message for entry in project.instance.all_logs(result.run_id) if entry.level == WARNING]
    assert [words for words in said if "choose Materialize and the days" in words]
    assert list(project.sandbox.requests) == []
