"""The plots, as Altair charts: what is drawn, not where it stands on the page.

Each function takes rows of `figures` and gives a chart, or None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import altair as alt

from order_assets.report.figures import STATES, Day, Row

# A chart, charts on top of each other, or charts below each other.
Plot = Any

_BLUE, _AMBER, _RED, _GREEN, _GREY = "#3b76af", "#e0a030", "#c8463c", "#4f9d69", "#9aa0a6"
_PALE = "#c9d6e2"
_STATE_COLOURS = {
    "failed checks": _RED,
    "not fetched": _GREY,
    "pending": _AMBER,
    "quarantined": "#b07aa1",
    "not in the warehouse": "#8fb4d9",
    "complete": _GREEN,
}
_WIDTH = 640
_COUNT = alt.Axis(format=",d", tickMinStep=1)


def sales(rows: Sequence[Row]) -> Plot | None:
    """Stacked bars by day and channel, one panel per currency: amounts of two currencies share no axis."""
    if not rows:
        return None
    panels: list[Any] = [
        alt.Chart(
            _values([row for row in rows if row["currency"] == currency]), width=_WIDTH, height=170, title=currency
        )
        .mark_bar(width=_bar(rows))
        .encode(
            _days(rows),
            alt.Y("net_sales:Q", title=f"net sales, {currency}", axis=alt.Axis(format="~s")),
            alt.Color("channel:N", title="channel"),
            [
                alt.Tooltip("day:T"),
                alt.Tooltip("channel:N"),
                alt.Tooltip("orders:Q", format=",d"),
                alt.Tooltip("net_sales:Q", format=",.2f"),
            ],
        )
        for currency in _by_weight(rows, "orders")
    ]
    return alt.vconcat(*panels)


def payments(rows: Sequence[Row]) -> Plot | None:
    """Bars of the share that went well, by gateway and by number of instalments."""
    if not rows:
        return None
    panels: list[Any] = []
    for aspect in ("gateway", "instalments"):
        found = [{**row, "share": row["succeeded"] / row["attempts"]} for row in rows if row["aspect"] == aspect]
        base = alt.Chart(_values(found), width=_WIDTH - 120, height=alt.Step(24), title=f"by {aspect}").encode(
            alt.Y("name:N", title=None, sort=_ordered(found)),
            alt.X("share:Q", title="share of attempts that went well", axis=alt.Axis(format="%")).scale(domain=[0, 1]),
        )
        bars = base.mark_bar(color=_BLUE).encode(
            tooltip=[
                alt.Tooltip("name:N"),
                alt.Tooltip("share:Q", format=".1%"),
                alt.Tooltip("attempts:Q", format=",d"),
            ]
        )
        texts = base.mark_text(align="left", dx=4).encode(alt.Text("attempts:Q", format=",d"))
        panels.append(bars + texts)
    return alt.vconcat(*panels)


def deliveries(rows: Sequence[Row]) -> Plot | None:
    """For each carrier a line for all but the outer tenths, a bar for the middle half, a tick for the median."""
    if not rows:
        return None
    base = alt.Chart(_values(rows), width=_WIDTH - 120, height=alt.Step(30)).encode(
        alt.Y("carrier:N", title=None, sort=[row["carrier"] for row in rows]),
        tooltip=[
            alt.Tooltip("carrier:N"),
            alt.Tooltip("deliveries:Q", format=",d"),
            *(alt.Tooltip(f"{name}:Q", format=".1f") for name in ("p10", "p25", "median", "p75", "p90")),
        ],
    )
    hours = alt.X("p10:Q", title="hours from placing to delivery")
    return (
        base.mark_rule(color=_BLUE).encode(hours, alt.X2("p90:Q"))
        + base.mark_bar(color=_BLUE, height=14, opacity=0.5).encode(alt.X("p25:Q"), alt.X2("p75:Q"))
        + base.mark_tick(color=_AMBER, thickness=3, height=18).encode(alt.X("median:Q"))
    )


def refunds(rows: Sequence[Row]) -> Plot | None:
    """Bars by day, one panel per currency."""
    if not rows:
        return None
    panels: list[Any] = [
        alt.Chart(
            _values([row for row in rows if row["currency"] == currency]), width=_WIDTH, height=110, title=currency
        )
        .mark_bar(color=_RED, width=_bar(rows))
        .encode(
            _days(rows),
            alt.Y("refunded:Q", title=f"refunded, {currency}", axis=alt.Axis(format="~s")),
            tooltip=[
                alt.Tooltip("day:T"),
                alt.Tooltip("refunds:Q", format=",d"),
                alt.Tooltip("refunded:Q", format=",.2f"),
                alt.Tooltip("share:Q", format=".2%", title="share of what was ordered"),
            ],
        )
        for currency in _by_weight(rows, "refunds")
    ]
    return alt.vconcat(*panels)


def states(days: Sequence[Day]) -> Plot | None:
    """A calendar: a column per week, a row per weekday, the colour says the state of the day."""
    if not days:
        return None
    rows = [
        {
            "day": day.day.isoformat(),
            "week": f"{day.day.isocalendar().year}-W{day.day.isocalendar().week:02d}",
            "weekday": day.day.strftime("%a"),
            "state": day.state,
            "listed": day.listed,
            "landed": day.landed,
            "pending": day.pending,
            "quarantined": day.quarantined,
        }
        for day in days
    ]
    weeks = len({row["week"] for row in rows})
    return (
        alt.Chart(_values(rows), width=min(_WIDTH, 28 * weeks), height=150)
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            alt.X("week:O", title=None, axis=alt.Axis(labelOverlap=True, labelAngle=-45)),
            alt.Y("weekday:O", title=None, sort=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
            alt.Color("state:N", title="state").scale(domain=list(STATES), range=[_STATE_COLOURS[s] for s in STATES]),
            [
                alt.Tooltip("day:N"),
                alt.Tooltip("state:N"),
                *(alt.Tooltip(f"{name}:Q", format=",d") for name in ("listed", "landed", "pending", "quarantined")),
            ],
        )
    )


def coverage(days: Sequence[Day]) -> Plot | None:
    """Orders that were listed, and above them those that are landed."""
    if not days:
        return None
    rows = [{"day": day.day.isoformat(), "listed": day.listed, "landed": day.landed} for day in days]
    base = alt.Chart(_values(rows), width=_WIDTH, height=130).encode(_days(rows))
    orders = alt.Y("listed:Q", title="orders", axis=_COUNT)
    tooltip = [alt.Tooltip("day:T"), alt.Tooltip("listed:Q", format=",d"), alt.Tooltip("landed:Q", format=",d")]
    return base.mark_bar(color=_PALE, width=_bar(rows)).encode(orders, tooltip=tooltip) + base.mark_bar(
        color=_GREEN, width=_bar(rows)
    ).encode(alt.Y("landed:Q"), tooltip=tooltip)


def requests(days: Sequence[Day]) -> Plot | None:
    """Requests that the present orders of a day took, and those among them that were repeats."""
    rows = [
        {"day": day.day.isoformat(), "kind": kind, "requests": count}
        for day in days
        for kind, count in (("first", day.requests - day.retries), ("repeat", day.retries))
    ]
    if not any(row["requests"] for row in rows):
        return None
    return (
        alt.Chart(_values(rows), width=_WIDTH, height=130)
        .mark_bar(width=_bar(rows))
        .encode(
            _days(rows),
            alt.Y("requests:Q", title="requests", axis=_COUNT),
            alt.Color("kind:N", title=None).scale(domain=["first", "repeat"], range=[_BLUE, _RED]),
            tooltip=[alt.Tooltip("day:T"), alt.Tooltip("kind:N"), alt.Tooltip("requests:Q", format=",d")],
        )
    )


def lags(rows: Sequence[Row]) -> Plot | None:
    """Hours between the last change of an order and its reading, by the day of reading."""
    if not rows:
        return None
    base = alt.Chart(_values(rows), width=_WIDTH, height=130).encode(_days(rows, "day of reading"))
    tooltip = [
        alt.Tooltip("day:T"),
        alt.Tooltip("orders:Q", format=",d"),
        alt.Tooltip("median_hours:Q", format=",.1f"),
        alt.Tooltip("p95_hours:Q", format=",.1f"),
    ]
    return base.mark_line(color=_BLUE, point=True).encode(
        alt.Y("median_hours:Q", title="hours behind the shop"), tooltip=tooltip
    ) + base.mark_line(color=_GREY, point=True, strokeDash=[4, 3]).encode(alt.Y("p95_hours:Q"), tooltip=tooltip)


def _days(rows: Sequence[Row], title: str | None = None) -> alt.X:
    """The same axis for all panels of these rows, in UTC: a day is a day wherever the page is opened."""
    first, last = _span(rows)
    half = timedelta(hours=12)
    domain = [(moment + shift).isoformat() for moment, shift in ((first, -half), (last, half))]
    return alt.X("day:T", title=title).scale(type="utc", domain=domain)


def _bar(rows: Sequence[Row]) -> float:
    """How wide a bar is, so that the days or weeks of these rows stand side by side."""
    first, last = _span(rows)
    days = sorted({_day(row) for row in rows})
    step = min(((later - earlier).days for earlier, later in pairwise(days)), default=1)
    return max(1.0, 0.8 * _WIDTH * step / ((last - first).days + 1))


def _span(rows: Sequence[Row]) -> tuple[datetime, datetime]:
    days = [_day(row) for row in rows]
    return datetime.combine(min(days), time(), UTC), datetime.combine(max(days), time(), UTC)


def _day(row: Row) -> date:
    day = row["day"]
    return day if isinstance(day, date) else date.fromisoformat(day)


def _values(rows: Sequence[Row]) -> Any:
    return alt.InlineData(values=[{name: _plain(value) for name, value in row.items()} for row in rows])


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _by_weight(rows: Sequence[Row], weight: str) -> list[str]:
    """The currencies, that of the most orders or refunds first."""
    weights: dict[str, int] = {}
    for row in rows:
        weights[row["currency"]] = weights.get(row["currency"], 0) + row[weight]
    return sorted(weights, key=lambda currency: (-weights[currency], currency))


def _ordered(rows: Sequence[Row]) -> list[str]:
    """Numbers by size, names by how often they come."""
    names = [row["name"] for row in rows]
    return sorted(names, key=int) if all(name.isdigit() for name in names) else names
