"""What the pages of the UI ask the webserver after runs of the command: the timeline, the jobs, the days of checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from order_assets_tests.ui.served import dagster_ui

LAST = datetime.now(UTC).date() - timedelta(days=1)
FIRST = LAST - timedelta(days=6)
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "order_assets"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dagster_ui(tmp_path_factory.mktemp("answers"), FIRST - timedelta(days=3), (FIRST, LAST)) as address:
        yield address


def ask(url: str, query: str, **variables: object) -> Any:
    with requests.Session() as session:
        # It says that it serves a moment before it does.
        session.mount(url, HTTPAdapter(max_retries=Retry(connect=8, backoff_factor=0.5)))
        answer = session.post(f"{url}/graphql", json={"query": query, "variables": variables}, timeout=120)
    said = answer.json()
    assert "errors" not in said, said["errors"]
    return said["data"]


_TIMELINE = """
query($filter: RunsFilter) { runsOrError(filter: $filter, limit: 100) { ... on Runs { results {
  pipelineName status repositoryOrigin { repositoryName repositoryLocationName } tags { key value } } } } }
"""


def test_the_timeline_has_the_runs_of_the_command_with_their_days_and_no_internal_tags(url: str) -> None:
    since = datetime.now(UTC).timestamp() - 3600
    runs = ask(url, _TIMELINE, filter={"createdAfter": since, "statuses": ["SUCCESS"]})["runsOrError"]["results"]
    # A run without an origin is left out of the timeline.
    assert {run["pipelineName"]: run["repositoryOrigin"] for run in runs} == {
        "sync_index": _REPOSITORY,
        "refresh_days": _REPOSITORY,
    }
    (tags,) = [{tag["key"]: tag["value"] for tag in run["tags"]} for run in runs if run["pipelineName"] != "sync_index"]
    assert (tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]) == (
        FIRST.isoformat(),
        LAST.isoformat(),
    )
    assert not [key for key in tags if not key.startswith("dagster/")]


_JOBS = """
query($selector: RepositorySelector!) { repositoryOrError(repositorySelector: $selector) { ... on Repository {
  pipelines { name runs(limit: 5) { status } } } } }
"""


def test_the_pages_of_jobs_have_the_runs_of_the_command(url: str) -> None:
    jobs = ask(url, _JOBS, selector=_REPOSITORY)["repositoryOrError"]["pipelines"]
    runs = {job["name"]: [run["status"] for run in job["runs"]] for job in jobs}
    assert runs["refresh_days"] == runs["sync_index"] == ["SUCCESS"]


_CHECKS = """
{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks { name
  partitionDefinition { type } executionForLatestMaterialization { status }
  partitionStatuses { ... on AssetCheckTimePartitionStatuses { ranges { startKey endKey status } } } } } } } }
"""


def test_the_pages_of_checks_have_each_day_of_a_run_as_passed_or_failed(url: str) -> None:
    days: dict[str, Counter[str]] = {}
    for asset in ask(url, _CHECKS)["assetNodes"]:
        for check in asset["assetChecksOrError"].get("checks", ()):
            if check["partitionDefinition"] is None:
                continue
            name = "/".join(asset["assetKey"]["path"]) + ": " + check["name"]
            found = days[name] = Counter()
            for span in (check["partitionStatuses"] or {}).get("ranges", ()):
                length = (date.fromisoformat(span["endKey"]) - date.fromisoformat(span["startKey"])).days + 1
                found[span["status"]] += length
            assert check["executionForLatestMaterialization"] is not None, name
    assert len(days) > 40
    assert {name: found for name, found in days.items() if found["SUCCEEDED"] + found["FAILED"] != 7} == {}
