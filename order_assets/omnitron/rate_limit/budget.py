"""How much of the shop's API we take: the questions that a client asks before and after each request.

Belongs here: the interface of a budget and the values that go through it. Not here: how it is kept
(`limiter` over a `budget_store`), and waiting after a failed call (`session`).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from order_assets.omnitron.api_errors import OmnitronUnavailableError

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


class Budget(Protocol):
    """What a client asks for permission before each request, and tells how each one went."""

    def acquire(self, pause: Pause) -> AbstractContextManager[bool]:
        """Wait for permission to send one request; the permission is given back when the context ends.

        Gives True where the instance was left alone after failing and this call is the trial: then an easy request
        has to go first, and `close_circuit` or `open_circuit` be told what came of it. Waiting is done through
        `pause(seconds)`, which raises when the walk was stopped meanwhile. Raises OmnitronUnavailableError while
        the instance is left alone, OmnitronQuietError in quiet hours.
        """

    def hold(self, seconds: float) -> None:
        """Let nobody start a request for this many seconds: the server asked for it."""

    def login_turn(self) -> float:
        """Take one of the few logins of all sharers; gives 0, or the seconds after which to ask again."""

    def hold_logins(self, seconds: float) -> None:
        """Let nobody log in for this many seconds: the server asked for it."""

    def report(self, report: CallReport) -> None:
        """Say how a request went, so that the pace follows what the server can bear."""

    def open_circuit(self, reason: str) -> OmnitronUnavailableError:
        """Leave the instance alone for a while, since it fails for every call. Returns the error that says so.

        `reason` is for people and may be stored: no secret.
        """

    def close_circuit(self) -> None:
        """The trial went well: everybody may ask again."""

    def pace(self) -> Pace:
        """How far the budget is slowed down."""
