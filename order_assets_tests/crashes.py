"""Dying at a chosen write: from that moment on the process writes, renames and removes nothing any more."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock


class Died(BaseException):
    """The process is dead; nothing may catch this and go on."""


class Deaths:
    """Counts the writes of a process that can be seen from outside, and lets it die before one of them."""

    def __init__(self, at: int | None) -> None:
        self.at, self.seen = at, 0

    def passing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.seen += 1
            if self.at is not None and self.seen > self.at:
                raise Died
            return real(*arguments, **options)

        return call


@contextmanager
def dying_at(write: int | None) -> Iterator[Deaths]:
    """Let what runs inside die before its write of that number, counted from 0; None counts only."""
    deaths = Deaths(write)
    with (
        mock.patch.object(os, "fsync", deaths.passing(os.fsync)),
        mock.patch.object(os, "replace", deaths.passing(os.replace)),
        mock.patch.object(os, "rename", deaths.passing(os.rename)),
        mock.patch.object(Path, "replace", deaths.passing(Path.replace)),
        mock.patch.object(Path, "rename", deaths.passing(Path.rename)),
        mock.patch.object(Path, "unlink", deaths.passing(Path.unlink)),
    ):
        yield deaths
