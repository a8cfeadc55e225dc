"""What a benchmark says: figures with what they are held against, as a table and as JSON.

Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing measured, once or several times, in `unit`.

    `ratio` compares the median with that of `against`, from the same run. `met` is None where there is no goal.
    """

    name: str
    values: tuple[float, ...]
    unit: str
    against: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    cpu_seconds: float | None = None
    peak_mb: float | None = None

    @property
    def median(self) -> float:
        """The middle one of the values."""
        return median(self.values)

    def as_json(self) -> dict[str, Any]:
        """All of it, with the median."""
        return {**asdict(self), "median": self.median}

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Figure:
        """What `as_json` gave."""
        return cls(**{name: value for name, value in found.items() if name != "median"})


_HEAD = ("", "median", "runs", "ratio", "goal", "", "CPU s", "peak MB")


def table(figures: Sequence[Figure]) -> str:
    """A Markdown table, a figure a row."""
    return _markdown([_HEAD, ("---", "---:", "---:", "---", "---", "---", "---:", "---:"), *map(_row, figures)])


def short_table(figures: Sequence[Figure]) -> str:
    """The same without number of runs, CPU and memory."""
    head = ("", "median", "ratio", "goal", "")
    rows = ((name, middle, ratio, goal, met) for name, middle, _, ratio, goal, met, *_ in map(_row, figures))
    return _markdown([head, ("---", "---:", "---", "---", "---"), *rows])


def _markdown(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def verdict(figures: Iterable[Figure]) -> str:
    """Which goals were met and which were missed."""
    goals = [figure for figure in figures if figure.met is not None]
    missed = [f"{figure.name}: {figure.goal}, found {_found(figure)}" for figure in goals if not figure.met]
    met = len(goals) - len(missed)
    return "\n".join([f"{met} of {len(goals)} goals met, {len(missed)} missed", *(f"- {line}" for line in missed)])


def _row(figure: Figure) -> tuple[str, ...]:
    met = "" if figure.met is None else "met" if figure.met else "**missed**"
    ratio = f"{_short(figure.ratio)} x {figure.against}" if figure.ratio is not None else figure.against
    middle = f"{_short(figure.median)} {figure.unit}"
    numbers = ("" if number is None else _short(number) for number in (figure.cpu_seconds, figure.peak_mb))
    return (figure.name, middle, str(len(figure.values)), ratio, figure.goal, met, *numbers)


def _found(figure: Figure) -> str:
    return f"{_short(figure.median)} {figure.unit}" if figure.ratio is None else f"{_short(figure.ratio)} x"


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
