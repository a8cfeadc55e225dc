"""What people would use instead, on the same texts and addresses: `python -m benchmarks.peers MODE ...`.

Runs in the peers' environment and imports nothing of the project. Each has the fastest settings that we know of.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from benchmarks.clocked import clocked, cpu, each_cell, say

DOCUMENTS = ("detail", "items", "discounts")


def dlt(destination: str, folder: str) -> None:
    """Normalise into child tables and load, with two processes; to Parquet files or to DuckDB."""
    os.environ |= {
        "NORMALIZE__WORKERS": "2",
        "LOAD__WORKERS": "2",
        "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "2500",
    }
    import dlt as tool
    import orjson

    def rows(path: Path) -> Iterator[list[Any]]:
        page = []
        with path.open("rb") as lines:
            for line in lines:
                page.append(orjson.loads(line))
                if len(page) == 1000:
                    yield page
                    page = []
        if page:
            yield page

    with tempfile.TemporaryDirectory() as out:
        to = (
            tool.destinations.duckdb(f"{out}/warehouse.duckdb")
            if destination == "duckdb"
            else tool.destinations.filesystem(f"file://{out}/files")
        )

        def work() -> None:
            pipeline = tool.pipeline("orders", pipelines_dir=f"{out}/state", destination=to, dataset_name="orders")
            sources = [tool.resource(rows(Path(folder, f"{name}.ndjson")), name=name) for name in DOCUMENTS]
            pipeline.run(sources, loader_file_format="parquet").raise_on_failed_jobs()

        clocked(work)


def pandas(folder: str) -> None:
    """`json_normalize`: the order wide, and each set of the first level as a table of its own."""
    import orjson
    import pandas as tool

    def work() -> int:
        tables = 0
        for name in DOCUMENTS:
            with Path(folder, f"{name}.ndjson").open("rb") as lines:
                rows = [orjson.loads(line) for line in lines]
            wide = tool.json_normalize(rows)
            sets = [column for column in wide if wide[column].map(type).eq(list).any()]
            for column in sets:
                parts = tool.json_normalize([part for row in rows for part in row.get(column) or []])
                _nested_as_text(parts).to_parquet(Path(folder, f"pandas-{name}-{column}.parquet"))
                tables += 1
            _nested_as_text(wide.drop(columns=sets)).to_parquet(Path(folder, f"pandas-{name}.parquet"))
        return tables

    clocked(work)


def _nested_as_text(frame: Any) -> Any:
    """Columns that Parquet would not take as they are."""
    for column in frame.select_dtypes("object").columns:
        frame[column] = frame[column].map(
            lambda value: value if isinstance(value, str) or value is None else str(value)
        )
    return frame


def polars(folder: str) -> None:
    """`read_ndjson`, structs unnested, each set of the first level exploded into a table of its own."""
    import polars as tool

    def plain(frame: Any) -> Any:
        while structs := [name for name, kind in frame.schema.items() if isinstance(kind, tool.Struct)]:
            frame = frame.select(
                tool.exclude(structs) if len(structs) < frame.width else [],
                *(
                    tool.col(name).struct.field(part.name).alias(f"{name}.{part.name}")
                    for name in structs
                    for part in frame.schema[name].fields
                ),
            )
        return frame

    def work() -> None:
        for name in DOCUMENTS:
            frame = plain(tool.read_ndjson(Path(folder, f"{name}.ndjson"), infer_schema_length=None))
            sets = [column for column, kind in frame.schema.items() if isinstance(kind, tool.List)]
            for column in sets:
                part = frame.select(column).explode(column)
                plain(part).write_parquet(Path(folder, f"polars-{name}-{column}.parquet"))
            frame.drop(sets).write_parquet(Path(folder, f"polars-{name}.parquet"))

    clocked(work)


def duckdb(folder: str) -> None:
    """`read_json_auto` to Parquet: types guessed, sets left nested."""
    import duckdb as tool

    def work() -> None:
        with tool.connect() as connection:
            for name in DOCUMENTS:
                source = f"read_json_auto('{folder}/{name}.ndjson', sample_size = -1, maximum_object_size = 33554432)"
                connection.execute(f"COPY (FROM {source}) TO '{folder}/duckdb-{name}.parquet'")

    clocked(work)


def orjson(path: str, rounds: str) -> None:
    """Milliseconds of CPU per document."""
    import orjson as tool

    bodies = Path(path).read_bytes().split(b"\n")
    times = []
    for _ in range(int(rounds)):
        started = time.process_time()
        for body in bodies:
            tool.loads(body)
        times.append((time.process_time() - started) / len(bodies) * 1000)
    say(times=times)


def requests(url: str, token: str, paths: str, cells: str, rounds: str) -> None:
    """A session a thread, bodies read and left alone."""
    import requests as tool

    def measure(wanted: Sequence[str], in_flight: int) -> dict[str, list[float]]:
        rates, costs = [], []
        sessions = [tool.Session() for _ in range(in_flight)]
        for turn in range(int(rounds) + 1):
            waiting: SimpleQueue[str] = SimpleQueue()
            # The first turn, a short one, opens the connections.
            for path in wanted if turn else wanted[: 2 * in_flight]:
                waiting.put(path)

            def work(session: Any, waiting: SimpleQueue[str] = waiting) -> None:
                while True:
                    try:
                        path = waiting.get_nowait()
                    except Empty:
                        return
                    answer = session.get(url + path, headers={"Authorization": f"Token {token}"}, timeout=60)
                    assert answer.status_code == 200
                    assert answer.content

            started, before = time.perf_counter(), cpu()
            workers = [threading.Thread(target=work, args=(session,)) for session in sessions]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            if turn:
                rates.append(len(wanted) / (time.perf_counter() - started))
                costs.append((cpu() - before) / len(wanted) * 1000)
        return {"rates": rates, "costs": costs}

    each_cell(paths, cells, measure)


def aiohttp(url: str, token: str, paths: str, cells: str, rounds: str) -> None:
    """One session, so many tasks."""
    import aiohttp as tool

    async def worker(session: Any, waiting: list[str]) -> None:
        while waiting:
            async with session.get(url + waiting.pop()) as answer:
                assert answer.status == 200
                assert await answer.read()

    async def everything(wanted: Sequence[str], in_flight: int) -> dict[str, list[float]]:
        rates, costs = [], []
        async with tool.ClientSession(headers={"Authorization": f"Token {token}"}) as session:
            for turn in range(int(rounds) + 1):
                waiting = list(wanted if turn else wanted[: 2 * in_flight])
                started, before = time.perf_counter(), cpu()
                await asyncio.gather(*(worker(session, waiting) for _ in range(in_flight)))
                if turn:
                    rates.append(len(wanted) / (time.perf_counter() - started))
                    costs.append((cpu() - before) / len(wanted) * 1000)
        return {"rates": rates, "costs": costs}

    each_cell(paths, cells, lambda wanted, in_flight: asyncio.run(everything(wanted, in_flight)))


if __name__ == "__main__":
    modes = (dlt, pandas, polars, duckdb, orjson, requests, aiohttp)
    {mode.__name__: mode for mode in modes}[sys.argv[1]](*sys.argv[2:])
