"""Landed orders to typed Parquet tables: ours, what people would use instead, and the limits of the machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.measure import RUNS, Timed, child, have_peers, in_turns, own, peer

TITLE = "Flatten: 10,000 landed orders to typed Parquet tables"
_ORDERS, _MANY = 10_000, 100_000
_QUICK = 40
ITS_TIME = "the time of order_assets"
_MOST_MB = 600
_SLOWER, _OF_TRANSFORM, _SAME = 20, 0.6, 0.2


def figures(*, quick: bool) -> Iterator[Figure]:
    """Seconds per way, and memory at ten times the orders."""
    orders, runs = (_QUICK, 1) if quick else (_ORDERS, RUNS)
    with tempfile.TemporaryDirectory(prefix="bench-flatten-") as folder:
        child(own("land", folder, orders))
        works = {"ours": own("flatten", folder), "bare": own("transform", folder), "copy": own("copy", folder)}
        if have_peers() and not quick:
            child(own("lines", folder))
            works |= {f"dlt to {to}": peer("dlt", to, folder) for to in ("parquet", "duckdb")} | {
                "pandas.json_normalize": peer("pandas", folder),
                "polars": peer("polars", folder),
                "DuckDB read_json_auto, sets left nested": peer("duckdb", folder),
            }
        found = in_turns(works, 1)
        # Each run of dlt takes a third of a minute, so the slower of its two ways is run only once.
        ways = sorted((name for name in works if name.startswith("dlt")), key=lambda way: found[way].median)
        again = in_turns({name: work for name, work in works.items() if name not in ways[1:]}, runs - 1)
        found |= {name: found[name].and_then(timed) for name, timed in again.items()}
    ours, bare = found.pop("ours"), found.pop("bare")
    share = bare.median / ours.median
    yield Figure(
        f"order_assets, {orders / ours.median:,.0f} orders/s",
        ours.seconds,
        "s",
        "the speed of bare json_transform",
        share,
        f"at least {_OF_TRANSFORM:g} x",
        share >= _OF_TRANSFORM,
        ours.cpu,
        ours.peak,
    )
    yield Figure("limit: bare json_transform", bare.seconds, "s", cpu_seconds=bare.cpu, peak_mb=bare.peak)
    for name, timed in found.items():
        yield _against(f"{name}, the faster" if name in ways[:1] else name, timed, ours)
    yield Figure(
        f"memory at {orders:,} orders", (ours.peak,), "MB", goal=f"under {_MOST_MB} MB", met=ours.peak < _MOST_MB
    )
    if not quick:
        yield _many(ours)


def _against(name: str, timed: Timed, ours: Timed) -> Figure:
    slower = timed.median / ours.median
    name = "limit: reading and writing the bytes" if name == "copy" else name
    goal, met = (f"at least {_SLOWER} x", slower >= _SLOWER) if name.endswith("the faster") else ("", None)
    return Figure(name, timed.seconds, "s", ITS_TIME, slower, goal, met, timed.cpu, timed.peak)


def _many(few: Timed) -> Figure:
    with tempfile.TemporaryDirectory(prefix="bench-flatten-") as folder:
        child(own("land", folder, _MANY))
        many = in_turns({"ours": own("flatten", folder)}, 1)["ours"]
    growth = many.peak / few.peak
    return Figure(
        f"memory at {_MANY:,} orders of one day",
        (many.peak,),
        "MB",
        f"that at {_ORDERS:,}",
        growth,
        f"at most {1 + _SAME:g} x",
        growth <= 1 + _SAME,
        many.cpu,
        many.peak,
    )
