"""Works on the next days while what came of a day is reported: Dagster takes events one by one, in one process.

The work on a small day holds Python's lock most of the time, so a long range is divided among worker processes. What
is done with a day is in `pipeline.build_day`.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from datetime import date

from order_assets.errors import OrderAssetsError
from order_assets.landing import Landing
from order_assets.pipeline.build_day import DayBuilder, DayJob, DayTables

# A worker takes most of a second to start and 200 MB of memory: it has to pay.
_DAYS_PER_WORKER = 8
_MOST_WORKERS = 4
# Days are worked on at the same time up to so many bytes of landed documents, packed: about 4,000 orders.
_BYTES_AT_A_TIME = 8 * 1024 * 1024

Made = tuple[date, Future[DayTables]]


class DayWorkerError(OrderAssetsError):
    """A worker process ended before it answered."""


def build_days(job: DayJob, days: Sequence[date], *, workers: int | None = None) -> Generator[Made, None, None]:
    """The days in their order, each with what came of it, or with what was raised.

    `workers` is how many processes work on days; by default as many as there are cores where the range is long enough
    for them. With none, days are made in this process. After an error, or when the caller leaves, the days that were
    not begun are dropped and the others come to their end. A day whose process was killed raises `DayWorkerError`.
    """
    if workers is None:
        workers = min(_MOST_WORKERS, os.cpu_count() or 1, len(days) // _DAYS_PER_WORKER)
    with ExitStack() as stack:
        make = _in_workers(stack, job, workers) if workers > 1 else DayBuilder(job).make
        pool = stack.enter_context(ThreadPoolExecutor(max(1, workers), thread_name_prefix="day"))
        # Left first: the days that were not begun are dropped before the pool waits for the others.
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        begun: deque[tuple[int, Made]] = deque()
        for day in days:
            size = _bytes_landed(job, day)
            while begun and (len(begun) > workers or size + sum(other for other, _ in begun) > _BYTES_AT_A_TIME):
                yield begun.popleft()[1]
            begun.append((size, (day, pool.submit(make, day))))
        while begun:
            yield begun.popleft()[1]


def _in_workers(stack: ExitStack, job: DayJob, count: int) -> Callable[[date], DayTables]:
    # Unlike those of the standard library its workers do not import the main module again, which may be anybody's.
    from loky.process_executor import ProcessPoolExecutor

    executor = ProcessPoolExecutor(count, initializer=_begin, initargs=(job, os.getpid()))
    stack.callback(executor.shutdown)

    def make(day: date) -> DayTables:
        try:
            made: DayTables = executor.submit(_make, day).result()
        except BrokenProcessPool as error:
            raise DayWorkerError(
                f"the process that made the tables of {day} ended before it was done; what it printed says why. The "
                "days before are made: materialise tables for the others again, fewer at a time if memory is short"
            ) from error
        return made

    return make


# Of a worker process.
_builder: DayBuilder | None = None


def _begin(job: DayJob, parent: int) -> None:
    global _builder
    # Ctrl-C is for the process that has the terminal; it ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _builder = DayBuilder(job)
    # After each call the pool has Python look for garbage; what is there to stay need not be looked through.
    gc.freeze()


def _end_with(parent: int) -> None:
    """End this process when the one that started it was killed and cannot end it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _make(day: date) -> DayTables:
    assert _builder is not None  # noqa: S101 - see `_begin`
    return _builder.make(day)


def _bytes_landed(job: DayJob, day: date) -> int:
    return sum(part.stat().st_size for part in Landing(job.root, day).parts())
