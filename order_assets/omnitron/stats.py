"""What a client did so far, for progress displays and run metadata.

Belongs here: the numbers. Not here: who counts when (`session`, `auth`).
"""

import threading
from dataclasses import asdict, dataclass


@dataclass
class _Totals:
    requests: int = 0
    retries: int = 0
    logins: int = 0
    bytes_received: int = 0
    seconds_waited: float = 0.0
    not_found: int = 0
    budget_seconds_waited: float = 0.0
    slow_downs: int = 0
    lowest_share: float = 1.0


class Counters:
    """Totals of one client, safe to add to and to read from any thread.

    `requests` counts every request sent, repeats and logins included; `bytes_received` is after
    decompression; `seconds_waited` is time spent waiting for the budget or before a repeat, summed over the
    threads; `budget_seconds_waited` is the part of it that was for the budget. `slow_downs` is how often the budget
    was slowed down meanwhile, by whomever, `lowest_share` the least share of the full rate, 1 meaning all of it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals = _Totals()

    def add(
        self,
        *,
        requests: int = 0,
        retries: int = 0,
        logins: int = 0,
        bytes_received: int = 0,
        seconds_waited: float = 0.0,
        not_found: int = 0,
        budget_seconds_waited: float = 0.0,
    ) -> None:
        """Add to the totals."""
        with self._lock:
            totals = self._totals
            totals.requests += requests
            totals.retries += retries
            totals.logins += logins
            totals.bytes_received += bytes_received
            totals.seconds_waited += seconds_waited
            totals.not_found += not_found
            totals.budget_seconds_waited += budget_seconds_waited

    def note_pace(self, *, slow_downs: int, lowest_share: float) -> None:
        """Keep how far the budget is slowed down; `slow_downs` is since the beginning."""
        with self._lock:
            self._totals.slow_downs = max(self._totals.slow_downs, slow_downs)
            self._totals.lowest_share = min(self._totals.lowest_share, lowest_share)

    def as_dict(self) -> dict[str, float]:
        """All totals of one moment by name."""
        with self._lock:
            return asdict(self._totals)

    @property
    def requests(self) -> int:
        """Requests sent, repeats and logins included."""
        return self._totals.requests

    @property
    def retries(self) -> int:
        """Requests that were repeats of a failed one."""
        return self._totals.retries

    @property
    def logins(self) -> int:
        """Successful logins."""
        return self._totals.logins

    @property
    def bytes_received(self) -> int:
        """Bytes of all answers, after decompression."""
        return self._totals.bytes_received

    @property
    def seconds_waited(self) -> float:
        """Seconds spent waiting, summed over threads."""
        return self._totals.seconds_waited

    @property
    def not_found(self) -> int:
        """Answers with status 404 that were data, such as an order that is gone."""
        return self._totals.not_found

    @property
    def budget_seconds_waited(self) -> float:
        """Seconds spent waiting for the budget, summed over threads."""
        return self._totals.budget_seconds_waited

    @property
    def slow_downs(self) -> int:
        """How often the budget was slowed down meanwhile."""
        return self._totals.slow_downs

    @property
    def lowest_share(self) -> float:
        """The least share of the full rate meanwhile."""
        return self._totals.lowest_share

    def __repr__(self) -> str:
        return f"Counters({self.as_dict()})"
