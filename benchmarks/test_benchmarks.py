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


def test_parts_are_measured_anew_one_by_one_and_the_others_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("_RESULTS", "_DOCUMENT", "_SHORT"):
        monkeypatch.setattr(command, name, tmp_path / name)
    (tmp_path / "_SHORT").write_text(f"before\n{command._MARKS[0]}\nold\n{command._MARKS[1]}\nafter\n")
    value = dict.fromkeys(command.PARTS, 1.0)

    def measured(part: str, *, quick: bool) -> dict[str, object]:
        figure = Figure(f"speed of {part}", (value[part],), "s", "a peer", value[part], "at most 2 x", value[part] <= 2)
        return {"title": part, "said": "", "seconds": 60.0, "machine": "A machine.", "figures": [figure.as_json()]}

    monkeypatch.setattr(command, "_run", measured)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "gate", "--write"])
    with pytest.raises(SystemExit):
        command.main()
    assert "figures of all parts" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--write"])
    command.main()
    value["gate"], value["start"] = 3.0, 9.0
    monkeypatch.setattr(sys, "argv", ["benchmarks", "gate", "--write"])
    command.main()
    written, short = (tmp_path / "_DOCUMENT").read_text(), (tmp_path / "_SHORT").read_text()
    assert written.count("A machine.") == 1
    assert "6 of 7 goals met, 1 missed\n- speed of gate: at most 2 x, found 3 x" in written
    assert f"All parts together: {len(command.PARTS)}.0 minutes." in written
    assert [line[3:] for line in written.splitlines() if line.startswith("## ")] == list(command.PARTS)
    assert short.startswith("before\n")
    assert short.endswith("\nafter\n")
    assert "old" not in short
    assert "| speed of gate | 3 s | 3 x a peer | at most 2 x | **missed** |" in short


def test_the_gate_is_held_against_a_parse_of_the_same_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "PEERS", Path("/nowhere"))
    found = {figure.name: figure for figure in gate.figures(quick=True)}
    exact, ours = found["detail: exact parse"], found["detail: gate, tokenise"]
    assert ours.ratio == ours.median / exact.median
    assert ours.met == (ours.ratio < 4)


@pytest.mark.long
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
