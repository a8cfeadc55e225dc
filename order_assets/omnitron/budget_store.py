"""Where the sharers of a budget meet: in the memory of one process, or in a folder of this machine.

Belongs here: reading and writing the record one at a time, and places for requests in flight. Not here: what is
in the record and how it changes (`pace`, `circuit`, `line`). A store for several machines needs the same four
methods: a compare-and-swap for `update`, leases for `place`.
"""

import fcntl
import hashlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from order_assets.disk import private_directory
from order_assets.omnitron.budget_record import RECORD_BYTES, BudgetRecord, from_bytes, to_bytes
from order_assets.omnitron.errors import OmnitronConfigError

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
    is started anew. Raises OmnitronConfigError where the folder cannot be
    used, at first or later on.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._folder = folder
        self._lock = threading.Lock()
        self._places_lock = threading.Lock()
        self._descriptors: list[int] = []
        self._places: list[int] = []
        self._free: list[int] = []
        # Not closed by hand: a thread that is given up may still hold a place.
        weakref.finalize(self, _close_all, self._descriptors)
        try:
            private_directory(folder)
            self._record = self._open("record")
        except OSError as error:
            raise unusable(folder, error) from None

    def update(self, change: Change[Result]) -> Result:
        """See `BudgetStore`."""
        record_file = self._record
        try:
            with self._lock:
                fcntl.flock(record_file, fcntl.LOCK_EX)
                try:
                    now = self.now()
                    stored = from_bytes(os.pread(record_file, RECORD_BYTES, 0), now)
                    changed, result = change(stored or BudgetRecord())
                    if changed is not stored:
                        os.pwrite(record_file, to_bytes(changed, now), 0)
                finally:
                    fcntl.flock(record_file, fcntl.LOCK_UN)
        except OSError as error:
            raise unusable(self._folder, error) from None
        return result

    def place(self, limit: int) -> Release | None:
        """See `BudgetStore`."""
        with self._places_lock:
            self._open_places(limit)
            # The one given back last is the one least likely to have been taken by another process.
            for position in range(len(self._free) - 1, -1, -1):
                number = self._free[position]
                if number < limit and _try_lock(self._places[number]):
                    del self._free[position]
                    return lambda: self._give_back(number)
        return None

    def _give_back(self, number: int) -> None:
        with self._places_lock:
            fcntl.flock(self._places[number], fcntl.LOCK_UN)
            self._free.append(number)

    def _open_places(self, limit: int) -> None:
        try:
            while len(self._places) < limit:
                number = len(self._places)
                self._places.append(self._open(f"place-{number}"))
                self._free.append(number)
        except OSError as error:
            raise unusable(self._folder, error) from None

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


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
