"""What a firewall, a proxy or a login page says is told from what Omnitron says, and is waited out."""

import itertools
from collections.abc import Callable

import pytest

from order_assets.omnitron import (
    OmnitronBlockedError,
    OmnitronClient,
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronUnavailableError,
)

from .conftest import VirtualTime
from .scripted_shop import Answer, Asked, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

GOOD = Reply({"count": 0, "next": None, "results": []})
HTML = "text/html; charset=UTF-8"
CLOUDFLARE = b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>"
AKAMAI = (
    b"<HTML><TITLE>Access Denied</TITLE>You don't have permission to access this server. errors.edgesuite.net</HTML>"
)
FORTIWEB = b"<html><h2>Web Page Blocked!</h2>Attack ID: 20000010</html>"
F5 = b"<html><title>Request Rejected</title>The requested URL was rejected. Your support ID is: 123</html>"
CAPTCHA = b"<html><title>Just a moment...</title><form id='cf-chl'></form></html>"
PAGES = {
    "403 of Cloudflare": (Reply(CLOUDFLARE, 403, HTML, {"Server": "cloudflare"}), "Cloudflare"),
    "403 of Akamai": (Reply(AKAMAI, 403, HTML, {"Server": "AkamaiGHost"}), "Akamai"),
    "403 of FortiWeb": (Reply(FORTIWEB, 403, HTML), "Fortinet"),
    "200 of F5": (Reply(F5, 200, HTML), "F5"),
    "200 with a captcha": (Reply(CAPTCHA, 200, HTML), "Cloudflare"),
    "403 that calls itself JSON": (Reply(b"<h1>blocked</h1>", 403), "firewall or proxy"),
    "403 in JSON that Cloudflare marks": (
        Reply({"error": "x"}, 403, headers={"cf-mitigated": "challenge"}),
        "Cloudflare",
    ),
    "401 of a proxy": (Reply(b"<h1>Authorization Required</h1><center>nginx</center>", 401, HTML), "nginx"),
    "404 of a proxy": (Reply(b"<h1>404 Not Found</h1>", 404, HTML), "firewall or proxy"),
    "404 in plain text": (Reply(b"404 page not found", 404, "text/plain"), "firewall or proxy"),
    "406 without a word": (Reply(b"", 406, None), "firewall or proxy"),
    "418": (Reply(b"<p>no</p>", 418, HTML), "firewall or proxy"),
    "503": (Reply(CLOUDFLARE, 503, HTML), "firewall or proxy"),
    "200 and empty": (Reply(b"", 200), "empty body"),
    "a login page": (Reply(b"", 302, headers={"Location": "/accounts/login/?next=/api/"}), "redirect to 127.0.0.1"),
}


def after(page: Reply, times: int) -> Answer:
    """The page so many times, then good answers."""
    left = itertools.repeat(page, times)
    return lambda _: next(left, GOOD)


@pytest.mark.parametrize("page", [page for page, _ in PAGES.values()], ids=list(PAGES))
def test_one_page_of_a_firewall_ends_nothing_whenever_it_comes(serve: Serve, connect: Connect, page: Reply) -> None:
    at_first = connect(serve(after(page, 2)))
    assert at_first.get_json_bytes("orders/").value == GOOD.value
    shop = serve(in_turn(GOOD))
    client = connect(shop)
    client.get_json_bytes("orders/")
    shop.answer = after(page, 2)
    assert client.get_json_bytes("orders/").value == GOOD.value
    # It was slowed down by it.
    assert client.counters.slow_downs >= 1
    assert client.counters.logins == 0


@pytest.mark.parametrize(("page", "says"), list(PAGES.values()), ids=list(PAGES))
def test_a_firewall_that_stays_is_a_clear_error_and_no_matter_of_rights(
    serve: Serve, connect: Connect, page: Reply, says: str
) -> None:
    shop = serve(in_turn(GOOD))
    client = connect(shop)
    client.get_json_bytes("orders/")
    shop.answer = lambda _: page
    with pytest.raises(OmnitronError, match=says) as caught:
        client.get_json_bytes("orders_integration/7/detailed_integration/", missing_ok=True)
    assert caught.value.systemic or isinstance(caught.value, OmnitronUnavailableError)
    assert caught.value.kind == "transient"
    said = str(caught.value)
    assert "firewall" in said
    assert "right to read" not in said
    assert "OMNITRON_TOKEN" not in said
    assert client.counters.not_found == client.counters.logins == 0


def test_waits_between_repeats_grow_to_many_seconds_so_that_a_block_can_pass(
    serve: Serve, connect: Connect, virtual: VirtualTime, longest_backoff: None
) -> None:
    shop = serve(in_turn(GOOD))
    client = connect(shop, requests_per_second=None)
    client.get_json_bytes("orders/")
    shop.answer = after(Reply(CLOUDFLARE, 403, HTML), 5)
    client.get_json_bytes("orders/")
    assert [seconds for seconds in virtual.slept if seconds >= 1][-5:] == [1, 2, 4, 8, 16]


def test_a_403_in_json_stays_a_matter_of_rights_and_is_not_repeated(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({"detail": "You do not have permission.", "code": "permission_denied"}, 403)))
    with pytest.raises(OmnitronForbiddenError, match="right to read orders"):
        connect(shop).get_json_bytes("orders/")
    assert len(shop.asked) == 1


