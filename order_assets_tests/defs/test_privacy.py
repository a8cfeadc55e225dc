"""What a shop sends and nobody may keep: credentials never, personal data as the settings say."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from starlette.responses import RedirectResponse, Response

from order_assets import cli
from order_assets.contract import CONTRACT
from order_assets.defs.keys import order_documents_key
from order_assets.omnitron.session import Session
from order_assets.testing.stored import found_in
from order_assets.testing.tampering import Tamper, answer, detail_of
from order_assets_tests.defs.conftest import Project
from order_assets_tests.defs.test_runs import orders_of
from order_assets_tests.landing.samples import put
from order_assets_tests.landing.test_scrub import PLANTED

DAY = "2026-03-03"
# Orders of the day that have transactions and shipments to plant in, and two others.
GOOD, REFUSED, TORN, GARBAGE = 1012, 1014, 1015, 1017
LOCKED, SCOLDED = 1013, 1016


def canary(number: int) -> str:
    """A secret that looks like none: only where it stands can give it away."""
    return f"Serce{number:02d}zK4wP8"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def planted(body: bytes, **changes: Any) -> bytes:
    document = {**json.loads(body), "extra_field": {}, **changes}
    for path, value, _ in PLANTED:
        put(document, path, value)
    # The copies of the customer stay the same as each other, as in any order.
    for name in ("shipping_address", "billing_address"):
        document[name]["customer"]["attributes"] = document["customer"]["attributes"]
    return json.dumps(document, ensure_ascii=False).encode()


def rows_of(path: str, pk: int, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Tamper:
    """Change the rows of a list that belongs to an order, or of a list as such."""

    def rule(address: str, body: bytes) -> Response | None:
        if path not in address or (pk and f"order={pk}&" not in address):
            return None
        page = json.loads(body)
        rows = change(page["results"])
        return Response(
            json.dumps({**page, "results": rows, "count": max(page["count"], len(rows))}).encode(),
            media_type="application/json",
        )

    return rule


def with_spare_conf(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **row,
            "extra_field": {"pos": {"api_key": canary(1)}, "note": f"password: {canary(2)}"},
            "tracking_url": f"https://cargo.example/t?token={quote_plus(canary(3) + ' ş')}",
            "product": {**row["product"], "attributes": {f"Bearer {b64(canary(4) * 2)}": "1"}},
            "sync_secret": canary(5),
        }
        for row in rows
    ]


def with_discount(order_pk: int) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    def change(_rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        promotion = {"pk": 7, "webhook": f"https://svc:{canary(6)}@hooks.example/x", "auth": canary(7)}
        return [{"pk": 990001, "order": order_pk, "name": "spring", "amount": "0.00", "promotion": promotion}]

    return change


def with_list_secrets(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # What the order list says of an order is stored as well.
    return [
        {
            **row,
            "checkout_provider_id": {"provider": "pay", "api_key": canary(8)},
            "channel": f"Bearer {canary(30)}",
            "session_token": canary(9),
        }
        for row in rows
    ]


CANARIES = {secret for _, _, secrets in PLANTED for secret in secrets if len(secret) > 4}
CANARIES |= {canary(number) for number in range(1, 32)}
CANARIES |= {b64(canary(4) * 2), quote_plus(canary(3) + " ş"), b64(f"svc:{canary(16)}"), b64(canary(13))}


def assert_nothing_leaked(project: Project, told: str) -> None:
    left = {f"{secret[:7]} in {place}" for place, secret in found_in(project.root, CANARIES)}
    assert not left, sorted(left)
    assert [secret for secret in CANARIES if secret in told] == []


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeats without waits."""
    monkeypatch.setattr(Session, "_backoff", lambda _session, _retries, **_: 0.0)


