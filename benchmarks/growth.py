"""What a sync and the look for due days cost as a shop grows: a synthetic index and ledgers of many orders.

    python -m benchmarks.growth [MILLIONS [DAYS]] [--changed ORDERS] [--root FOLDER] [--scattered]

Index and ledgers are written as the package writes them, which is not counted; then each step runs in a process of
its own, and its time, the bytes that it wrote and the most memory that it had are printed. With --scattered the keys
of orders say nothing about their days, and the changed orders are of as many days.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from order_assets.landing import IndexDraft, Instance, Landing, Outcome, changed_days, index_file
from order_assets.landing.index import INDEX_SCHEMA, SyncState, index_rows, manifest_of
from order_assets.landing.index_files import Manifest, days_of, publish, write_segments
from order_assets.landing.landing_schema import LEDGER_SCHEMA
from order_assets.landing.list_row import MONEY, MONEY_TYPE

FIRST = date(2023, 1, 1)
SHOP = Instance("https://shop.example.com", "UTC", FIRST)
_LISTED = datetime(2026, 1, 1, tzinfo=UTC)
_STEPS = ("fill", "ledgers", "sync", "due", "list")
# Orders that are listed as a whole, row by row.
_LISTED_WHOLE = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("millions", nargs="?", type=float, default=5.0)
    parser.add_argument("days", nargs="?", type=int, default=1000)
    parser.add_argument("--changed", type=int, default=100)
    parser.add_argument("--root", type=Path, help="where to keep the index")
    parser.add_argument("--scattered", action="store_true")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="growth-") as folder:
        root = given.root or Path(folder)
        if given.step:
            print(json.dumps(_step(given, root)))
            return
        steps = ["due", "sync", "due", "sync", "list", "list"]
        for step in steps if index_file(root).exists() else ["fill", "ledgers", *steps]:
            own = root if step != "list" else Path(folder) / "listed"
            command = [sys.executable, "-m", "benchmarks.growth", *sys.argv[1:], "--root", str(own), "--step", step]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(step, done.stdout.strip(), flush=True)


def _step(given: argparse.Namespace, root: Path) -> dict[str, Any]:
    orders = round(given.millions * 1_000_000)
    before, began = _files(root), time.perf_counter()
    if given.step == "ledgers":
        _write_ledgers(root)
    elif given.step == "fill":
        _fill(root, orders, given.days, scattered=given.scattered)
    elif given.step == "due":
        found = len(changed_days(root, FIRST, FIRST + timedelta(days=given.days)))
    else:
        whole = given.step == "list"
        orders = _LISTED_WHOLE if whole else orders
        chance = random.Random(time.time())
        # Most orders that change are young.
        known = range(orders) if given.scattered else range(orders * 29 // 30, orders)
        pks = range(orders) if whole else sorted(chance.sample(known, given.changed))
        moment = datetime.now(UTC) if not whole else _LISTED
        draft = IndexDraft(root, SHOP, datetime.now(UTC))
        rows = (_row(pk, orders, given.days, moment, scattered=given.scattered) for pk in pks)
        listing = 0.0
        for row in rows:
            at = time.perf_counter()
            draft.take(row)
            listing += time.perf_counter() - at
        at = time.perf_counter()
        state = replace(draft.state, whole_at=draft.seen_at) if whole else draft.state
        found = draft.write(state).changed
        began = time.perf_counter() - (time.perf_counter() - at + listing)
    seconds = time.perf_counter() - began
    after = _files(root)
    written = sum(size for path, size in after.items() if path not in before or path.name == "index.json")
    return {
        "seconds": round(seconds, 3),
        "us_per_order": round(seconds / orders * 1e6, 2),
        "written_mb": round(written / 1e6, 2),
        "index_bytes_per_order": round(sum(s for p, s in after.items() if p.parent.name == "index") / orders, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        **({} if given.step in ("fill", "ledgers") else {"found": found}),
    }


def _files(root: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in root.rglob("*.*") if path.is_file()}


def _row(pk: int, orders: int, days: int, changed: datetime, *, scattered: bool) -> dict[str, Any]:
    """A row of the list as shops have it, with 47 columns of which most repeat."""
    place = pk * 7_919 % orders if scattered else pk
    placed = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=days) * (place / orders)
    mixed = pk * 2_654_435_761 % 2**32
    modified = placed + timedelta(seconds=mixed % 900_000) if changed is _LISTED else changed
    amount = f"{mixed % 200_000 / 100:.2f}"
    return {
        "pk": pk, "number": f"{mixed:08x}{pk:07d}", "channel": 3 + mixed % 4,
        "status": ("550", "600", "100")[mixed % 3],
        "date_placed": _text(placed), "customer": mixed % 500_000, "shipping_address": mixed % 900_000,
        "billing_address": mixed % 900_000, "currency": "try", "amount": amount, "shipping_amount": "29.90",
        "shipping_tax_rate": None, "extra_field": {"cargo_line_id": f"{mixed:032x}"}, "payment_option": mixed % 9,
        "payment_option_slug": "kredi_karti", "bin_number": f"{mixed % 10**6:06d}", "installment": 7,
        "installment_count": 1, "delivery_type": None, "installment_interest_amount": "0.00", "cargo_company": 2,
        "invoice_number": None, "invoice_date": None, "e_archive_url": None, "refund_amount": "0.00",
        "discount_refund_amount": "0.00", "shipping_refund_amount": "0.00", "discount_amount": "10.00",
        "is_send": True, "net_shipping_amount": "29.90", "shipping_interest_amount": "0.00",
        "tracking_number": f"{mixed:012d}", "carrier_shipping_code": None, "remote_addr": "192.0.2.1",
        "fundstransfertransaction_set": [], "has_gift_box": False, "gift_box_note": None, "external_status": None,
        "client_type": "default", "language_code": "tr-tr", "notes": None, "delivery_range": None,
        "shipping_option_slug": None, "segment": None, "modified_date": _text(modified),
        "checkout_provider_id": None, "created_date": _text(placed),
    }  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _fill(root: Path, orders: int, days: int, *, scattered: bool) -> None:
    """An index as a listing of all orders leaves it, a stretch of days after the other."""
    segments, of_days = [], {}
    chance = np.random.default_rng(7)
    start = np.datetime64(FIRST, "us")
    by_day = np.arange(orders)
    placed = start + (by_day / orders * days * 86_400_000_000).astype("timedelta64[us]")
    pks = by_day * 7_919 % orders if scattered else by_day
    for begin in range(0, orders, -(-orders // days) * 40):
        here = slice(begin, begin + -(-orders // days) * 40)
        count = len(pks[here])
        mixed = chance.integers(0, 2**32, count)
        later = chance.integers(0, 900_000_000_000, count).astype("timedelta64[us]")
        texts = {"number": [f"{number:08x}{pk:07d}" for number, pk in zip(mixed, pks[here], strict=True)]}
        texts["status"] = np.array(["550", "600", "100"])[mixed % 3].tolist()
        columns = {
            "pk": pks[here], "channel": 3 + mixed % 4, "date_placed": placed[here], "created_date": placed[here],
            "modified_date": placed[here] + later, "partition": placed[here].astype("datetime64[D]"),
            "currency": ["try"] * count,
            "fingerprint": (5 << 48) + chance.integers(0, 2**48, count), "row_digest": chance.integers(1, 2**62, count),
            **texts,
        }  # fmt: skip
        money = pa.array(mixed % 20_000, pa.int64()).cast(pa.decimal128(19, 0)).cast(MONEY_TYPE)
        zero = pa.repeat(pa.scalar(Decimal(0), MONEY_TYPE), count)
        columns |= {name: money if name == "amount" else zero for name in MONEY}
        arrays = [
            pa.array(columns[field.name]).cast(field.type) if field.name in columns else pa.nulls(count, field.type)
            for field in INDEX_SCHEMA
        ]
        rows = pa.Table.from_arrays(arrays, schema=INDEX_SCHEMA)
        rows = rows.sort_by([("partition", "ascending"), ("pk", "ascending")])
        segments += write_segments(root, rows)
        of_days |= days_of(rows)
    newest = pa.scalar(placed[-1]).as_py().replace(tzinfo=UTC) + timedelta(days=11)
    state = SyncState(cursor=_LISTED, whole_at=_LISTED)
    manifest = Manifest(tuple(segments), None, of_days, newest, listed_at=_LISTED, state=state)
    assert publish(root, manifest, Manifest())


def _write_ledgers(root: Path) -> None:
    """Ledgers that say of each order what the index does."""
    for day, rows in _days(root):
        names = {"pk": "order_pk", "number": "number", "date_placed": "date_placed", "status": "status"}
        names |= {"modified_date": "listed_modified_date", "fingerprint": "listed_fingerprint"}
        ledger = rows.select(list(names)).rename_columns(list(names.values()))
        same = {"outcome": Outcome.LANDED.value, "fetched_at": _LISTED, "requests": 3, "retries": 0, "bytes": 20_000}
        for name in LEDGER_SCHEMA.names:
            if name not in ledger.column_names:
                value = pa.scalar(same.get(name), LEDGER_SCHEMA.field(name).type)
                ledger = ledger.append_column(LEDGER_SCHEMA.field(name), pa.repeat(value, len(ledger)))
        Landing(root, day).write_ledger_table(ledger.select(LEDGER_SCHEMA.names).cast(LEDGER_SCHEMA))


def _days(root: Path) -> Iterator[tuple[date, pa.Table]]:
    names = ["pk", "number", "date_placed", "status", "modified_date", "fingerprint"]
    for day in manifest_of(root).days:
        (rows,) = index_rows(root, names, day, day)
        yield day, rows.sort_by("pk")


if __name__ == "__main__":
    main()
