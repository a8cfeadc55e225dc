"""The commands `probe` and `plan`: what they print, what they refuse, and that planning asks for nothing."""

from __future__ import annotations

import re

import pytest

from order_assets import cli
from order_assets_tests.defs.conftest import Project

DAYS = ("--from", "2026-03-02", "--to", "2026-03-03")


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What was printed, by the name in the first column."""
    lines = capsys.readouterr().out.splitlines()
    return dict(found.groups() for line in lines if (found := re.match(r"(\S+(?: \S+)*) {2,}(\S.*?) *$", line)))


def test_probe_says_what_this_list_can_do_and_writes_nothing(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["probe"]) == 0
    said = facts(capsys)
    assert said["instance"] == project.sandbox.url
    assert said["modified_date__gte"] == said["sort=-modified_date"] == said["sort=pk"] == "does not work"
    assert said["discovery"] == "full listing: a sync lists all orders and compares"
    assert said["order transactions"] == "modified_date__gte works"
    assert said["requests"] == str(len(list(project.sandbox.requests)))
    assert len(list(project.sandbox.requests)) <= 18
    assert not project.data.exists()


def test_probe_with_a_wrong_password_fails_with_what_to_check(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMNITRON_PASSWORD", "wrong")
    assert cli.main(["probe"]) == 1
    said = capsys.readouterr().err
    assert "check OMNITRON_USERNAME and OMNITRON_PASSWORD" in said
    assert "Traceback" not in said


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_plan_names_the_cost_before_and_after_a_run_without_a_request(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(list(project.sandbox.requests))
    before = project.files("**/*")
    assert cli.main(["plan", *DAYS]) == 0
    said = facts(capsys)
    assert said["days"] == "2026-03-02 to 2026-03-03 (2), 0 of them landed"
    assert said["orders"] == "12, 12 of them due: 12 new"
    assert said["requests"] == "about 39: 2 to list all orders, 36 for due orders, a login"
    assert said["minutes"].startswith("at least 0.0, at 10000 requests per second")
    assert len(list(project.sandbox.requests)) == asked
    assert project.files("**/*") == before
    project.refresh("2026-03-02")
    assert cli.main(["plan", *DAYS]) == 0
    said = facts(capsys)
    assert said["days"].endswith("(2), 1 of them landed")
    assert said["orders"] == "12, 6 of them due: 6 new"
    assert "mean of 6 orders fetched before" in said["per order"]


@pytest.mark.usefixtures("listed")
def test_plan_says_that_there_is_no_limit(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without a URL the embedded sandbox is meant, which has no limit; the data is another instance's.
    for name in ("OMNITRON_URL", "OMNITRON_USERNAME", "OMNITRON_PASSWORD"):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("ORDER_ASSETS_REQUESTS_PER_SECOND")
    assert cli.main(["plan", *DAYS]) == 1
    assert "belongs to" in capsys.readouterr().err
    (project.data / "instance.json").unlink()
    assert cli.main(["plan", *DAYS]) == 0
    assert facts(capsys)["minutes"].startswith("no limit is set")


def test_plan_without_an_index_says_what_to_run_first(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", *DAYS]) == 2
    said = capsys.readouterr().err
    assert "run order-assets run or materialise order_index first" in said
    assert not project.data.exists()


@pytest.mark.parametrize(("first", "last"), [("2026-02-27", "2026-03-02"), ("2026-03-03", "2026-03-02")])
def test_plan_refuses_days_that_are_no_partitions(
    project: Project, first: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["plan", "--from", first, "--to", last]) == 2
    assert "--from" in capsys.readouterr().err


@pytest.mark.usefixtures("listed")
def test_plan_from_an_index_that_cannot_be_read_fails_with_what_to_do(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.data / "index" / "index.json").write_bytes(b"PAR1")
    assert cli.main(["plan", *DAYS]) == 1
    assert "materialise order_index again" in capsys.readouterr().err
