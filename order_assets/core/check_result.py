"""The result of a check, one form for all of them: of tables, of marts, of the index, of a run.

Belongs here: what a result carries and how it is said. Not here: the checks themselves, which stand where the things
are that they look at, and how Dagster is told (`defs`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is that a check does not pass."""

    ERROR = "error"  # the data is wrong
    WARN = "warn"  # somebody should look


@dataclass(frozen=True)
class CheckResult:
    """What a check found about an asset on a day, or about all days where `day` is None.

    `asset` is the name of a table, a mart or an asset, as the room that checks calls it. `examples` name a few things
    that are wrong, by key and order number; `next_step` says what to do about them; neither shows a personal value.
    `str(result)` is all of it in a sentence or two.
    """

    asset: str
    name: str
    passed: bool
    explanation: str
    numbers: Mapping[str, int | float | str] = field(default_factory=dict)
    day: date | None = None
    severity: Severity = Severity.ERROR
    examples: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def is_error(self) -> bool:
        """Whether it is an error and no warning if the check does not pass."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        examples = f"; for example {'; '.join(self.examples)}" if self.examples else ""
        next_step = f". {self.next_step}" if self.next_step and not self.passed else ""
        return f"{self.explanation}{examples}{next_step}"
