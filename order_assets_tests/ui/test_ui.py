"""What a person does in the Dagster UI, done in a real browser against `make ui`."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from order_assets.sandbox import Shop, ShopSettings
from order_assets_tests.ui.served import PROJECT, dagster_ui

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_RUN_WITHIN = 120_000  # milliseconds
_ANSWER_WITHIN = 20_000
_IMAGES = PROJECT / "docs" / "images"
_KEEP = bool(os.environ.get("ORDER_ASSETS_KEEP_SCREENSHOTS"))
_LAYERS = ("index", "landing", "tables", "warehouse", "marts")
_PLOTTED = ("listed", "landed", "tombstoned", "quarantined", "pending", "requests", "bytes", "seconds")
_DAYS_IN_PICTURES = 14

pytestmark = [
    pytest.mark.skipif(
        _CHROMIUM is None and not os.environ.get("CI"), reason="no chromium here (apt-get install chromium)"
    ),
    pytest.mark.timeout(300),
    pytest.mark.long,
]


@pytest.fixture(scope="module")
def day() -> date:
    """The newest day that is complete, so that the shop's clock cannot add orders, and has a field nobody knows."""
    shop, yesterday = Shop(ShopSettings()), (datetime.now(UTC) - timedelta(days=1)).date()
    newest = shop.flat_orders(limit=300)
    odd = (row["date_placed"][:10] for row in newest if "preorder_release_date" in str(shop.order_items(row["pk"])))
    return max(found for text in odd if (found := date.fromisoformat(text)) <= yesterday)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, day: date) -> Iterator[str]:
    first = day - timedelta(days=_DAYS_IN_PICTURES - 1)
    # One day would make poor pictures.
    made = (first, day - timedelta(days=1)) if _KEEP else None
    with dagster_ui(tmp_path_factory.mktemp("ui"), first, made) as address:
        yield address


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    assert _CHROMIUM is not None, "CI has to have chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS, timeout=30_000)
        try:
            opened = browser.new_page(base_url=url, viewport={"width": 1400, "height": 900})
            opened.set_default_timeout(_ANSWER_WITHIN)
            yield opened
        finally:
            browser.close()


def test_a_day_goes_from_the_shop_to_the_marts_by_clicks_and_the_ui_explains_it(page: Page, day: date) -> None:
    expect.set_options(timeout=_ANSWER_WITHIN)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)

    _layers_are_in_the_graph(page)
    _materialise_the_index(page)
    _materialise_what_follows(page, day.isoformat())
    _graph_of_a_mart_shows_what_was_made(page)
    _orders_show_columns_and_check(page)
    _day_shows_its_row_count(page, day.isoformat())
    _column_of_a_mart_leads_back_to_the_api(page)
    _numbers_of_landing_are_plotted_over_days(page)
    _launchpad_says_what_can_be_set_and_refuses_what_cannot(page, day.isoformat())
    _failing_check_says_what_it_found(page, day.isoformat())
    assert not errors


def _layers_are_in_the_graph(page: Page) -> None:
    page.goto("/asset-groups")
    for layer in _LAYERS:
        expect(page.get_by_text(layer, exact=True).first).to_be_visible()


def _materialise_the_index(page: Page) -> None:
    page.goto("/assets/order_index")
    page.get_by_role("button", name="Materialize").first.click()
    _wait_for_the_launched_run(page)


