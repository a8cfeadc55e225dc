"""`python -m faults.soak [--minutes 30]`: a living shop is synced again and again, with a fault in nearly every round.

One process for all rounds, since leaks show there: it holds the shop, too. Ends with 1 where memory or open files grow,
or where the warehouse is not the shop once the faults are over.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from faults.remote import REMOTES, attempted, elsewhere
from faults.world import CLIENT, EARLY, FIRST, SHOP
from order_assets.landing import incomplete_days
from order_assets.sandbox import DOCUMENTED_PK, Sandbox, running_sandbox
from order_assets.testing.trial import Pipeline, shop_state, warehouse_state

_MOST_GROWTH = 1.05
# Faults that would fill the time with waiting, or that say nothing when they are met by chance.
_LEFT_OUT = ("slow-drip", "stall", "429-seconds", "429-date", "503-seconds")


@dataclass(frozen=True)
class Reading:
    """What the process holds: resident memory in MB, open files, threads."""

    memory: float
    files: int
    threads: int


def reading() -> Reading:
    """Measure this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return Reading(memory, len(list(Path("/proc/self/fd").iterdir())), threading.active_count())


def live(sandbox: Sandbox, chance: random.Random, deleted: list[int]) -> None:
    """Let some time pass in the shop, in which people do what they do; `deleted` are orders that may come back."""
    sandbox.advance(timedelta(minutes=chance.randint(1, 20)))
    pks = [pk for pk in sandbox.shop.order_pks() if pk != DOCUMENTED_PK]
    passed = (sandbox.shop.now().date() - FIRST).days
    acts: tuple[Callable[[int], object], ...] = (
        lambda pk: sandbox.modify(pk, status=chance.choice(["450", "500", "550"])),
        sandbox.cancel,
        lambda pk: sandbox.refund(pk, "1.25"),
        lambda pk: sandbox.touch_children(pk, "items"),
        lambda pk: sandbox.move(pk, FIRST + timedelta(days=chance.randint(0, passed))),
    )
    for pk in chance.sample(pks, min(3, len(pks))):
        # Not every order has items, or money left to pay back.
        with suppress(ValueError):
            chance.choice(acts)(pk)
    if chance.random() < 0.05:
        deleted.append(chance.choice(pks))
        sandbox.delete(deleted[-1])
    elif deleted and chance.random() < 0.03:
        sandbox.restore(deleted.pop(0))


def fault(chance: random.Random, address: str) -> list[str]:
    """The faults of one round."""
    usable = [remote.faults for remote in REMOTES if not any(name in remote.faults for name in _LEFT_OUT)]
    chosen = chance.choice(usable).format(elsewhere=address).split("|")
    often = chance.choice((0.05, 0.3, 1.0))
    return [f"{name}{',' if ':' in name else ':'}p={often}" if "p=" not in name else name for name in chosen]


def soak(minutes: float, seed: int, place: Path) -> int:
    """Give 1 where something grew or is not as it should be."""
    chance = random.Random(seed)
    readings: list[Reading] = []
    served: Counter[str] = Counter()
    said = rounds = 0
    deleted: list[int] = []
    ends = time.monotonic() + minutes * 60
    reported = time.monotonic()
    with running_sandbox(SHOP) as sandbox, elsewhere() as other:
        pipeline = Pipeline(place, sandbox.url, FIRST, client_settings=CLIENT)
        while time.monotonic() < ends:
            rounds += 1
            live(sandbox, chance, deleted)
            pipeline.last_day = sandbox.shop.now().date()
            sandbox.faults.set(*(fault(chance, other.url) if rounds > 1 and chance.random() < 0.8 else ()))
            said += len(attempted(pipeline).messages)
            served += +sandbox.faults.served
            sandbox.faults.clear()
            if chance.random() < 0.2:
                _catch_up(pipeline)
            sandbox.requests.clear()
            readings.append(reading())
            if time.monotonic() - reported > 60:
                reported = time.monotonic()
                print(f"round {rounds}: {readings[-1]}, {served.total()} faults, {said} messages", flush=True)
        sandbox.faults.clear()
        pipeline.sync(whole=True)
        days = [FIRST + timedelta(days=number) for number in range((sandbox.shop.now().date() - FIRST).days + 1)]
        # What changes without a trace in the list is found by reading again, as every night.
        pipeline.refresh(days, again=True)
        pipeline.load(days)
        rows = sandbox.shop.flat_orders()
        expected = shop_state(row for row in rows if row["date_placed"] >= FIRST.isoformat())
        found = warehouse_state(pipeline)
        passed = sandbox.shop.now() - EARLY
        asked = len(other.seen)
    third = len(readings) // 3
    thirds = [readings[start : start + third] for start in (0, third, 2 * third)]
    memory = [median(reading.memory for reading in part) for part in thirds]
    files = [max(reading.files for reading in part) for part in thirds]
    threads = [max(reading.threads for reading in part) for part in thirds]
    differing = set(expected.items()) ^ set(found.items())
    problems = [
        words
        for words, is_one in (
            (f"memory grew by {memory[2] / memory[1] - 1:.1%}", memory[2] > memory[1] * _MOST_GROWTH),
            ("open files grew", files[2] > files[1] + 2),
            ("threads grew", threads[2] > threads[1] + 2),
            (f"the warehouse differs from the shop: {sorted(differing)[:2]}", bool(differing)),
            (f"another host was asked {asked} times", asked > 0),
            ("no fault was served", not served),
        )
        if is_one
    ]
    print(
        f"{minutes:g} minutes, seed {seed}: {rounds} rounds, {passed} in the shop, {len(expected)} orders\n"
        f"{served.total()} faults of {len(served)} kinds served, {said} messages\n"
        f"by thirds: memory {[round(found) for found in memory]} MB, open files {files}, threads {threads}\n"
        + ("; ".join(problems) or "warehouse = shop, nothing grew")
    )
    return 1 if problems else 0


def _catch_up(pipeline: Pipeline) -> None:
    days = sorted({*pipeline.due(), *(found.day for found in incomplete_days(pipeline.root))})
    pipeline.refresh(days)
    pipeline.load(days)


def main() -> int:
    """Soak for a while in a folder that goes away afterwards."""
    parser = argparse.ArgumentParser(prog="python -m faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="order_assets_soak_") as place:
        return soak(given.minutes, given.seed, Path(place) / "data")


if __name__ == "__main__":
    raise SystemExit(main())
