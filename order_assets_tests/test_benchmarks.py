"""The benchmarks' code runs, and says honestly what was met; how fast anything is, is not asked here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import gate, measure
from benchmarks.figures import Figure, table, verdict
from benchmarks.measure import Work


def test_a_missed_goal_is_named_with_what_was_found() -> None:
    figures = [
        Figure("fast", (1.0, 2.0, 9.0), "s", "a peer", 0.5, "at most 1 x", True),
        Figure("slow", (7.0,), "ms", "a parse", 7.25, "under 4 x", False),
        Figure("no goal", (3.0,), "s"),
    ]
    assert verdict(figures).splitlines() == [
        "1 of 2 goals met, 1 missed",
        "- slow: under 4 x, found 7.25 x",
    ]
    assert "| fast | 2 s | 3 | 0.5 x a peer | at most 1 x | met |" in table(figures)
    assert "**missed**" in table(figures)


def test_the_gate_is_held_against_a_parse_of_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "PEERS", Path("/nowhere"))
    found = {figure.name: figure for figure in gate.figures(quick=True)}
    exact, ours = found["detail: exact parse"], found["detail: gate, tokenise"]
    assert ours.ratio == ours.median / exact.median
    assert ours.met == (ours.ratio < 4)


def test_all_runs_of_a_work_are_kept(tmp_path: Path) -> None:
    measure.child(measure.own("land", tmp_path, 3))
    found = measure.in_turns({"a": measure.own("flatten", tmp_path), "b": measure.own("transform", tmp_path)}, 2)
    assert [len(timed.seconds) for timed in found.values()] == [2, 2]
    assert (tmp_path / "tables" / "orders").is_dir()
    assert all(timed.peak > 0 and timed.cpu > 0 for timed in found.values())


def test_a_piece_of_work_that_fails_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="ended with 1"):
        measure.child(Work("benchmarks.own", ("no such mode",)))


def test_an_unknown_part_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "fly"])
    with pytest.raises(SystemExit):
        command.main()
    assert "no part fly" in capsys.readouterr().err
