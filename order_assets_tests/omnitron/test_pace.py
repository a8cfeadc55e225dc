"""A shop in trouble is asked less, by everybody, and asked more again once it is well."""

from collections.abc import Callable
from pathlib import Path

import pytest

from order_assets.omnitron import OmnitronClient, OmnitronUnavailableError, SharedBudget
from order_assets.omnitron.rate_limit.budget import CallReport
from order_assets.omnitron.rate_limit.budget_store import FileStore, MemoryStore

from .conftest import VirtualTime
from .scripted_shop import Answer, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

GOOD = CallReport("orders", 0.1, 200)
BUSY = CallReport("orders", 0.1, 429)


@pytest.fixture
def make(tmp_path: Path, virtual: VirtualTime) -> Callable[[float | None], SharedBudget]:
    """Budgets of as many processes as wanted, over one folder."""
    return lambda rate: SharedBudget(FileStore(tmp_path / "one", virtual.clock), rate, 4)


def seconds_of(budget: SharedBudget, calls: int, virtual: VirtualTime, report: CallReport = GOOD) -> float:
    """How long calls take, one after the other."""
    before = virtual.now
    for _ in range(calls):
        with budget.acquire(virtual.sleep):
            pass
        budget.report(report)
    return virtual.now - before


@pytest.mark.parametrize(
    "trouble",
    [
        BUSY,
        CallReport("orders", 0.1, 503),
        CallReport("orders", 60, None, timed_out=True),
        CallReport("orders", 0.1, 500, asked_to_wait=True),
    ],
)
def test_trouble_halves_the_rate_of_all_processes(
    make: Callable[[float], SharedBudget], virtual: VirtualTime, trouble: CallReport
) -> None:
    one, other = make(10), make(10)
    assert seconds_of(one, 11, virtual) == pytest.approx(1)
    one.report(trouble)
    # The starts that were given away stay; from there on it is 5 a second.
    assert seconds_of(other, 6, virtual) == pytest.approx(0.1 + 1.0)
    assert (other.pace().share, other.pace().slow_downs) == (0.5, 0)
    assert (one.pace().share, one.pace().slow_downs, one.pace().lowest_share) == (0.5, 1, 0.5)


@pytest.mark.parametrize("status", [200, 404, 401, 403, 400, 500, 502])
def test_other_answers_do_not_slow_down(
    make: Callable[[float], SharedBudget], virtual: VirtualTime, status: int
) -> None:
    budget = make(10)
    seconds_of(budget, 30, virtual, CallReport("orders", 0.1, status))
    assert budget.pace().share == 1


def test_many_refusals_at_once_count_as_one_and_there_is_a_lowest_rate(
    make: Callable[[float], SharedBudget], virtual: VirtualTime
) -> None:
    budget = make(10)
    for _ in range(20):
        budget.report(BUSY)
    assert budget.pace().share == 0.5
    for _ in range(10):
        virtual.now += 1
        budget.report(BUSY)
    assert budget.pace().share == 1 / 64
    assert budget.pace().slow_downs == 6


def test_it_recovers_step_by_step_while_answers_are_good(
    make: Callable[[float], SharedBudget], virtual: VirtualTime
) -> None:
    budget = make(10)
    budget.report(BUSY)
    shares = []
    for _ in range(12):
        virtual.now += 2
        seconds_of(budget, 1, virtual)
        with budget.acquire(virtual.sleep):
            pass
        shares.append(budget.pace().share)
    assert shares[:3] == pytest.approx([0.55, 0.6, 0.65])
    assert shares[-1] == 1
    assert budget.pace().lowest_share == 0.5


def test_without_answers_nothing_recovers(make: Callable[[float], SharedBudget], virtual: VirtualTime) -> None:
    budget = make(10)
    budget.report(BUSY)
    virtual.now += 60
    with budget.acquire(virtual.sleep):
        pass
    assert budget.pace().share == 0.5


def test_an_unlimited_rate_slows_down_from_the_rate_seen(
    make: Callable[[None], SharedBudget], virtual: VirtualTime
) -> None:
    budget = make(None)
    for _ in range(300):
        virtual.now += 0.01
        assert seconds_of(budget, 1, virtual) == 0
    budget.report(BUSY)
    seconds_of(budget, 1, virtual)
    # 100 a second were seen, so now it is 50.
    assert seconds_of(budget, 25, virtual) == pytest.approx(0.5, rel=0.05)
    for _ in range(12):
        virtual.now += 2
        seconds_of(budget, 2, virtual)
    assert seconds_of(budget, 100, virtual) == 0


def test_answers_that_become_clearly_slower_slow_us_down(
    make: Callable[[float], SharedBudget], virtual: VirtualTime
) -> None:
    budget = make(10)
    seconds_of(budget, 50, virtual, CallReport("orders", 0.1, 200))
    seconds_of(budget, 20, virtual, CallReport("orders", 0.3, 200))
    assert budget.pace().share == 1
    seconds_of(budget, 20, virtual, CallReport("orders", 2, 200))
    assert budget.pace().share == 0.5


def test_another_kind_of_call_that_is_slow_by_nature_does_not_slow_us_down(
    make: Callable[[float], SharedBudget], virtual: VirtualTime
) -> None:
    budget = make(10)
    for _ in range(50):
        seconds_of(budget, 1, virtual, CallReport("documents", 0.1, 200))
        seconds_of(budget, 1, virtual, CallReport("list", 3, 200))
    assert budget.pace().share == 1


def test_answers_that_stay_slow_become_the_normal_case(
    make: Callable[[float], SharedBudget], virtual: VirtualTime
) -> None:
    budget = make(10)
    seconds_of(budget, 50, virtual, CallReport("orders", 0.1, 200))
    seconds_of(budget, 2000, virtual, CallReport("orders", 2, 200))
    assert budget.pace().lowest_share < 1
    assert budget.pace().share == 1


def test_the_budget_of_one_process_slows_down_too_and_the_counters_say_so(
    serve: Serve, connect: Connect, virtual: VirtualTime
) -> None:
    client = connect(serve(in_turn(Reply({}, 429), Reply({}))), requests_per_second=10, retries=0)
    with pytest.raises(OmnitronUnavailableError):
        client.get_json_bytes("orders/")
    for _ in range(3):
        client.get_json_bytes("orders/")
    counted = client.counters.as_dict()
    assert (counted["slow_downs"], counted["lowest_share"]) == (1, 0.5)
    assert counted["budget_seconds_waited"] == pytest.approx(0.1 + 0.2 + 0.2)


def test_trouble_of_long_ago_is_forgotten(virtual: VirtualTime) -> None:
    budget = SharedBudget(MemoryStore(virtual.clock), 10, 1)
    budget.report(BUSY)
    virtual.now += 3600
    with budget.acquire(virtual.sleep):
        pass
    assert budget.pace().share == 1
