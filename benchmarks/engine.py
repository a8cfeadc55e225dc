"""A backfill through Dagster, by `benchmarks.backfill` in a process of its own, and what part is Dagster's own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.measure import PROJECT

TITLE = "Backfill: days x 20 orders through Dagster, history in SQLite"
_MOST_SECONDS_A_DAY = 0.4
_OWN = re.compile(r"(run creation: planned events|Dagster's event writes|the rest: Dagster's engine)\s+([\d.]+)")


def figures(*, quick: bool) -> Iterator[Figure]:
    """A year at no latency, once: it takes minutes."""
    days = 3 if quick else 365
    said = _said(days, 20)
    per_day, used = (float(found) for found in _found(r"([\d.]+) s per day; ([\d.]+) s CPU", said))
    helped = float(_found(r"helpers: ([\d.]+) s CPU", said)[0])
    dagster = sum(float(seconds) for _, seconds in _OWN.findall(said))
    peak = float(_found(r"peak (\d+) MB", said)[0])
    yield Figure(
        f"{days} days, a day",
        (per_day,),
        "s",
        goal=f"under {_MOST_SECONDS_A_DAY:g} s",
        met=None if quick else per_day < _MOST_SECONDS_A_DAY,
        cpu_seconds=used + helped,
        peak_mb=peak,
    )
    yield Figure("of that Dagster's own, a day", (dagster / days,), "s", "the whole", dagster / days / per_day)


def _said(*arguments: object) -> str:
    command = [sys.executable, "-m", "benchmarks.backfill", *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _found(pattern: str, text: str) -> tuple[str, ...]:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"no {pattern!r} in what the backfill said: {text}")
    return match.groups()
