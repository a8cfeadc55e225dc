"""Tokens: used, renewed once for all threads, never hammered, never sent elsewhere."""

import json
import threading
from collections.abc import Callable

import pytest

from order_assets.omnitron import (
    OmnitronAnswerError,
    OmnitronAuthError,
    OmnitronClient,
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronUnavailableError,
)

from .conftest import TOKEN, VirtualTime
from .scripted_shop import Answer, Asked, Reply, ScriptedShop, in_turn

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

USER = {"token": None, "username": "warehouse-user", "password": "pa55-w0rd-of-test"}
UNAUTHORISED = Reply({"detail": "Invalid token.", "code": "not_authenticated"}, 401)


class TokenDesk:
    """Gives out tokens and accepts the last one only. `same_token`: the key stays, but a login revives it."""

    def __init__(self, *, same_token: bool = False) -> None:
        self.logins = 0
        self.valid = False
        self.same_token = same_token

    @property
    def token(self) -> str:
        return "the-one-token" if self.same_token else f"token-number-{self.logins}"

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/api/v1/auth/login/":
            credentials = {"username": USER["username"], "password": USER["password"]}
            assert asked.method == "POST"
            assert asked.headers["Content-Type"] == "application/json"
            if json.loads(asked.body) != credentials:
                return Reply({"non_field_errors": [f"no {asked.body.decode()}"], "code": "x"}, 400)
            self.logins += 1
            self.valid = True
            return Reply({"key": self.token})
        return Reply({"ok": 1}) if self.valid and asked.token == f"Token {self.token}" else UNAUTHORISED


def test_a_given_token_is_used_without_login(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({})))
    connect(shop, username="u", password="p").get_json_bytes("orders/")
    assert [(asked.method, asked.token) for asked in shop.asked] == [("GET", f"Token {TOKEN}")]


def test_the_first_call_logs_in_and_the_token_is_kept(serve: Serve, connect: Connect) -> None:
    desk = TokenDesk()
    client = connect(serve(desk), **USER)
    for _ in range(3):
        client.get_json_bytes("orders/")
    assert (desk.logins, client.counters.logins) == (1, 1)


@pytest.mark.parametrize("same_token", [False, True])
def test_eight_threads_that_lose_their_token_log_in_once(serve: Serve, connect: Connect, same_token: bool) -> None:
    desk = TokenDesk(same_token=same_token)
    client = connect(serve(desk), **USER)
    client.get_json_bytes("orders/")
    together = threading.Barrier(8, timeout=10)

    def meet(asked: Asked) -> Reply:
        if asked.method == "GET" and not desk.valid:
            # Hold the refusals back until all eight calls carry the old token.
            together.wait()
            return UNAUTHORISED
        return desk(asked)

    shop_answer, desk.valid = meet, False
    client_shop = serve(shop_answer)
    second = connect(client_shop, **USER)
    second._session._credentials._current = client._session._credentials._current
    outcomes = list(second.map_concurrently(lambda _: second.get_json_bytes("orders/").status, range(8)))
    assert [outcome.value for outcome in outcomes] == [200] * 8
    assert client_shop.count("auth/login/") == 1
    assert desk.logins == 2


def test_a_given_token_that_expired_is_replaced_by_a_login(serve: Serve, connect: Connect) -> None:
    desk = TokenDesk()
    client = connect(serve(desk), **{**USER, "token": "an-old-token"})
    assert client.get_json_bytes("orders/").retries == 1
    assert desk.logins == 1


def test_a_refused_token_without_a_login_says_which_variable(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(UNAUTHORISED))
    with pytest.raises(OmnitronAuthError, match="OMNITRON_TOKEN") as caught:
        connect(shop).get_json_bytes("orders/")
    assert caught.value.systemic
    assert len(shop.asked) == 1


def test_a_new_token_that_is_refused_too_stops_everything(serve: Serve, connect: Connect) -> None:
    shop = serve(lambda asked: Reply({"key": "abc-def"}) if asked.method == "POST" else UNAUTHORISED)
    with pytest.raises(OmnitronAuthError, match="401 twice") as caught:
        connect(shop, **USER).get_json_bytes("orders/")
    assert caught.value.systemic
    assert [asked.method for asked in shop.asked] == ["POST", "GET", "POST", "GET"]


