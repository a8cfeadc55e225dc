"""A budget that all threads, runs and processes of this machine keep together, and slow down together.

Belongs here: the order of the steps to a permission, who is next when all places are taken, and the waiting in
between. Not here: the other rules, which are pure functions (`throttle`, `circuit_breaker`, and
`order_assets.core.quiet_hours`), and where the record is kept (`budget_store`).
"""

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from order_assets.core.quiet_hours import QuietHours
from order_assets.omnitron.api_errors import OmnitronQuietError, OmnitronUnavailableError
from order_assets.omnitron.rate_limit import circuit_breaker as circuits
from order_assets.omnitron.rate_limit import throttle as paces
from order_assets.omnitron.rate_limit.budget import LOGINS_WITHIN_SECONDS, CallReport, Pace, Pause
from order_assets.omnitron.rate_limit.budget_store import (
    FARTHEST,
    BudgetRecord,
    BudgetStore,
    Change,
    Release,
    Result,
    Waiter,
)
from order_assets.omnitron.rate_limit.circuit_breaker import CLOSED, Circuit

_SHORTEST_LOOK = 0.002
_LONGEST_LOOK = 0.02
_TRIAL_LOOK = 0.1
# A process in the line looks again many times a second; one that did not for this long is dead or stopped.
_LIVES_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a request is told: when to start, or None where the circuit is open or tried by another."""

    at: float | None
    now: float
    circuit_state: circuits.CircuitState
    circuit: Circuit

    @property
    def has_come(self) -> bool:
        return self.at is not None and self.at <= self.now

    @property
    def is_trial(self) -> bool:
        return self.circuit_state == "to be tried"


class SharedBudget:
    """Evenly spaced starts without bursts and a limit on requests in flight, for everybody with the same store.

    `requests_per_second` None means unlimited until there is trouble. Places go to who waited longest, whatever the
    process, and starts are given in the order of asking. `instance` is its address, for messages. `wall` gives the
    time of day (aware), for quiet hours and messages.
    """

    def __init__(
        self,
        store: BudgetStore,
        requests_per_second: float | None,
        max_concurrency: int,
        *,
        instance: str = "The instance",
        quiet: QuietHours | None = None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._requests_per_second = requests_per_second
        self._places = max_concurrency
        self._instance = instance
        self._quiet = quiet
        self._wall = wall
        self._in_flight = threading.BoundedSemaphore(max_concurrency)
        self._line = threading.Lock()
        # Who we are in the line, and then each of our calls, as numbers that nobody else has.
        self._me = secrets.randbits(62)
        self._calls = itertools.count(secrets.randbits(62))
        self._lock = threading.Lock()
        self._reports: list[tuple[CallReport, float]] = []
        self._first_slow_downs: int | None = None
        self._pace = Pace()

    @contextmanager
    def acquire(self, pause: Pause) -> Iterator[bool]:
        """Wait for permission to send one request; the permission is given back when the context ends.

        Gives True where the instance was left alone after failing and this call is the trial: then an easy request
        has to go first, and `close_circuit` or `open_circuit` be told what came of it. Waiting is done through
        `pause(seconds)`, which raises when the walk was stopped meanwhile. Raises OmnitronUnavailableError while
        the instance is left alone, OmnitronQuietError in quiet hours.
        """
        with self._in_flight:
            self._check_quiet()
            call = next(self._calls)
            release, turn = self._enter(call, pause)
            try:
                while not turn.has_come:
                    turn = self._later(turn, call, pause)
                yield turn.is_trial
            finally:
                release()
                if turn.is_trial:
                    self._store.update(lambda record: (_trial_given_up(record, call), None))

    def hold(self, seconds: float) -> None:
        """Let nobody start a request for this many seconds: the server asked for it."""

        def held(record: BudgetRecord) -> tuple[BudgetRecord, None]:
            return record._replace(held_until=max(record.held_until, self._store.now() + seconds)), None

        self._update(held)

    def login_turn(self) -> float:
        """Take one of the few logins of all sharers; gives 0, or the seconds after which to ask again."""

        def turn(record: BudgetRecord) -> tuple[BudgetRecord, float]:
            now = self._store.now()
            oldest, *newer = sorted(record.logins)
            wait = max(oldest + LOGINS_WITHIN_SECONDS, record.logins_held_until) - now
            return (record, wait) if wait > 0 else (record._replace(logins=(*newer, now)), 0.0)

        return self._store.update(turn)

    def hold_logins(self, seconds: float) -> None:
        """Let nobody log in for this many seconds: the server asked for it."""

        def held(record: BudgetRecord) -> tuple[BudgetRecord, None]:
            until = self._store.now() + min(seconds, FARTHEST / 2)
            return record._replace(logins_held_until=max(record.logins_held_until, until)), None

        self._store.update(held)

    def report(self, report: CallReport) -> None:
        """Say how a request went, so that the pace follows what the server can bear.

        Good news wait for the next request, bad news do not.
        """
        with self._lock:
            self._reports.append((report, self._store.now()))
        if report.status != 200 or report.asked_to_wait or len(self._reports) > self._places:
            self._update(lambda record: (record, None))

    def open_circuit(self, reason: str) -> OmnitronUnavailableError:
        """Leave the instance alone for a while, since it fails for every call. Returns the error that says so.

        `reason` is for people and may be stored: no secret.
        """

        def opened(record: BudgetRecord) -> tuple[BudgetRecord, Circuit]:
            now_open = circuits.opened(record.circuit, self._store.now(), self._wall(), reason)
            return record._replace(circuit=now_open), now_open

        return self._refusal(self._store.update(opened))

    def close_circuit(self) -> None:
        """The trial went well: everybody may ask again."""
        self._store.update(lambda record: (record._replace(circuit=CLOSED), None))

    def pace(self) -> Pace:
        """How far the budget is slowed down."""
        return self._pace

    def _enter(self, call: int, pause: Pause) -> tuple[Release, _Turn]:
        """Take a place, in the order of coming, and the first turn."""
        came = self._store.now()
        taken = self._take(lambda record: not self._alive(record), call)
        if taken is not None:
            return taken
        # One thread per process stands in the line; the others of the process wait for it.
        with self._line:
            try:
                while True:
                    self._check_quiet()
                    if self._is_first(came):
                        taken = self._take(lambda _: True, call)
                        if taken is not None:
                            return taken
                    # Who has to wait long looks less often.
                    waited = self._store.now() - came
                    pause(min(_LONGEST_LOOK, max(_SHORTEST_LOOK, waited / 20)))
            finally:
                self._store.update(self._gone)

    def _take(self, may: Callable[[BudgetRecord], bool], call: int) -> tuple[Release, _Turn] | None:
        """A place and a turn if there is a place and the record says that it is ours to take."""
        release = self._store.place(self._places)
        if release is None:
            return None

        def change(record: BudgetRecord) -> tuple[BudgetRecord, _Turn | None]:
            return self._admitted(record, call) if may(record) else (record, None)

        try:
            turn = self._update(change)
        except BaseException:
            release()
            raise
        if turn is None:
            release()
            return None
        return release, turn

    def _is_first(self, since: float) -> bool:
        """Whether the next place is ours: the line is ordered by the time of coming, without the dead."""

        def look(record: BudgetRecord) -> tuple[BudgetRecord, bool]:
            line = sorted([*self._gone(record)[0].line, Waiter(since, self._me, self._store.now())])
            return record._replace(line=tuple(line)), line[0].who == self._me

        return self._store.update(look)

    def _gone(self, record: BudgetRecord) -> tuple[BudgetRecord, None]:
        line = tuple(waiter for waiter in self._alive(record) if waiter.who != self._me)
        return record._replace(line=line), None

    def _alive(self, record: BudgetRecord) -> list[Waiter]:
        """The processes in the line that still look."""
        now = self._store.now()
        return [waiter for waiter in record.line if abs(now - waiter.seen) < _LIVES_SECONDS]

    def _later(self, turn: _Turn, call: int, pause: Pause) -> _Turn:
        """The turn after waiting for its start, or for the end of another's trial."""
        if turn.circuit_state == "open":
            raise self._refusal(turn.circuit)
        pause(_TRIAL_LOOK if turn.at is None else turn.at - turn.now)
        self._check_quiet()
        return self._update(partial(self._confirmed, turn, call))

    def _admitted(self, record: BudgetRecord, call: int) -> tuple[BudgetRecord, _Turn]:
        """Reserve the next start, if the instance may be asked at all."""
        now = self._store.now()
        circuit_state = circuits.circuit_state(record.circuit, now, call)
        if circuit_state in ("open", "tried by another"):
            return record, _Turn(None, now, circuit_state, record.circuit)
        start = max(now, record.next_start, record.held_until)
        speed = paces.started(record.speed, now)
        after = start + paces.interval(speed, self._requests_per_second)
        circuit = record.circuit if circuit_state == "closed" else circuits.claimed(record.circuit, now, call)
        admitted = record._replace(next_start=after, speed=speed, circuit=circuit)
        return admitted, _Turn(start, now, circuit_state, circuit)

    def _confirmed(self, turn: _Turn, call: int, record: BudgetRecord) -> tuple[BudgetRecord, _Turn]:
        """The turn once its start has come; another one if all were told to wait, or left the instance alone."""
        now = self._store.now()
        circuit_state = circuits.circuit_state(record.circuit, now, call)
        if turn.at is None or circuit_state != turn.circuit_state or record.held_until > turn.at:
            return self._admitted(record, call)
        return record, replace(turn, now=turn.at)

    def _update(self, change: Change[Result]) -> Result:
        """Change the record, and tell it how the last requests went."""
        with self._lock:
            reports, self._reports = self._reports, []

        def with_reports(record: BudgetRecord) -> tuple[BudgetRecord, tuple[Result, paces.Speed, int]]:
            slow_downs = record.speed.slow_downs
            for report, at in reports:
                record = record._replace(speed=paces.reported(record.speed, report, at))
            changed, result = change(record)
            return changed, (result, changed.speed, slow_downs)

        result, speed, slow_downs_before = self._store.update(with_reports)
        self._note(speed, slow_downs_before)
        return result

    def _note(self, speed: paces.Speed, slow_downs_before: int) -> None:
        with self._lock:
            if self._first_slow_downs is None:
                self._first_slow_downs = slow_downs_before
            slow_downs = max(0, speed.slow_downs - self._first_slow_downs)
            self._pace = Pace(speed.share, min(self._pace.lowest_share, speed.share), slow_downs)

    def _check_quiet(self) -> None:
        if self._quiet is None:
            return
        until = self._quiet.until(self._wall())
        if until is not None:
            raise OmnitronQuietError(
                f"Quiet hours until {until:%H:%M} {self._quiet.zone.key}: nothing was asked of {self._instance}. "
                "Run again after that time, or change ORDER_ASSETS_QUIET_HOURS."
            )

    def _refusal(self, circuit: Circuit) -> OmnitronUnavailableError:
        said = circuits.sentence(circuit, self._store.now(), self._wall(), self._instance)
        return OmnitronUnavailableError(said, systemic=True)


def _trial_given_up(record: BudgetRecord, call: int) -> BudgetRecord:
    """The circuit free for another trial, where this call had claimed it and never said what came of it."""
    released = circuits.released(record.circuit, call)
    return record if released is record.circuit else record._replace(circuit=released)
