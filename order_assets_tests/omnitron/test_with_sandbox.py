"""The client against the stand-in shop that ships with the package."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from order_assets.omnitron import ClientSettings, OmnitronAuthError, OmnitronClient
from order_assets.sandbox import PASSWORD, USERNAME, Sandbox, ShopSettings, running_sandbox

NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(ShopSettings(orders_per_day=40, start=date(2026, 1, 1), now=NOW)) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[OmnitronClient]:
    settings = ClientSettings(
        sandbox.url, username=USERNAME, password=PASSWORD, requests_per_second=None, read_timeout=10
    )
    with OmnitronClient(settings) as connected:
        yield connected


def test_the_whole_list_is_seen_with_one_login(sandbox: Sandbox, client: OmnitronClient) -> None:
    pages = list(client.list_orders())
    pks = [row["pk"] for page in pages for row in page.rows]
    assert sorted(pks) == sorted(sandbox.shop.order_pks())
    assert len(set(pks)) == len(pks) == pages[0].count
    assert all(page.server_date == NOW for page in pages)
    assert client.counters.logins == 1


def test_the_documented_order_comes_as_it_is_documented(sandbox: Sandbox, client: OmnitronClient) -> None:
    documents = client.order_documents(27)
    assert documents.status == "fetched"
    assert json.loads(documents.detail or b"") == sandbox.shop.order_detail(27)


def test_items_and_discounts_of_every_kind_of_order_are_complete(sandbox: Sandbox, client: OmnitronClient) -> None:
    pks = sorted(sandbox.shop.order_pks())[:60]
    for outcome in client.map_concurrently(client.order_documents, pks):
        assert outcome.error is None
        assert outcome.value is not None
        items = [row for page in outcome.value.pages["items"] for row in json.loads(page)["results"]]
        discounts = [row for page in outcome.value.pages["discounts"] for row in json.loads(page)["results"]]
        assert len(items) == len(sandbox.shop.order_items(outcome.item))
        assert len(discounts) == len(sandbox.shop.discount_items(outcome.item))


def test_an_order_that_does_not_exist_is_gone(client: OmnitronClient) -> None:
    assert client.order_documents(999_999_999).status == "gone"


def test_a_token_that_ends_in_the_middle_of_a_walk_is_renewed(sandbox: Sandbox, client: OmnitronClient) -> None:
    seen = 0
    for page in client.list_orders(limit=50):
        seen += len(page.rows)
        if page.number == 2:
            sandbox.invalidate_tokens()
    assert seen == len(sandbox.shop.order_pks())
    assert client.counters.logins == 2


def test_a_wrong_password_is_reported(sandbox: Sandbox) -> None:
    settings = ClientSettings(sandbox.url, username=USERNAME, password="not-it")
    with OmnitronClient(settings) as client, pytest.raises(OmnitronAuthError, match=r"refused \(400\)"):
        next(client.list_orders())
