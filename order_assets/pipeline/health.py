"""Whether anything was left behind: days that failed or wait, and orders of the newest day that are not there yet.

Everything is read from the disk, so that it holds whatever happened to the runs. The checks that show it are on
`order_index`, evaluated at every sync.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from order_assets.core.check_result import CheckResult, Severity
from order_assets.landing import Landing, incomplete_days, landed_days
from order_assets.landing.index import manifest_of, orders_of_day
from order_assets.landing.index_writer import IndexReport
from order_assets.landing.refetch_policy import Reread
from order_assets.landing.unwatched_orders import OutsideOrders
from order_assets.omnitron.incremental_listing import Listing
from order_assets.pipeline.stale_days import NOT_FLATTENED, NOT_LOADED, due_days
from order_assets.tables import read_verdict

_SHOWN = 10


def nothing_left_behind(data_root: Path, first: date, last: date) -> CheckResult:
    """Whether no landed day has pending or quarantined orders, failed its checks, or stopped between two steps."""
    problems: dict[date, str] = {}
    for due in due_days(data_root, first, last):
        if NOT_FLATTENED in due.reasons or NOT_LOADED in due.reasons:
            problems[due.day] = "a run was cut off; run refresh_days for the day"
    for due in incomplete_days(data_root):
        counts = ", ".join(f"{count} {reason}" for reason, count in due.reasons.items())
        problems[due.day] = f"{counts} orders; run refresh_days for the day, it asks only for those"
    for day in landed_days(data_root, first, last):
        verdict = read_verdict(data_root, day)
        if verdict is not None and not verdict.passed:
            problems[day] = f"kept out of the warehouse: {verdict.reasons[0]}"
    listed = [f"{day}: {problem}" for day, problem in sorted(problems.items())[:_SHOWN]]
    more = f"; and {len(problems) - _SHOWN} more days" if len(problems) > _SHOWN else ""
    text = "; ".join(listed) + more if problems else "no day failed, waits or was left in the middle"
    return _result("no_day_failed_or_pending", not problems, text, {"days_left_behind": len(problems)})


def newest_day_is_fresh(data_root: Path, first: date, last: date, now: datetime, within: timedelta) -> CheckResult:
    """Whether the orders of the newest day in the list are landed, apart from those placed less than `within` ago."""
    newest = max((day for day in manifest_of(data_root).days if first <= day <= last), default=None)
    if newest is None:
        return _result("newest_day_is_fresh", True, "no order is listed", {"orders_waiting": 0})
    listed = orders_of_day(data_root, newest)
    landing = Landing(data_root, newest)
    landed = set(landing.listed_pks()) if landing.ledger_file.exists() else set()
    waiting = [order for order in listed if order.pk not in landed]
    late = [order for order in waiting if now - order.date_placed > within]
    explanation = (
        f"{len(late)} orders of {newest} were placed more than {_hours(within)} ago and are not landed"
        if late
        else f"{newest}: {len(listed) - len(waiting)} of {len(listed)} orders are landed, none is late"
    )
    return _result(
        "newest_day_is_fresh",
        not late,
        explanation,
        {"orders_waiting": len(waiting), "orders_late": len(late)},
        "Switch on the sensor changed_days, or materialise the day",
        [f"order {order.pk} (number {order.number})" for order in late],
    )


def every_list_row_placed(report: IndexReport) -> CheckResult:
    """Whether every row of the order list could be placed on a day; columns that had to be mended are told."""
    odd = ", ".join(f"{name} ({count})" for name, count in sorted(report.odd_columns.items()))
    mended = f"; columns that could not be taken as they are, with their rows: {odd}" if odd else ""
    numbers = {
        "listed_unreadable": report.aside_count,
        "rows_with_odd_columns": sum(report.odd_columns.values()),
        "orders_placed_after_today": report.after_today,
    }
    if not report.aside_count:
        return _result("every_list_row_placed", True, f"every row of the order list has its day{mended}", numbers)
    return _result(
        "every_list_row_placed",
        False,
        f"{report.aside_count} rows of the order list could not be read and are in no day, all others are{mended}",
        numbers,
        "Compare them with the list in Omnitron; they are taken as soon as they can be read",
        list(map(str, report.aside)),
    )


def list_read_completely(report: IndexReport, listing: Listing) -> CheckResult:
    """Whether the rows found are as many as the server counted."""
    numbers = {"rows_missing": listing.missing if not listing.agreed else 0, "list_passes": listing.passes}
    if listing.agreed:
        text = f"{report.rows_read} rows read in {listing.pages} pages: as many as the list counts"
        return _result("list_read_completely", True, text, numbers)
    missing = (
        f"{listing.missing} of the orders that it counts were on no page"
        if listing.missing
        else "each time it was read it had something new"
    )
    return _result(
        "list_read_completely",
        False,
        f"the order list did not stand still: it was read {listing.passes} times and {missing}. What was found is "
        "kept, nothing is taken for deleted, the next listing begins where this one began",
        numbers,
        "If this stays, list at a quiet hour (ORDER_ASSETS_SYNC_CRON)",
    )


def every_order_looked_at_again(outside: OutsideOrders, reread: Reread) -> CheckResult:
    """Whether a late refund of any order would be seen: by reading it again, or by its row in the list."""
    numbers = {"orders_outside_every_window": outside.orders, "orders_never_looked_at_again": outside.unshown}
    swept = (
        "by no re-read and by no sweep (ORDER_ASSETS_SWEEP_WEEKS=0)"
        if reread.sweep_every is None
        else f"by no re-read, and were placed more than {reread.sweep_days} days ago, where the sweep ends"
    )
    if not outside.orders:
        return _result("every_order_looked_at_again", True, "every order is read again in time", numbers)
    if not outside.unshown:
        return _result(
            "every_order_looked_at_again",
            True,
            f"{outside.orders} orders are reached {swept}; a change in their row of the order list is found by the "
            "next whole listing, other changes below them are not",
            numbers,
        )
    return _result(
        "every_order_looked_at_again",
        False,
        f"{outside.orders} orders are reached {swept}, and for {outside.unshown} of them the order list shows no "
        "amounts that are compared either: a late refund of these is not seen",
        numbers,
        "Widen ORDER_ASSETS_SWEEP_WEEKS, ORDER_ASSETS_REREAD_RECENT_DAYS or ORDER_ASSETS_WHOLE_LISTING_HOURS, or fetch "
        "their days again",
    )


def _result(
    name: str,
    passed: bool,
    explanation: str,
    numbers: Mapping[str, int],
    next_step: str = "",
    examples: Sequence[str] = (),
) -> CheckResult:
    shown = tuple(examples[:_SHOWN])
    return CheckResult("order_index", name, passed, explanation, numbers, None, Severity.WARN, shown, next_step)


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} hours"
