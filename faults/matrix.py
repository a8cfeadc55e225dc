"""The table of faults, promises and results: on the terminal while it grows, and in `docs/faults.md`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from faults.scenario import PROMISES, Outcome


def line(outcome: Outcome) -> str:
    """An outcome for the terminal."""
    scenario = outcome.scenario
    promises = " ".join(map(str, scenario.promises))
    word = "held  " if outcome.held else "BROKEN"
    return f"{word} {outcome.seconds:5.1f} s  {scenario.name} [{promises}]: {outcome.found}"


def markdown(outcomes: Sequence[Outcome], seconds: float) -> str:
    """All outcomes as a document; `seconds` is what they took together."""
    held = sum(outcome.held for outcome in outcomes)
    head = ("Fault", "Side", "How", *map(str, PROMISES), "What happened", "s")
    text = [
        "# Faults and promises",
        "",
        "Written by `make faults`, which tries every row anew; nothing here is written by hand.",
        f"{len(outcomes)} faults in {seconds / 60:.1f} minutes; with {held} of them all promises held.",
        "",
        "The promises:",
        "",
        *(f"{number}. {words}" for number, words in PROMISES.items()),
        "",
        "A mark under its number says that the fault was tried against a promise and that it held; **no** that one of",
        "these did not. Every row ends with a comparison: tables, ledger and warehouse have to equal those of a run",
        "that nobody disturbed. On the shop's side no secret may lie on the disk, and one more run has to ask for no",
        "order. A fault that was not met counts as broken.",
        "",
        _row(head),
        _row(["---"] * len(head)),
        *map(_outcome, outcomes),
    ]
    return "\n".join(text) + "\n"


def _outcome(outcome: Outcome) -> str:
    scenario = outcome.scenario
    mark = "✓" if outcome.held else "**no**"
    tried = (mark if number in scenario.promises else "" for number in PROMISES)
    return _row((scenario.name, scenario.side, scenario.says, *tried, outcome.found, f"{outcome.seconds:.1f}"))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
