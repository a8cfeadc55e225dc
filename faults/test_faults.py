"""The quick part of `make faults`: each of these faults leaves every promise that it touches standing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from faults import own_side, remote
from faults.scenario import BrokenError, Scenario, hold, tried
from faults.world import World, made_world

SCENARIOS = (*remote.SCENARIOS, *own_side.SCENARIOS)
QUICK = [scenario for scenario in SCENARIOS if scenario.quick]
# The others are long tests.
SOME = {"a reader holds the warehouse", "half written files lie about"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with made_world(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(of, id=of.name, marks=() if of.name in SOME else pytest.mark.long) for of in QUICK],
)
def test_promises_hold(world: World, scenario: Scenario) -> None:
    (outcome,) = tried([scenario], world)
    assert outcome.held, outcome.found


def test_a_fault_that_does_not_bite_and_one_that_breaks_a_promise_are_found(world: World) -> None:
    unmet = remote.Remote("never met", "500-html:path=/nowhere", "right", (1,))
    wrong = remote.Remote("refused, not right", "403-json", "right", (1,))
    outcomes = list(tried(map(remote.scenario_of, (unmet, wrong)), world))
    assert [outcome.held for outcome in outcomes] == [False, False]
    assert "did not bite" in outcomes[0].found
    assert "it failed" in outcomes[1].found
    with pytest.raises(BrokenError, match="so"):
        hold(False, "so")


def test_every_fault_of_the_stand_in_is_tried_and_names_are_their_own() -> None:
    assert not remote.UNTRIED
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names))
