"""A process of its own that makes calls; started by the tests of the shared budget.

It says `ready` when it could begin, begins with the next line of its input, and says how many calls it made.
"""

import sys
import time
from pathlib import Path

from order_assets.omnitron import ClientSettings, OmnitronClient


def main(url: str, token: str, kept: str, rate: str, places: str, seconds: str) -> None:
    settings = ClientSettings(
        url,
        token=token,
        requests_per_second=float(rate),
        max_concurrency=int(places),
        budget=kept if kept.startswith("postgresql:") else None,
        budget_directory=Path(kept),
    )
    with OmnitronClient(settings) as client:
        print("ready", flush=True)
        sys.stdin.readline()
        end = time.monotonic() + float(seconds)

        def numbers_until_the_end():  # type: ignore[no-untyped-def]
            while time.monotonic() < end:
                yield len(done)

        done: list[int] = []
        for outcome in client.map_concurrently(
            lambda _: client.get_json_bytes("orders/", {"limit": 1}).status, numbers_until_the_end()
        ):
            done.append(outcome.value or 0)
    print(len(done), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
