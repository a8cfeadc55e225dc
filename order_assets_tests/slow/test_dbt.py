"""dbt itself on the sources that are written for it, in an environment apart: its versions clash with ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_COMMAND = Path(sys.executable).with_name("order-assets")
_OURS = ("OMNITRON_", "ORDER_ASSETS_", "DAGSTER_", "DBT_")
_PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\nflags:\n  send_anonymous_usage_stats: false\n"
_PROFILE = """
shop:
  target: here
  outputs:
    here:
      type: duckdb
      path: {folder}/models.duckdb
      attach: [{{path: {warehouse}, alias: warehouse, read_only: true}}]
"""
_MODEL = "SELECT status_group, sum(amount) AS amount FROM {{ source('marts', 'fct_orders') }} GROUP BY status_group\n"


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    return subprocess.run(
        [*map(str, command)], env=environment | variables, capture_output=True, text=True, timeout=600, cwd="/"
    )


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that has dbt for DuckDB."""
    folder = tmp_path_factory.mktemp("dbt") / "environment"
    assert run(sys.executable, "-m", "venv", "--without-pip", folder).returncode == 0
    got = run(
        sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "-q", "dbt-core>=1.10.5,<1.12",
        "dbt-duckdb>=1.9",
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"pip gives no dbt here: {got.stderr.strip().splitlines()[-1]}")
    return folder / "bin" / "dbt"


def test_dbt_builds_on_the_generated_sources_and_their_tests_and_freshness_pass(dbt: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = run(_COMMAND, "demo", ORDER_ASSETS_DATA=str(data))
    assert made.returncode == 0, made.stdout + made.stderr
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(_PROJECT, encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(
        _PROFILE.format(folder=tmp_path, warehouse=data / "warehouse.duckdb"), encoding="utf-8"
    )
    (tmp_path / "models" / "by_status.sql").write_text(_MODEL, encoding="utf-8")
    written = run(_COMMAND, "export", "dbt", "--to", tmp_path / "models" / "sources.yml")
    assert written.returncode == 0, written.stderr

    folders = ("--project-dir", tmp_path, "--profiles-dir", tmp_path)
    for command in (("build",), ("source", "freshness"), ("docs", "generate")):
        done = run(dbt, *command, *folders)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr
        assert "Deprecat" not in done.stdout, done.stdout[-5000:]
        if command == ("build",):
            results = json.loads((tmp_path / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
            assert len(results) > 200
            assert {found["status"] for found in results} <= {"pass", "success", "warn"}
            assert sum(found["status"] == "warn" for found in results) <= 3, done.stdout[-5000:]
