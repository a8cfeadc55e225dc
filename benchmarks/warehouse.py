"""One day loaded and published again with 10, 100 and 365 days of history in the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.million import FIRST_DAY, VERSION, flatten, land
from order_assets.contract import CONTRACT
from order_assets.warehouse import load_days
from order_assets.warehouse.marts import MARTS

TITLE = "Warehouse: one day of 40 orders loaded again, by days of history"
_HISTORIES = (10, 100, 365)
_ORDERS = 40
_RUNS = 5
_FLAT = 1.25


def figures(*, quick: bool) -> Iterator[Figure]:
    """Seconds of load, marts and publish, and of the copy of the file by itself."""
    histories, runs = ((2, 4), 1) if quick else (_HISTORIES, _RUNS)
    with tempfile.TemporaryDirectory(prefix="bench-warehouse-") as folder:
        root = Path(folder)
        days = [FIRST_DAY + timedelta(days=number) for number in range(histories[-1])]
        land(root, days, _ORDERS)
        flatten(root, days, sample_at_most=1)
        least, loaded = None, 0
        for history in histories:
            for start in range(loaded, history, 50):
                some = days[start : min(start + 50, history)]
                load_days(root, some, contract=CONTRACT, marts=MARTS, contract_version=VERSION, fresh=start == 0)
            loaded = history
            again = days[history // 2 : history // 2 + 1]
            reports = [
                load_days(root, again, contract=CONTRACT, marts=MARTS, contract_version=VERSION) for _ in range(runs)
            ]
            seconds = tuple(report.load_seconds for report in reports)
            growth = median(seconds) / least if least else None
            is_goal = growth is not None and not quick
            yield Figure(
                f"{history} days: load, marts and publish",
                seconds,
                "s",
                f"{histories[0]} days" if growth else "",
                growth,
                f"at most {_FLAT:g} x" if is_goal else "",
                (growth or 0) <= _FLAT if is_goal else None,
            )
            yield Figure(
                f"{history} days: copy of the file of {reports[-1].bytes / 1e6:.0f} MB",
                tuple(report.copy_seconds for report in reports),
                "s",
            )
            least = least or median(seconds)
