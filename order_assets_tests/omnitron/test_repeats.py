"""What is tried again, how long it waits, and what is said when it was all in vain."""

import gzip
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from order_assets.omnitron import OmnitronAnswerError, OmnitronClient, OmnitronError, OmnitronUnavailableError

from .conftest import VirtualTime
from .scripted_shop import Answer, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

GOOD = Reply({"fine": True})
CUT_BY_LENGTH = Reply(raw=b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a": ')
CUT_CHUNK = Reply(
    raw=b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n{"a": '
)
NO_LAST_CHUNK = Reply(
    raw=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
)
CUT_GZIP = Reply(gzip.compress(b'{"a": "bcdefg"}' * 50)[:-20], headers={"Content-Encoding": "gzip"})
NOT_GZIP = Reply(b'{"a": 1}', headers={"Content-Encoding": "gzip"})
HUNG_UP = Reply(raw=b"")
GARBAGE = Reply(raw=b"\x16\x03\x01 what is this\r\n\r\n")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_trouble_of_the_shop_does_not_fail_the_call(serve: Serve, connect: Connect, status: int) -> None:
    shop = serve(in_turn(Reply({"detail": "busy"}, status), Reply(b"<h1>oops</h1>", status, "text/html"), GOOD))
    client = connect(shop)
    response = client.get_json_bytes("orders/")
    assert (response.body, response.retries, len(shop.asked)) == (b'{"fine": true}', 2, 3)
    assert client.counters.retries == 2
    assert client.counters.requests == 3


@pytest.mark.parametrize("broken", [CUT_BY_LENGTH, CUT_CHUNK, NO_LAST_CHUNK, HUNG_UP, GARBAGE, NOT_GZIP])
def test_a_broken_connection_does_not_fail_the_call(serve: Serve, connect: Connect, broken: Reply) -> None:
    shop = serve(in_turn(broken, broken, GOOD))
    assert connect(shop).get_json_bytes("orders/").retries == 2


@pytest.mark.parametrize("broken", [CUT_BY_LENGTH, CUT_CHUNK, NO_LAST_CHUNK, NOT_GZIP])
def test_half_an_answer_is_never_taken_for_a_whole_one(serve: Serve, connect: Connect, broken: Reply) -> None:
    client = connect(serve(in_turn(broken)), retries=2)
    with pytest.raises(OmnitronAnswerError, match="3 attempts") as caught:
        client.get_json_bytes("orders_integration/12/detailed_integration/")
    assert caught.value.kind == "transient"
    assert not caught.value.systemic
    assert "/orders_integration/12/" in str(caught.value)


def test_a_cut_compressed_answer_is_never_taken_for_a_whole_one(serve: Serve, connect: Connect) -> None:
    with pytest.raises(OmnitronAnswerError, match="was cut short"):
        connect(serve(in_turn(CUT_GZIP))).get_json_bytes("orders/")
    # It is asked for again, as after any connection that broke.
    assert connect(serve(in_turn(CUT_GZIP, CUT_GZIP, Reply({"fine": True})))).get_json_bytes("orders/").retries == 2


def test_a_connection_that_the_server_closed_meanwhile_is_replaced(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({"fine": True}, headers={"Connection": "close"})))
    client = connect(shop)
    for _ in range(3):
        assert client.get_json_bytes("orders/").status == 200


def test_silence_ends_with_the_read_timeout(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", read_timeout=0.05, retries=1)
        with pytest.raises(OmnitronUnavailableError, match=r"silence for 0.05 s \(2 attempts\)") as caught:
            client.get_json_bytes("orders/")
    assert not caught.value.systemic


def test_a_dribbling_answer_ends_with_the_total_timeout(
    serve: Serve, connect: Connect, virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(10**6))
    monkeypatch.setattr(virtual, "clock", lambda: float(next(ticks) * 50))
    client = connect(serve(in_turn(GOOD)), retries=0, total_timeout=40)
    with pytest.raises(OmnitronAnswerError, match="not complete after 40 s"):
        client.get_json_bytes("orders/")


@pytest.mark.usefixtures("longest_backoff")
def test_waits_grow_up_to_their_limit_and_the_last_error_is_clear(
    serve: Serve, connect: Connect, virtual: VirtualTime
) -> None:
    shop = serve(in_turn(Reply({"detail": "busy"}, 503)))
    client = connect(shop, retries=4, backoff_seconds=1, max_backoff_seconds=3)
    with pytest.raises(OmnitronUnavailableError) as caught:
        client.get_json_bytes("order_transactions/", {"page": 7}, about="order transactions, page 7")
    assert virtual.slept == [1, 2, 3, 3]
    assert client.counters.seconds_waited == 9
    assert str(caught.value).startswith(
        f"Order transactions, page 7: GET {shop.url}/api/v1/order_transactions/ still answered 503 after 5 attempts."
    )
    assert "try again later" in str(caught.value)
    assert (caught.value.kind, caught.value.systemic) == ("transient", False)


def test_waits_are_random_so_that_threads_do_not_come_back_together(
    serve: Serve, connect: Connect, virtual: VirtualTime
) -> None:
    with pytest.raises(OmnitronUnavailableError):
        connect(serve(in_turn(Reply({}, 500))), retries=6, backoff_seconds=8).get_json_bytes("orders/")
    assert len(set(virtual.slept)) == 6
    assert all(seconds <= 8 * 2**turn for turn, seconds in enumerate(virtual.slept))


def test_a_wait_that_the_shop_asks_for_is_kept_in_seconds(serve: Serve, connect: Connect, virtual: VirtualTime) -> None:
    shop = serve(in_turn(Reply({}, 429, headers={"Retry-After": "42"}), GOOD))
    connect(shop).get_json_bytes("orders/")
    assert virtual.slept == [42]


def test_a_wait_until_a_moment_is_measured_on_the_clock_of_the_shop(
    serve: Serve, connect: Connect, virtual: VirtualTime
) -> None:
    # A shop whose clock is years away from ours.
    there = datetime(2031, 5, 5, 5, 5, tzinfo=UTC)
    headers = {
        "Date": format_datetime(there, usegmt=True),
        "Retry-After": format_datetime(there + timedelta(seconds=17), usegmt=True),
    }
    connect(serve(in_turn(Reply({}, 503, headers=headers), GOOD))).get_json_bytes("orders/")
    assert virtual.slept == [17]


@pytest.mark.usefixtures("longest_backoff")
@pytest.mark.parametrize("nonsense", ["soon", "-5", "1e3", "", "Mon, 99 Foo 2020"])
def test_a_nonsense_wait_falls_back_to_ours(
    serve: Serve, connect: Connect, virtual: VirtualTime, nonsense: str
) -> None:
    shop = serve(in_turn(Reply({}, 429, headers={"Retry-After": nonsense}), GOOD))
    connect(shop, backoff_seconds=2).get_json_bytes("orders/")
    assert virtual.slept == [2]


@pytest.mark.parametrize("seconds", ["3600", "9" * 400])
def test_an_hour_long_wait_is_reported_instead_of_kept(
    serve: Serve, connect: Connect, virtual: VirtualTime, seconds: str
) -> None:
    shop = serve(in_turn(Reply({}, 429, headers={"Retry-After": seconds})))
    with pytest.raises(OmnitronUnavailableError, match=r"longer than we wait .*300 s.*REQUESTS_PER_SECOND") as caught:
        connect(shop).get_json_bytes("orders/")
    assert caught.value.systemic
    assert virtual.slept == []


def test_a_wait_that_one_call_is_told_holds_all_calls(serve: Serve, connect: Connect, virtual: VirtualTime) -> None:
    shop = serve(in_turn(Reply({}, 429, headers={"Retry-After": "30"}), GOOD))
    client = connect(shop, retries=0)
    with pytest.raises(OmnitronUnavailableError):
        client.get_json_bytes("orders/")
    client.get_json_bytes("orders/")
    assert virtual.slept == [30]


def test_a_refused_connection_at_the_start_is_reported_after_one_repeat(
    connect: Connect, virtual: VirtualTime, closed_port: int
) -> None:
    with pytest.raises(OmnitronUnavailableError) as caught:
        connect(f"http://127.0.0.1:{closed_port}").get_json_bytes("orders/")
    assert f"no answer from http://127.0.0.1:{closed_port}" in str(caught.value)
    assert "the connection is refused (2 attempts); check OMNITRON_URL" in str(caught.value)
    assert caught.value.systemic
    assert len(virtual.slept) == 1


def test_a_host_name_that_does_not_exist_is_named(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OmnitronUnavailableError, match=r"https://shop\.example.*the name does not resolve") as caught:
        connect("https://shop.example").get_json_bytes("orders/")
    assert caught.value.systemic


def test_a_port_without_tls_is_reported_as_such(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(GOOD))
    with pytest.raises(OmnitronUnavailableError, match=r"TLS connection failed.*check OMNITRON_URL"):
        connect(shop.url.replace("http:", "https:"), retries=0).get_json_bytes("orders/")
    assert shop.asked == []


def test_once_the_shop_was_met_a_refused_connection_is_worth_all_attempts(
    serve: Serve, connect: Connect, virtual: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = serve(in_turn(Reply({}, headers={"Connection": "close"})))
    client = connect(shop, retries=3)
    client.get_json_bytes("orders/")

    def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", refused)
    with pytest.raises(OmnitronUnavailableError, match="4 attempts"):
        client.get_json_bytes("orders/")
    assert len(virtual.slept) == 3


def test_a_proxy_of_the_environment_never_sees_calls_to_this_machine(
    serve: Serve, connect: Connect, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert connect(serve(in_turn(GOOD))).get_json_bytes("orders/").status == 200


def test_a_broken_proxy_is_named_without_its_password(
    connect: Connect, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://someone:pr0xypassword@127.0.0.1:{closed_port}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(OmnitronUnavailableError, match="proxy") as caught:
        connect("https://shop.example", retries=0).get_json_bytes("orders/")
    assert "pr0xypassword" not in str(caught.value)
    assert caught.value.systemic


def test_a_shop_that_answers_nothing_any_more_stops_the_run(serve: Serve, connect: Connect) -> None:
    client = connect(serve(in_turn(Reply({}, 500))), retries=0, check_after_failures=3)
    errors: list[OmnitronError] = []
    for pk in range(3):
        with pytest.raises(OmnitronUnavailableError) as caught:
            client.order_documents(pk)
        errors.append(caught.value)
    assert [error.systemic for error in errors] == [False, False, True]
    assert "Other calls fail too" in str(errors[-1])


def test_some_orders_that_always_fail_do_not_stop_the_run(serve: Serve, connect: Connect) -> None:
    def answer(asked: object) -> Reply:
        healthy = str(getattr(asked, "path", "")).endswith("/v1/orders/")
        return Reply({"count": 0, "next": None, "results": []}) if healthy else Reply({}, 500)

    client = connect(serve(answer), retries=0, check_after_failures=3)
    for pk in range(10):
        with pytest.raises(OmnitronUnavailableError) as caught:
            client.order_documents(pk)
        assert not caught.value.systemic


def test_failures_with_good_answers_in_between_are_not_checked(serve: Serve, connect: Connect) -> None:
    shop = serve(lambda asked: Reply({}, 500 if asked.query.get("n") else 200))
    client = connect(shop, retries=0, check_after_failures=3)
    for n in range(9):
        with pytest.raises(OmnitronUnavailableError):
            client.get_json_bytes("orders/", {"n": n})
        if n % 2:
            client.get_json_bytes("orders/")
    assert not any("limit" in asked.query for asked in shop.asked)
