"""`python -m benchmarks [PART ...] [--quick] [--write]`: how fast the project is, against peers and limits.

Each part prints a table. With --write the whole goes to docs/benchmarks.md and benchmarks/results/latest.json, and what
has a goal to the README. Goals are met or missed in print only: a missed one is no failure of the command.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import Figure, short_table, table, verdict
from benchmarks.flatten import ITS_TIME
from benchmarks.measure import PROJECT, have_peers

PARTS = {
    "flatten": "flatten",
    "gate": "gate",
    "fetch": "fetch",
    "refresh": "refresh",
    "warehouse": "warehouse",
    "backfill": "engine",
    "start": "start",
}
_DOCUMENT = PROJECT / "docs" / "benchmarks.md"
_README = PROJECT / "README.md"
_MARKS = ("<!-- written by make bench -->", "<!-- end of what make bench writes -->")
_RESULTS = PROJECT / "benchmarks" / "results" / "latest.json"


def main() -> int:
    """Run the parts one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all without")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the code: the figures say nothing")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md; all parts, not quick")
    given = parser.parse_args()
    unknown = sorted(set(given.parts) - PARTS.keys())
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if given.write and (given.parts or given.quick):
        parser.error("--write keeps a run of all parts at full size; leave out PART and --quick")
    if not have_peers():
        print("The peers' environment benchmarks/.venv is not there: their rows are left out. `make bench` makes it.")
    started, sections, figures, results = time.perf_counter(), [], list[Figure](), {}
    for part in given.parts or PARTS:
        module = import_module(f"benchmarks.{PARTS[part]}")
        load, began = os.getloadavg()[0], time.perf_counter()
        found = list(module.figures(quick=given.quick))
        seconds = time.perf_counter() - began
        said = f"Load before it {load:.1f}; took {seconds:.0f} s."
        sections.append(f"## {module.TITLE}\n\n{said}\n\n{table(found)}\n")
        print(sections[-1], flush=True)
        figures += found
        results[part] = {"load": load, "seconds": seconds, "figures": [figure.as_json() for figure in found]}
    closing = f"{verdict(figures)}\n\nAll parts together: {(time.perf_counter() - started) / 60:.1f} minutes."
    print(closing)
    if given.write:
        _write(sections, closing, results)
        _write_readme(figures, closing)
    return 0


def _write_readme(figures: list[Figure], closing: str) -> None:
    """Put what has a goal, or is what people would use instead, between the README's two marks."""
    before, _, rest = _README.read_text().partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    shown = [figure for figure in figures if figure.met is not None or figure.against == ITS_TIME]
    words = f"{_machine()} {closing.splitlines()[0]}."
    _README.write_text(f"{before}{_MARKS[0]}\n{words}\n\n{short_table(shown)}\n{_MARKS[1]}{after}")


def _write(sections: list[str], closing: str, results: object) -> None:
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps({"machine": _machine(), "parts": results}, indent=1))
    head = (
        "# Benchmarks\n\nWritten by `make bench`. A figure is the median of its runs; a ratio compares it with"
        " something measured in the same run. CPU and memory are of the process that did the work.\n\n"
    )
    _DOCUMENT.write_text(f"{head}{_machine()}\n\n{closing}\n\n" + "\n".join(sections))


def _machine() -> str:
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1e6
    models = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    packages = ", ".join(f"{name} {version(name)}" for name in ("dagster", "duckdb", "pyarrow"))
    cores = f"{os.cpu_count()} cores ({models[0] if models else platform.machine()})"
    return f"Machine: {cores}, {memory:.0f} GB, Python {platform.python_version()}, {packages}."


if __name__ == "__main__":
    raise SystemExit(main())
