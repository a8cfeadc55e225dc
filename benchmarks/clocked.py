"""Times a piece of work in a process of its own and says what it found in one line of JSON.

Also imported by the peers' Python, so nothing but the standard library is used.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def say(**found: Any) -> None:
    """The line that `measure.child` reads."""
    print(json.dumps(found), flush=True)


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def clocked(work: Callable[[], Any]) -> None:
    """Do it once and say how long it took, and the peak of this process or of its largest child in MB."""
    started, before = time.perf_counter(), cpu()
    result = work()
    seconds, used = time.perf_counter() - started, cpu() - before
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    peak = max(resource.getrusage(who).ru_maxrss for who in whose) / 1024
    say(seconds=seconds, cpu=used, peak=peak, result=result)


def each_cell(paths: str, cells: str, measure: Callable[[Sequence[str], int], Any]) -> None:
    """Say what `measure` found for each cell, such as `8:400`: eight in flight, the first four hundred paths."""
    wanted = Path(paths).read_text().split()
    found = []
    for cell in cells.split(","):
        in_flight, count = map(int, cell.split(":"))
        found.append(measure(wanted[:count], in_flight))
    say(cells=found)
