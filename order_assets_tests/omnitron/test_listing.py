"""Walking the order list: every row is seen, and a broken list never looks like a short one."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from order_assets.omnitron import OmnitronAnswerError, OmnitronClient, OmnitronError, OmnitronNotFoundError

from .scripted_shop import Answer, Asked, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

INVALID_PAGE = Reply({"detail": "Invalid page."}, 404)


def rows(*pks: int) -> list[dict[str, Any]]:
    return [{"pk": pk, "number": f"n{pk}"} for pk in pks]


def page_of(found: list[dict[str, Any]], count: int | None, following: Any = None) -> Reply:
    return Reply({"count": count, "next": following, "previous": None, "results": found})


def paged(total: int, *, cap: int = 100, following: Any = "http://x/?page=2") -> Answer:
    """A list that behaves: `total` orders, at most `cap` per page, 404 past the end."""

    def answer(asked: Asked) -> Reply:
        size = min(int(asked.query["limit"]), cap)
        first = (asked.page - 1) * size
        found = list(range(first, min(first + size, total)))
        if not found and asked.page > 1:
            return INVALID_PAGE
        return page_of(rows(*found), total, following if first + size < total else None)

    return answer


def walk(client: OmnitronClient, **options: Any) -> list[int]:
    return [row["pk"] for page in client.list_orders(**options) for row in page.rows]


@pytest.mark.parametrize("total", [1, 99, 100, 101, 250])
def test_every_order_is_seen_once_and_no_page_too_many_is_asked(serve: Serve, connect: Connect, total: int) -> None:
    shop = serve(paged(total))
    assert walk(connect(shop)) == list(range(total))
    assert [asked.query for asked in shop.asked] == [
        {"limit": "100", "page": str(number)} for number in range(1, (total + 99) // 100 + 1)
    ]


def test_pages_carry_exact_rows_the_count_and_the_shops_clock(serve: Serve, connect: Connect) -> None:
    body = b'{"count": 1, "next": null, "results": [{"pk": 1, "number": 12345, "amount": 8.10}]}'
    shop = serve(in_turn(Reply(body, headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})))
    (page,) = connect(shop).list_orders(limit=7, params={"sort": "-modified_date", "page": 9})
    assert page.rows == [{"pk": 1, "number": 12345, "amount": Decimal("8.10")}]
    assert (page.number, page.count) == (1, 1)
    assert page.server_date == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert shop.asked[0].query == {"limit": "7", "page": "1", "sort": "-modified_date"}


def test_an_empty_shop_gives_one_empty_page(serve: Serve, connect: Connect) -> None:
    (page,) = connect(serve(in_turn(page_of([], 0)))).list_orders()
    assert (page.rows, page.count) == ([], 0)


def test_a_server_that_gives_smaller_pages_than_asked_for_is_walked_to_the_end(serve: Serve, connect: Connect) -> None:
    assert walk(connect(serve(paged(57, cap=10)))) == list(range(57))


def test_a_next_on_another_host_is_never_contacted(serve: Serve, connect: Connect) -> None:
    other = serve(in_turn(page_of(rows(666), 1)))
    shop = serve(paged(150, following=f"{other.url}/api/v1/orders/?page=2"))
    assert walk(connect(shop)) == list(range(150))
    assert other.asked == []


@pytest.mark.parametrize("following", ["/api/v1/orders/?page=2", "?page=77", "not an address", True, 2])
def test_a_relative_or_odd_next_means_more_and_nothing_else(serve: Serve, connect: Connect, following: object) -> None:
    assert walk(connect(serve(paged(150, following=following)))) == list(range(150))


def test_a_missing_next_does_not_end_the_walk_before_the_count(serve: Serve, connect: Connect) -> None:
    assert walk(connect(serve(paged(150, following=None)))) == list(range(150))


@pytest.mark.parametrize("past_the_end", [INVALID_PAGE, page_of([], 3, None), page_of([], 3, "more")])
def test_a_next_that_leads_nowhere_ends_the_walk_once_all_rows_were_seen(
    serve: Serve, connect: Connect, past_the_end: Reply
) -> None:
    shop = serve(in_turn(page_of(rows(1, 2, 3), 3, "more"), past_the_end))
    assert walk(connect(shop)) == [1, 2, 3]
    assert len(shop.asked) == 2


def test_a_bare_list_is_one_page(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply(rows(5, 4))))
    (page,) = connect(shop).list_orders()
    assert ([row["pk"] for row in page.rows], page.count) == ([5, 4], 2)
    assert len(shop.asked) == 1


def test_a_list_without_count_ends_with_next(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(page_of(rows(1), None, "more"), page_of(rows(2), None)))
    assert walk(connect(shop)) == [1, 2]


def test_an_order_that_comes_in_during_the_walk_breaks_nothing(serve: Serve, connect: Connect) -> None:
    # Newest first: the new order pushes 2 to the next page, where it is seen again.
    shop = serve(in_turn(page_of(rows(3, 2), 4, "more"), page_of(rows(2, 1), 5, "more"), page_of(rows(0), 5)))
    assert walk(connect(shop), limit=2) == [3, 2, 2, 1, 0]


def test_an_order_that_goes_away_during_the_walk_breaks_nothing(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(page_of(rows(5, 4), 4, "more"), page_of(rows(1), 3)))
    assert walk(connect(shop), limit=2) == [5, 4, 1]


@pytest.mark.parametrize(
    ("replies", "says"),
    [
        ([page_of(rows(1, 2), 4, "more"), page_of(rows(1, 2), 4)], "page 2 repeats an earlier page"),
        ([page_of(rows(1), 9, "m"), page_of(rows(2), 9, "m"), page_of(rows(1), 9, "m")], "page 3 repeats"),
        ([page_of(rows(1, 2), 4, "more"), page_of([], 4, "more")], "page 2 is empty"),
        ([page_of(rows(1, 2), 4, "more"), page_of([], 4)], "page 2 is empty"),
        ([page_of(rows(1), None, "more"), page_of([], None, "more")], "page 2 is empty"),
        ([page_of([], 4)], "page 1 is empty"),
        ([page_of(rows(1, 2), 4, "more"), INVALID_PAGE], "page 2 does not exist"),
        ([page_of(rows(1, 2), 4), INVALID_PAGE], "page 2 does not exist"),
        ([page_of(rows(1, 2), None, "more"), INVALID_PAGE], "page 2 does not exist"),
        ([page_of(rows(1), 0)], "has rows, but"),
        ([page_of(rows(1), -1)], "`count`"),
        ([Reply({"count": "2", "results": rows(1, 2)})], "`count`"),
        ([Reply({"count": True, "results": rows(1)})], "`count`"),
        ([Reply({"detail": "maintenance"})], "no list of objects"),
        ([Reply({"count": 1, "results": {"pk": 1}})], "no list of objects"),
        ([Reply(b'{"count": 2, "results": [{"pk": 1}, {"pk": ')], "page 1 is not JSON: it does not end"),
        ([Reply(b'{"count": 2, "detail": NaN}')], "has no list of rows"),
        ([Reply("text")], "neither an object nor a list"),
        ([Reply(b"null")], "neither an object nor a list"),
    ],
)
def test_a_list_that_cannot_be_right_is_an_error(
    serve: Serve, connect: Connect, replies: list[Reply], says: str
) -> None:
    with pytest.raises(OmnitronAnswerError, match=says) as caught:
        walk(connect(serve(in_turn(*replies))))
    assert caught.value.systemic
    assert "order list" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1", "it is a number, not an object"),
        ("1.5", "it is a number, not an object"),
        ('"secret"', "it is text, not an object"),
        ("null", "it is null, not an object"),
        ("[[], {}]", "it is a list, not an object"),
        ("{}", "it has no pk"),
        ('{"pk": "7"}', "its pk is text"),
        ('{"pk": true}', "its pk is true or false"),
        ('{"pk": null}', "its pk is null"),
        ('{"pk": 7.0}', "its pk is a number with a fraction"),
        ('{"pk": {"pk": 7}}', "its pk is an object"),
        ('{"pk": 9223372036854775808}', "its pk has more than 64 bits"),
        ('{"pk": 7, "amount": NaN}', "it is no JSON that can be read"),
        ('{"pk": 7, "amount": 1' + "0" * 5000 + "}", "it is no JSON that can be read"),
        ('{"pk": 7, "notes": ' + "[" * 3000 + "]" * 3000 + "}", "it is no JSON that can be read"),
        ('{"pk": 7, "notes": "one, \\"two] \x01}"}', "it is no JSON that can be read"),
        ('{"pk": 7 "number": "x"}', "it is no JSON that can be read"),
    ],
)
@pytest.mark.parametrize("envelope", ['{"count": 3, "next": null, "results": [%s]}', "[%s]"])
def test_an_odd_row_is_named_by_its_place_and_costs_no_other_row(
    serve: Serve, connect: Connect, text: str, problem: str, envelope: str
) -> None:
    good = '{"pk": %d, "number": "n", "extra_field": {"results": ["[,}"]}, "amount": 1.10}'
    body = envelope % f"{good % 1}, {text},{good % 3}"
    (page,) = connect(serve(in_turn(Reply(body.encode())))).list_orders()
    assert [(row["pk"], row["amount"]) for row in page.rows] == [(1, Decimal("1.10")), (3, Decimal("1.10"))]
    assert [(odd.page, odd.place, odd.problem) for odd in page.odd] == [(1, 2, problem)]
    assert (page.count, "secret" in repr(page)) == (3, False)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 500])
@pytest.mark.parametrize("page", [1, 2])
def test_a_refused_page_never_looks_like_the_end(serve: Serve, connect: Connect, status: int, page: int) -> None:
    good = [page_of(rows(number), 9, "more") for number in range(1, page)]
    shop = serve(in_turn(*good, Reply({"detail": "no"}, status)))
    with pytest.raises(OmnitronError):
        walk(connect(shop, retries=0))


def test_a_missing_list_says_which_address_was_asked(serve: Serve, connect: Connect) -> None:
    with pytest.raises(OmnitronNotFoundError, match=r"Order list, page 1: GET .*/api/v1/orders/ answered 404"):
        walk(connect(serve(in_turn(Reply({"detail": "Not found."}, 404)))))


def test_an_endless_list_ends(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_assets.omnitron.pagination.MOST_PAGES", 20)
    shop = serve(lambda asked: page_of(rows(asked.page), None, "more"))
    with pytest.raises(OmnitronAnswerError, match="more than 20 pages"):
        walk(connect(shop))
    assert len(shop.asked) == 20


def test_a_limit_below_one_is_refused(connect: Connect, closed_port: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        walk(connect(f"http://127.0.0.1:{closed_port}"), limit=0)
