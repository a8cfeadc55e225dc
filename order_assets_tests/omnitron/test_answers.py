"""Answers that are none: they must be refused, explained, and tell no secret."""

import gzip
import logging
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from order_assets.omnitron import (
    OmnitronAnswerError,
    OmnitronBlockedError,
    OmnitronClient,
    OmnitronError,
    OmnitronNotFoundError,
    OmnitronRequestError,
    OmnitronUnavailableError,
)

from .conftest import TOKEN
from .scripted_shop import Answer, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]


def failure(client: OmnitronClient, path: str = "orders/") -> OmnitronError:
    with pytest.raises(OmnitronError) as caught:
        client.get_json_bytes(path)
    return caught.value


def test_the_answer_comes_untouched_with_exact_numbers_and_the_shops_clock(serve: Serve, connect: Connect) -> None:
    body = '{ "amount" : 8.10 ,\n "name":"ğüş\\u0131", "n": 12 }'.encode()
    shop = serve(in_turn(Reply(body, headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})))
    response = connect(shop).get_json_bytes("orders/", {"limit": 5, "sort": "-pk"})
    assert response.body == body
    assert response.value == {"amount": Decimal("8.10"), "name": "ğüşı", "n": 12}
    assert response.server_date == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert shop.asked[0].query == {"limit": "5", "sort": "-pk"}
    assert shop.asked[0].headers["Accept"] == "application/json"


@pytest.mark.parametrize("date", [None, "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_an_answer_without_a_readable_date_still_counts(serve: Serve, connect: Connect, date: str | None) -> None:
    reply = Reply({}, headers={} if date is None else {"Date": date})
    assert connect(serve(in_turn(reply))).get_json_bytes("orders/").server_date is None


@pytest.mark.parametrize(
    ("encoding", "squeeze"), [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)]
)
def test_compressed_answers_are_read(
    serve: Serve, connect: Connect, encoding: str, squeeze: Callable[[bytes], bytes]
) -> None:
    body = b'{"a": "' + b"x" * 300_000 + b'"}'
    shop = serve(in_turn(Reply(squeeze(body), headers={"Content-Encoding": encoding})))
    assert connect(shop).get_json_bytes("orders/").body == body


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/hal+json"]
)
def test_all_spellings_of_json_are_read(serve: Serve, connect: Connect, content_type: str) -> None:
    assert connect(serve(in_turn(Reply({}, content_type=content_type)))).get_json_bytes("orders/").status == 200


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (
            Reply({"count": 0, "results": []}, content_type="text/html"),
            "content type text/html instead of JSON",
        ),
        (Reply({"count": 0, "results": []}, content_type=None), "content type none"),
        (Reply(b"{'a': 1}"), "not valid JSON"),
        (Reply(b'{"a": 1} trailing'), "not valid JSON"),
        (Reply(b'{"a": NaN}'), "not valid JSON"),
        (Reply(b'{"a": -Infinity}'), "not valid JSON"),
        (Reply(b'{"a": "\xff\xfe"}'), "not valid JSON"),
        (Reply('{"a": 1}'.encode("utf-16")), "not valid JSON"),
        (Reply(b"[" * 200_000), "not valid JSON"),
        (Reply(b'{"a": ' + b"9" * 5000 + b"}"), "not valid JSON"),
        (Reply(b'{"a": 1e99999999999999999999}'), "not valid JSON"),
        (Reply(b"xx", headers={"Content-Encoding": "br"}), "compressed in a way that was not asked for"),
        (Reply({}, 206), "answered 206"),
        (Reply({}, 201), "answered 201"),
    ],
)
def test_a_status_200_that_is_no_answer_is_never_taken_for_one(
    serve: Serve, connect: Connect, reply: Reply, says: str
) -> None:
    error = failure(connect(serve(in_turn(reply))), "orders_integration/5/detailed_integration/")
    assert isinstance(error, OmnitronAnswerError)
    assert not error.systemic
    with pytest.raises(OmnitronAnswerError, match=says):
        raise error
    assert "/api/v1/orders_integration/5/detailed_integration/" in str(error)


def test_an_answer_without_end_does_not_fill_the_memory(serve: Serve, connect: Connect) -> None:
    error = failure(connect(serve(in_turn(Reply(b'"' + b"x" * 300_000 + b'"'))), max_body_bytes=100_000))
    assert "larger than 100000 bytes" in str(error)
    assert error.kind == "permanent"


def test_a_compressed_bomb_does_not_fill_the_memory(serve: Serve, connect: Connect) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    shop = serve(in_turn(Reply(bomb, headers={"Content-Encoding": "gzip"})))
    client = connect(shop, max_body_bytes=1_000_000)
    assert "larger than 1000000 bytes" in str(failure(client))
    assert len(shop.asked) == 1


def test_a_huge_error_page_is_cut_and_the_error_stays_clear(serve: Serve, connect: Connect) -> None:
    page = b"<title>Bad Gateway</title> " + b"x " * 1_500_000
    error = failure(connect(serve(in_turn(Reply(page, 502, "text/html"))), retries=0))
    assert isinstance(error, OmnitronUnavailableError)
    assert "still answered 502 after one attempt (Bad Gateway" in str(error)


