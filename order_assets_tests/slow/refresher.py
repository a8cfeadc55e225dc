"""Refreshes days in a process of its own, when told to: `python -m ... ROOT URL FIRST BUDGET_DIR RATE DAY ...`."""

import sys
from datetime import date
from pathlib import Path

from order_assets.testing.trial import Pipeline

if __name__ == "__main__":
    root, url, first, budget, rate, *days = sys.argv[1:]
    pipeline = Pipeline(Path(root), url, date.fromisoformat(first))
    pipeline.client_settings = {
        "budget_directory": Path(budget),
        "requests_per_second": float(rate),
        "max_concurrency": 8,
        "retries": 3,
    }
    print("ready", flush=True)
    sys.stdin.readline()
    reports = pipeline.refresh(map(date.fromisoformat, days))
    print(sum(report.requests for report in reports), flush=True)
