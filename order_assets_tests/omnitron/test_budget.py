"""The shop's budget is kept, whatever is asked of the client."""

import threading
import time
from collections.abc import Callable

import pytest

from order_assets.omnitron import OmnitronClient, OmnitronStoppedError, SharedBudget
from order_assets.omnitron.rate_limit.budget_store import MemoryStore

from .conftest import VirtualTime
from .scripted_shop import Answer, Asked, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]


def test_requests_start_evenly_spaced_without_a_burst(serve: Serve, connect: Connect, virtual: VirtualTime) -> None:
    started: list[float] = []

    def answer(_: Asked) -> Reply:
        started.append(virtual.now)
        return Reply({})

    client = connect(serve(answer), requests_per_second=4)
    for _ in range(5):
        client.get_json_bytes("orders/")
    assert started == [1000, 1000.25, 1000.5, 1000.75, 1001]
    assert client.counters.seconds_waited == 1


def test_repeats_and_logins_are_in_the_budget_too(serve: Serve, connect: Connect, virtual: VirtualTime) -> None:
    shop = serve(in_turn(Reply({"key": "abc"}), Reply({}, 500), Reply({})))
    client = connect(shop, requests_per_second=0.1, backoff_seconds=0, token=None, username="u", password="p")
    client.get_json_bytes("orders/")
    assert virtual.now == 1020


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    virtual = VirtualTime()
    budget = SharedBudget(MemoryStore(virtual.clock), 10, 1)
    virtual.now += 3600
    for _ in range(11):
        with budget.acquire(virtual.sleep):
            pass
    assert sum(virtual.slept) == pytest.approx(1)


def test_many_threads_share_one_rate() -> None:
    virtual = VirtualTime()
    budget = SharedBudget(MemoryStore(lambda: 1000.0), 100, 8)

    def work() -> None:
        for _ in range(5):
            with budget.acquire(virtual.sleep):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=5)
    # With a clock that stands still, the last of 40 starts is 39 intervals away.
    assert max(virtual.slept) == pytest.approx(0.39)
    assert len(virtual.slept) == 39


def test_a_stopped_wait_gives_its_place_back() -> None:
    budget = SharedBudget(MemoryStore(lambda: 0.0), 1, 1)

    def stopped(seconds: float) -> None:
        raise OmnitronStoppedError("over")

    with budget.acquire(stopped):
        pass
    for _ in range(3):
        with pytest.raises(OmnitronStoppedError), budget.acquire(stopped):
            pass
    with budget.acquire(lambda seconds: None):
        pass


def test_clients_that_are_given_one_budget_share_its_rate(serve: Serve, virtual: VirtualTime) -> None:
    from order_assets.omnitron import ClientSettings

    budget = SharedBudget(MemoryStore(virtual.clock), 10, 2)
    shop = serve(in_turn(Reply({})))
    for _ in range(2):
        settings = ClientSettings(shop.url, token="t")
        with OmnitronClient(settings, budget=budget, clock=virtual.clock, sleep=virtual.sleep) as client:
            client.get_json_bytes("orders/")
    assert virtual.slept == pytest.approx([0.1])


def test_threads_of_the_caller_are_held_to_the_same_concurrency(serve: Serve, connect: Connect) -> None:
    lock = threading.Lock()
    flying = most = 0

    def answer(_: Asked) -> Reply:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.01)
        with lock:
            flying -= 1
        return Reply({})

    client = connect(serve(answer), max_concurrency=2)
    threads = [threading.Thread(target=client.get_json_bytes, args=("orders/",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=5)
    assert most == 2
