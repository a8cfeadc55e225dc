"""Works on the next days while what came of a day is reported: Dagster takes events one by one, in one process.

The work on a small day holds Python's lock most of the time, so a long range is divided among helper processes. What
is done with a day is in `make`; what a helper process does is in `helper`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from queue import SimpleQueue

from order_assets.contract import CONTRACT
from order_assets.days.helper import Helper
from order_assets.days.make import DayTables, Maker, Task
from order_assets.landing import Landing

# A helper takes most of a second to start and 200 MB of memory: it has to pay.
_DAYS_PER_HELPER = 8
_MOST_HELPERS = 4
# Days are worked on at the same time up to so many bytes of landed documents, packed: about 4,000 orders.
_BYTES_AT_A_TIME = 8 * 1024 * 1024

Made = tuple[date, Future[DayTables]]


def days_ahead(task: Task, days: Sequence[date], *, helpers: int | None = None) -> Generator[Made, None, None]:
    """The days in their order, each with what came of it, or with what was raised.

    `helpers` is how many processes work on days; by default as many as there are cores where the range is long enough
    for them. With none, days are made in this process. After an error, or when the caller leaves, the days that were
    not begun are dropped and the others come to their end.
    """
    if task.contract is not CONTRACT:
        # A helper knows only that one.
        helpers = 0
    elif helpers is None:
        helpers = min(_MOST_HELPERS, os.cpu_count() or 1, len(days) // _DAYS_PER_HELPER)
    with ExitStack() as stack:
        make = _in_helpers(stack, task, helpers) if helpers > 1 else Maker(task).make
        pool = stack.enter_context(ThreadPoolExecutor(max(1, helpers), thread_name_prefix="day"))
        # Left first: the days that were not begun are dropped before the pool waits for the others.
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        begun: deque[tuple[int, Made]] = deque()
        for day in days:
            size = _bytes_landed(task, day)
            while begun and (len(begun) > helpers or size + sum(other for other, _ in begun) > _BYTES_AT_A_TIME):
                yield begun.popleft()[1]
            begun.append((size, (day, pool.submit(make, day))))
        while begun:
            yield begun.popleft()[1]


def _in_helpers(stack: ExitStack, task: Task, count: int) -> Callable[[date], DayTables]:
    free: SimpleQueue[Helper] = SimpleQueue()
    for _ in range(count):
        free.put(stack.enter_context(Helper(task)))

    def make(day: date) -> DayTables:
        helper = free.get()
        try:
            return helper.make(day)
        finally:
            free.put(helper)

    return make


def _bytes_landed(task: Task, day: date) -> int:
    return sum(part.stat().st_size for part in Landing(task.root, day).parts())
