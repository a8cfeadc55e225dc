"""Logging in to the stand-in, and what happens without."""

from __future__ import annotations

import pytest
import requests

from order_assets.sandbox import PASSWORD, USERNAME, Sandbox
from order_assets_tests.sandbox.calls import Call

PATHS = (
    "orders/",
    "orders/1",
    "order_number/1/",
    "orders_integration/27/detailed_integration/",
    "order_item/detailed_integration/",
    "discount_items/detailed_integration/",
    "order_transactions/",
)


def log_in(sandbox: Sandbox, version: str = "v1", **body: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/api/{version}/auth/login/", json=body, timeout=10)


@pytest.mark.parametrize("version", ["i1", "v1"])
def test_login_gives_a_token_that_opens_the_api(sandbox: Sandbox, version: str) -> None:
    token = log_in(sandbox, version, username=USERNAME, password=PASSWORD).json()["key"]
    assert len(token) == 40
    answer = requests.get(
        f"{sandbox.url}/api/{version}/orders/", headers={"Authorization": f"Token {token}"}, timeout=10
    )
    assert answer.status_code == 200


def test_wrong_password_is_a_400_with_a_reason(sandbox: Sandbox) -> None:
    answer = log_in(sandbox, username=USERNAME, password="guess")
    assert answer.status_code == 400
    assert isinstance(answer.json()["non_field_errors"], list)
    assert answer.json()["code"]


@pytest.mark.parametrize("body", [{}, {"username": USERNAME}, {"password": PASSWORD}])
def test_incomplete_login_names_what_is_missing(sandbox: Sandbox, body: dict[str, str]) -> None:
    answer = log_in(sandbox, **body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "required"


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"'])
def test_login_with_a_body_that_is_no_object_is_a_400(sandbox: Sandbox, body: str) -> None:
    answer = requests.post(f"{sandbox.url}/api/v1/auth/login/", data=body, timeout=10)
    assert answer.status_code == 400


@pytest.mark.parametrize("header", [None, "Token wrong", "Bearer {}", "{}", "token {}"])
@pytest.mark.parametrize("path", PATHS)
def test_no_call_without_the_token(sandbox: Sandbox, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.format(sandbox.token)}
    answer = requests.get(f"{sandbox.url}/api/i1/{path}", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert set(answer.json()) == {"detail", "code"}


def test_tokens_can_be_made_worthless_in_the_middle_of_a_walk(sandbox: Sandbox, get: Call) -> None:
    assert get("orders/").status_code == 200
    old = sandbox.token
    sandbox.invalidate_tokens()
    assert get("orders/", page=2).status_code == 401
    again = log_in(sandbox, username=USERNAME, password=PASSWORD).json()["key"]
    assert again not in ("", old)


def test_login_is_the_only_thing_that_can_be_posted(sandbox: Sandbox, get: Call) -> None:
    headers = {"Authorization": f"Token {sandbox.token}"}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("orders/", "orders_integration/27/detailed_integration/"):
            answer = requests.request(method, f"{sandbox.url}/api/v1/{path}", headers=headers, timeout=10)
            assert answer.status_code == 405
            assert method in answer.json()["detail"]
    assert get("auth/login/").status_code == 405
