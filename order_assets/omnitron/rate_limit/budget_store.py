"""Where the sharers of a budget meet: in the memory of one process, or in a folder of this machine.

Belongs here: the record, reading and writing it one at a time, and places for requests in flight. Not here: how the
record changes (`throttle`, `circuit_breaker`, `limiter`), and the store of several machines (`postgres_store`).
"""

import fcntl
import hashlib
import json
import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from order_assets.core.store import private_directory
from order_assets.omnitron.api_errors import OmnitronConfigError
from order_assets.omnitron.rate_limit.budget import MOST_LOGINS
from order_assets.omnitron.rate_limit.circuit_breaker import CLOSED, Circuit
from order_assets.omnitron.rate_limit.throttle import FULL_SPEED, NEVER, Latency, Speed

# Nothing that is stored lies further ahead than this; the longest is a hold or a very slow rate.
FARTHEST = 6 * 3600.0
_CLOCK_SLACK = 1.0
_MOST_BYTES = 256 * 1024


class Waiter(NamedTuple):
    """A process that waits for a place: since when, who, and when it was seen last."""

    since: float
    who: int
    seen: float


class BudgetRecord(NamedTuple):
    """When the next request may start and until when nobody may, how fast we go, who waits, and the last logins.

    Times are seconds of the store's clock. A named tuple, as its parts are, is written as JSON as it is.
    """

    next_start: float = NEVER
    held_until: float = NEVER
    speed: Speed = FULL_SPEED
    circuit: Circuit = CLOSED
    line: tuple[Waiter, ...] = ()
    logins: tuple[float, ...] = (NEVER,) * MOST_LOGINS
    logins_held_until: float = NEVER


Result = TypeVar("Result")
Change = Callable[[BudgetRecord], tuple[BudgetRecord, Result]]
Release = Callable[[], None]


class BudgetStore(Protocol):
    """What a budget needs from the place where it is kept."""

    def now(self) -> float:
        """Seconds on a clock that all sharers read alike."""

    def update(self, change: Change[Result]) -> Result:
        """Replace the record by what `change` makes of it, with nobody in between; gives the result of `change`.

        `change` has to be free of side effects, since a store may have to call it again.
        """

    def place(self, limit: int) -> Release | None:
        """Take one of `limit` places without waiting; None when all are taken. The place is free again when the
        function that is given was called, or when this process is gone.
        """


class MemoryStore:
    """The store of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._lock = threading.Lock()
        self._record = BudgetRecord()
        self._taken = 0

    def update(self, change: Change[Result]) -> Result:
        """See `BudgetStore`."""
        with self._lock:
            self._record, result = change(self._record)
        return result

    def place(self, limit: int) -> Release | None:
        """See `BudgetStore`."""
        with self._lock:
            if self._taken >= limit:
                return None
            self._taken += 1
        return self._give_back

    def _give_back(self) -> None:
        with self._lock:
            self._taken -= 1


class FileStore:
    """The store of all processes of this machine: a record under a short lock, and one locked file per place.

    The folder is made for its owner alone. The kernel gives locks back when a process ends, however it ends. The
    clock has to be the same for all processes: time.monotonic is, on Linux and macOS. A record that cannot be read
    is started anew. Raises OmnitronConfigError where the folder cannot be used, at first or later on.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._folder = folder
        self._lock = threading.Lock()
        self._places_lock = threading.Lock()
        self._descriptors: list[int] = []
        self._places: list[int] = []
        self._taken: set[int] = set()
        # Not closed by hand: a thread that is given up may still hold a place.
        weakref.finalize(self, _close_all, self._descriptors)
        try:
            private_directory(folder)
            self._record = self._open("record")
        except OSError as error:
            raise unusable(folder, error) from None

    def update(self, change: Change[Result]) -> Result:
        """See `BudgetStore`."""
        try:
            with self._lock:
                fcntl.flock(self._record, fcntl.LOCK_EX)
                try:
                    now = self.now()
                    stored = read_record(os.pread(self._record, _MOST_BYTES, 0), now)
                    changed, result = change(stored or BudgetRecord())
                    if changed is not stored:
                        # In one write; what is left of a longer record behind the end of the line is not read.
                        os.pwrite(self._record, encoded(changed, now), 0)
                finally:
                    fcntl.flock(self._record, fcntl.LOCK_UN)
        except OSError as error:
            raise unusable(self._folder, error) from None
        return result

    def place(self, limit: int) -> Release | None:
        """See `BudgetStore`."""
        with self._places_lock:
            try:
                while len(self._places) < limit:
                    self._places.append(self._open(f"place-{len(self._places)}"))
            except OSError as error:
                raise unusable(self._folder, error) from None
            for number in range(limit):
                if number not in self._taken and _try_lock(self._places[number]):
                    self._taken.add(number)
                    return partial(self._give_back, number)
        return None

    def _give_back(self, number: int) -> None:
        with self._places_lock:
            fcntl.flock(self._places[number], fcntl.LOCK_UN)
            self._taken.discard(number)

    def _open(self, name: str) -> int:
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._descriptors.append(descriptor)
        return descriptor


def instance_folder(directory: Path, url: str) -> Path:
    """The folder of one instance (its normalised URL): the same for everybody who asks it."""
    return directory / hashlib.sha256(url.encode()).hexdigest()[:16]


def unusable(folder: Path, error: OSError) -> OmnitronConfigError:
    """For a folder that cannot be made or written."""
    return OmnitronConfigError(
        f"The shop's budget cannot be kept in {folder} ({error.strerror}): set ORDER_ASSETS_BUDGET_DIR to a folder on "
        "a disk of this machine that can be written, the same for all processes that ask this instance."
    )


def encoded(record: BudgetRecord, now: float) -> bytes:
    """The record as `read_record` reads it, with when it was written."""
    return json.dumps((now, record)).encode() + b"\n"


def read_record(stored: bytes, now: float) -> BudgetRecord | None:
    """The record, or None for bytes that are none: cut, overwritten, of another version, or from the future.

    The clock of a machine starts anew when the machine does; what was written before says nothing then.
    """
    line, end, _ = stored.partition(b"\n")
    try:
        written_at, (next_start, held_until, speed, circuit, waiting, logins, logins_held_until) = json.loads(line)
        latencies, *of_speed = speed
        record = BudgetRecord(
            next_start,
            held_until,
            Speed(tuple(Latency(*known) for known in latencies), *of_speed),
            Circuit(*circuit),
            tuple(Waiter(*waiter) for waiter in waiting),
            tuple(logins),
            logins_held_until,
        )
        ahead = max(
            next_start, held_until, logins_held_until, record.circuit.until, record.circuit.trial_until, *logins
        )
        is_sound = end and written_at <= now + _CLOCK_SLACK and ahead <= now + FARTHEST
    except (ValueError, TypeError):
        return None
    return record if is_sound else None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
