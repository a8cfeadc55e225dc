"""The three documents of an order: complete, untouched, and of that order."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from order_assets.omnitron import (
    OmnitronAnswerError,
    OmnitronClient,
    OmnitronError,
    OmnitronMisfitError,
    OmnitronNotFoundError,
    OmnitronUnavailableError,
    documents,
)

from .scripted_shop import Answer, Asked, Reply, ScriptedShop

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

DETAIL = '{"pk": 12,  "net_shipping_amount": 8.10, "name": "ğ"}'.encode()
EMPTY = Reply({"count": 0, "next": None, "previous": None, "results": []})


def order_12(
    detail: Reply | None = None,
    items: Callable[[Asked], Reply] = lambda asked: EMPTY,
    discounts: Callable[[Asked], Reply] = lambda asked: EMPTY,
) -> Answer:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/api/v1/orders_integration/12/detailed_integration/":
            return detail or Reply(DETAIL)
        if asked.path == "/api/v1/order_item/detailed_integration/":
            return items(asked)
        if asked.path == "/api/v1/orders/":
            return EMPTY
        if asked.path.startswith("/api/i1/"):
            return Reply({"detail": "Not found."}, 404)
        assert asked.path == "/api/v1/discount_items/detailed_integration/"
        return discounts(asked)

    return answer


def rows_paged(total: int, order: Any = 12) -> Callable[[Asked], Reply]:
    def answer(asked: Asked) -> Reply:
        size = int(asked.query["limit"])
        first = (asked.page - 1) * size
        found = [{"pk": pk, "order": order} for pk in range(first, min(first + size, total))]
        return Reply({"count": total, "next": "/?page=x" if first + size < total else None, "results": found})

    return answer


def test_the_documents_come_untouched_with_what_they_cost(serve: Serve, connect: Connect) -> None:
    shop = serve(order_12(Reply(DETAIL, headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})))
    client = connect(shop)
    documents = client.order_documents(12)
    assert (documents.order_pk, documents.status) == (12, "fetched")
    assert documents.detail == DETAIL
    assert documents.pages["items"] == documents.pages["discounts"] == (EMPTY.body,)
    assert (documents.requests, documents.retries) == (3, 0)
    assert documents.bytes == len(DETAIL) + 2 * len(EMPTY.body) == client.counters.bytes_received
    assert datetime.now(UTC) - documents.fetched_at < timedelta(seconds=10)
    assert documents.server_date == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert [(asked.path.split("/")[3], dict(asked.query)) for asked in shop.asked] == [
        ("orders_integration", {}),
        ("order_item", {"order": "12", "limit": "100", "page": "1", "sort": "id"}),
        ("discount_items", {"order": "12", "limit": "100", "page": "1"}),
    ]


def test_all_pages_of_a_large_order_come(serve: Serve, connect: Connect) -> None:
    documents = connect(serve(order_12(items=rows_paged(230), discounts=rows_paged(101)))).order_documents(12)
    assert (len(documents.pages["items"]), len(documents.pages["discounts"]), documents.requests) == (3, 2, 6)


def test_bare_lists_of_items_are_taken(serve: Serve, connect: Connect) -> None:
    body = b'[{"pk": 1, "order": 12}]'
    assert connect(serve(order_12(items=lambda _: Reply(body)))).order_documents(12).pages["items"] == (body,)


@pytest.mark.parametrize("order", [12, "12", {"pk": 12}, None])
def test_rows_that_name_their_order_in_another_way_are_taken(serve: Serve, connect: Connect, order: object) -> None:
    documents = connect(serve(order_12(items=rows_paged(2, order)))).order_documents(12)
    assert len(documents.pages["items"]) == 1


def test_an_order_that_is_gone_is_data_and_costs_one_request(serve: Serve, connect: Connect) -> None:
    shop = serve(order_12())
    client = connect(shop)
    client.order_documents(12)
    shop.answer, before = order_12(Reply({"detail": "Not found."}, 404)), len(shop.asked)
    documents = client.order_documents(12)
    assert (documents.status, documents.detail) == ("gone", None)
    assert documents.pages == {}
    assert (len(shop.asked) - before, documents.requests, client.counters.not_found) == (1, 1, 1)


def test_repeats_are_counted_with_the_order(serve: Serve, connect: Connect) -> None:
    busy = [Reply({}, 503), Reply({}, 500)]
    documents = connect(serve(order_12(items=lambda _: busy.pop() if busy else EMPTY))).order_documents(12)
    assert (documents.requests, documents.retries) == (5, 2)


@pytest.mark.parametrize("name", ["items", "discounts"])
def test_a_missing_list_of_an_order_that_exists_is_an_error_of_that_order(
    serve: Serve, connect: Connect, name: str
) -> None:
    gone: dict[str, Any] = {name: lambda _: Reply({"detail": "Not found."}, 404)}
    with pytest.raises(OmnitronNotFoundError, match=r"Order 12, .*page 1: GET .* answered 404") as caught:
        connect(serve(order_12(**gone))).order_documents(12)
    assert not caught.value.systemic


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"detail": Reply(b"[]")}, "not a JSON object"),
        ({"detail": Reply({"pk": 13})}, "that of another order"),
        ({"detail": Reply(b"<p>hello</p>", content_type="text/html")}, "Order 12, detail: .*firewall or proxy"),
        ({"items": rows_paged(1, order=13)}, "filter `order` does not work"),
        ({"discounts": rows_paged(1, order={"pk": 13})}, "filter `order` does not work"),
        ({"items": lambda _: Reply([{"pk": 1}, {"pk": 1}])}, "came twice"),
        ({"items": lambda _: Reply({"count": 2, "next": None, "results": [{"pk": 1}]})}, "items .*repeats"),
        ({"discounts": lambda _: Reply({"detail": "maintenance"})}, "discount items .* no list of objects"),
        ({"detail": Reply(b" \n")}, "an empty body"),
        ({"detail": Reply(b"<h1>maintenance</h1>")}, "a page .*firewall or proxy"),
        ({"items": lambda _: Reply(b"")}, "an empty body"),
    ],
)
def test_documents_that_cannot_be_right_are_an_error_of_that_order_only(
    serve: Serve, connect: Connect, parts: dict[str, Any], says: str
) -> None:
    with pytest.raises(OmnitronAnswerError, match=says) as caught:
        connect(serve(order_12(**parts))).order_documents(12)
    assert not caught.value.systemic
    assert "rder 12" in str(caught.value)


UNCLEAN = [
    b'{"pk": 12, "amount": NaN}',
    b'{"pk": 12, "name": "\xff"}',
    b'{"pk": 12} trailing',
    b'{"pk": 12, "amount": 1e99999999999999999999}',
    b'{"pk": 12, "number": "1',
    b"\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("body", UNCLEAN)
def test_text_that_is_not_clean_json_is_asked_for_twice_and_given_as_it_is(
    serve: Serve, connect: Connect, body: bytes
) -> None:
    shop = serve(order_12(Reply(body)))
    client = connect(shop)
    documents = client.order_documents(12)
    assert (documents.status, documents.detail, documents.pages["items"]) == ("fetched", body, (EMPTY.body,))
    assert shop.count("orders_integration/12/detailed_integration/") == 2
    assert (documents.requests, documents.retries, client.counters.retries) == (4, 1, 1)


def test_text_that_was_cut_off_once_is_mended_by_the_repeat(serve: Serve, connect: Connect) -> None:
    cut = [Reply(b'{"pk": 12, "num')]
    shop = serve(lambda asked: cut.pop() if cut else order_12()(asked))
    documents = connect(shop).order_documents(12)
    assert (documents.detail, documents.retries) == (DETAIL, 1)


def test_a_walk_through_items_ends_at_a_page_that_is_not_clean_json(serve: Serve, connect: Connect) -> None:
    whole = rows_paged(230)
    shop = serve(order_12(items=lambda asked: whole(asked) if asked.page == 1 else Reply(b'{"results": [')))
    documents = connect(shop).order_documents(12)
    assert documents.pages["items"][1:] == (b'{"results": [',)
    assert documents.pages["discounts"] == (EMPTY.body,)
    assert shop.count("order_item/detailed_integration/") == 3


def test_an_answer_cut_short_of_its_length_is_never_given(serve: Serve, connect: Connect) -> None:
    cut = Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"pk": 12}')
    with pytest.raises(OmnitronAnswerError, match="cut short") as caught:
        connect(serve(order_12(cut)), retries=1).order_documents(12)
    assert (caught.value.kind, caught.value.systemic) == ("transient", False)


def test_a_token_that_ends_before_the_second_asking_is_renewed(serve: Serve, connect: Connect) -> None:
    replies = [Reply(DETAIL), Reply({"detail": "Invalid token."}, 401), Reply(b'{"pk": ')]

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply({"key": "another-token"})
        return replies.pop() if replies else order_12()(asked)

    client = connect(serve(answer), username="u", password="p")
    assert client.order_documents(12).detail == DETAIL
    assert client.counters.logins == 1


def test_items_of_the_whole_shop_are_not_walked_when_the_filter_fails(serve: Serve, connect: Connect) -> None:
    shop = serve(order_12(items=rows_paged(100_000, order=3)))
    with pytest.raises(OmnitronAnswerError):
        connect(shop).order_documents(12)
    assert len(shop.asked) == 2


def test_an_order_that_the_shop_cannot_serve_is_named(serve: Serve, connect: Connect) -> None:
    with pytest.raises(OmnitronUnavailableError, match="Order 12, detail: GET") as caught:
        connect(serve(order_12(Reply({}, 500))), retries=1).order_documents(12)
    assert (caught.value.kind, caught.value.systemic) == ("transient", False)


def test_the_client_only_ever_reads(serve: Serve, connect: Connect) -> None:
    shop = serve(lambda asked: Reply({"key": "abc"}) if asked.method == "POST" else order_12()(asked))
    connect(shop, token=None, username="u", password="p").order_documents(12)
    assert [asked.path for asked in shop.asked if asked.method != "GET"] == ["/api/v1/auth/login/"]


def test_printing_documents_shows_no_personal_data(serve: Serve, connect: Connect) -> None:
    detail = Reply({"pk": 12, "first_name": "Ayşe"})
    client = connect(serve(order_12(detail, items=lambda _: Reply([{"pk": 1, "note": "Ayşe"}]))))
    page = client.get_json_bytes("orders_integration/12/detailed_integration/")
    shown = repr(client.order_documents(12)) + repr(page)
    assert "order_pk=12" in shown
    assert "Ay" not in shown


def test_errors_are_all_of_one_family() -> None:
    from order_assets import omnitron

    kinds = [value for name, value in vars(omnitron).items() if name.endswith("Error")]
    assert len(kinds) == 12
    assert all(issubclass(kind, OmnitronError) for kind in kinds)


@pytest.mark.parametrize(
    ("document", "broken"), [("detail", "_check_detail"), ("items", "_check_rows"), ("discounts", "_check_rows")]
)
def test_what_nobody_foresaw_about_an_answer_costs_that_order_and_not_the_walk(
    document: str, broken: str, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = getattr(documents, broken)

    def odd(*arguments: Any) -> None:
        if broken == "_check_detail" or arguments[0] == [{"pk": 1, "order": 12, "of": document}]:
            raise KeyError("ayse@example.com")
        plain(*arguments)

    def rows_of(name: str) -> Callable[[Asked], Reply]:
        return lambda _: Reply([{"pk": 1, "order": 12, "of": name}])

    monkeypatch.setattr(documents, broken, odd)
    client = connect(serve(order_12(items=rows_of("items"), discounts=rows_of("discounts"))))
    one, other = client.map_concurrently(lambda pk: pk if pk == 13 else client.order_documents(pk), [12, 13])
    outcomes = {outcome.item: outcome for outcome in (one, other)}
    error = outcomes[12].error
    assert isinstance(error, OmnitronMisfitError)
    assert (error.document, error.systemic) == (document, False)
    assert str(error) == f"Order 12: its {document} could not be read (KeyError). Fetch it again later."
    assert outcomes[13].value == 13


def test_what_is_wrong_with_this_machine_is_not_laid_to_an_order(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(documents, "_check_detail", full)
    with pytest.raises(OSError, match="No space left"):
        connect(serve(order_12())).order_documents(12)
