"""A project as a data engineer has it: a shop, a data root and a Dagster instance, all real, all thrown away."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.reconstruct import ReconstructableJob

from order_assets.defs import run_jobs
from order_assets.defs.run_jobs import RunSummary
from order_assets.omnitron.auth import KEPT
from order_assets.sandbox import PASSWORD, USERNAME, Sandbox, Shop, ShopSettings
from order_assets.testing.tampering import Tampered, tampered_sandbox

FIRST_DAY = date(2026, 3, 1)
SHOP = ShopSettings(orders_per_day=6, start=FIRST_DAY, now=datetime(2026, 3, 8, 12, tzinfo=UTC))
_DAGSTER_YAML = Path(__file__).parents[2] / "dagster.yaml"


@dataclass
class Project:
    """Runs the jobs as the command does, and answers questions about what came of it."""

    root: Path
    sandbox: Sandbox
    tampered: Tampered
    _opened: ExitStack = field(default_factory=ExitStack)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's instance, opened at the first use: what a fixture puts into the folders is there before."""
        return self._opened.enter_context(run_jobs.history())

    def close(self) -> None:
        self._opened.close()

    def sync(self) -> RunSummary:
        return run_jobs.sync_index(self.instance)

    def refresh(self, first: str, last: str | None = None, *, refetch: bool = False) -> RunSummary:
        return run_jobs.refresh_days(
            self.instance, date.fromisoformat(first), date.fromisoformat(last or first), refetch=refetch
        )

    def replay(self, first: str, last: str | None = None) -> RunSummary:
        return run_jobs.replay_days(self.instance, date.fromisoformat(first), date.fromisoformat(last or first))

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


def own_package(folder: Path, monkeypatch: pytest.MonkeyPatch, definitions: str) -> Path:
    """A user's own package, named like its folder, and the command started there; gives the package's folder."""
    package = folder / folder.name
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'[tool.dg.project]\nroot_module = "{folder.name}"\n', encoding="utf-8")
    (package / "__init__.py").touch()
    (package / "definitions.py").write_text(textwrap.dedent(definitions), encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    _forget_built_jobs()
    return package


def _forget_built_jobs() -> None:
    """Dagster keeps the last job that it built; here it would be that of another shop or package."""
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME in which nothing was run yet: Dagster takes half a second to make its databases."""
    home = tmp_path_factory.mktemp("new-home")
    shutil.copy(_DAGSTER_YAML, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        _make_databases()
    return home


def _make_databases() -> None:
    with dg.DagsterInstance.get() as instance:
        instance.get_runs_count()
        instance.all_instigator_state()
        instance.get_asset_keys()


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, Tampered]]:
    """One stand-in for all of these tests, so that a data root that was made once is of the shop of each."""
    with tampered_sandbox(SHOP) as served:
        yield served


@pytest.fixture(scope="session")
def listed_root(tmp_path_factory: pytest.TempPathFactory, new_home: Path, served: tuple[Sandbox, Tampered]) -> Path:
    """A data root and a history in which the shop was listed."""
    root = tmp_path_factory.mktemp("listed")
    with pytest.MonkeyPatch.context() as patch, _opened(root, new_home, served, patch) as project:
        assert project.sync().succeeded
    return root


@pytest.fixture(scope="session")
def filled_root(tmp_path_factory: pytest.TempPathFactory, listed_root: Path, served: tuple[Sandbox, Tampered]) -> Path:
    """A data root and a history in which all days were fetched and loaded."""
    root = tmp_path_factory.mktemp("filled")
    shutil.copytree(listed_root, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, _opened(root, None, served, patch) as project:
        assert project.refresh("2026-03-01", "2026-03-08").succeeded
    return root


@pytest.fixture
def project(
    tmp_path: Path, new_home: Path, served: tuple[Sandbox, Tampered], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    with _opened(tmp_path, new_home, served, monkeypatch) as opened:
        yield opened


@pytest.fixture
def listed(project: Project, listed_root: Path) -> None:
    """The project's shop was listed before."""
    _put(listed_root, project)


@pytest.fixture
def filled(project: Project, filled_root: Path) -> None:
    """All days of the project's shop were fetched and loaded before."""
    _put(filled_root, project)


def _put(made: Path, project: Project) -> None:
    assert "instance" not in vars(project), "the history is open already"
    shutil.copytree(made, project.root, dirs_exist_ok=True)


@contextmanager
def _opened(
    root: Path, new_home: Path | None, served: tuple[Sandbox, Tampered], patch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project in the folder `root`, with the shop as it is at first; `new_home` is copied as its history."""
    sandbox, tampered = served
    sandbox.replace_shop(Shop(SHOP))
    sandbox.requests.clear()
    tampered.rules.clear()
    KEPT.clear()
    if new_home is not None:
        shutil.copytree(new_home, root / "home", dirs_exist_ok=True)
    # Nobody wants to wait for a firewall that is none.
    patch.setattr("order_assets.omnitron.session._PAGE_PATIENCE", 0.01)
    # What one test made the shop say, such as to wait, is no other's.
    patch.setenv("XDG_STATE_HOME", str(root.with_name(f"{root.name}-state")))
    patch.setenv("DAGSTER_HOME", str(root / "home"))
    patch.setenv("ORDER_ASSETS_DATA", str(root / "data"))
    patch.setenv("ORDER_ASSETS_START_DATE", FIRST_DAY.isoformat())
    patch.setenv("ORDER_ASSETS_REQUESTS_PER_SECOND", "10000")
    patch.setenv("OMNITRON_URL", sandbox.url)
    patch.setenv("OMNITRON_USERNAME", USERNAME)
    patch.setenv("OMNITRON_PASSWORD", PASSWORD)
    for name in ("OMNITRON_TOKEN", "ORDER_ASSETS_PII", "ORDER_ASSETS_PII_KEY", "ORDER_ASSETS_TIMEZONE"):
        patch.delenv(name, raising=False)
    _forget_built_jobs()
    project = Project(root, sandbox, tampered)
    try:
        yield project
    finally:
        project.close()