@pytest.mark.long
@pytest.mark.usefixtures("hasty")
def test_no_canary_is_left_by_runs_that_go_well_badly_and_into_quarantine(
    project: Project, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert len(CANARIES) >= 60
    page = f"<html><title>Error</title><p>token {canary(10)} expired; Authorization: Basic {b64('svc:' + canary(16))}"
    locked = {"detail": f"order is locked by api_key={canary(11)}", "code": canary(12), "trace": b64(canary(13))}
    project.tampered.rules += [
        rows_of("/api/v1/orders/", 0, with_list_secrets),
        detail_of(GOOD, planted),
        rows_of("/order_item/", GOOD, with_spare_conf),
        rows_of("/discount_items/", GOOD, with_discount(GOOD)),
        detail_of(REFUSED, lambda body: planted(body, amount="sixteen")),
        rows_of("/order_item/", REFUSED, with_spare_conf),
        detail_of(TORN, lambda body: f"login=shop&password={canary(14)} ".encode() + planted(body)[:3000]),
        detail_of(GARBAGE, lambda body: planted(body) + f"token={canary(15)}".encode()),
        answer(f"/orders_integration/{LOCKED}/", 409, json.dumps(locked)),
        answer(f"/orders_integration/{SCOLDED}/", 400, page, "text/html"),
        answer("/orders_integration/1011/", 500, json.dumps({"detail": f"secret {canary(17)} is not valid"})),
        answer(
            "/orders_integration/1007/", 500, f"<p>GET /?password={canary(18)} failed: {canary(19)}</p>", "text/html"
        ),
        answer("/orders_integration/1008/", 200, f'"Bearer {canary(20)}"'),
        answer("/orders_integration/1009/", 404, json.dumps({"detail": f"not found by {canary(21)}"})),
        answer("/orders_integration/1010/", 404, f"<p>{canary(22)} not found</p>", "text/html"),
        answer("/orders_integration/1006/", 200, f'{{"token": "{canary(23)}"', "application/json"),
    ]
    code = cli.main(["run", "--from", "2026-03-02", "--to", DAY])
    told = capfd.readouterr()
    assert code == 1
    assert "could not be fetched" in told.err, told.err
    rows = project.query("SELECT order_pk, outcome FROM order_ledger WHERE date = '2026-03-03' ORDER BY 1")
    assert rows == [
        (GOOD, "landed"),
        (LOCKED, "pending"),
        (REFUSED, "quarantined"),
        (TORN, "quarantined"),
        (SCOLDED, "pending"),
        (GARBAGE, "quarantined"),
    ]
    assert cli.main(["quarantine", "list"]) == 0
    assert cli.main(["replay", "--from", "2026-03-02", "--to", DAY]) == 0
    after = capfd.readouterr()
    assert_nothing_leaked(project, "".join((told.out, told.err, after.out, after.err, caplog.text)))
    # The search itself works: what may stay is found.
    assert {place.split("/")[1] for place, _ in found_in(project.root, ["[redacted]"])} >= {"landing", "tables"}


@pytest.mark.parametrize(
    "rule",
    [
        answer("/auth/login/", 400, json.dumps({"non_field_errors": [f"no user with password {canary(24)}"]})),
        answer("/auth/login/", 200, json.dumps({"key": "", "debug": canary(25)})),
        answer("/api/v1/orders/", 403, json.dumps({"detail": f"token {canary(26)} may not"})),
        answer("/api/v1/orders/", 200, f'{{"results": [{{"pk": 1, "number": "{canary(27)}"'),
        lambda address, _body: (
            RedirectResponse(f"https://svc:{canary(28)}@login.example/?token={canary(29)}")
            if "1/orders/" in address
            else None
        ),
        pytest.param(
            rows_of("/api/v1/orders/", 0, lambda rows: [{**row, "modified_date": f"pin={canary(31)}"} for row in rows]),
            marks=pytest.mark.long,
        ),
    ],
    ids=["login refused", "login strange", "forbidden", "torn list", "redirect", "strange time"],
)
def test_no_canary_is_left_by_a_listing_that_fails(
    project: Project,
    rule: Tamper,
    request: pytest.FixtureRequest,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    project.tampered.rules.append(rule)
    code = cli.main(["run", "--from", DAY, "--to", DAY])
    told = capfd.readouterr()
    if request.node.callspec.id == "strange time":
        # It keeps no order from being placed.
        assert code == 0, told.err
    else:
        assert code == 1
        assert "order-assets: " in told.err
    assert_nothing_leaked(project, told.out + told.err + caplog.text)


PERSONAL = [(table.name, column.name) for table in CONTRACT for column in table.columns if column.personal]
DAYS = ("2026-03-01", "2026-03-03")


def emails(project: Project) -> dict[str, set[str]]:
    """Which stored e-mails stand for each real one, in customers, addresses and transactions of all days."""
    stored: dict[str, set[str]] = {}
    real = {order["pk"]: order for order in map(project.sandbox.shop.order_detail, shop_pks(project))}
    for pk, *found in project.query(
        """SELECT o.pk, c.email, b.email, t.user_email FROM orders o
        JOIN customers c ON c.pk = o.customer_pk JOIN addresses b ON b.pk = o.billing_address_pk
        LEFT JOIN transactions t ON t.order_pk = o.pk"""
    ):
        order = real[pk]
        said = [order["customer"]["email"], order["billing_address"]["email"]]
        said += [paid["user_email"] for paid in order["transaction_set"][:1]] or [None]
        for email, kept in zip(said, found, strict=True):
            if email is not None:
                stored.setdefault(email.casefold(), set()).add(str(kept))
    return stored


def shop_pks(project: Project) -> list[int]:
    return [pk for day in ("2026-03-01", "2026-03-02", "2026-03-03") for pk in orders_of(project, day)]


def personal_values(project: Project) -> set[str]:
    """E-mails, phones and address lines as the shop has them."""
    people = [project.sandbox.shop.order_detail(pk) for pk in shop_pks(project)]
    found = {order["customer"]["email"] for order in people} | {order["shipping_address"]["line"] for order in people}
    return found | {phone for order in people if (phone := order["customer"]["phone_number"])}


def reasons(project: Project) -> object:
    event = project.instance.get_latest_materialization_event(order_documents_key())
    assert event is not None
    assert event.asset_materialization is not None
    return event.asset_materialization.metadata["due"].value


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_tokens_join_people_across_tables_and_days_and_tell_nothing(project: Project) -> None:
    assert project.refresh(*DAYS).succeeded
    stored = emails(project)
    assert all(len(tokens) == 1 for tokens in stored.values())
    assert len({token for tokens in stored.values() for token in tokens}) == len(stored)
    assert all(token.startswith("email_") for tokens in stored.values() for token in tokens)
    (returning,) = project.query(
        """SELECT count(*) FROM transactions one JOIN transactions other USING (user_email)
        WHERE one.order_pk = 1002 AND other.order_pk = 1012 AND one.date <> other.date"""
    )[0]
    assert returning >= 1
    assert found_in(project.root, personal_values(project)) == []


@pytest.mark.long
@pytest.mark.usefixtures("listed")
def test_each_change_of_the_settings_fetches_again_and_the_tables_follow(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.refresh(*DAYS).succeeded
    tokens = emails(project)
    sums = project.query("SELECT count(*), sum(amount) FROM orders")

    def change(name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        # As a new process would; in one process Dagster keeps the definitions of the job that it ran last.
        assert project.sync().succeeded

    change("ORDER_ASSETS_PII", "drop")
    assert project.refresh(*DAYS).succeeded
    assert reasons(project) == {"privacy settings changed": 6}
    for table, column in PERSONAL:
        assert project.query(f"SELECT count({column}) FROM {table}") == [(0,)], (table, column)
    assert found_in(project.root, personal_values(project)) == []

    change("ORDER_ASSETS_PII", "clear")
    assert project.refresh(*DAYS).succeeded
    assert {email: {kept.casefold() for kept in stored} for email, stored in emails(project).items()} == {
        email: {email} for email in tokens
    }
    asked = len(project.document_requests())
    assert project.refresh(*DAYS).succeeded
    assert len(project.document_requests()) == asked

    monkeypatch.setenv("ORDER_ASSETS_PII_KEY", "another long random text")
    change("ORDER_ASSETS_PII", "tokenise")
    assert project.refresh(*DAYS).succeeded
    assert reasons(project) == {"privacy settings changed": 6}
    assert all(len(stored) == 1 for stored in emails(project).values())
    assert all(tokens[email].isdisjoint(stored) for email, stored in emails(project).items())
    assert project.query("SELECT count(*), sum(amount) FROM orders") == sums
    for folder in ("landing", "tables"):
        assert found_in(project.data / folder, personal_values(project)) == [], folder