@pytest.mark.parametrize("status", [400, 405, 406, 410, 418])
def test_a_refused_request_says_what_the_shop_said(serve: Serve, connect: Connect, status: int) -> None:
    shop = serve(in_turn(Reply({"limit": ["A valid integer is required."], "code": "invalid"}, status)))
    error = failure(connect(shop))
    assert isinstance(error, OmnitronRequestError)
    assert f"answered {status} (limit: A valid integer is required.)" in str(error)
    assert len(shop.asked) == 1


def test_a_404_is_data_only_if_asked_for_and_only_from_the_api(serve: Serve, connect: Connect) -> None:
    client = connect(serve(in_turn(Reply({"detail": "Not found."}, 404))))
    assert client.get_json_bytes("orders_integration/1/detailed_integration/", missing_ok=True).status == 404
    assert client.counters.not_found == 1
    assert isinstance(failure(client), OmnitronNotFoundError)


@pytest.mark.parametrize(
    "page",
    [Reply(b"<h1>Not Found</h1>", 404, "text/html"), Reply(b"", 404), Reply([1], 404), Reply(b"{", 404)],
)
def test_the_404_page_of_a_wrong_host_does_not_look_like_a_gone_order(
    serve: Serve, connect: Connect, page: Reply
) -> None:
    with pytest.raises((OmnitronNotFoundError, OmnitronBlockedError), match=r"OMNITRON_URL|firewall or proxy"):
        connect(serve(in_turn(page))).get_json_bytes("orders_integration/1/detailed_integration/", missing_ok=True)


def test_an_error_page_is_quoted_without_tags_secrets_and_personal_data(serve: Serve, connect: Connect) -> None:
    page = f"""<!doctype html><head><title>Server error</title><style>.x {{}}</style></head>
    <script>var k = "sk-1";</script><p>Hello\x1b[31m warehouse-user, token {TOKEN} pa55 word,
    mail ayse@shop.example, phone +90 532 123 45 67, key QUJDREVGR0hJSktMTU5PUFFSU1RVVg==</p>"""
    client = connect(
        serve(in_turn(Reply(page.encode(), 200, "text/html"))),
        username="warehouse-user",
        password="pa55 word",
    )
    message = str(failure(client))
    assert "(Server error Hello" in message
    assert "***" in message
    for secret in (TOKEN, "warehouse-user", "pa55", "ayse", "532", "QUJD", "sk-1", "<", "\x1b", "\n"):
        assert secret not in message


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream"])
def test_data_in_a_wrong_wrapping_is_never_quoted(serve: Serve, connect: Connect, content_type: str) -> None:
    body = b'{"first_name": "Ay\xc5\x9fe", "pass": "x", broken'
    assert "Ay" not in str(failure(connect(serve(in_turn(Reply(body, content_type=content_type))))))


def test_no_error_and_no_log_line_ever_holds_a_credential(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="order_assets")
    secrets = {"token": "tok3n+of/test=", "username": "warehouse-user", "password": 'pä55 "word'}
    told = " ".join(
        (
            secrets["token"],
            "tok3n%2Bof%2Ftest%3D",
            secrets["password"],
            'p\\u00e455 \\"word',
            "p%C3%A455+%22word",
        )
    )
    replies = [
        Reply(told.encode(), status, kind, headers)
        for status in (200, 302, 400, 401, 403, 404, 405, 429, 500, 503)
        for kind in ("text/html", "text/plain", "application/json", told.encode("ascii", "replace").decode())
        for headers in ({}, {"Location": "https://tok3n+of/test=?" + secrets["token"]})
    ]
    replies += [Reply({"detail": told, "code": told}, status) for status in (400, 401, 403, 404, 406, 500)]
    shop = serve(in_turn(Reply({})))
    for reply in replies:
        shop.answer = in_turn(reply)
        error = failure(connect(shop, retries=1, **secrets))
        shown = f"{error} {error!r} {error.__cause__!r} {caplog.text}"
        for secret in (*told.split(), "warehouse-user", "tok3n"):
            assert secret not in shown


@pytest.mark.parametrize(
    "path", ["/orders/", "../admin/", "https://evil.example/", "orders/?a=1", "a//b", "a b", "%2e"]
)
def test_a_path_cannot_lead_away_from_the_api(connect: Connect, closed_port: int, path: str) -> None:
    with pytest.raises(ValueError, match="Not a path"):
        connect(f"http://127.0.0.1:{closed_port}").get_json_bytes(path)


def test_counters_add_up(serve: Serve, connect: Connect) -> None:
    client = connect(serve(in_turn(Reply({}, 500), Reply({"a": 1}), Reply({"detail": "gone"}, 404))))
    client.get_json_bytes("orders/")
    client.get_json_bytes("orders/", missing_ok=True)
    counted = client.counters.as_dict()
    assert counted.pop("seconds_waited") > 0
    assert (counted.pop("budget_seconds_waited"), counted.pop("slow_downs"), counted.pop("lowest_share")) == (0, 0, 1)
    assert counted == {"requests": 3, "retries": 1, "logins": 0, "bytes_received": 28, "not_found": 1}


def test_a_credential_that_is_part_of_an_address_is_masked_there_too(serve: Serve, connect: Connect) -> None:
    client = connect(serve(in_turn(Reply({}, 400))), token="order_transactions")
    assert "order_transactions" not in str(failure(client, "order_transactions/"))
