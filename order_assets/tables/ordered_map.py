"""Batches worked on side by side in threads, with the results in the order of the batches.

Each thread works on a stream: it takes the next batch when it has room for one, and may take several before it gives
the result of the first. What is done with a batch is the caller's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def side_by_side(
    work: Callable[[Iterator[Batch]], Iterator[Result]], batches: Iterable[Batch], threads: int
) -> Generator[Result, None, None]:
    """The result of each batch, in their order.

    `work` gives one result for each batch that it takes, in the order in which it took them. Results wait in memory
    until those before them are ready, at most one a thread. The first error of `work` or of `batches` is raised and
    ends the others' work, as does closing the generator.
    """
    line = _Line(work, iter(batches), threads)
    workers = [threading.Thread(target=line.run, name=f"side-by-side-{number}") for number in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield from line.results()
    finally:
        line.stop()
        for worker in workers:
            worker.join()


class _Line(Generic[Batch, Result]):
    def __init__(
        self, work: Callable[[Iterator[Batch]], Iterator[Result]], batches: Iterator[Batch], threads: int
    ) -> None:
        self._work = work
        self._batches = batches
        self._ahead = self._running = threads
        self._taking = threading.Lock()
        self._taken = self._given = 0
        self._ready: dict[int, Result] = {}
        self._error: BaseException | None = None
        self._stopped = False
        self._changed = threading.Condition()

    def run(self) -> None:
        """What a thread does."""
        mine: deque[int] = deque()
        try:
            for result in self._work(self._take(mine)):
                if not self._put(mine.popleft(), result):
                    break
            else:
                if mine and not self._stopped:
                    raise RuntimeError(f"{len(mine)} of the batches that were taken have no result")
        except BaseException as error:  # noqa: BLE001  # raised again where the results are taken
            self._fail(error)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def results(self) -> Iterator[Result]:
        """The results, in order, as they get ready."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._error or self._given in self._ready or not self._running)
                if self._error:
                    raise self._error
                if self._given not in self._ready:
                    return
                result = self._ready.pop(self._given)
                self._given += 1
                self._changed.notify_all()
            yield result

    def stop(self) -> None:
        """Let the threads end, whatever is left to do."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _take(self, mine: deque[int]) -> Iterator[Batch]:
        while True:
            with self._taking:
                if self._stopped:
                    return
                try:
                    batch = next(self._batches)
                except StopIteration:
                    return
                except BaseException as error:  # noqa: BLE001  # who works may not let it through as it is
                    self._fail(error)
                    return
                mine.append(self._taken)
                self._taken += 1
            yield batch

    def _put(self, number: int, result: Result) -> bool:
        with self._changed:
            # The one that everybody waits for is never held up, so this comes to an end.
            self._changed.wait_for(lambda: self._stopped or number < self._given + self._ahead)
            if self._stopped:
                return False
            self._ready[number] = result
            self._changed.notify_all()
            return True

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._stopped = True
            self._changed.notify_all()
