"""One sync, refresh and load in a process of its own, to be killed: `python -m ... ROOT URL FIRST LAST BATCH`."""

import sys
from datetime import date
from pathlib import Path

from order_assets.landing import refresh
from order_assets.testing.trial import Pipeline

if __name__ == "__main__":
    root, url, first, last, batch = sys.argv[1:]
    refresh._BATCH = int(batch)
    print("begins", flush=True)
    days = Pipeline(Path(root), url, date.fromisoformat(first), last_day=date.fromisoformat(last)).run()
    print(f"done {len(days)}", flush=True)