@pytest.mark.parametrize(
    "page",
    [Reply(b"<h1>404</h1>", 404, HTML), Reply({"message": "no Route matched with those values"}, 404), Reply({}, 404)],
)
def test_a_404_that_is_not_of_the_api_never_makes_an_order_gone(serve: Serve, connect: Connect, page: Reply) -> None:
    shop = serve(_shop_with_orders("v1"))
    client = connect(shop)
    assert client.order_documents(1).status == "fetched"
    whole = shop.answer
    shop.answer = lambda asked: page if "/orders_integration/" in asked.path else whole(asked)
    with pytest.raises(OmnitronError):
        client.order_documents(2)


def test_a_firewall_before_all_details_ends_the_walk_after_some_and_one_before_one_order_does_not(
    serve: Serve, connect: Connect
) -> None:
    whole = _shop_with_orders("v1")
    page = Reply(CLOUDFLARE, 403, HTML)
    shop = serve(lambda asked: page if "/orders_integration/7/" in asked.path else whole(asked))
    client = connect(shop, max_concurrency=1)
    outcomes = {found.item: found for found in client.map_concurrently(client.order_documents, range(1, 20))}
    assert [pk for pk, found in outcomes.items() if found.error is not None] == [7]
    shop.answer = lambda asked: page if "/orders_integration/" in asked.path else whole(asked)
    with pytest.raises(OmnitronBlockedError, match="10 calls in a row ended so"):
        list(client.map_concurrently(client.order_documents, range(1, 200)))


def _shop_with_orders(*versions: str, gone: frozenset[int] = frozenset()) -> Answer:
    """Orders 1 to 200 under these versions; anything else is a 404 that looks like the API's."""
    missing = Reply({"detail": "Not found."}, 404)

    def answer(asked: Asked) -> Reply:
        _, _, version, kind, *rest = asked.path.split("/")
        if version not in versions:
            return missing
        if kind == "orders":
            rows = [{"pk": pk, "number": str(pk)} for pk in range(1, 201)]
            return Reply({"count": 200, "next": "more", "results": rows[: int(asked.query["limit"])]})
        if kind == "orders_integration":
            pk = int(rest[0])
            return missing if pk in gone else Reply({"pk": pk})
        return GOOD

    return answer


@pytest.mark.parametrize("version", ["v1", "i1"])
def test_an_instance_that_serves_one_prefix_only_is_read_and_nothing_in_it_looks_gone(
    serve: Serve, connect: Connect, version: str
) -> None:
    shop = serve(_shop_with_orders(version, gone=frozenset({5, 6})))
    client = connect(shop, max_concurrency=1)
    # The first order that is asked for is one that is gone.
    states = [client.order_documents(pk).status for pk in (5, 1, 6)]
    assert states == ["gone", "fetched", "gone"]
    assert client.prefixes() == dict.fromkeys(("discount_items", "order_item", "orders", "orders_integration"), version)
    before = len(shop.asked)
    client.order_documents(2)
    assert len(shop.asked) - before == 3


def test_prefixes_that_differ_by_route_are_found_for_each(serve: Serve, connect: Connect) -> None:
    v1, i1 = _shop_with_orders("v1"), _shop_with_orders("i1")
    shop = serve(lambda asked: (i1 if "detailed_integration" in asked.path else v1)(asked))
    client = connect(shop)
    client.get_json_bytes("orders/", {"limit": 1})
    assert client.order_documents(3).status == "fetched"
    assert client.prefixes() == {
        "discount_items": "i1",
        "order_item": "i1",
        "orders": "v1",
        "orders_integration": "i1",
    }


def test_a_prefix_that_serves_no_details_makes_no_order_gone(serve: Serve, connect: Connect) -> None:
    whole, missing = _shop_with_orders("v1", "i1"), Reply({"detail": "Not found."}, 404)
    shop = serve(lambda asked: missing if "/orders_integration/" in asked.path else whole(asked))
    with pytest.raises(OmnitronError, match=r"so did that of order 1, which is listed.*OMNITRON_API"):
        connect(shop).order_documents(9)


def test_a_setting_fixes_the_prefix_and_the_other_one_is_never_asked(serve: Serve, connect: Connect) -> None:
    shop = serve(_shop_with_orders("v1", "i1", gone=frozenset({5})))
    client = connect(shop, api="i1")
    assert [client.order_documents(pk).status for pk in (5, 1)] == ["gone", "fetched"]
    assert {asked.path.split("/")[2] for asked in shop.asked} == {"i1"}


def test_the_login_is_found_under_the_other_prefix_too(serve: Serve, connect: Connect) -> None:
    whole = _shop_with_orders("i1")

    def answer(asked: Asked) -> Reply:
        if asked.path == "/api/i1/auth/login/":
            return Reply({"key": "t0ken"})
        return whole(asked) if asked.token == "Token t0ken" or asked.method == "POST" else Reply({"detail": "x"}, 401)

    client = connect(serve(answer), token=None, username="u", password="p")
    assert client.order_documents(1).status == "fetched"
    assert (client.counters.logins, client.prefixes()["auth"]) == (1, "i1")
