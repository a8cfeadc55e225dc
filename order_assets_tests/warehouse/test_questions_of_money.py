"""The questions of examples/questions about money, parcels and states, answered once more in pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from order_assets.contract import CONTRACT
from order_assets.warehouse import load_days, open_readonly
from order_assets.warehouse.marts import MARTS
from order_assets_tests.warehouse.recomputed_marts import Tables, recomputed
from order_assets_tests.warehouse.recomputed_sales import SETTINGS
from order_assets_tests.warehouse.sandbox_days import make_days

QUESTIONS = Path(__file__).parents[2] / "examples" / "questions"
Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Shop:
    root: Path
    frames: Frames


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return made(tmp_path_factory.mktemp("questions"), days=3, per_day=50)


def made(root: Path, *, days: int, per_day: int) -> Shop:
    made_days = make_days(root, date(2026, 1, 5), days, per_day)
    load_days(root, made_days, contract=CONTRACT, marts=MARTS, contract_version="1", settings=SETTINGS)
    return Shop(root, recomputed(Tables(root, made_days)))


def payment_mix(frames: Frames) -> list[tuple[Any, ...]]:
    sold = frames["fct_payments"].query("is_sale")
    return [
        (
            *key,
            of_group["order_pk"].nunique(),
            total(of_group["captured_amount"]),
            total(of_group["expected_amount"]),
            total(of_group["amount"][of_group["capture_state"] == "unknown"]),
        )
        for key, of_group in sold.groupby(["currency", "payment_method"])
    ]


def success_by_bank_and_instalments(frames: Frames) -> list[tuple[Any, ...]]:
    cards = frames["fct_payments"].query("payment_method == 'credit_card' and attempt_kind == 'purchase'")
    paid = cards[cards["succeeded"] == True]  # noqa: E712
    return [
        (bank, int(count), len(of_group), at_once, round(100 * at_once / len(of_group), 1))
        for (bank, count), of_group in paid.groupby(["bank", "installment_count"])
        for at_once in [int((of_group["retries_until_success"] == 0).sum())]
    ]


def success_by_gateway(frames: Frames) -> list[tuple[Any, ...]]:
    cards = frames["fct_payments"].query("payment_method == 'credit_card'")
    return [
        (gateway, len(of_group), good, round(100 * good / len(of_group), 1))
        for gateway, of_group in cards.groupby("gateway")
        for good in [int((of_group["succeeded"] == True).sum())]  # noqa: E712
    ]


def authorised_not_captured(frames: Frames) -> list[tuple[Any, ...]]:
    frame = frames["fct_payments"]
    # Nothing of the stand-in stays reserved; what does is tried by hand.
    reserved = frame[
        [bool(s and a) for s, a in zip(frame["is_sale"], frame["authorised_amount"].fillna(0), strict=True)]
    ]
    return [
        (*key, total(of_group["authorised_amount"]))
        for key, of_group in reserved.groupby(["order_date", "order_pk", "currency"])
    ]


def refunds_by_day(frames: Frames) -> list[tuple[Any, ...]]:
    refunds = frames["fct_refunds"].query("not is_restated")
    return [
        (*key, len(of_group), total(of_group["amount"]))
        for key, of_group in refunds.groupby(["refund_date", "currency", "reason_kind"])
    ]


def cash_by_day(frames: Frames) -> list[tuple[Any, ...]]:
    payments, refunds = frames["fct_payments"].query("capture_state == 'captured'"), frames["fct_refunds"]
    ours = refunds[~refunds["is_restated"] & (refunds["payment_method"] != "marketplace")]
    came, went = "payment_date", "refund_date"
    came_in = payments.groupby([came, "currency"])["captured_amount"].agg(total)
    went_out = ours.groupby([went, "currency"])["amount"].agg(total)
    keys = sorted({*came_in.index, *went_out.index})
    rows = [(*key, came_in.get(key, 0), went_out.get(key, 0)) for key in keys]
    return [(*row, row[2] - row[3]) for row in rows]


def delivery_time(frames: Frames) -> list[tuple[Any, ...]]:
    parcels = frames["fct_shipments"].dropna(subset=["hours_in_transit"])
    hours = parcels.groupby(["carrier", "city"])["hours_in_transit"]
    return [(*key, len(of_group), of_group.median(), of_group.quantile(0.9)) for key, of_group in hours]


def funnel(frames: Frames) -> list[tuple[Any, ...]]:
    changes = frames["fct_order_status_changes"].query("is_history_observed")
    steps = ["in_progress", "on_the_way", "delivered", "refunded"]
    reached = [changes[changes["to_group"].isin(steps[first:])]["order_pk"].nunique() for first in range(3)]
    hours = changes[changes["to_group"] == "in_progress"]["hours_in_state"].astype(float)
    return [(changes["order_pk"].nunique(), *reached, hours.median())]


def total(amounts: Any) -> Any:
    known = [amount for amount in amounts if not pd.isna(amount)]
    return sum(known) if known else None


ANSWERS: list[Callable[[Frames], list[tuple[Any, ...]]]] = [
    payment_mix,
    success_by_bank_and_instalments,
    success_by_gateway,
    authorised_not_captured,
    refunds_by_day,
    cash_by_day,
    delivery_time,
    funnel,
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
def test_a_question_of_the_first_week_is_answered_right_in_ten_lines(shop: Shop, answer: Any) -> None:
    sql = (QUESTIONS / f"{answer.__name__}.sql").read_text(encoding="utf-8")
    assert len(sql.splitlines()) <= 10
    check(shop, sql, answer)


@pytest.mark.long
def test_the_questions_are_answered_right_over_sixty_days(tmp_path: Path) -> None:
    sixty = made(tmp_path, days=60, per_day=20)
    for answer in ANSWERS:
        check(sixty, (QUESTIONS / f"{answer.__name__}.sql").read_text(encoding="utf-8"), answer)


def check(shop: Shop, sql: str, answer: Callable[[Frames], list[tuple[Any, ...]]]) -> None:
    connection = open_readonly(shop.root)
    try:
        rows = connection.execute(sql).fetchall()
    finally:
        connection.close()
    expected = answer(shop.frames)
    assert len(rows) == len(expected)
    assert rows or answer is authorised_not_captured
    for found, wanted in zip(rows, expected, strict=True):
        assert found == tuple(pytest.approx(value) if isinstance(value, float) else value for value in wanted)
