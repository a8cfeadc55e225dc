"""The report says what the tables say, opens without a network, and is never broken by what is in the data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from playwright.sync_api import sync_playwright

from order_assets.report import Report, ReportError, charts, write_report
from order_assets.report.figures import Day, read_facts
from order_assets.report.numbers import headlines
from order_assets.report.write import KEY_PLOTS
from order_assets.sandbox import ShopSettings, running_sandbox
from order_assets.testing.trial import Pipeline
from order_assets_tests.report.browser import CHROMIUM, chromium

FIRST = date(2026, 3, 4)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def write(root: Path) -> Report:
    return write_report(root, first=FIRST, last=NOW.date(), timezone="Europe/Istanbul", now=NOW)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root of a week of which one day was never fetched."""
    folder = tmp_path_factory.mktemp("report") / "data"
    with running_sandbox(ShopSettings(orders_per_day=25, start=FIRST, now=NOW)) as sandbox:
        pipeline = Pipeline(folder, sandbox.url, FIRST, last_day=NOW.date())
        pipeline.sync()
        days = pipeline.due()[:-1]
        pipeline.refresh(days)
        pipeline.load(days)
    return folder


@pytest.fixture(scope="module")
def report(root: Path) -> Report:
    return write(root)


@pytest.mark.long
def test_a_report_is_written_while_another_program_holds_the_warehouse_for_writing(root: Path) -> None:
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(root / "warehouse.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert len(write(root).numbers) == 5
        holder.communicate(timeout=30)


def table(root: Path, name: str) -> pd.DataFrame:
    return pd.concat(pd.read_parquet(path) for path in sorted((root / "tables" / name).glob("*/*.parquet")))


def test_the_headline_is_what_pandas_finds_in_the_tables(root: Path, report: Report) -> None:
    numbers = {number.name: number for number in report.numbers}
    orders, cards = table(root, "orders"), table(root, "transactions")
    assert len(numbers) == 5
    assert numbers["Orders"].value == f"{len(orders):,}"
    tried = cards[cards["transaction_type"] != "refund"]
    assert numbers["Card payments that went well"].value == f"{100 * tried['is_succeeded'].mean():.1f} %"
    # Waiting, canceled and inactive orders are no sales; what was refunded is taken off, and what shipping brought in.
    facts = json.loads(json.dumps([row["currency"] for row in read_facts(root, FIRST, NOW.date()).currencies]))
    shown = dict(reversed(found.split()) for found in re.findall(r"[\d,.]+ [A-Z]{3}", _sales_text(numbers)))
    assert set(shown) == set(facts)
    sold = orders[~orders["status"].isin(["100", "200", "300", "350", "425"]) & orders["tombstoned_at"].isna()]
    for currency, of_currency in sold.groupby("currency"):
        sums = {
            name: sum(of_currency[f"{name}amount"].dropna(), Decimal(0))
            for name in ("", "refund_", "shipping_", "shipping_refund_")
        }
        net = sums[""] - sums["refund_"] - (sums["shipping_"] - sums["shipping_refund_"])
        assert shown[str(currency).upper()] == f"{net:,.2f}"


def _sales_text(numbers: dict[str, Any]) -> str:
    return f"{numbers['Net sales'].value}, {numbers['Net sales'].note}"


def test_days_are_shown_in_the_state_in_which_they_are(root: Path) -> None:
    states = {day.day: day.state for day in read_facts(root, FIRST, NOW.date()).days}
    last = max(states)
    assert states.pop(last) == "not fetched"
    assert set(states.values()) == {"complete"}


def test_a_day_that_failed_its_checks_or_is_not_loaded_is_shown_as_such(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "data"
    shutil.copytree(root, other)
    verdict = sorted((other / "verdicts").iterdir())[0]
    verdict.write_text(json.dumps({**json.loads(verdict.read_text()), "reasons": ["orders: the key is not unique"]}))
    with duckdb.connect(str(other / "warehouse.duckdb")) as warehouse:
        warehouse.execute("DELETE FROM meta.days WHERE date = ?", [FIRST + timedelta(days=1)])
    states = {day.day: day.state for day in read_facts(other, FIRST, NOW.date()).days}
    assert states[FIRST] == "failed checks"
    assert states[FIRST + timedelta(days=1)] == "not in the warehouse"


def test_names_from_the_shop_cannot_break_out_of_the_page(root: Path, tmp_path: Path) -> None:
    evil = "</script><script>document.title='owned'</script>"
    other = tmp_path / "data"
    shutil.copytree(root, other)
    with duckdb.connect(str(other / "warehouse.duckdb")) as warehouse:
        warehouse.execute("UPDATE marts.agg_daily_sales SET channel_name = ?, currency = ?", [evil, evil])
    page = write(other).path.read_text(encoding="utf-8")
    assert evil not in page
    assert evil.upper() not in page


def test_without_rows_there_are_sentences_and_without_a_warehouse_an_error(root: Path, tmp_path: Path) -> None:
    empty = tmp_path / "data"
    empty.mkdir()
    with pytest.raises(ReportError, match="Materialise days of the warehouse first"):
        write(empty)
    shutil.copy(root / "warehouse.duckdb", empty)
    with duckdb.connect(str(empty / "warehouse.duckdb")) as warehouse:
        for name in ("agg_daily_sales", "fct_orders", "fct_payments", "fct_refunds", "fct_shipments"):
            warehouse.execute(f"DELETE FROM marts.{name}")
        warehouse.execute("DELETE FROM meta.order_ledger")
    written = write(empty)
    page = written.path.read_text(encoding="utf-8")
    assert all(section.chart is None and section.nothing in page for section in written.sections)
    assert all(written.picture(name) is None for name in KEY_PLOTS)


def test_pictures_are_small_and_the_file_is_the_owners_alone(report: Report) -> None:
    for name in KEY_PLOTS:
        png = report.picture(name)
        assert png is not None
        assert png.startswith(b"\x89PNG")
        assert len(png) < 100_000
    assert report.path.stat().st_mode & 0o777 == 0o600
    assert report.path.stat().st_size < 2_000_000


def test_years_of_days_make_plots_of_a_bounded_size() -> None:
    days = [Day(FIRST + timedelta(days=n), 5, 5, 0, 0, 15, 0, True, "complete") for n in range(1_000)]
    for draw in (charts.states, charts.coverage, charts.requests):
        assert len(json.dumps(draw(days).to_dict())) < 300_000


needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="no chromium here (apt-get install chromium)"
)


@pytest.fixture(scope="module")
def opened(report: Report) -> Iterator[tuple[Any, list[str], list[str]]]:
    """The page in a browser that has no network, with what it complained of and what it asked for."""
    complaints: list[str] = []
    asked: list[str] = []
    with sync_playwright() as playwright, chromium(playwright) as browser:
        page = browser.new_context(offline=True, viewport={"width": 420, "height": 900}).new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report.path.as_uri())
        page.wait_for_selector("body[data-drawn]", timeout=30_000)
        yield page, complaints, asked


@needs_chromium
def test_the_page_draws_every_plot_without_a_network_or_a_complaint(opened: Any, report: Report) -> None:
    page, complaints, asked = opened
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    drawn = [section for section in report.sections if section.chart is not None]
    assert page.locator(".plot svg").count() == len(drawn) == 8
    for number in report.numbers:
        assert page.get_by_text(number.value, exact=False).first.is_visible()


@needs_chromium
def test_a_phone_scrolls_plots_and_not_the_page(opened: Any) -> None:
    page, _, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth") <= 420


def test_orders_that_no_rule_reads_again_are_a_number_beside_those_that_are_here(root: Path) -> None:
    facts = read_facts(root, FIRST, NOW.date())
    assert "; 1,203 orders too old to be read again" in headlines(facts, 1203)[-1].note
    assert "read again" not in headlines(facts)[-1].note
