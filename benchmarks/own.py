"""The pieces of work that this project does in a process of its own: `python -m benchmarks.own MODE ...`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

# Before pyarrow, as in Dagster's processes: it settles how Arrow takes memory.
import order_assets  # noqa: F401

# isort: split
import duckdb
import pyarrow.parquet as pq

from benchmarks.clocked import clocked, cpu, each_cell, say
from order_assets.contract import CONTRACT, Document
from order_assets.landing import Landing, earlier_versions
from order_assets.omnitron import ClientSettings, OmnitronClient
from order_assets.redaction import Privacy, PrivacyMode, Validator
from order_assets.sandbox import Shop, ShopSettings
from order_assets.tables import Flattener
from order_assets.tables.transform_sql import documents_statement
from order_assets.testing.landed_days import land_day, order_pks

DAY = date(2026, 1, 1)
DOCUMENTS = ("detail", "items", "discounts")
_TURN = 20  # documents


def land(root: str, orders: str) -> None:
    """Land a day."""
    land_day(Path(root), DAY, int(orders))
    say(orders=int(orders))


def lines(root: str) -> None:
    """Write the three documents of the landed orders as the lines of three files, for the peers."""
    landing = Landing(Path(root), DAY)
    with duckdb.connect() as connection:
        for document in DOCUMENTS:
            source = f"read_parquet([{', '.join(repr(str(part)) for part in landing.parts())}])"
            texts = connection.execute(f"SELECT {document} FROM {source}")
            with Path(root, f"{document}.ndjson").open("w") as file:
                while rows := texts.fetchmany(1000):
                    file.writelines(f"{line}\n" for (text,) in rows for line in _lines(text))
    say(root=root)


def _lines(text: str) -> list[str]:
    # Items and discounts come as a list of rows: a reader of lines wants a row a line.
    if not text.startswith("["):
        return [text]
    return [json.dumps(row, ensure_ascii=False) for row in json.loads(text, parse_float=str)]


def flatten(root: str) -> None:
    """All tables of the landed day, as the step `flatten` makes them."""
    landing = Landing(Path(root), DAY)
    pks = order_pks(landing)

    def work() -> int:
        report = Flattener(CONTRACT).flatten_day(
            Path(root), DAY, landing.documents(pks), earlier_versions(landing, pks)
        )
        return report.orders

    clocked(work)


def transform(root: str) -> None:
    """Nothing but DuckDB's `json_transform` of the same texts into a struct each."""
    files = ", ".join(f"'{path}'" for path in Landing(Path(root), DAY).parts())

    def work() -> None:
        with duckdb.connect() as connection:
            read = documents_statement(CONTRACT).replace("FROM texts", f"FROM read_parquet([{files}])")
            counts = ", ".join(f"count({document})" for document in DOCUMENTS)
            connection.execute(f"SELECT {counts} FROM ({read})").fetchall()

    clocked(work)


def copy(root: str) -> None:
    """Reading the landed Parquet files into memory and writing them again."""
    landing = Landing(Path(root), DAY)

    def work() -> None:
        for number, part in enumerate(landing.parts()):
            pq.write_table(pq.read_table(part), Path(root, f"copy-{number}.parquet"), compression="zstd")

    clocked(work)


def gate(rounds: str, documents: str) -> None:
    """Milliseconds of CPU per document, by case: exact parse, plain parse, the gate in two modes.

    Every round begins with a gate that has seen nothing and shows it each document once. The ways take turns every
    few documents, so that a slow moment of the machine meets all of them.
    """
    found = {}
    for document, texts in _bodies(int(documents)).items():
        times: dict[str, list[float]] = {}
        for _ in range(int(rounds)):
            for way, seconds in _gate_round(document, texts).items():
                times.setdefault(way, []).append(seconds / len(texts) * 1000)
        found[document.name] = times
    say(found=found)


def _gate_round(document: Document, texts: Sequence[bytes]) -> dict[str, float]:
    ways: dict[str, Callable[[bytes], object]] = {
        "exact parse": lambda body: json.loads(body, parse_float=Decimal),
        "plain parse": json.loads,
    }
    for mode in (PrivacyMode.TOKENISE, PrivacyMode.CLEAR):
        checked = Validator(CONTRACT, Privacy(mode, key="benchmark"))
        ways[f"gate, {mode.value}"] = lambda body, g=checked: g.check(document, body)  # type: ignore[misc]
    seconds = dict.fromkeys(ways, 0.0)
    for start in range(0, len(texts), _TURN):
        for way, work in ways.items():
            started = time.process_time()
            for text in texts[start : start + _TURN]:
                work(text)
            seconds[way] += time.process_time() - started
    return seconds


def bodies(path: str, documents: str) -> None:
    """The detail documents that `gate` measures, a line each, for the peers."""
    Path(path).write_bytes(b"\n".join(_bodies(int(documents))[Document.DETAIL]))
    say(path=path)


def _bodies(documents: int) -> dict[Document, list[bytes]]:
    # A clock of its own, so that every run measures the same orders.
    shop = Shop(ShopSettings(start=DAY, now=datetime(2026, 2, 1, tzinfo=UTC)))
    pks = shop.order_pks()[:documents]
    return {
        Document.DETAIL: [_compact(shop.order_detail(pk)) for pk in pks],
        Document.ITEMS: [_compact(shop.order_items(pk)) for pk in pks],
    }


def fetch(url: str, token: str, paths: str, cells: str, rounds: str) -> None:
    """Requests per second of the client, cell by cell, and CPU milliseconds per request."""

    def measure(paths: Sequence[str], in_flight: int) -> dict[str, list[float]]:
        # The client adds what all addresses begin with.
        wanted = [path.removeprefix("/api/v1/") for path in paths]
        settings = ClientSettings(url, token=token, requests_per_second=None, max_concurrency=in_flight)
        rates, costs = [], []
        with OmnitronClient(settings) as client:
            for turn in range(int(rounds) + 1):
                started, before = time.perf_counter(), cpu()
                # The first turn, a short one, opens the connections.
                some = wanted if turn else wanted[: 2 * in_flight]
                for outcome in client.map_concurrently(client.get_json_bytes, some):
                    assert outcome.error is None, outcome.error
                if turn:
                    rates.append(len(wanted) / (time.perf_counter() - started))
                    costs.append((cpu() - before) / len(wanted) * 1000)
        return {"rates": rates, "costs": costs}

    each_cell(paths, cells, measure)


def _compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


if __name__ == "__main__":
    modes = (land, lines, flatten, transform, copy, gate, bodies, fetch)
    {mode.__name__: mode for mode in modes}[sys.argv[1]](*sys.argv[2:])