def _materialise_what_follows(page: Page, day: str) -> None:
    page.goto("/asset-groups")
    _choose_assets(page, 'key:"order_documents"+')
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog")
    # The only text field that has a button of its own: the chosen partitions.
    chosen = dialog.locator("input[type=text]").first
    chosen.fill(day)
    chosen.press("Tab")
    expect(dialog.get_by_text("1 partition", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Launch 1 run").click()
    _wait_for_the_launched_run(page)


def _graph_of_a_mart_shows_what_was_made(page: Page) -> None:
    page.goto("/asset-groups")
    _choose_assets(page, '+key:"marts/agg_daily_sales"')
    for layer in _LAYERS:
        expect(page.get_by_text(layer, exact=True).first).to_be_visible()
    _keep(page, "graph")


def _orders_show_columns_and_check(page: Page) -> None:
    page.goto("/assets/tables/orders")
    row = _row(page, "number")
    expect(row).to_contain_text("VARCHAR")
    expect(row).to_contain_text("Order number shown to people")
    expect(_row(page, "amount")).to_contain_text("DECIMAL(18,2)")
    _keep(page, "orders")
    page.goto("/assets/tables/orders?view=checks")
    expect(page.get_by_text("conforms_to_contract", exact=True).first).to_be_visible()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()


def _day_shows_its_row_count(page: Page, day: str) -> None:
    page.goto(f"/assets/tables/orders?view=partitions&partition={day}")
    count = _row(page, "dagster/partition_row_count").locator("td").nth(1)
    expect(count).to_have_text(re.compile(r"^[1-9]\d*$"))


def _column_of_a_mart_leads_back_to_the_api(page: Page) -> None:
    page.goto("/assets/marts/agg_daily_sales")
    _row(page, "net_amount").get_by_role("link", name="fct_orders.net_amount").click()
    page.wait_for_url(re.compile("/assets/marts/fct_orders"))
    _row(page, "net_amount").get_by_role("link", name="orders.refund_amount").click()
    page.wait_for_url(re.compile("/assets/warehouse/orders"))
    expect(_row(page, "refund_amount")).to_contain_text("In the API: detail: refund_amount")
    page.goto("/assets/marts/agg_daily_sales")
    _row(page, "lineage_to_source").get_by_text("[Show Markdown]").click()
    way = page.get_by_role("dialog").locator("tr").filter(has=page.get_by_text("net_amount", exact=True))
    expect(way).to_contain_text("detail: amount, detail: refund_amount")
    _keep(page, "lineage")


def _numbers_of_landing_are_plotted_over_days(page: Page) -> None:
    page.goto("/assets/order_documents")
    plots = page.get_by_role("button", name="Plots")
    plots.click()
    for name in _PLOTTED:
        expect(page.get_by_text(name, exact=True).last).to_be_attached()
    drawn = page.locator("canvas")
    expect(drawn.nth(len(_PLOTTED) - 1)).to_be_attached()
    for canvas in drawn.all():
        assert canvas.evaluate("c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)")
    plots.scroll_into_view_if_needed()
    page.mouse.move(600, 600)
    page.mouse.wheel(0, 450)
    _keep(page, "plots")


def _launchpad_says_what_can_be_set_and_refuses_what_cannot(page: Page, day: str) -> None:
    page.goto("/locations/order_assets/jobs/refresh_days/playground")
    editor = page.locator(".CodeMirror").first
    expect(editor).to_contain_text("refetch: false")
    expect(editor).to_contain_text("memory_limit: 2GB")
    partition = page.get_by_placeholder("Partition")
    partition.fill(day)
    page.keyboard.press("Enter")
    # A mask would be taken for the secret that it hides.
    assert "****" not in editor.evaluate("e => e.CodeMirror.getValue()")
    editor.get_by_text("refetch", exact=False).first.click()
    help_ = page.get_by_text("Fetch every order of the day again, changed or not")
    expect(help_.first).to_be_visible()
    expect(page.get_by_text("No errors", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Launch Run")).to_be_enabled()
    if _KEEP:
        # Resources show where this machine keeps its data.
        editor.evaluate(
            "e => e.CodeMirror.foldCode({line: e.CodeMirror.getValue().split('\\n').indexOf('resources:')})"
        )
    _keep(page, "launchpad")
    editor.evaluate("e => e.CodeMirror.setValue(e.CodeMirror.getValue().replace('refetch: false', 'refetch: perhaps'))")
    expect(page.get_by_text(re.compile('Value "perhaps"')).first).to_be_visible()


def _failing_check_says_what_it_found(page: Page, day: str) -> None:
    page.goto("/assets/tables/unmapped_fields?view=checks")
    page.get_by_text("no_unknown_fields", exact=True).first.click()
    expect(
        page.get_by_text("a column in order_assets/contract, or CONTRACT.with_columns, takes them over")
    ).to_be_visible()
    expect(page.get_by_text(re.compile("^not in the contract, .*: items:")).first).to_be_visible()
    expect(page.get_by_text(day, exact=True).first).to_be_visible()
    _keep(page, "check")


def _choose_assets(page: Page, selection: str) -> None:
    page.locator(".CodeMirror").first.click()
    page.keyboard.type(selection)
    page.keyboard.press("Enter")
    # The selection is in the address once the graph is of it.
    expect(page).to_have_url(re.compile("key%3A"))


def _row(page: Page, name: str) -> Locator:
    return page.locator("tr").filter(has=page.get_by_text(name, exact=True)).first


def _wait_for_the_launched_run(page: Page) -> None:
    """Follow the notice of the launch to the run, and stay until it has ended well."""
    page.get_by_role("link", name="View", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))
    # The tag beside the run's name; the log below draws only the lines that are in view.
    ended = page.get_by_text(re.compile("^(Success|Failure|Canceled)$")).first
    expect(ended).to_be_visible(timeout=_RUN_WITHIN)
    expect(ended).to_have_text("Success")


def _keep(page: Page, name: str) -> None:
    """Write a picture for the README, when that is asked for: a test leaves the project as it was."""
    if _KEEP:
        page.wait_for_load_state("networkidle")
        _IMAGES.mkdir(parents=True, exist_ok=True)
        picture = Path(_IMAGES / f"{name}.png")
        page.screenshot(path=picture, animations="disabled")
        assert picture.stat().st_size < 200_000
