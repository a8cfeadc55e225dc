"""What a person does in the Dagster UI, done in a real browser against `make ui`."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

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

pytestmark = [
    pytest.mark.skipif(
        _CHROMIUM is None and not os.environ.get("CI"), reason="no chromium here (apt-get install chromium)"
    ),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with dagster_ui(tmp_path_factory.mktemp("ui")) as address:
        yield address


@pytest.fixture
def page(url: str) -> Iterator[Page]:
    assert _CHROMIUM is not None, "CI has to have chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS, timeout=30_000)
        try:
            opened = browser.new_page(base_url=url, viewport={"width": 1280, "height": 800})
            opened.set_default_timeout(_ANSWER_WITHIN)
            yield opened
        finally:
            browser.close()


def test_a_day_goes_from_the_shop_to_the_warehouse_by_clicks_in_the_ui(page: Page) -> None:
    expect.set_options(timeout=_ANSWER_WITHIN)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    # Yesterday is complete, so that the shop's clock cannot add orders to it.
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()

    _four_layers_are_in_the_graph(page)
    _materialise_the_index(page)
    _materialise_what_follows(page, day)
    _graph_of_orders_shows_what_was_made(page)
    _orders_show_columns_and_check(page)
    _day_shows_its_row_count(page, day)
    assert not errors


def _four_layers_are_in_the_graph(page: Page) -> None:
    page.goto("/asset-groups")
    for layer in ("index", "landing", "tables", "warehouse"):
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


def _graph_of_orders_shows_what_was_made(page: Page) -> None:
    page.goto("/asset-groups")
    _choose_assets(page, '+key:"warehouse/orders"')
    for layer in ("index", "landing", "tables", "warehouse"):
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
    page.locator("a[href^='/runs/'], a:text-is('View')").first.click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))
    # The tag beside the run's name; the log below draws only the lines that are in view.
    ended = page.get_by_text(re.compile("^(Success|Failure|Canceled)$")).first
    expect(ended).to_be_visible(timeout=_RUN_WITHIN)
    expect(ended).to_have_text("Success")


def _keep(page: Page, name: str) -> None:
    """Write a picture for the README, when that is asked for: a test leaves the project as it was."""
    if os.environ.get("ORDER_ASSETS_KEEP_SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        _IMAGES.mkdir(parents=True, exist_ok=True)
        picture = Path(_IMAGES / f"{name}.png")
        page.screenshot(path=picture, animations="disabled")
        assert picture.stat().st_size < 300_000
