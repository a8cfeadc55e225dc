"""Many orders at a time: worker threads, a bounded window, and stopping early.

Belongs here: running a function over items and giving outcomes as they complete. Not here: limits towards the
shop (`budget`) and the calls themselves (`session`).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from queue import SimpleQueue
from typing import Generic, TypeVar

from order_assets.omnitron.api_errors import OmnitronError
from order_assets.omnitron.cancellation import Halt

Item = TypeVar("Item")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Outcome(Generic[Item, Value]):
    """What became of one item: a value, or the error that concerns this item alone."""

    item: Item
    value: Value | None = None
    error: OmnitronError | None = None


class Workers:
    """The worker threads of a client, started when first needed."""

    def __init__(self, count: int, halt: Halt) -> None:
        self._halt = halt
        # A short queue beyond the workers keeps them busy while the consumer writes what it got.
        self._window = 2 * count
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="omnitron")

    def run(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Outcome[Item, Value]]:
        """Yield one outcome per item, in order of completion; items are taken only as they are needed.

        An OmnitronError of one item is its outcome. A systemic one, or any other exception, is raised at
        once: items that have not begun are dropped, waits of the others are cut. Leaving the loop early does
        the same.
        """
        if self._halt.inside():
            raise RuntimeError("A function that runs in a worker must not start a walk of its own: it could hang.")
        return self._run(function, items)

    def close(self) -> None:
        """Drop what has not begun; the threads end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Outcome[Item, Value]]:
        finished: SimpleQueue[Future[Outcome[Item, Value]]] = SimpleQueue()
        coming = iter(items)
        first_failure: list[BaseException] = []
        with self._halt.walk() as walk:

            def work(item: Item) -> Outcome[Item, Value]:
                with self._halt.working_for(walk):
                    try:
                        return Outcome(item, value=function(item))
                    except BaseException as error:
                        if isinstance(error, OmnitronError) and not error.systemic:
                            return Outcome(item, error=error)
                        # End the walk here: until the consumer hears of it, others would go on.
                        first_failure.append(error)
                        walk.set()
                        raise

            running = 0
            while True:
                for item in islice(coming, self._window - running):
                    self._halt.check()
                    self._pool.submit(work, item).add_done_callback(finished.put)
                    running += 1
                if not running:
                    return
                done = finished.get()
                running -= 1
                if done.cancelled():
                    self._halt.check()
                failure = done.exception()
                if failure is not None:
                    # The calls that were stopped by a failure may be heard of before the failure itself.
                    raise first_failure[0] if first_failure else failure
                yield done.result()
