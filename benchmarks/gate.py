"""What the gate costs: CPU milliseconds per document, and as a ratio to merely parsing it with exact decimals.

Run it with `python benchmarks/gate.py`. The documented order is one order again and again, as one fast path would
like it; the orders of the sandbox are 300 different ones. Both ways of treating people are measured.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from order_assets.contract import CONTRACT, Document
from order_assets.landing import Gate, Privacy, PrivacyMode
from order_assets.sandbox import Shop, ShopSettings, documented_order

ROUNDS = 5
DOCUMENTS = 2000
LIMIT = 0.6  # ms per detail document of 13 kB


def milliseconds(work: Callable[[bytes], object], bodies: Sequence[bytes]) -> float:
    """CPU time per document, the median of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for number in range(DOCUMENTS):
            work(bodies[number % len(bodies)])
        rounds.append((time.process_time() - started) / DOCUMENTS * 1000)
    return statistics.median(rounds)


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def main() -> None:
    # A clock of its own, so that every run measures the same orders.
    shop = Shop(ShopSettings(start=date(2026, 1, 1), now=datetime(2026, 2, 1, tzinfo=UTC)))
    pks = shop.order_pks()[::4][:300]
    cases = {
        "documented order": (Document.DETAIL, [json.dumps(documented_order()).encode()]),
        "sandbox details": (Document.DETAIL, [compact(shop.order_detail(pk)) for pk in pks]),
        "sandbox items": (Document.ITEMS, [compact(shop.order_items(pk)) for pk in pks]),
    }
    print(f"{'':18} {'kB':>6} {'parse ms':>9} {'gate ms':>9} {'ratio':>6}")
    for mode in (PrivacyMode.TOKENISE, PrivacyMode.CLEAR):
        gate = Gate(CONTRACT, Privacy(mode, key="benchmark"))
        for name, (document, bodies) in cases.items():
            size = statistics.mean(map(len, bodies)) / 1000
            parsed = milliseconds(lambda body: json.loads(body, parse_float=Decimal), bodies)
            checked = milliseconds(lambda body, d=document, g=gate: g.check(d, body), bodies)  # type: ignore[misc]
            print(f"{name:18} {size:6.1f} {parsed:9.3f} {checked:9.3f} {checked / parsed:6.1f}  {mode.value}")
            if name == "documented order" and checked >= LIMIT:
                print(f"  more than {LIMIT} ms")


if __name__ == "__main__":
    main()
