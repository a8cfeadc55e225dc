"""Many orders at a time: nothing lost, nothing piled up, and a quick end when going on makes no sense."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from order_assets.omnitron import (
    ClientSettings,
    OmnitronAuthError,
    OmnitronClient,
    OmnitronForbiddenError,
    OmnitronNotFoundError,
    OmnitronStoppedError,
    OmnitronUnavailableError,
)

from .conftest import NO_LIMIT
from .scripted_shop import Answer, Asked, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

NOWHERE = "https://shop.example"


def test_every_item_has_an_outcome_and_errors_of_one_order_are_values(serve: Serve, connect: Connect) -> None:
    def answer(asked: Asked) -> Reply:
        return (
            Reply({"detail": "Not found."}, 404) if asked.query["n"] in ("3", "77") else Reply({"n": asked.query["n"]})
        )

    client = connect(serve(answer))
    outcomes = {
        outcome.item: outcome
        for outcome in client.map_concurrently(lambda n: client.get_json_bytes("orders/", {"n": n}), range(100))
    }
    assert sorted(outcomes) == list(range(100))
    assert sorted(n for n, outcome in outcomes.items() if outcome.error) == [3, 77]
    assert isinstance(outcomes[3].error, OmnitronNotFoundError)
    assert all(outcome.value.value == {"n": str(n)} for n, outcome in outcomes.items() if outcome.value)


def test_no_more_calls_are_in_flight_than_allowed(serve: Serve, connect: Connect) -> None:
    lock = threading.Lock()
    flying = most = 0

    def answer(_: Asked) -> Reply:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        time.sleep(0.005)
        with lock:
            flying -= 1
        return Reply({})

    client = connect(serve(answer), max_concurrency=3)
    assert len(list(client.map_concurrently(lambda _: client.get_json_bytes("orders/"), range(30)))) == 30
    assert most == 3


def test_connections_are_kept(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    opened: list[object] = []
    plain_connect = socket.socket.connect

    def counting(self: socket.socket, address: tuple[str, int]) -> None:
        opened.append(address)
        plain_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", counting)
    client = connect(serve(in_turn(Reply({}))), max_concurrency=4)
    list(client.map_concurrently(lambda _: client.get_json_bytes("orders/"), range(60)))
    assert len(opened) <= 5


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for n in range(1000):
            taken.append(n)
            yield n

    with OmnitronClient(ClientSettings(NOWHERE, token="t", max_concurrency=2)) as client:
        outcomes = client.map_concurrently(lambda n: n, items())
        for _ in range(10):
            next(outcomes)
        assert len(taken) <= 10 + 2 * 2


@pytest.mark.usefixtures("longest_backoff")
def test_an_error_that_concerns_all_ends_the_walk_and_cuts_long_waits(serve: Serve) -> None:
    waiting = threading.Semaphore(0)

    def answer(asked: Asked) -> Reply:
        if asked.query["n"] == "5":
            # The others are in their long wait by now.
            assert all(waiting.acquire(timeout=5) for _ in range(3))
            return Reply({}, 403)
        waiting.release()
        return Reply({}, 503)

    shop = serve(answer)
    settings = ClientSettings(
        shop.url,
        token="t",
        requests_per_second=NO_LIMIT,
        max_concurrency=4,
        backoff_seconds=1000,
        max_backoff_seconds=1000,
    )
    started = time.monotonic()
    with OmnitronClient(settings) as client:
        with pytest.raises(Exception, match="403"):
            list(
                client.map_concurrently(
                    lambda n: client.get_json_bytes("orders/", {"n": n}), [1, 2, 3, 5, *range(9, 99)]
                )
            )
        # The client is still good for another walk, with all its threads.
        together = threading.Barrier(4, timeout=4)
        shop.answer = lambda _: Reply({"met": together.wait()})
        outcomes = list(client.map_concurrently(lambda _: client.get_json_bytes("orders/").status, range(20)))
        assert [outcome.value for outcome in outcomes] == [200] * 20
    assert time.monotonic() - started < 5
    assert sum("n" in asked.query for asked in shop.asked) <= 8


def test_a_mistake_in_the_function_is_raised_not_swallowed() -> None:
    def broken(n: int) -> int:
        return 1 // n

    with OmnitronClient(ClientSettings(NOWHERE, token="t")) as client, pytest.raises(ZeroDivisionError):
        list(client.map_concurrently(broken, [1, 0, 1]))


def test_a_mistake_in_the_items_is_raised_not_swallowed() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("broken index")

    with OmnitronClient(ClientSettings(NOWHERE, token="t")) as client, pytest.raises(KeyError):
        list(client.map_concurrently(lambda n: n, items()))


def test_leaving_the_loop_early_drops_the_rest(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({})))
    client = connect(shop, max_concurrency=2)
    for _ in client.map_concurrently(lambda _: client.get_json_bytes("orders/"), range(1000)):
        break
    assert len(shop.asked) < 20


def test_a_walk_inside_a_walk_is_refused_instead_of_hanging() -> None:
    with (
        OmnitronClient(ClientSettings(NOWHERE, token="t", max_concurrency=1)) as client,
        pytest.raises(RuntimeError, match="must not start a walk"),
    ):
        list(client.map_concurrently(lambda _: list(client.map_concurrently(str, [1])), [1]))


@pytest.mark.usefixtures("longest_backoff")
def test_closing_the_client_ends_a_waiting_call(serve: Serve) -> None:
    started = time.monotonic()
    asked_once = threading.Event()

    def answer(_: Asked) -> Reply:
        asked_once.set()
        return Reply({}, 503)

    settings = ClientSettings(serve(answer).url, token="t", backoff_seconds=1000, max_backoff_seconds=1000)
    client = OmnitronClient(settings)
    closer = threading.Thread(target=lambda: (asked_once.wait(5), client.close()))
    closer.start()
    with pytest.raises(OmnitronStoppedError):
        client.get_json_bytes("orders/")
    closer.join(timeout=5)
    assert time.monotonic() - started < 5


@pytest.mark.usefixtures("longest_backoff")
@pytest.mark.parametrize("items", [3, 100])
def test_closing_the_client_ends_a_walk(serve: Serve, items: int) -> None:
    asked_once = threading.Event()

    def answer(_: Asked) -> Reply:
        asked_once.set()
        return Reply({}, 503)

    settings = ClientSettings(serve(answer).url, token="t", backoff_seconds=1000, max_backoff_seconds=1000)
    client = OmnitronClient(settings)
    closer = threading.Thread(target=lambda: (asked_once.wait(5), client.close()))
    closer.start()
    with pytest.raises(OmnitronStoppedError):
        list(client.map_concurrently(lambda _: client.get_json_bytes("orders/"), range(items)))
    with pytest.raises(OmnitronStoppedError):
        client.get_json_bytes("orders/")
    closer.join(timeout=5)
    # Threads that went on waiting would keep the process from ending.
    for thread in threading.enumerate():
        if thread.name.startswith("omnitron"):
            thread.join(timeout=3)
            assert not thread.is_alive()


def test_an_order_in_the_middle_sends_nothing_more_once_the_walk_is_over(serve: Serve, connect: Connect) -> None:
    first_half_asked, walk_over = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Reply:
        if asked.query["n"] == "bad":
            assert first_half_asked.wait(5)
            return Reply({}, 403)
        first_half_asked.set()
        assert walk_over.wait(5)
        return Reply({})

    shop = serve(answer)
    client = connect(shop, max_concurrency=2)

    def two_calls(n: str) -> None:
        client.get_json_bytes("orders/", {"n": n})
        client.get_json_bytes("orders/", {"n": n})

    with pytest.raises(OmnitronForbiddenError):
        list(client.map_concurrently(two_calls, ["bad", "good"]))
    walk_over.set()
    client._workers._pool.shutdown(wait=True)
    assert [asked.query["n"] for asked in shop.asked].count("good") == 1


def test_refused_credentials_stop_a_walk_after_few_calls(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({"detail": "no", "code": "x"}, 401)))
    client = connect(shop)
    with pytest.raises(OmnitronAuthError):
        list(client.map_concurrently(client.order_documents, range(1000)))
    assert len(shop.asked) <= 16


def test_a_shop_that_goes_down_stops_a_walk_after_few_orders(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({}, 500)))
    client = connect(shop, retries=1)
    with pytest.raises(OmnitronUnavailableError, match="Other calls fail too"):
        list(client.map_concurrently(client.order_documents, range(1000)))
    assert len(shop.asked) < 80
