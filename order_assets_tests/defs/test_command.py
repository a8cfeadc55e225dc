"""The command: what it prints, what it refuses, and that a refusal leaves everything as it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from order_assets import cli
from order_assets.defs.keys import order_index_key
from order_assets.sandbox import running_sandbox
from order_assets_tests.defs.conftest import SHOP, Project


def run(*arguments: str) -> int:
    return cli.main(["run", *arguments])


@pytest.mark.long
def test_a_run_says_what_it_made_and_a_second_one_that_nothing_changed(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--from", "2026-03-02", "--to", "2026-03-03") == 0
    said = capsys.readouterr().out
    assert "2026-03-02 to 2026-03-03 (2)" in said
    assert "12 listed, 12 landed, 0 tombstoned, 0 quarantined, 0 pending" in said
    assert str(project.data / "warehouse.duckdb") in said
    assert run("--from", "2026-03-02", "--to", "2026-03-03") == 0
    assert "0 orders, 12 carried over unchanged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "says", "code"),
    [
        ({"OMNITRON_USERNAME": "", "OMNITRON_PASSWORD": ""}, "OMNITRON_TOKEN", 2),
        ({"OMNITRON_PASSWORD": "wrong"}, "check OMNITRON_USERNAME and OMNITRON_PASSWORD", 1),
        ({"OMNITRON_URL": "http://shop.example.com", "ORDER_ASSETS_PII": "drop"}, "https://", 2),
        ({"OMNITRON_URL": "https://shop.example.com"}, "ORDER_ASSETS_PII_KEY", 2),
        ({"OMNITRON_URL": "http://127.0.0.1:9"}, "belongs to", 2),
        ({"ORDER_ASSETS_TIMEZONE": "Europe/Istanbul"}, "time zone UTC", 2),
        ({"ORDER_ASSETS_START_DATE": "2026-03-03"}, "is no partition", 2),
        ({"ORDER_ASSETS_START_DATE": "soon"}, "not a date", 2),
    ],
)
def test_bad_settings_are_refused_clearly_and_nothing_is_written_over(
    project: Project,
    changed: dict[str, str],
    says: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project.data.mkdir()
    (project.data / "instance.json").write_text(
        f'{{"url": "{project.sandbox.url}", "timezone": "UTC", "first_day": "2026-03-01"}}'
    )
    before = project.files("**/*")
    for name, text in changed.items():
        monkeypatch.setenv(name, text)
    assert run("--from", "2026-03-02", "--to", "2026-03-02") == code
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
    assert project.files("**/*") == before


def test_an_instance_that_never_answered_does_not_take_the_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMNITRON_URL", "https://nosuch.invalid")
    monkeypatch.setenv("ORDER_ASSETS_PII", "drop")
    assert run("--from", "2026-03-02", "--to", "2026-03-02") == 1
    assert "nosuch.invalid" in capsys.readouterr().err
    assert not (project.data / "instance.json").exists()


@pytest.mark.parametrize(
    ("first", "last"), [("2026-02-27", "2026-03-02"), ("2026-03-02", "2999-01-01"), ("2026-03-03", "2026-03-02")]
)
def test_days_that_are_no_partitions_are_refused(
    project: Project, first: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--from", first, "--to", last) == 2
    assert "--to" in (said := capsys.readouterr().err) or "--from" in said
    assert not project.data.exists()


def test_html_with_status_200_is_an_error_and_no_empty_shop(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    from order_assets.testing.tampering import answer

    project.tampered.rules.append(answer("1/orders/", 200, "<html>Maintenance</html>", "text/html"))
    assert run("--from", "2026-03-02", "--to", "2026-03-02") == 1
    said = capsys.readouterr().err
    assert "text/html" in said
    assert not (project.data / "index").exists()


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_a_run_after_a_killed_one_does_not_wait_for_its_place(project: Project) -> None:
    command = [sys.executable, "-m", "order_assets.cli", "run", "--from", "2026-03-01", "--to", "2026-03-03"]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _until(lambda: any((project.data / "landing").glob("date=*/documents-*.parquet")))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
    assert run("--from", "2026-03-01", "--to", "2026-03-03") == 0
    assert project.query("SELECT count(*) FROM orders") == [(18,)]


def _until(happened: object, patience: float = 120) -> None:
    deadline = time.monotonic() + patience
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    for command in ("run", "demo", "status", "replay", "quarantine", "forget", "sandbox"):
        assert command in said


@pytest.mark.usefixtures("filled")
def test_the_history_that_is_kept_open_reads_like_any_other(project: Project, tmp_path: Path) -> None:
    import dagster as dg

    from order_assets.defs.keys import order_documents_key

    # An instance of its own opens the files as Dagster does.
    with dg.DagsterInstance.get() as other:
        assert set(other.get_materialized_partitions(order_documents_key())) == project.materialised(
            order_documents_key()
        )
        assert len(other.get_materialized_partitions(order_documents_key())) == 8


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        (["run"], {"OMNITRON_URL": ""}, r"OMNITRON_USERNAME and OMNITRON_PASSWORD are set, but OMNITRON_URL is not"),
        (["run"], {"OMNITRON_URL": "", "OMNITRON_ULR": "https://a.example"}, r"OMNITRON_ULR .* mean OMNITRON_URL\?"),
        (["run"], {"OMNITRON_URL": "shop.example.com"}, r"OMNITRON_URL=https://shop.example.com\?"),
        (["run"], {"ORDER_ASSETS_SYNC_CRON": "hourly"}, r"ORDER_ASSETS_SYNC_CRON is 'hourly', not a cron expression"),
        (["run"], {"ORDER_ASSETS_DATA": "/etc/passwd/x"}, r"/etc/passwd is a file"),
        (["run"], {"ORDER_ASSETS_TIMZONE": "Europe/Istanbul"}, r"ORDER_ASSETS_TIMZONE .* mean ORDER_ASSETS_TIMEZONE\?"),
        (["run"], {"ORDER_ASSETS_BUDGET_DIR": "/etc/passwd/x"}, r"ORDER_ASSETS_BUDGET_DIR .* /etc/passwd is a file"),
        (["quarantine", "list"], {"ORDER_ASSETS_DATA": "/nowhere/data"}, r"no data of order_assets in /nowhere/data"),
        (["report"], {"ORDER_ASSETS_DATA": "/nowhere/data"}, r"no data of order_assets in /nowhere/data"),
        (["forget", "--customer", "1"], {"ORDER_ASSETS_DATA": "/nowhere/data"}, r"no data of order_assets"),
    ],
)
def test_settings_that_cannot_work_end_a_command_before_its_first_request(
    project: Project,
    arguments: list[str],
    variables: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    days = ["--from", "2026-03-02", "--to", "2026-03-02"] if arguments == ["run"] else []
    assert cli.main([*arguments, *days]) == 2
    assert re.search(says, capsys.readouterr().err)
    assert len(project.sandbox.requests) == 0
    assert not project.data.exists()


@pytest.mark.long
def test_a_run_without_an_instance_says_first_that_the_shop_is_invented_and_so_does_the_index(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A small shop instead of a year of orders.
    monkeypatch.setattr("order_assets.sandbox.running_sandbox", partial(running_sandbox, SHOP))
    today = "2026-03-02"
    # The instance that the environment names is left alone.
    assert run("--sandbox", "--from", today, "--to", today) == 0
    assert "embedded sandbox, an invented shop" in capsys.readouterr().out.splitlines()[0]
    assert len(project.sandbox.requests) == 0
    event = project.instance.get_latest_materialization_event(order_index_key())
    assert event is not None
    assert event.asset_materialization is not None
    assert "invented shop" in str(event.asset_materialization.metadata["instance"].value)
    monkeypatch.setenv("OMNITRON_URL", project.sandbox.url)
    monkeypatch.setenv("OMNITRON_TOKEN", project.sandbox.token)
    assert run("--from", today, "--to", today) == 2
    assert "belongs to the embedded sandbox, an invented shop" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--version"], 0, "order-assets 0."),
        (["rnu"], 2, "Did you mean 'run'?"),
        (["quarantine", "lsit"], 2, "Did you mean 'list'?"),
        (["run", "--form", "2026-03-01", "--to", "2026-03-01"], 2, "Did you mean one of: '--from'"),
        (["report", "--refetch"], 2, "No such option '--refetch'"),
        (["sandbox", "--capability", "sorts"], 2, "Did you mean sort?"),
        (["sandbox", "--port", "99999"], 2, "is not a port"),
        (["run", "--from", "2026-02-30", "--to", "2026-03-01"], 2, "is not a day such as"),
    ],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(
    arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == code
    said = capsys.readouterr()
    assert says in said.out + said.err


def test_the_faults_of_the_stand_in_are_listed_without_a_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sandbox", "--fault", "list"]) == 0
    assert "429-seconds" in capsys.readouterr().out
