"""The table of faults, promises and results: on the terminal while it grows, and in `docs/faults.md`."""

from __future__ import annotations

from collections.abc import Sequence

from faults.scenario import PROMISES, Outcome


def line(outcome: Outcome) -> str:
    """An outcome for the terminal."""
    scenario = outcome.scenario
    promises = " ".join(map(str, scenario.promises))
    word = "held  " if outcome.held else "BROKEN"
    return f"{word} {outcome.seconds:5.1f} s  {scenario.name} [{promises}]: {outcome.found}"


def markdown(outcomes: Sequence[Outcome]) -> str:
    """All outcomes as a document."""
    held = sum(outcome.held for outcome in outcomes)
    seconds = sum(outcome.seconds for outcome in outcomes)
    text = [
        "# Faults and promises",
        "",
        "Written by `make faults`, which tries every row anew; nothing here is written by hand.",
        f"{len(outcomes)} faults, {held} with all promises held, {len(outcomes) - held} not, in {seconds:.0f} s.",
        "",
        "The promises:",
        "",
        *(f"{number}. {words}" for number, words in PROMISES.items()),
        "",
        "Every row ends with a comparison: tables, ledger and warehouse have to equal those of a run that nobody",
        "disturbed. On the shop's side one more run has to ask for no order.",
        "A fault that was not met counts as broken.",
        "",
        "| Fault | Side | How | Promises | Result | What happened | s |",
        "|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        scenario = outcome.scenario
        cells = (
            scenario.name,
            scenario.side,
            scenario.says,
            ", ".join(map(str, scenario.promises)),
            "held" if outcome.held else "**broken**",
            outcome.found,
            f"{outcome.seconds:.1f}",
        )
        text.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(text) + "\n"
