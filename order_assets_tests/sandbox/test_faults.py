"""Each fault of the stand-in is served as its name says, when it was asked for, and at no other time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from order_assets.sandbox import FAULTS, ODD_ROWS, Sandbox
from order_assets.sandbox.faults import parse_fault
from order_assets_tests.sandbox.calls import NOW, Call, caller, every_page

LIST = "orders/"
ITEMS = "order_item/detailed_integration/"


@pytest.fixture
def faulty(served: Sandbox) -> Iterator[Sandbox]:
    served.set_now(NOW)
    yield served
    served.faults.clear()


@pytest.fixture
def get(faulty: Sandbox) -> Iterator[Call]:
    with caller(faulty) as call:
        yield call


def detail(sandbox: Sandbox) -> str:
    return f"orders_integration/{sandbox.shop.order_pks()[-1]}/detailed_integration/"


@pytest.mark.parametrize(
    ("fault", "status", "header", "kind"),
    [
        ("429-seconds:seconds=7", 429, "7", "application/json"),
        ("429-bare", 429, None, "application/json"),
        ("500-html", 500, None, "text/html"),
        ("502-html", 502, None, "text/html"),
        ("503-html", 503, None, "text/html"),
        ("503-seconds:seconds=3", 503, "3", "text/html"),
        ("403-json", 403, None, "application/json"),
        ("403-html", 403, None, "text/html"),
        ("404-html:path=*/orders/", 404, None, "text/html"),
        ("html-200", 200, None, "text/html"),
        ("empty-200", 200, None, "application/json"),
        ("wrong-type", 200, None, "text/plain"),
    ],
)
def test_statuses_and_types(faulty: Sandbox, get: Call, fault: str, status: int, header: str | None, kind: str) -> None:
    faulty.faults.set(fault)
    answer = get(LIST)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, header)
    assert answer.headers["Content-Type"].startswith(kind)
    assert (answer.text == "") == (fault == "empty-200")
    assert faulty.faults.served == {fault.partition(":")[0]: 1}


def test_a_date_to_come_back_at_is_the_shops(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("429-date:seconds=90")
    answer = get(LIST)
    dates = [parsedate_to_datetime(answer.headers[name]) for name in ("Retry-After", "Date")]
    assert dates[0] - dates[1] == timedelta(seconds=90)


@pytest.mark.parametrize("fault", ["reset-before", "reset-inside", "wrong-length", "stall"])
def test_connections_that_break_and_answers_that_do_not_end(faulty: Sandbox, get: Call, fault: str) -> None:
    get.session.mount("http://", requests.adapters.HTTPAdapter(max_retries=0))  # type: ignore[attr-defined]
    faulty.faults.set(fault)
    with pytest.raises(requests.RequestException):
        get.session.get(get.base + LIST, timeout=0.3)  # type: ignore[attr-defined]
    faulty.faults.clear()
    assert get(LIST).status_code == 200


def test_a_body_drips(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("slow-drip:seconds=0.001")
    assert get(LIST, limit=1).json()["results"]


@pytest.mark.parametrize("fault", ["invalid-utf8", "cut-json", "deep-nesting", "truncated-gzip"])
def test_what_comes_is_no_json_that_can_be_read(faulty: Sandbox, get: Call, fault: str) -> None:
    faulty.faults.set(fault)
    with pytest.raises((ValueError, RecursionError)):
        json.loads(get(detail(faulty)).content.decode())


def test_json_that_only_careful_readers_refuse(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("duplicate-keys:n=1", "half-pair:n=1")
    assert get(detail(faulty)).text.count('"amount":"0.01"') == 1
    with pytest.raises(UnicodeEncodeError):
        json.dumps(get(detail(faulty)).json(), ensure_ascii=False).encode()


def test_a_body_is_as_large_as_asked(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("huge-body:size=1000000")
    assert 900_000 < len(get(LIST).content) < 1_100_000


def test_tokens_expire_and_logins_are_refused(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("token-expiry:n=1,after=1", "login-refused")
    assert [get(LIST).status_code for _ in range(3)] == [200, 401, 401]
    login = requests.post(get.base + "auth/login/", json={"username": "sandbox", "password": "sandbox"}, timeout=5)  # type: ignore[attr-defined]
    assert login.status_code == 400


def test_addresses_that_lead_away(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("redirect:url=http://elsewhere.test/x,n=1", "next-elsewhere:url=http://elsewhere.test/y,n=1")
    assert get(LIST).headers["Location"] == "http://elsewhere.test/x"
    assert get(LIST).json()["next"] == "http://elsewhere.test/y"
    faulty.faults.set("next-relative")
    assert get(LIST).json()["next"].startswith("/api/v1/orders/?")


def test_lists_that_are_not_what_they_seem(faulty: Sandbox, get: Call) -> None:
    right = [get(LIST, limit=4, page=page).json()["results"] for page in (1, 2, 3)]
    faulty.faults.set("page-repeats")
    assert get(LIST, limit=4, page=2).json()["results"] == right[0]
    faulty.faults.set("pages-shift")
    assert get(LIST, limit=4, page=2).json()["results"] == right[1][1:] + right[2][:1]
    faulty.faults.set("pages-turn")
    turned = [row["pk"] for row in every_page(get, LIST, limit=100)]
    assert (turned[0], len(turned), len(set(turned))) == (turned[-1], len(faulty.shop.order_pks()), len(turned) - 1)
    faulty.faults.set("capped:size=2")
    assert get(LIST, limit=4).json()["results"] == right[0][:2]
    faulty.faults.set("bare-list")
    assert len(get(LIST).json()) == len(faulty.shop.order_pks())


def test_answers_about_another_order(faulty: Sandbox, get: Call) -> None:
    pk = faulty.shop.order_pks()[-1]
    faulty.faults.set("other-order", "other-items", "order-404")
    assert get(detail(faulty)).json()["pk"] != pk
    assert get(ITEMS, order=pk).json()["results"][0]["order"] != pk
    faulty.faults.set("order-404")
    assert get(detail(faulty)).status_code == 404


def test_rows_and_copies_are_odd_where_that_is_asked_for(faulty: Sandbox, get: Call) -> None:
    right = get(LIST, limit=100).json()["results"]
    faulty.faults.set("odd-rows:size=3")
    odd = get(LIST, limit=100).json()["results"]
    assert [row["date_placed"] for row in odd[:3]] == [fields["date_placed"] for fields in list(ODD_ROWS.values())[:3]]
    assert odd[3:] == right[3:]
    faulty.faults.set("odd-rows")
    spoiled = get(LIST, limit=100).json()["results"]
    assert all(spoiled[n] == right[n] | fields for n, fields in enumerate(ODD_ROWS.values()))
    faulty.faults.set("odd-copies")
    document = get(detail(faulty)).json()
    copy = document["billing_address"]["customer"]
    assert copy["gender"] != document["customer"]["gender"]
    assert copy["modified_date"] == document["customer"]["modified_date"]


def test_clocks(faulty: Sandbox, get: Call) -> None:
    right = parsedate_to_datetime(get(LIST).headers["Date"])
    faulty.faults.set("clock-skew:seconds=600,n=1", "no-date")
    assert parsedate_to_datetime(get(LIST).headers["Date"]) - right == timedelta(seconds=600)
    assert "Date" not in get(LIST).headers


def test_a_fault_is_served_where_when_and_as_often_as_asked(faulty: Sandbox, get: Call) -> None:
    faulty.faults.set("500-html:path=*/orders/,after=1,n=2")
    assert [get(LIST).status_code for _ in range(4)] == [200, 500, 500, 200]
    assert get(detail(faulty)).status_code == 200
    faulty.faults.set("500-html:p=0.5")
    found = [get(LIST, limit=1).status_code for _ in range(60)]
    assert 10 < found.count(500) < 50
    assert faulty.faults.served["500-html"] == found.count(500)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nothing", "there are: 403-html, 403-json, 404-html"),
        ("stall:x=1", "none of path=, p=, n="),
        ("stall:p=2", "p=2 is not between 0 and 1"),
        ("stall:n=-1", "n=-1 is no whole number"),
        ("stall:seconds=soon", "seconds=soon is no number"),
        ("redirect", "needs url="),
    ],
)
def test_what_is_no_fault_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_fault(text)


def test_every_fault_can_be_asked_for_by_its_name_alone() -> None:
    for name in FAULTS:
        assert parse_fault(f"{name}:url=http://elsewhere.test").name == name
