from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from order_assets.tables.ordered_map import side_by_side

_LONG = 20


def _doubled(numbers: Iterator[int]) -> Iterator[int]:
    return (2 * number for number in numbers)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_batches(threads: int) -> None:
    assert list(side_by_side(_doubled, range(200), threads)) == [2 * number for number in range(200)]
    assert list(side_by_side(_doubled, [], threads)) == []


def test_several_may_be_taken_before_the_first_result_is_given() -> None:
    def by_two(numbers: Iterator[int]) -> Iterator[int]:
        for number in numbers:
            following = next(numbers, None)
            yield 2 * number
            if following is not None:
                yield 2 * following

    assert list(side_by_side(by_two, range(101), 3)) == [2 * number for number in range(101)]


def test_a_batch_without_a_result_is_an_error() -> None:
    def forgetful(numbers: Iterator[int]) -> Iterator[int]:
        yield next(numbers)
        next(numbers)

    with pytest.raises(RuntimeError, match="1 of the batches that were taken have no result"):
        list(side_by_side(forgetful, range(2), 1))


def test_batches_are_worked_on_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=_LONG)

    def meets(numbers: Iterator[int]) -> Iterator[int]:
        for number in numbers:
            meeting.wait()
            yield number

    assert list(side_by_side(meets, range(8), 2)) == list(range(8))


def test_no_thread_runs_far_ahead_of_the_slowest() -> None:
    ran_away = threading.Event()

    def first_is_slow(numbers: Iterator[int]) -> Iterator[int]:
        for number in numbers:
            if number == 0:
                assert not ran_away.wait(0.3)
            elif number > 10:
                ran_away.set()
            yield number

    assert list(side_by_side(first_is_slow, range(50), 3)) == list(range(50))
    assert ran_away.is_set()


@pytest.mark.parametrize("where", ["the work", "the batches"])
def test_an_error_is_raised_as_it_is_and_ends_all_threads(where: str) -> None:
    before = threading.active_count()

    def batches() -> Iterator[int]:
        yield from range(5)
        if where == "the batches":
            raise OSError(where)
        yield from range(5, 10_000)

    def work(numbers: Iterator[int]) -> Iterator[int]:
        for number in numbers:
            if where == "the work" and number == 5:
                raise OSError(where)
            yield number

    with pytest.raises(OSError, match=where):
        list(side_by_side(work, batches(), 2))
    assert threading.active_count() == before


def test_who_stops_reading_ends_all_threads() -> None:
    before = threading.active_count()
    results = side_by_side(_doubled, iter(int, 1), 2)
    assert next(results) == 0
    results.close()
    assert threading.active_count() == before
