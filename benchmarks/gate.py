"""What the gate costs per document: CPU, against merely parsing it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Figure
from benchmarks.measure import RUNS, child, have_peers, own, peer

TITLE = "Validator: CPU per document against a parse with exact decimals"
_MOST = 4


def figures(*, quick: bool) -> Iterator[Figure]:
    """Milliseconds per document; the exact parse is what everything here is held against."""
    rounds, documents = (1, 50) if quick else (RUNS, 1200)
    said = child(own("gate", rounds, documents))
    for document, times in said["found"].items():
        exact = median(times["exact parse"])
        for way, values in times.items():
            is_goal = way.startswith("gate")
            ratio = median(values) / exact
            goal, met = (f"under {_MOST} x", ratio < _MOST) if is_goal else ("", None)
            yield Figure(f"{document}: {way}", tuple(values), "ms", "exact parse", ratio, goal, met)
    if have_peers():
        exact = median(said["found"]["detail"]["exact parse"])
        with tempfile.TemporaryDirectory(prefix="bench-gate-") as folder:
            child(own("bodies", f"{folder}/bodies", documents))
            times = child(peer("orjson", f"{folder}/bodies", rounds))["times"]
        yield Figure("detail: orjson", tuple(times), "ms", "exact parse", median(times) / exact)
