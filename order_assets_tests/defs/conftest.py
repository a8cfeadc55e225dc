"""A project as a data engineer has it: a shop, a data root and a Dagster instance, all real, all thrown away."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from order_assets.defs import launch
from order_assets.defs.launch import RunSummary
from order_assets.sandbox import PASSWORD, USERNAME, Sandbox, ShopSettings
from order_assets_tests.tampering import Tampered, tampered_sandbox

FIRST_DAY = date(2026, 3, 1)
SHOP = ShopSettings(orders_per_day=6, start=FIRST_DAY, now=datetime(2026, 3, 8, 12, tzinfo=UTC))
_DAGSTER_YAML = Path(__file__).parents[2] / "dagster.yaml"


@dataclass
class Project:
    """Runs the jobs as the command does, and answers questions about what came of it."""

    root: Path
    sandbox: Sandbox
    tampered: Tampered
    instance: dg.DagsterInstance

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def home(self) -> Path:
        return self.root / "home"

    def sync(self) -> RunSummary:
        return launch.sync_index(self.instance)

    def refresh(self, first: str, last: str | None = None, *, refetch: bool = False) -> RunSummary:
        return launch.refresh_days(
            self.instance, date.fromisoformat(first), date.fromisoformat(last or first), refetch=refetch
        )

    def replay(self, first: str, last: str | None = None) -> RunSummary:
        return launch.replay_days(self.instance, date.fromisoformat(first), date.fromisoformat(last or first))

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(self.data / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def document_requests(self) -> list[str]:
        return [record.path for record in self.sandbox.requests if "detailed_integration" in record.path]

    def files(self, pattern: str) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in sorted(self.data.glob(pattern)) if path.is_file()}

    def materialised(self, asset: dg.AssetKey) -> set[str]:
        """The days for which Dagster knows a materialisation."""
        return set(self.instance.get_materialized_partitions(asset))


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME in which nothing was run yet: Dagster takes half a second to make its databases."""
    home = tmp_path_factory.mktemp("new-home")
    shutil.copy(_DAGSTER_YAML, home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.get_runs_count()
        instance.all_instigator_state()
        instance.get_asset_keys()
    return home


@pytest.fixture
def project(tmp_path: Path, new_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    home = tmp_path / "home"
    shutil.copytree(new_home, home)
    # Nobody wants to wait for a firewall that is none.
    monkeypatch.setattr("order_assets.omnitron.session._PAGE_PATIENCE", 0.01)
    with tampered_sandbox(SHOP) as (sandbox, tampered):
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        monkeypatch.setenv("ORDER_ASSETS_DATA", str(tmp_path / "data"))
        monkeypatch.setenv("ORDER_ASSETS_START_DATE", FIRST_DAY.isoformat())
        monkeypatch.setenv("ORDER_ASSETS_REQUESTS_PER_SECOND", "10000")
        monkeypatch.setenv("OMNITRON_URL", sandbox.url)
        monkeypatch.setenv("OMNITRON_USERNAME", USERNAME)
        monkeypatch.setenv("OMNITRON_PASSWORD", PASSWORD)
        for name in ("OMNITRON_TOKEN", "ORDER_ASSETS_PII", "ORDER_ASSETS_PII_KEY", "ORDER_ASSETS_TIMEZONE"):
            monkeypatch.delenv(name, raising=False)
        # Dagster keeps the last job that it built; here it would be that of another test's shop.
        ReconstructableJob.get_definition.cache_clear()
        ReconstructableJob.get_repository_definition.cache_clear()
        with launch.history() as instance:
            yield Project(tmp_path, sandbox, tampered, instance)
