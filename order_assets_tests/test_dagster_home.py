"""Dagster's history lies with the data that it is of, and the project's settings hold wherever a command is started."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from order_assets import cli
from order_assets.dagster_home import make_ready
from order_assets.landing import Instance, claim
from order_assets.settings import SettingsError

PROJECT = Path(__file__).resolve().parents[1]
SETTINGS = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "project" / "data"


def without_mark(home: Path) -> str:
    return (home / "dagster.yaml").read_text(encoding="utf-8").partition("\n")[2]


def make_history(folder: Path, of: str = "runs") -> None:
    (folder / "history").mkdir(parents=True)
    (folder / "schedules").mkdir()
    (folder / "history" / "runs.db").write_text(of)
    (folder / "schedules" / "schedules.db").write_text(of)


def test_each_data_root_has_a_history_of_its_own_with_the_settings_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [make_ready(tmp_path / name, {}) for name in ("one", "two")]
    assert homes == [tmp_path / "one" / "dagster", tmp_path / "two" / "dagster"]
    for home in homes:
        assert without_mark(home) == SETTINGS
        assert home.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("DAGSTER_HOME", str(homes[0]))
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1
        assert instance.get_tick_retention_settings(dg._core.definitions.run_request.InstigatorType.SENSOR)


def test_settings_follow_the_package_until_somebody_changes_them(data: Path) -> None:
    home = make_ready(data, {})
    written = (home / "dagster.yaml").read_text(encoding="utf-8")
    (home / "dagster.yaml").unlink()
    assert make_ready(data, {}) == home
    assert (home / "dagster.yaml").read_text(encoding="utf-8") == written

    changed = written.replace("max_retries: 2", "max_retries: 5")
    (home / "dagster.yaml").write_text(changed, encoding="utf-8")
    make_ready(data, {})
    assert (home / "dagster.yaml").read_text(encoding="utf-8") == changed


def test_settings_of_an_earlier_version_are_renewed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("order_assets.dagster_home._packaged_settings", lambda: "telemetry:\n  enabled: false\n")
        home = make_ready(data, {})
    assert without_mark(home) == "telemetry:\n  enabled: false\n"
    make_ready(data, {})
    assert without_mark(home) == SETTINGS


def test_a_folder_that_the_user_named_is_taken_and_what_is_in_it_stays(data: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    assert make_ready(data, {"DAGSTER_HOME": str(named)}) == named
    # Without these Dagster would report to its maker, and keep no limits.
    assert without_mark(named) == SETTINGS
    (named / "dagster.yaml").write_text("storage: {}\n", encoding="utf-8")
    make_ready(data, {"DAGSTER_HOME": str(named)})
    assert (named / "dagster.yaml").read_text(encoding="utf-8") == "storage: {}\n"
    assert not data.exists()


def test_the_history_that_lay_in_the_project_folder_moves_to_its_data_once_with_a_word(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project = data.parent
    make_history(project)
    (project / "dagster.yaml").write_text(SETTINGS)
    for _ in range(2):
        home = make_ready(data, {})
    assert (home / "history" / "runs.db").read_text() == "runs"
    assert (home / "schedules" / "schedules.db").read_text() == "runs"
    assert sorted(path.name for path in project.iterdir()) == ["dagster.yaml", "data"]
    assert [record.getMessage() for record in caplog.records] == [
        f"Dagster's history was moved, once, from {project} to {home}: it lies with its data now"
    ]
    # A history that came back there, such as from an old shell, is nobody's loss.
    make_history(project, of="others")
    make_ready(data, {})
    assert (home / "history" / "runs.db").read_text() == "runs"
    assert (project / "history" / "runs.db").read_text() == "others"


def test_the_history_of_the_project_folder_is_not_given_to_another_data_root(data: Path, tmp_path: Path) -> None:
    make_history(data.parent)
    (data.parent / "dagster.yaml").write_text(SETTINGS)
    for other in (data.parent / "second", tmp_path / "elsewhere" / "data"):
        assert not (make_ready(other, {}) / "history").exists()
    assert (data.parent / "history" / "runs.db").exists()


def test_a_move_that_was_cut_off_is_finished_by_the_next_command(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_history(data.parent)
    (data.parent / "dagster.yaml").write_text(SETTINGS)
    with monkeypatch.context() as killed:
        killed.setattr("order_assets.dagster_home._FOLDERS", ("schedules",))
        make_ready(data, {})
    home = make_ready(data, {})
    assert (home / "history" / "runs.db").exists()
    assert (home / "schedules" / "schedules.db").exists()


def test_a_history_that_was_hidden_in_the_data_root_is_found_again(data: Path) -> None:
    make_history(data / ".dagster")
    (data / ".dagster" / "mine").touch()
    home = make_ready(data, {})
    assert (home / "history" / "runs.db").exists()
    assert (home / "mine").exists()
    assert not (data / ".dagster").exists()


def test_the_command_uses_the_same_history_as_the_ui_wherever_it_is_started(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDER_ASSETS_DATA", str(data))
    monkeypatch.setenv("SQLITE_TMPDIR", "")
    for name in ("OMNITRON_URL", "OMNITRON_TOKEN", "SQLITE_TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    printed = subprocess.run(
        [sys.executable, "-m", "order_assets.dagster_home"],
        env={name: text for name, text in os.environ.items() if name != "DAGSTER_HOME"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.strip()
    claim(data, Instance(url="", timezone="UTC", first_day=date(2026, 1, 1)))
    monkeypatch.setenv("DAGSTER_HOME", "")
    for folder in ("/", str(PROJECT)):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("DAGSTER_HOME", "")
        # There is nothing to report on; the run that says so is in the history.
        assert cli.main(["report"]) == 1
        assert os.environ["DAGSTER_HOME"] == printed == str(data / "dagster")
    with dg.DagsterInstance.from_config(printed) as instance:
        assert instance.get_runs_count() == 2


@pytest.mark.parametrize("named", [True, False])
def test_a_folder_that_cannot_be_made_is_named_with_its_variable(named: bool, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "below"
    with pytest.raises(SettingsError) as raised:
        make_ready(place, {"DAGSTER_HOME": str(place)} if named else {})
    assert str(raised.value).startswith("DAGSTER_HOME" if named else "ORDER_ASSETS_DATA")
    assert str(place) in str(raised.value)
