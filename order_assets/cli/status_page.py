"""What the command `status` shows: for people as facts below each other, for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from order_assets.cli.output import counts_of, print_facts
from order_assets.core.counted import counted
from order_assets.defs.run_history import Automation, PastRun, RunHistory
from order_assets.omnitron.rate_limit.budget_use import BudgetUse
from order_assets.pipeline.status import LANDED, LOADED, Status, next_steps
from order_assets.settings import Settings

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_PARTS = 4  # of the disk that are named


@dataclass(frozen=True)
class StatusPage:
    """A data root, its history and the budget of its shop, together."""

    settings: Settings
    found: Status
    history: RunHistory
    budget: BudgetUse

    def print(self) -> None:
        """Print the facts and what to do next."""
        print_facts(*self._facts())

    def as_json(self) -> str:
        """The same as JSON: moments in UTC, spans in seconds, sizes in bytes."""
        found = {name: value for name, value in asdict(self.found).items() if name not in ("data_root", "lag")}
        values = {
            "instance": self.settings.url,
            "data_root": self.found.data_root,
            "timezone": self.settings.timezone.key,
            **found,
            "lag_seconds": self.found.lag,
            **asdict(self.history),
            "budget": {"requests_per_second": self.settings.requests_per_second, **asdict(self.budget)},
            "next": self._next(),
        }
        return json.dumps(values, default=_plain, indent=2)

    def _next(self) -> list[str]:
        steps = next_steps(self.found)
        if not any(run.is_on for run in self.history.automation):
            steps.append("nothing runs by itself: switch sync_index_regularly and changed_days on, in the UI (make ui)")
        elif not self.history.daemon_lives:
            steps.append("schedules are switched on, and no daemon runs: make ui, or dagster-daemon run")
        return steps

    def _facts(self) -> Iterator[tuple[str, str]]:
        found = self.found
        yield "instance", self.settings.url or "the embedded sandbox, an invented shop"
        yield "data root", str(found.data_root)
        yield "days", f"{found.first} to {found.last}, {self.settings.timezone.key}"
        yield "index", _index(found)
        for state, days in found.days.items():
            loaded = f", last {_time(found.loaded_at)}" if state == LOADED and found.loaded_at else ""
            if days or state == LANDED:
                yield f"days {state}".replace("_", " "), f"{_span(days)}{loaded}"
        yield "due", f"{counted(len(found.due_days), 'day')}: {counts_of(found.due)}" if found.due_days else "nothing"
        yield "waiting", f"{counts_of(found.waiting)} orders" if found.waiting else "nothing"
        for number, run in enumerate(self.history.runs):
            yield "" if number else "last runs", _run(run)
        for number, runs in enumerate(self.history.automation):
            yield "" if number else "by itself", _automation(runs)
        yield "budget", _budget(self.settings, self.budget)
        yield "disk", _disk(found)
        for number, step in enumerate(self._next()):
            yield "" if number else "next", step


def _index(found: Status) -> str:
    if found.listed_until is None or found.lag is None:
        return "no complete listing yet"
    return f"up to {_time(found.listed_until)}, {_length(found.lag)} ago"


def _span(days: tuple[date, ...]) -> str:
    return f"{len(days)}, {days[0]} to {days[-1]}" if days else "none"


def _run(run: PastRun) -> str:
    started = _time(run.started) if run.started else "not started"
    took = f", {run.seconds:.0f} s" if run.seconds is not None else ""
    return f"{started} {run.job} {run.days} {run.status}{took}".replace("  ", " ")


def _automation(run: Automation) -> str:
    if not run.is_on:
        return f"{run.name} is off"
    return f"{run.name} next {_time(run.next_tick)}" if run.next_tick else f"{run.name} is on, and no daemon runs"


def _budget(settings: Settings, used: BudgetUse) -> str:
    rate = settings.requests_per_second
    limit = "no limit" if rate is None else f"{rate:g} requests a second"
    slowed = f", slowed down to {used.share:.0%}" if used.share < 1 else ""
    held = f", nobody may ask for {_length(timedelta(seconds=used.held_seconds))}" if used.held_seconds else ""
    return f"{limit}; {used.in_flight} of {settings.max_concurrency} in flight{slowed}{held}"


def _disk(found: Status) -> str:
    largest = ", ".join(f"{name} {_size(size)}" for name, size in list(found.disk.items())[:_PARTS])
    return f"{_size(sum(found.disk.values()))} ({largest}); {_size(found.free)} free"


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _length(span: timedelta) -> str:
    """The span in its largest unit."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86_400), ("hours", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Path():
            return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
