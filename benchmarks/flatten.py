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
        tried, best = dict[str, Timed](), ""
        works = {"ours": own("flatten", folder), "bare": own("transform", folder), "copy": own("copy", folder)}
        if have_peers() and not quick:
            # Both once, since each run takes a minute; the faster of them then runs as often as all others.
            tried = {to: in_turns({to: peer("dlt", to, folder)}, 1)[to] for to in ("parquet", "duckdb")}
            best = min(tried, key=lambda to: tried[to].median)
            works |= {
                f"dlt to {best}, the faster": peer("dlt", best, folder),
                "pandas.json_normalize": peer("pandas", folder),
                "polars": peer("polars", folder),
                "DuckDB read_json_auto, sets left nested": peer("duckdb", folder),
            }
        found = in_turns(works, runs)
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
        yield _against(name, timed, ours)
    for to, timed in tried.items():
        if to != best:
            yield _against(f"dlt to {to}", timed, ours)
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
