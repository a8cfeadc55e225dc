"""What the command shows: a bar while orders are fetched, and a summary at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from order_assets.core.counted import counted
from order_assets.core.progress import Listener, Spoken
from order_assets.settings import Settings

if TYPE_CHECKING:
    from order_assets.core.check_result import CheckResult
    from order_assets.defs.run_jobs import RunSummary
    from order_assets.landing import QuarantinedOrder
    from order_assets.landing.estimate import RunPlan
    from order_assets.omnitron.capabilities import Capabilities

_INDEX = "order_index"
_DOCUMENTS = "order_documents"


@contextmanager
def fetching(days: Sequence[date]) -> Iterator[Listener]:
    """A progress bar over the orders of days, or a line now and then where no bar can be seen; gives the listener."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Spoken(days, lambda words: print(words, file=sys.stderr, flush=True))
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"{len(days)} days", total=None)
        words = Spoken(days, lambda said: bar.console.print(said))

        def listener(day: date, done: int, due: int) -> None:
            bar.update(task, description=f"fetching {day}", completed=done, total=due)
            words(day, done, due)

        yield listener


def print_summary(
    settings: Settings, first: date, last: date, index: RunSummary, run: RunSummary, seconds: float
) -> None:
    """Print what a run made and where it lies."""
    console = Console(width=100, highlight=False)
    documents = run.days.get(_DOCUMENTS, {})
    listing = index.days.get(_INDEX, {}).get("", {})

    def total(name: str) -> int:
        return int(sum(numbers.get(name, 0) for numbers in documents.values()))

    facts = Table(show_header=False, box=None, pad_edge=False)
    facts.add_row("days", f"{first} to {last} ({len(documents)})")
    facts.add_row(
        "orders",
        f"{total('listed')} listed, {total('landed')} landed, {total('tombstoned')} tombstoned, "
        f"{total('quarantined')} quarantined, {total('pending')} pending",
    )
    facts.add_row("fetched", f"{total('fetched')} orders, {total('carried_over')} carried over unchanged")
    facts.add_row(
        "before first day",
        f"{counted(int(listing.get('orders_before_first_day', 0)), 'order')}, placed before {settings.first_day}",
    )
    facts.add_row(
        "requests",
        f"{total('requests') + int(listing.get('requests', 0))}, of them "
        f"{total('retries') + int(listing.get('retries', 0))} retries",
    )
    facts.add_row("masked", f"{total('values_masked')} values; by path in meta.masked_values")
    facts.add_row("seconds", f"{seconds:.1f}")
    passed = sum(check.passed for check in run.checks)
    facts.add_row("checks", f"{passed} passed, {len(run.checks) - passed} did not")
    console.print(facts)
    console.print(_rows(run))
    _print_findings(console, run)
    console.print(f"Parquet    {settings.data_root / 'tables'}", markup=False, soft_wrap=True)
    console.print(f"DuckDB     {settings.data_root / 'warehouse.duckdb'}", markup=False, soft_wrap=True)


def _print_findings(console: Console, run: RunSummary) -> None:
    """One line per check that did not pass, with its first day as the example; the others are in the UI."""
    found: dict[tuple[bool, str, str], list[CheckResult]] = {}
    for check in run.checks:
        if not check.passed:
            found.setdefault((check.is_error, check.asset, check.name), []).append(check)
    for (is_error, asset, name), checks in sorted(found.items(), key=lambda item: (not item[0][0], item[0][1:])):
        first = min(checks, key=lambda check: check.day or date.min)
        days = first.day or "" if len(checks) == 1 else f"on {len(checks)} days, first {first.day}"
        kind = "FAILED" if is_error else "WARNING"
        console.print(f"{kind} {asset} {name} {days}: {first.explanation}", markup=False)


def _rows(run: RunSummary) -> Table:
    counts = [
        (
            asset.partition("/")[2],
            int(sum(numbers.get("dagster/partition_row_count", 0) for numbers in days.values())),
        )
        for asset, days in run.days.items()
        if asset.startswith("tables/")
    ]
    table = Table("table", "rows", "table", "rows", box=None, pad_edge=False)
    half = (len(counts) + 1) // 2
    for left, right in zip(counts[:half], [*counts[half:], ("", 0)], strict=False):
        table.add_row(left[0], str(left[1]), right[0], str(right[1]) if right[0] else "")
    return table


def print_report(run: RunSummary) -> None:
    """Print the headline numbers of the report and where it is."""
    said = dict(run.texts.get("report", {}))
    path = said.pop("file", "")
    print_facts(*said.items())
    print(f"Report     {path}")


