"""What a client did so far, for progress displays and run metadata.

Belongs here: the numbers. Not here: who counts when (`session`, `login`).
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


class Counters:
    """Totals of one client, safe to add to and to read from any thread.

    `requests` counts every request sent, repeats and logins included; `bytes_received` is after
    decompression; `seconds_waited` is time spent waiting for the budget or before a repeat, summed over the
    threads.
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

    def __repr__(self) -> str:
        return f"Counters({self.as_dict()})"
