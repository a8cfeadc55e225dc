"""A contract changes while days are landed: what is of an older one is said, and made again without the shop."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from order_assets import cli, read_table
from order_assets.tables import stale_days, write_verdict
from order_assets_tests.defs.conftest import Project


def make_older(project: Project, day: str) -> Path:
    """Leave the verdict of a day as an earlier contract would have; gives its file."""
    file = project.data / "verdicts" / f"date={day}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "contract_version": "1-older"}))
    return file


@pytest.mark.long
def test_days_of_an_older_contract_are_counted_after_a_run_and_replay_makes_just_those(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "--from", "2026-03-02", "--to", "2026-03-04"]) == 0
    assert "older contract" not in capsys.readouterr().out
    older = make_older(project, "2026-03-02")
    others = {day: project.files(f"verdicts/date={day}.json") for day in ("2026-03-03", "2026-03-04")}

    assert cli.main(["run", "--from", "2026-03-04", "--to", "2026-03-04"]) == 0
    assert "1 day is of an older contract: order-assets replay --stale" in capsys.readouterr().out
    others["2026-03-04"] = project.files("verdicts/date=2026-03-04.json")
    requests = project.document_requests()

    assert cli.main(["replay", "--stale"]) == 0
    assert "2026-03-02" in capsys.readouterr().out
    assert json.loads(older.read_text())["contract_version"] != "1-older"
    assert {day: project.files(f"verdicts/date={day}.json") for day in others} == others
    assert project.document_requests() == requests
    assert len(read_table("orders", data_root=project.data)) == 18

    assert cli.main(["replay", "--stale"]) == 0
    assert "nothing to replay" in capsys.readouterr().out
    assert cli.main(["replay", "--all", "--from", "2026-03-03"]) == 0
    assert {day: project.files(f"verdicts/date={day}.json") for day in others} != others


def test_just_the_days_of_an_older_contract_are_stale(tmp_path: Path) -> None:
    for number, version in enumerate(("older", "new", "oldest"), start=1):
        write_verdict(tmp_path, date(2026, 3, number), version, [])
    assert stale_days(tmp_path, "new") == [date(2026, 3, 1), date(2026, 3, 3)]
    assert stale_days(tmp_path / "nothing", "new") == []


@pytest.mark.parametrize("arguments", [[], ["--from", "2026-03-02"], ["--to", "2026-03-02"], ["--all"]])
def test_a_replay_without_days_says_what_it_takes(
    arguments: list[str], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["replay", *arguments]) == 2
    said = capsys.readouterr().err
    assert ("no day has been landed" if "--all" in arguments else "--stale or --all") in said
