"""A process that makes days for another one: it is told the task, then day after day, and answers each.

Both sides are here. The process ends when the other side is gone, however that came: its input ends then.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from contextlib import suppress
from datetime import date
from types import TracebackType
from typing import BinaryIO, Self

from order_assets.contract import CONTRACT, Contract
from order_assets.days.make import DayTables, Maker, Task
from order_assets.errors import OrderAssetsError

_PATIENCE = 60.0  # seconds for a helper to finish the day it is at


class _Pickler(pickle.Pickler):
    """Says of the contract only that it is the one: its parts are known by identity."""

    def persistent_id(self, obj: object) -> str | None:
        return "contract" if obj is CONTRACT else None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: object) -> Contract:
        if pid != "contract":
            raise pickle.UnpicklingError(f"{pid!r} is not known here")
        return CONTRACT


class HelperError(OrderAssetsError):
    """A helper process ended before it answered."""


class Helper:
    """A helper process for one task under the contract of this package; for one thread at a time."""

    def __init__(self, task: Task) -> None:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "order_assets.days"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # The same modules as here, wherever they were found.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            # Ctrl-C is for the process that has the terminal; it ends its helpers.
            start_new_session=True,
        )
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        self._process, self._days, self._answers = process, process.stdin, process.stdout
        self._tell(task)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def make(self, day: date) -> DayTables:
        """Have a day made. Raises what making it raised, and `HelperError` when the process is gone."""
        try:
            self._tell(day)
            answer: DayTables | Exception = pickle.load(self._answers)  # noqa: S301
        except (EOFError, OSError) as error:
            code = self._process.wait(_PATIENCE)
            raise HelperError(
                f"the process that made the tables of {day} ended with code {code}; what it printed says why. "
                "The days before are made: materialise tables for the others again, fewer at a time if memory is short"
            ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._days.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def _tell(self, value: Task | date) -> None:
        with suppress(BrokenPipeError):
            # A process that is gone is noticed when it does not answer.
            _Pickler(self._days).dump(value)
            self._days.flush()


def main(tasks: BinaryIO, answers: BinaryIO) -> None:
    """Answer each day that comes in until nothing comes any more."""
    with suppress(EOFError, BrokenPipeError):
        maker = Maker(_Unpickler(tasks).load())
        while True:
            day: date = _Unpickler(tasks).load()
            answer: DayTables | Exception
            try:
                answer = maker.make(day)
            except Exception as error:  # noqa: BLE001 - it is raised on the other side
                error.add_note(traceback.format_exc())
                answer = error
            pickle.dump(answer, answers)
            answers.flush()
