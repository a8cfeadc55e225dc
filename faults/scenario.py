"""What a scenario is and what comes of one. The scenarios are in `remote` and `own_side`."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.world import World

# What the project promises; the numbers are those of the matrix.
PROMISES = {
    1: "every listed order is accounted for",
    2: "amounts are exact",
    3: "nothing is dropped in silence",
    4: "never half an order",
    5: "no secret on disk or in a message",
    6: "only what changed is asked for",
    7: "old state or new state, never half; running again finishes",
    8: "a broken answer never looks like an empty day",
    9: "readers are never locked out",
    10: "nothing is written to the shop",
}


class BrokenError(AssertionError):
    """A promise does not hold under a fault; the message says how that shows."""


@dataclass(frozen=True)
class Scenario:
    """A fault, whose side it is on, the promises it tries to break, and the trial: gives what happened in words.

    `quick` scenarios are part of the ordinary tests. A trial raises `BrokenError` where a promise does not hold, or
    where the fault did not bite.
    """

    name: str
    side: str
    says: str
    promises: tuple[int, ...]
    trial: Callable[[World], str]
    quick: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a scenario; `seconds` of wall time."""

    scenario: Scenario
    held: bool
    found: str
    seconds: float


def tried(scenarios: Iterable[Scenario], world: World) -> Iterator[Outcome]:
    """Try the scenarios one after the other; whatever one raises is its outcome."""
    for scenario in scenarios:
        started = time.monotonic()
        try:
            found, held = scenario.trial(world), True
        except BrokenError as broken:
            found, held = str(broken), False
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what came of the trial
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
            found, held = f"{type(error).__name__} at {where}: {error}", False
        yield Outcome(scenario, held, found, time.monotonic() - started)


def hold(condition: bool, otherwise: str) -> None:
    """Raise `BrokenError` with these words unless the condition holds."""
    if not condition:
        raise BrokenError(otherwise)
