"""The client against the stand-in in a process of its own: requests per second, and CPU per request.

One detail document per request. The bound is what so many in flight can ask for when every answer takes the latency,
which in the stand-in is all that an answer takes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import requests

from benchmarks.backfill import stand_in
from benchmarks.figures import Figure
from benchmarks.measure import RUNS, child, have_peers, own, peer
from order_assets.sandbox import PASSWORD, USERNAME
from order_assets.sandbox.world import FIRST_PK

TITLE = "Fetch: requests per second and CPU per request"
_LATENCIES_MS, _IN_FLIGHT = (0, 20, 50), (1, 8, 16, 32)
_LEAST, _GOAL_UP_TO = 0.9, 16
_MOST_OVERHEAD_MS = 0.5
_DAYS, _ORDERS = 10, 60
# A turn's length where the bound is reached.
_SECONDS = 0.5


def figures(*, quick: bool) -> Iterator[Figure]:
    """Cells of latency and requests in flight; then what a request costs."""
    latencies, numbers, rounds = ((20,), (4,), 1) if quick else (_LATENCIES_MS, _IN_FLIGHT, RUNS)
    costs: dict[str, list[float]] = {"ours": [], "requests": [], "aiohttp": []}
    for latency in latencies:
        with stand_in(_DAYS, _ORDERS, latency) as url, tempfile.TemporaryDirectory(prefix="bench-fetch-") as folder:
            bounds = [in_flight * 1000 / latency if latency else None for in_flight in numbers]
            counts = [max(20, round((bound or 300) * (0.1 if quick else _SECONDS))) for bound in bounds]
            paths = Path(folder, "paths")
            paths.write_text("\n".join(map(_path, range(max(counts)))))
            cells = ",".join(f"{in_flight}:{count}" for in_flight, count in zip(numbers, counts, strict=True))
            arguments = (url, _token(url), paths, cells, rounds)
            found = {"ours": child(own("fetch", *arguments))["cells"]}
            if have_peers():
                found |= {name: child(peer(name, *arguments))["cells"] for name in ("requests", "aiohttp")}
        for name, said in found.items():
            costs[name] += [cost for cell in said for cost in cell["costs"]]
        for number, (in_flight, bound) in enumerate(zip(numbers, bounds, strict=True)):
            yield from _cell(latency, in_flight, bound, {name: said[number]["rates"] for name, said in found.items()})
    yield from _costs(costs)


def _cell(latency: int, in_flight: int, bound: float | None, rates: dict[str, list[float]]) -> Iterator[Figure]:
    where = f"{latency} ms, {in_flight} in flight"
    for name, values in rates.items():
        limit = bound or (median(rates["requests"]) if "requests" in rates else None)
        ratio = median(values) / limit if limit else None
        against = "the bound" if bound else "requests" if limit else ""
        is_goal = name == "ours" and bound is not None and in_flight <= _GOAL_UP_TO
        goal, met = (f"at least {_LEAST:g} x", (ratio or 0) >= _LEAST) if is_goal else ("", None)
        yield Figure(f"{where}: {_called(name)}", tuple(values), "requests/s", against, ratio, goal, met)


def _costs(costs: dict[str, list[float]]) -> Iterator[Figure]:
    for name in ("requests", "aiohttp"):
        if costs[name]:
            yield Figure(f"CPU per request: {name}", tuple(costs[name]), "ms")
    ours = median(costs["ours"])
    yield Figure("CPU per request: order_assets", tuple(costs["ours"]), "ms")
    if costs["requests"]:
        over = ours - median(costs["requests"])
        goal = f"under {_MOST_OVERHEAD_MS:g} ms"
        yield Figure("CPU per request above requests", (over,), "ms", goal=goal, met=over < _MOST_OVERHEAD_MS)


def _called(name: str) -> str:
    return "order_assets" if name == "ours" else name


def _token(url: str) -> str:
    answer = requests.post(f"{url}/api/v1/auth/login/", json={"username": USERNAME, "password": PASSWORD}, timeout=30)
    answer.raise_for_status()
    token: str = answer.json()["key"]
    return token


def _path(number: int) -> str:
    pk = FIRST_PK + number % (_DAYS * _ORDERS)
    return f"/api/v1/orders_integration/{pk}/detailed_integration/"
