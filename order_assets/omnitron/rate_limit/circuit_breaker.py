"""Leaving an instance alone that fails for every call, as pure functions over values.

Belongs here: for how long, who may try it again, and the sentence about it. Not here: finding out that every
call fails (`session`), and where the value is kept (`budget_store`). Times without a zone are seconds of the
store's clock.
"""

from datetime import UTC, datetime, timedelta
from textwrap import shorten
from typing import Literal, NamedTuple

FIRST_SPAN = 60.0
LONGEST_SPAN = 15 * 60.0
# A trial whose process was killed must not block the others for ever.
TRIAL_SECONDS = 90.0
_LONGEST_REASON = 300

CircuitState = Literal["closed", "open", "tried by another", "to be tried"]


class Circuit(NamedTuple):
    """`span` 0 means closed: calls go through. Otherwise nobody asks until `until`, then one call is the trial.

    `since` is when it was opened first, in seconds since 1970 (UTC), for people.
    """

    since: float = 0.0
    until: float = 0.0
    span: float = 0.0
    trial_until: float = 0.0
    trial_by: int = 0
    reason: str = ""


CLOSED = Circuit()


def circuit_state(circuit: Circuit, now: float, me: int) -> CircuitState:
    """What a call of `me` finds."""
    if not circuit.span:
        return "closed"
    if now < circuit.until:
        return "open"
    return "tried by another" if now < circuit.trial_until and circuit.trial_by != me else "to be tried"


def opened(circuit: Circuit, now: float, wall: datetime, reason: str) -> Circuit:
    """Open, for twice as long if a trial failed. One that somebody opened a moment ago stays as it is."""
    if circuit.span and now < circuit.until:
        return circuit
    span = min(2 * circuit.span, LONGEST_SPAN) if circuit.span else FIRST_SPAN
    since = circuit.since if circuit.span else wall.timestamp()
    return Circuit(since, now + span, span, reason=shorten(reason, _LONGEST_REASON, placeholder="..."))


def claimed(circuit: Circuit, now: float, me: int) -> Circuit:
    """Under trial by `me`."""
    return circuit._replace(trial_until=now + TRIAL_SECONDS, trial_by=me)


def released(circuit: Circuit, me: int) -> Circuit:
    """Free for another trial, where `me` gave up before it knew."""
    return circuit._replace(trial_until=0.0, trial_by=0) if circuit.trial_by == me else circuit


def sentence(circuit: Circuit, now: float, wall: datetime, instance: str) -> str:
    """Which instance is left alone, since when and why, and when it is asked again."""
    again = wall + timedelta(seconds=max(0.0, circuit.until - now))
    since = datetime.fromtimestamp(circuit.since, UTC)
    return (
        f"{instance} is left alone: every call has failed since {since:%Y-%m-%d %H:%M} UTC, "
        f'the last one with "{circuit.reason}" '
        f"It is asked again at {again.astimezone(UTC):%H:%M:%S} UTC; run again then."
    )
