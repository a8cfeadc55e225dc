"""Under which of `/api/v1/` and `/api/i1/` an instance serves what: both are documented, some serve one of them only.

Belongs here: what is known and what to try next. Not here: asking (`session`).
"""

import threading
from collections.abc import Mapping
from typing import Literal, get_args

ApiVersion = Literal["v1", "i1"]
VERSIONS: tuple[str, ...] = get_args(ApiVersion)


class Prefixes:
    """The versions by kind of path, `orders` or `orders_integration`; safe to use from many threads.

    `fixed` is what a setting says. A kind of path is sure once it gave an answer; what an earlier client found is only
    tried first, since the instance may have changed.
    """

    def __init__(self, fixed: str | None = None) -> None:
        self._fixed = fixed
        self._lock = threading.Lock()
        self._sure: dict[str, str] = {}
        self._tried_first: dict[str, str] = {}
        self._last = VERSIONS[0]

    def expect(self, versions: Mapping[str, str]) -> None:
        """Try these first."""
        with self._lock:
            self._tried_first = {kind: version for kind, version in versions.items() if version in VERSIONS}

    def found(self) -> dict[str, str]:
        """What gave an answer so far, by kind of path."""
        with self._lock:
            return dict(sorted(self._sure.items()))

    def is_sure(self, path: str) -> bool:
        """Whether this kind of path gave an answer already."""
        return kind_of(path) in self._sure

    def candidates(self, path: str) -> tuple[str, ...]:
        """The versions to try, the likeliest first; one alone where it is sure or fixed."""
        kind = kind_of(path)
        with self._lock:
            sure = self._sure.get(kind) or self._fixed
            if sure is not None:
                return (sure,)
            first = self._tried_first.get(kind, self._last)
        return (first, *(version for version in VERSIONS if version != first))

    def served(self, path: str, version: str) -> None:
        """This kind of path gave an answer under this version."""
        kind = kind_of(path)
        if kind not in self._sure:
            with self._lock:
                self._sure[kind] = self._last = version


def kind_of(path: str) -> str:
    """The kind of a path below the prefix: its first part."""
    return path.partition("/")[0]


def prefix_of(version: str) -> str:
    """The beginning of a path."""
    return f"/api/{version}/"