def test_a_wrong_password_is_tried_once_however_many_threads_wait(serve: Serve, connect: Connect) -> None:
    shop = serve(TokenDesk())
    client = connect(shop, **{**USER, "password": "wr0ng-passw0rd"})
    with pytest.raises(OmnitronAuthError) as caught:
        list(client.map_concurrently(lambda _: client.get_json_bytes("orders/"), range(50)))
    with pytest.raises(OmnitronAuthError):
        client.get_json_bytes("orders/")
    assert [asked.path for asked in shop.asked] == ["/api/v1/auth/login/"]
    message = str(caught.value)
    assert "check OMNITRON_USERNAME and OMNITRON_PASSWORD" in message
    assert "wr0ng" not in message
    assert "warehouse-user" not in message


def test_sessions_that_somebody_keeps_ending_do_not_hammer_the_login(
    serve: Serve, connect: Connect, virtual: VirtualTime
) -> None:
    desk = TokenDesk()
    client = connect(serve(desk), **USER)
    for _ in range(3):
        client.get_json_bytes("orders/")
        desk.valid = False
    with pytest.raises(OmnitronAuthError, match="another program logs in as the same user"):
        client.get_json_bytes("orders/")
    assert desk.logins == 3


def test_a_shop_that_is_down_during_login_is_tried_again(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({}, 503), Reply(raw=b""), Reply({"key": "abc-def"}), Reply({})))
    assert connect(shop, **USER).get_json_bytes("orders/").status == 200
    assert [asked.method for asked in shop.asked] == ["POST", "POST", "POST", "GET"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(b"<html>welcome</html>", content_type="text/html"), OmnitronAnswerError),
        (Reply({"token": "abc"}), OmnitronAnswerError),
        (Reply({"key": ""}), OmnitronAnswerError),
        (Reply({"key": "two words\r\nX-Evil: 1"}), OmnitronAnswerError),
        (Reply([1]), OmnitronAnswerError),
        (Reply({}, 503), OmnitronUnavailableError),
        (Reply({"detail": "no"}, 404), OmnitronError),
        (Reply({"detail": "no"}, 403), OmnitronAuthError),
    ],
)
def test_a_login_that_gives_no_key_stops_everything(
    serve: Serve, connect: Connect, reply: Reply, kind: type[OmnitronError]
) -> None:
    with pytest.raises(kind) as caught:
        connect(serve(in_turn(reply)), retries=0, **USER).get_json_bytes("orders/")
    assert caught.value.systemic


def test_a_missing_right_stops_everything_and_says_whose(serve: Serve, connect: Connect) -> None:
    shop = serve(in_turn(Reply({"detail": "You do not have permission."}, 403)))
    with pytest.raises(OmnitronForbiddenError, match=r"You do not have permission.*right to read orders") as caught:
        connect(shop).get_json_bytes("orders/")
    assert caught.value.systemic
    assert len(shop.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_never_carries_the_token_to_another_host(serve: Serve, connect: Connect, status: int) -> None:
    thief = serve(in_turn(Reply({})))
    where = thief.url.replace("127.0.0.1", "localhost") + "/deep/path?secret=1"
    shop = serve(in_turn(Reply(b"", status, headers={"Location": where})))
    with pytest.raises(OmnitronAnswerError, match=r"redirect to localhost. It is not followed") as caught:
        connect(shop).get_json_bytes("orders/")
    assert thief.asked == []
    assert "secret" not in str(caught.value)
    assert "deep" not in str(caught.value)
    assert caught.value.systemic


@pytest.mark.parametrize("location", ["", "/login/", "http://[::1", "//:@/", "https://u:p4ssw0rd@other.example/"])
def test_a_strange_redirect_is_an_error_too(serve: Serve, connect: Connect, location: str) -> None:
    shop = serve(in_turn(Reply(b"", 302, headers={"Location": location})))
    with pytest.raises(OmnitronAnswerError, match="redirect") as caught:
        connect(shop).get_json_bytes("orders/")
    assert "p4ssw0rd" not in str(caught.value)
    # Two repeats, after a look at the other prefix: a firewall may let us through in a moment.
    assert len(shop.asked) == 5


def test_a_netrc_password_is_never_sent(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from pathlib import Path

    netrc = Path(str(tmp_path)) / "netrc"
    netrc.write_text("default login somebody password netrc-password\n")
    monkeypatch.setenv("NETRC", str(netrc))
    shop = serve(in_turn(Reply({})))
    connect(shop).get_json_bytes("orders/")
    assert shop.asked[0].token == f"Token {TOKEN}"