def print_replay(first: date, last: date, run: RunSummary) -> None:
    """Print which days were landed under an older contract and which rows changed."""
    console = Console(width=120, highlight=False)
    orders = run.days.get("tables/orders", {})
    console.print(f"replayed {first} to {last}: {len(orders)} days, no request", markup=False)
    for day, numbers in sorted(orders.items()):
        older = int(numbers.get("orders_of_older_contract", 0))
        released = int(numbers.get("orders_released_from_quarantine", 0))
        if older:
            console.print(
                f"  {day}: {older} orders were landed under an older contract, {released} left quarantine",
                markup=False,
            )
    changed = {
        asset.partition("/")[2]: int(sum(numbers.get("rows_changed", 0) for numbers in days.values()))
        for asset, days in run.days.items()
        if asset.startswith("tables/")
    }
    moved = [f"{count} in {table}" for table, count in changed.items() if count]
    console.print(f"  rows changed: {', '.join(moved) if moved else 'none'}", markup=False)


def counts_of(counts: Mapping[str, int]) -> str:
    """The counts in words, such as `3 new, 2 changed`."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())


def print_plan(plan: RunPlan, requests_per_second: float | None) -> None:
    """Print what a run would cost and what the figures rest on."""
    reasons = counts_of(plan.due)
    basis = (
        f"mean of {plan.measured_orders} orders fetched before"
        if plan.measured_orders
        else "assumed, none was fetched yet"
    )
    print_facts(
        ("days", f"{plan.first} to {plan.last} ({plan.days}), {plan.landed_days} of them landed"),
        ("orders", f"{plan.orders}, {plan.due_orders} of them due" + (f": {reasons}" if reasons else "")),
        (
            "requests",
            f"about {plan.requests}: {plan.listing_requests} to list "
            f"{'all orders' if plan.lists_all else 'what changed'}, {plan.order_requests} for due orders"
            + (", a login" if plan.logins else ""),
        ),
        ("per order", f"{plan.requests_per_order:.2f} requests ({basis})"),
        (
            "minutes",
            "no limit is set (ORDER_ASSETS_REQUESTS_PER_SECOND): as fast as the instance answers"
            if requests_per_second is None
            else f"at least {plan.minutes(requests_per_second):.1f}, at {requests_per_second:g} requests per second "
            "(ORDER_ASSETS_REQUESTS_PER_SECOND)",
        ),
        (
            "as of",
            f"{'no orders' if plan.listed_at is None else f'the listing of {plan.listed_at:%Y-%m-%d %H:%M} UTC'}; "
            "a run lists again first and may find more",
        ),
    )


def print_capabilities(instance: str, found: Capabilities) -> None:
    """Print what the order list can do and what would follow from it."""
    from order_assets.omnitron.capabilities import LARGEST_PAGE_ASKED

    cap = found.page_cap
    offset = found.server_clock_offset_seconds
    print_facts(
        ("instance", instance),
        ("orders", "unknown: the list has no count" if found.orders is None else str(found.orders)),
        (
            "rows per page",
            f"unknown: no list longer than a page of {LARGEST_PAGE_ASKED}"
            if cap is None
            else f"{cap}{' or more' if cap == LARGEST_PAGE_ASKED else ' at most'}, asked for {LARGEST_PAGE_ASKED}",
        ),
        ("modified_date__gte", _YES_NO[found.date_filter]),
        *((f"sort={sort}", _YES_NO[works]) for sort, works in found.sorts.items()),
        ("server clock", "unknown: no Date header" if offset is None else f"{round(offset):+d} s from ours"),
        ("order transactions", f"modified_date__gte {_YES_NO[found.transactions_filter]}"),
        ("money by order", ", ".join(name.replace("_", " ") for name in found.money_lists) or "in no list"),
        ("served under", ", ".join(f"{kind} /api/{version}/" for kind, version in sorted(found.prefixes.items()))),
        ("discovery", f"{found.discovery()}: {_DISCOVERIES[found.discovery()]}"),
        ("requests", str(found.requests)),
    )


_DISCOVERIES = {
    "filtered window": "a sync asks for what changed since the last one, and for all orders once a day",
    "descending walk": "a sync reads the newest changes down to the last sync, and all orders once a day",
    "full listing": "a sync lists all orders and compares",
}
_YES_NO = {True: "works", False: "does not work", None: "unknown: the rows do not tell"}


def print_facts(*facts: tuple[str, str]) -> None:
    """Print named facts below each other."""
    console = Console(width=120, highlight=False)
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, fact in facts:
        table.add_row(name, escape(fact))
    console.print(table)


def print_quarantine(orders: Sequence[QuarantinedOrder]) -> None:
    """Print refused orders with where and why."""
    console = Console(width=160, highlight=False)
    if not orders:
        console.print("quarantine is empty")
        return
    table = Table("day", "order", "number", "document", "path", "reason", box=None, pad_edge=False)
    for order in orders:
        table.add_row(
            *map(escape, (str(order.day), str(order.order_pk), order.number, order.document, order.path, order.reason))
        )
    console.print(table)
    console.print(
        f"{len(orders)} orders. Refreshing their days fetches them again; after a change of the contract, "
        "order-assets replay checks them again."
    )
