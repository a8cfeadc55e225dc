"""Meets a process at its writes: counts them, names where they are made, and lets one of them go wrong.

A write is what can be seen from outside: a rename, a sync, a removal, a new folder.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

_WRITES = (
    *((os, name) for name in ("fsync", "replace", "rename", "unlink", "mkdir")),
    *((Path, name) for name in ("replace", "rename", "unlink", "mkdir")),
)
_KIND = re.compile(r"\.?[a-z_]*")
_OPEN_FILES = Path("/proc/self/fd")


class Died(BaseException):
    """The process is dead; nothing may catch this and go on."""


class Deaths:
    """Counts the writes of a process that can be seen from outside, and lets it die before one of them."""

    def __init__(self, at: int | None) -> None:
        self.at, self.seen = at, 0

    def before(self, _place: str) -> None:
        """Die, if it is time."""
        self.seen += 1
        if self.at is not None and self.seen > self.at:
            raise Died


@contextmanager
def before_each_write(call: Callable[[str], None]) -> Iterator[None]:
    """Call this before each write of what runs inside, with the place that makes it and the kind of file."""

    def passing(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any, **options: Any) -> Any:
            call(_place(name, arguments[0]))
            return real(*arguments, **options)

        return write

    with ExitStack() as patches:
        for owner, name in _WRITES:
            patches.enter_context(mock.patch.object(owner, name, passing(name, getattr(owner, name))))
        yield


@contextmanager
def dying_at(write: int | None) -> Iterator[Deaths]:
    """Let what runs inside die before its write of that number, counted from 0; None counts only."""
    deaths = Deaths(write)
    with before_each_write(deaths.before):
        yield deaths


def places_of(work: Callable[[], object]) -> list[str]:
    """The place of each write that some work makes, in turn."""
    places: list[str] = []
    with before_each_write(places.append):
        work()
    return places


def ends_of_places(places: Sequence[str]) -> list[int]:
    """The numbers of the first and the last write of each place: as good as all, where a place is met often."""
    first = {place: number for number, place in reversed(list(enumerate(places)))}
    last = {place: number for number, place in enumerate(places)}
    return sorted({*first.values(), *last.values()})


def _place(write: str, target: Any) -> str:
    """The line of the package that writes, and what the name of the file begins with; folders are all alike."""
    frame = sys._getframe(2)
    while frame.f_back is not None and "/order_assets/" not in frame.f_code.co_filename:
        frame = frame.f_back
    line = f"{frame.f_code.co_filename.rpartition('/order_assets/')[2]}:{frame.f_lineno}"
    if write == "mkdir":
        return f"{line} folder"
    if isinstance(target, int):
        target = (_OPEN_FILES / str(target)).readlink() if _OPEN_FILES.exists() else ""
    kind = _KIND.match(Path(target).name)
    return f"{line} {kind.group() if kind else ''}"
