"""How much of the shop's API we take: the values that go through a budget.

Not here: how it is kept (`limiter` over a `budget_store`), and waiting after a failed call (`session`).
"""

from collections.abc import Callable
from dataclasses import dataclass

Pause = Callable[[float], None]

# The vendor's own clients limit themselves to this; more is taken for an attack, or ends the sessions of others.
MOST_LOGINS = 3
LOGINS_WITHIN_SECONDS = 360.0


@dataclass(frozen=True, slots=True)
class CallReport:
    """How one request went: what was asked for in general, seconds on the wire, and what came back.

    `route` is the address without numbers, so that like is compared with like; `status` None means no answer.
    """

    route: str
    seconds: float
    status: int | None
    timed_out: bool = False
    asked_to_wait: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a budget is slowed down: the share of the full rate that is used now, 1 meaning all of it.

    `lowest_share` and `slow_downs` are about the time since this budget was made, whoever caused them.
    """

    share: float = 1.0
    lowest_share: float = 1.0
    slow_downs: int = 0
