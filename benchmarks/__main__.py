"""`python -m benchmarks [PART ...] [--quick] [--write]`: how fast the project is, against peers and limits.

Each part prints a table. With --write they go to docs/benchmarks.md, and what has a goal to docs/speed.md; of parts
that were not run the figures stay that benchmarks/results/latest.json has of them. Goals are met or missed in print
only: a missed one is no failure of the command.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
_SHORT = PROJECT / "docs" / "speed.md"
_MARKS = ("<!-- written by make bench -->", "<!-- end of what make bench writes -->")
_RESULTS = PROJECT / "benchmarks" / "results" / "latest.json"


def main() -> int:
    """Run the parts one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all without")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try the code: the figures say nothing")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and docs/speed.md")
    given = parser.parse_args()
    unknown = sorted(set(given.parts) - PARTS.keys())
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    if given.write and given.quick:
        parser.error("--write keeps figures of full size; leave out --quick")
    kept = _kept() if given.write and given.parts else {}
    if given.write and not set(PARTS) <= {*kept, *(given.parts or PARTS)}:
        parser.error("--write needs figures of all parts; leave out PART, for once")
    if not have_peers():
        print("The peers' environment benchmarks/.venv is not there: their rows are left out. `make bench` makes it.")
    # A script's background job starts with Ctrl-C ignored, and so would `dagster dev`, which is ended by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    found = {}
    for part in given.parts or PARTS:
        found[part] = _run(part, quick=given.quick)
        print(_section(found[part]), flush=True)
        if given.write:
            # Part by part, so that one that fails is run again by itself.
            _keep(kept | found)
    print(_closing(found))
    if given.write:
        parts = {part: (kept | found)[part] for part in PARTS}
        _write(parts)
        _write_short(parts)
    return 0


def _run(part: str, *, quick: bool) -> dict[str, Any]:
    """What a part found, and when."""
    module = import_module(f"benchmarks.{PARTS[part]}")
    load, began = os.getloadavg()[0], time.perf_counter()
    figures = [figure.as_json() for figure in module.figures(quick=quick)]
    seconds, day = time.perf_counter() - began, f"{datetime.now(UTC):%Y-%m-%d}"
    return {
        "title": module.TITLE,
        "said": f"On {day}; load before it {load:.1f}; took {seconds:.0f} s.",
        "seconds": seconds,
        "machine": _machine(),
        "figures": figures,
    }


def _kept() -> dict[str, Any]:
    return json.loads(_RESULTS.read_text()) if _RESULTS.exists() else {}


def _keep(parts: Mapping[str, Any]) -> None:
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(parts, indent=1))


def _figures(parts: Mapping[str, Any]) -> list[Figure]:
    return [Figure.of_json(figure) for part in parts.values() for figure in part["figures"]]


def _section(part: Mapping[str, Any]) -> str:
    return f"## {part['title']}\n\n{part['said']}\n\n{table(_figures({'': part}))}\n"


def _closing(parts: Mapping[str, Any]) -> str:
    minutes = sum(part["seconds"] for part in parts.values()) / 60
    return f"{verdict(_figures(parts))}\n\nAll parts together: {minutes:.1f} minutes."


def _machines(parts: Mapping[str, Any]) -> str:
    return "\n".join(dict.fromkeys(part["machine"] for part in parts.values()))


def _write_short(parts: Mapping[str, Any]) -> None:
    """Put what has a goal, or is what people would use instead, between the two marks of the short page."""
    before, _, rest = _SHORT.read_text().partition(_MARKS[0])
    _, _, after = rest.partition(_MARKS[1])
    shown = [figure for figure in _figures(parts) if figure.met is not None or figure.against == ITS_TIME]
    words = f"{_machines(parts)} {_closing(parts).splitlines()[0]}."
    _SHORT.write_text(f"{before}{_MARKS[0]}\n{words}\n\n{short_table(shown)}\n{_MARKS[1]}{after}")


def _write(parts: Mapping[str, Any]) -> None:
    head = (
        "# Benchmarks\n\nWritten by `make bench`. A figure is the median of its runs; a ratio compares it with"
        " something measured in the same run. CPU and memory are of the process that did the work.\n\n"
    )
    sections = "\n".join(map(_section, parts.values()))
    _DOCUMENT.write_text(f"{head}{_machines(parts)}\n\n{_closing(parts)}\n\n{sections}")


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
