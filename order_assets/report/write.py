"""Puts the report together and writes it: one HTML file that needs nothing else, readable by its owner alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from order_assets.core.store import whole_file
from order_assets.errors import OrderAssetsError
from order_assets.report.figures import Facts, read_facts
from order_assets.report.numbers import Headline, headlines
from order_assets.warehouse import WarehouseError

if TYPE_CHECKING:
    from order_assets.report.charts import Plot

# Plots that are also shown as pictures where there is no page, such as in Dagster.
KEY_PLOTS = ("sales", "payments", "deliveries", "states")


_DAYS_OF_A_PICTURE = 12 * 7
# What the page needs of the bundle.
_LIBRARIES = "window.vegaEmbed = vegaEmbed;"


class ReportError(OrderAssetsError):
    """The report cannot be made; the message says what has to be there first."""


@dataclass(frozen=True)
class Section:
    """A plot with its heading, a sentence that says how to read it, and what is said where nothing can be drawn.

    `cut` is the plot cut down to what a small picture can show, where that is less.
    """

    name: str
    title: str
    reading: str
    nothing: str
    chart: Plot | None
    cut: Plot | None = None


@dataclass(frozen=True)
class Report:
    """The file that was written, its headline numbers, and its sections."""

    path: Path
    numbers: Sequence[Headline]
    sections: Sequence[Section]

    def picture(self, name: str) -> bytes | None:
        """A plot as PNG, on white; None for one that has nothing to show."""
        import vl_convert

        section = next(section for section in self.sections if section.name == name)
        chart = section.cut or section.chart
        return None if chart is None else vl_convert.vegalite_to_png(_spec(chart, background="white"), scale=1)


def report_file(data_root: Path) -> Path:
    """Where the report is."""
    return data_root / "report.html"


def write_report(data_root: Path, *, first: date, last: date, timezone: str, now: datetime, outside: int = 0) -> Report:
    """Write the report of the days that are in the warehouse; the health of the pipeline is that of first to last.

    `now` (aware) is shown as the time of writing, on the clock of `timezone`; so many orders are `outside` of every
    window in which orders are read again. Raises `ReportError` without a warehouse.
    """
    try:
        facts = read_facts(data_root, first, last)
    except WarehouseError as error:
        raise ReportError(
            f"there is nothing to report on yet: {error}. Materialise days of the warehouse first"
        ) from error
    report = Report(report_file(data_root), headlines(facts, outside), _sections(facts))
    page = _page(report, moment=now.astimezone(ZoneInfo(timezone)), timezone=timezone)
    with whole_file(report.path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return report


def _sections(facts: Facts) -> list[Section]:
    from order_assets.report import charts

    by = f"by {facts.step}"
    sold = "Orders that wait, were canceled, are inactive or deleted are left out; what was refunded is taken off."
    return [
        Section(
            "sales",
            f"Net sales {by} and channel",
            f"One panel per currency, since currencies are never added up. {sold} Source: marts.agg_daily_sales.",
            "No order was sold.",
            charts.sales(facts.sales),
            cut=charts.sales([row for row in facts.sales if row["currency"] == facts.currencies[0]["currency"]]),
        ),
        Section(
            "payments",
            "Card payments that went well",
            "Of all attempts to pay or to authorise by card; the number behind a bar counts attempts. "
            "Source: marts.fct_payments.",
            "No order was paid by card.",
            charts.payments(facts.payments),
        ),
        Section(
            "deliveries",
            "Hours from placing to delivery, by carrier",
            "The mark is the median, the bar the middle half, the line all but the fastest and the slowest tenth. "
            "Source: marts.fct_shipments.",
            "No delivery has a date.",
            charts.deliveries(facts.deliveries),
        ),
        Section(
            "refunds",
            f"Refunds {by}",
            "By the day that the order was placed in, so newer days still grow; without orders that the shop deleted. "
            "Source: marts.fct_refunds.",
            "Nothing was refunded.",
            charts.refunds(facts.refunds),
        ),
        Section(
            "states",
            "Days of the pipeline",
            "Each day since the start by its state: whether its orders are fetched, whole and in the warehouse. "
            "Source: the index and the ledgers.",
            "There is no index yet.",
            charts.states(facts.days),
            cut=charts.states(facts.days[-_DAYS_OF_A_PICTURE:]),
        ),
        Section(
            "coverage",
            "Listed against landed",
            "Orders of the list by day; what landed ones do not cover is missing. Source: the index and the ledgers.",
            "There is no index yet.",
            charts.coverage(facts.days),
        ),
        Section(
            "requests",
            "Requests by day of the orders",
            "What fetching the present version of the orders of a day took. Source: the ledgers.",
            "Nothing was requested.",
            charts.requests(facts.days),
        ),
        Section(
            "lags",
            "How far behind the shop",
            "Hours between the last change of an order, by the shop's clock, and its reading: the median, and dashed "
            "what 19 of 20 stay below. Source: meta.order_ledger.",
            "No order was fetched.",
            charts.lags(facts.lags),
        ),
    ]


def _page(report: Report, *, moment: datetime, timezone: str) -> str:
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string((resources.files(__package__) / "page.html").read_text(encoding="utf-8"))
    specs = {section.name: _spec(section.chart) for section in report.sections if section.chart is not None}
    return template.render(
        numbers=report.numbers,
        sections=report.sections,
        moment=f"{moment:%Y-%m-%d %H:%M} {timezone}",
        specs=_in_script(json.dumps(specs, ensure_ascii=False)),
        libraries=_libraries(),
    )


def _spec(chart: Plot, background: str = "transparent") -> dict[str, Any]:
    grey = "#7b8088"
    axes = {f"{part}Color": grey for part in ("label", "title", "domain", "tick")} | {"gridColor": "#88888833"}
    look = {
        "view": {"stroke": None},
        "axis": axes,
        "legend": {"labelColor": grey, "titleColor": grey},
        "title": {"color": grey, "anchor": "start"},
        "text": {"color": grey},
    }
    spec: dict[str, Any] = chart.to_dict()
    return {**spec, "config": look, "background": background}


def _in_script(text: str) -> Any:
    """JSON as it may stand in a script element, whatever texts are in it."""
    import markupsafe

    return markupsafe.Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


@cache
def _libraries() -> Any:
    """Vega and its friends as one script, from the package that is installed: a report opens without a network."""
    import markupsafe
    import vl_convert

    return markupsafe.Markup(vl_convert.javascript_bundle(_LIBRARIES).replace("</script", "<\\/script"))  # noqa: S704
