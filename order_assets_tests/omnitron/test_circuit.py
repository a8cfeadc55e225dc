"""An instance that fails for every call is left alone for a while, by everybody, and asked gently after that."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from order_assets.omnitron import (
    ClientSettings,
    OmnitronAuthError,
    OmnitronClient,
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronStoppedError,
    OmnitronUnavailableError,
    SharedBudget,
)
from order_assets.omnitron.rate_limit.budget_store import FileStore

from .conftest import NO_LIMIT, TOKEN, VirtualTime
from .scripted_shop import Answer, Asked, Reply, ScriptedShop

Serve = Callable[[Answer], ScriptedShop]
Process = Callable[[ScriptedShop], OmnitronClient]
ONE_ROW = Reply({"count": 0, "next": None, "results": []})


@pytest.fixture
def process(tmp_path: Path, virtual: VirtualTime) -> Iterator[Process]:
    """Clients as strange to each other as two processes, with the folder of the budget in common."""
    with ExitStack() as stack:

        def make(shop: ScriptedShop, **changes: Any) -> OmnitronClient:
            facts: dict[str, Any] = {"token": TOKEN, "requests_per_second": NO_LIMIT, "retries": 0} | changes
            settings = ClientSettings(shop.url, check_after_failures=3, budget_directory=tmp_path, **facts)
            return stack.enter_context(OmnitronClient(settings, clock=virtual.clock, sleep=virtual.sleep))

        yield make


@pytest.fixture
def pair(tmp_path: Path, virtual: VirtualTime) -> tuple[SharedBudget, SharedBudget]:
    """The budgets of two processes."""
    one, other = (
        SharedBudget(FileStore(tmp_path / "one", virtual.clock), NO_LIMIT, 4, instance="https://shop.example")
        for _ in range(2)
    )
    return one, other


def failures(client: OmnitronClient, count: int) -> list[OmnitronError]:
    found = []
    for pk in range(count):
        with pytest.raises(OmnitronError) as caught:
            client.order_documents(pk)
        found.append(caught.value)
    return found


def trial(budget: SharedBudget, virtual: VirtualTime) -> bool:
    with budget.acquire(virtual.sleep) as is_trial:
        return is_trial


def test_after_a_failed_check_no_process_asks_any_more(serve: Serve, process: Process) -> None:
    shop = serve(lambda _: Reply({"detail": f"no database for {TOKEN}"}, 500))
    assert "Other calls fail too" in str(failures(process(shop), 3)[-1])
    asked = len(shop.asked)
    (error,) = failures(process(shop), 1)
    assert isinstance(error, OmnitronUnavailableError)
    assert (error.kind, error.systemic) == ("transient", True)
    assert str(error).startswith(f"{shop.url} is left alone: every call has failed since 20")
    assert "answered 500" in str(error)
    assert "It is asked again at" in str(error)
    assert TOKEN not in str(error)
    assert len(shop.asked) == asked


def test_after_a_minute_one_row_of_the_list_is_the_trial(serve: Serve, process: Process, virtual: VirtualTime) -> None:
    shop = serve(lambda _: Reply({}, 500))
    failures(process(shop), 3)
    virtual.now += 61
    asked = len(shop.asked)
    client = process(shop)
    (error,) = failures(client, 1)
    assert [dict(call.query) for call in shop.asked[asked:]] == [{"limit": "1", "page": "1"}]
    assert error.systemic
    # Twice as long now.
    virtual.now += 61
    failures(client, 1)
    assert len(shop.asked) == asked + 1
    virtual.now += 61
    # The listed order has a detail, the others are gone.
    row, gone = Reply({"pk": 99, "number": "99"}), Reply({"detail": "Not found."}, 404)
    listed = Reply({"count": 1, "next": None, "results": [row.value]})
    shop.answer = lambda asked: listed if asked.path.endswith("/orders/") else row if "/99/" in asked.path else gone
    assert client.order_documents(1).status == "gone"
    assert process(shop).order_documents(2).status == "gone"


def test_one_order_that_always_fails_does_not_keep_the_circuit_open(
    serve: Serve, process: Process, virtual: VirtualTime
) -> None:
    shop = serve(lambda _: Reply({}, 500))
    failures(process(shop), 3)
    virtual.now += 61

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith("/orders/"):
            return Reply({"count": 1, "next": None, "results": [{"pk": 99, "number": "99"}]})
        if "/99/" in asked.path:
            return Reply({"pk": 99})
        return Reply({"detail": "Not found."}, 500 if "/7/" in asked.path else 404)

    shop.answer = answer
    client = process(shop)
    with pytest.raises(OmnitronUnavailableError) as caught:
        client.order_documents(7)
    assert not caught.value.systemic
    assert client.order_documents(8).status == "gone"


@pytest.mark.parametrize(("status", "kind"), [(401, OmnitronAuthError), (403, OmnitronForbiddenError)])
def test_refused_credentials_leave_the_circuit_closed(
    serve: Serve, process: Process, status: int, kind: type[OmnitronError]
) -> None:
    shop = serve(lambda asked: Reply({}, status if asked.path.endswith("/orders/") else 500))
    assert failures(process(shop), 3)[-1].systemic
    shop.answer = lambda _: ONE_ROW
    assert process(shop).get_json_bytes("orders/").status == 200


def test_a_refused_token_is_an_answer_that_ends_the_trial(serve: Serve, process: Process, virtual: VirtualTime) -> None:
    shop = serve(lambda _: Reply({}, 500))
    failures(process(shop), 3)
    virtual.now += 61
    shop.answer = lambda _: Reply({}, 401)
    assert isinstance(failures(process(shop), 1)[0], OmnitronAuthError)
    shop.answer = lambda _: ONE_ROW
    assert process(shop).get_json_bytes("orders/").status == 200


def test_the_time_without_calls_doubles_up_to_a_quarter_of_an_hour(
    pair: tuple[SharedBudget, SharedBudget], virtual: VirtualTime
) -> None:
    one, other = pair
    one.open_circuit("no answer.")
    for seconds in (60, 120, 240, 480, 900, 900):
        virtual.now += seconds - 1
        with pytest.raises(OmnitronUnavailableError, match=r"https://shop\.example is left alone.*no answer\."):
            trial(other, virtual)
        virtual.now += 1
        with other.acquire(virtual.sleep) as is_trial:
            assert is_trial
            other.open_circuit("no answer.")
    other.close_circuit()
    one.open_circuit("no answer.")
    virtual.now += 60
    assert trial(one, virtual)


def test_two_that_find_out_at_once_do_not_count_as_two_trials(
    pair: tuple[SharedBudget, SharedBudget], virtual: VirtualTime
) -> None:
    one, other = pair
    one.open_circuit("first")
    assert "first" in str(other.open_circuit("second"))
    virtual.now += 60
    assert trial(one, virtual)


def test_while_one_tries_the_others_wait_for_what_comes_of_it(
    pair: tuple[SharedBudget, SharedBudget], virtual: VirtualTime
) -> None:
    one, other = pair
    one.open_circuit("no answer")
    virtual.now += 60
    with one.acquire(virtual.sleep) as is_trial:
        assert is_trial

        def end_well(seconds: float) -> None:
            virtual.sleep(seconds)
            one.close_circuit()

        with other.acquire(end_well) as other_is_trial:
            assert not other_is_trial
    one.open_circuit("no answer")
    virtual.now += 60
    with one.acquire(virtual.sleep):

        def end_badly(seconds: float) -> None:
            virtual.sleep(seconds)
            one.open_circuit("still nothing")

        with pytest.raises(OmnitronUnavailableError, match="still nothing"), other.acquire(end_badly):
            pass


def test_a_trial_that_was_given_up_is_left_to_the_next(
    pair: tuple[SharedBudget, SharedBudget], virtual: VirtualTime
) -> None:
    one, other = pair
    one.open_circuit("no answer")
    virtual.now += 60

    def stopped() -> None:
        with one.acquire(virtual.sleep) as is_trial:
            assert is_trial
            raise OmnitronStoppedError("over")

    with pytest.raises(OmnitronStoppedError):
        stopped()
    assert trial(other, virtual)
    assert virtual.slept == []


def test_who_waits_for_a_start_hears_of_an_open_circuit(tmp_path: Path, virtual: VirtualTime) -> None:
    one, other = (SharedBudget(FileStore(tmp_path / "one", virtual.clock), 1, 4) for _ in range(2))
    trial(one, virtual)

    def meanwhile(seconds: float) -> None:
        other.open_circuit("no answer")
        virtual.sleep(seconds)

    with pytest.raises(OmnitronUnavailableError, match="left alone"), one.acquire(meanwhile):
        pass


def test_a_very_long_reason_is_cut_and_kept(pair: tuple[SharedBudget, SharedBudget], virtual: VirtualTime) -> None:
    one, other = pair
    one.open_circuit("Die Größe ğüşıöç " * 100)
    with pytest.raises(OmnitronUnavailableError, match=r"Größe ğüşıöç.*\.\.\.") as caught:
        trial(other, virtual)
    assert len(str(caught.value)) < 600
