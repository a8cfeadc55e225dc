"""`python -m faults [--quick] [--list] [NAME ...]`: try faults, print the matrix; all of them write docs/faults.md."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from faults import matrix
from faults.processes import SCENARIOS, in_processes

_DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "faults.md"


def main() -> int:
    """Give 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="part of the names of faults; none: all")
    parser.add_argument("--quick", action="store_true", help="those that the ordinary tests try")
    parser.add_argument("--list", action="store_true", help="name them and do nothing")
    parser.add_argument("--jobs", type=int, default=2, help="processes that try faults side by side (2)")
    asked = parser.parse_args()
    scenarios = [
        scenario
        for scenario in SCENARIOS
        if (scenario.quick or not asked.quick)
        and (not asked.names or any(name in scenario.name for name in asked.names))
    ]
    if asked.list:
        print("\n".join(scenario.name for scenario in scenarios))
        return 0
    if not scenarios:
        parser.error("no fault has such a name; see --list")
    started, found = time.monotonic(), {}
    for outcome in in_processes(scenarios, asked.jobs):
        found[outcome.scenario.name] = outcome
        print(matrix.line(outcome), flush=True)
    outcomes = [found[scenario.name] for scenario in scenarios]
    broken = [outcome for outcome in outcomes if not outcome.held]
    print(f"\n{len(outcomes)} faults, {len(broken)} with a broken promise")
    if not asked.names and not asked.quick:
        _DOCUMENT.write_text(matrix.markdown(outcomes, time.monotonic() - started), encoding="utf-8")
        print(f"written to {_DOCUMENT}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
