"""A document per order is one declaration: orders that landed before it are due, its values come to the tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from order_assets.contract import CONTRACT, Document, Kind, Source, Table, column
from order_assets.contract.model import BIGINT, TEXT, order_pk
from order_assets.redaction import Privacy, PrivacyMode, Validator
from order_assets.sandbox import ShopSettings, running_sandbox
from order_assets.tables import table_file
from order_assets.testing.trial import Pipeline

DAY = date(2026, 1, 2)
PARCELS = Document("parcels", "orders_integration/{order_id}/parcels/", optional=True)
CONTRACT_WITH_PARCELS = CONTRACT.with_documents(PARCELS).with_tables(
    Table(
        name="parcels",
        description="Parcels of orders",
        grain="one row per parcel",
        kind=Kind.CHILD,
        key=("pk",),
        columns=(
            order_pk(),
            column("pk", BIGINT, "Primary key of the parcel", required=True),
            column("label", TEXT, "What is written on it"),
        ),
        sources=(Source(PARCELS, "parcel_set[]"),),
    )
)


def parcels(pk: int) -> dict[str, Any] | None:
    return None if pk % 3 == 0 else {"parcel_set": [{"pk": pk * 10, "label": f"parcel of {pk}", "new": 1}]}


def test_orders_that_landed_before_a_document_was_declared_are_due_once_and_its_values_come_to_parquet(
    tmp_path: Path,
) -> None:
    path = PARCELS.path
    with running_sandbox(ShopSettings(orders_per_day=6, start=DAY, further={path: parcels})) as sandbox:
        before = Pipeline(tmp_path, sandbox.url, DAY)
        before.sync()
        (first,) = before.refresh([DAY])
        before.maker.make(DAY)
        validator = Validator(CONTRACT_WITH_PARCELS, Privacy(PrivacyMode.CLEAR))
        after = Pipeline(tmp_path, sandbox.url, DAY, gate=validator, contract=CONTRACT_WITH_PARCELS)
        waiting = {found.day: found.reasons for found in after.way.stale_days(DAY, DAY)}
        (second,) = after.refresh([DAY])
        still = [found.reasons for found in after.way.stale_days(DAY, DAY) if "new_document" in found.reasons]
        (third,) = after.refresh([DAY])
        tables = after.maker.make(DAY)
    landed = first.outcomes["landed"]
    assert (first.due, second.due, third.due) == ({"new": landed}, {"new_document": landed}, {})
    assert (waiting[DAY]["new_document"], still) == (landed, [])
    assert not [found for found in tables.findings if not found.passed and found.asset == "parcels"]
    rows = pq.read_table(table_file(tmp_path, "parcels", DAY), partitioning=None).to_pylist()
    pks = pq.read_table(table_file(tmp_path, "orders", DAY), partitioning=None)["pk"].to_pylist()
    assert rows == [{"order_pk": pk, "pk": pk * 10, "label": f"parcel of {pk}"} for pk in pks if pk % 3]
    unknown = pq.read_table(table_file(tmp_path, "unmapped_fields", DAY), partitioning=None).to_pylist()
    assert [row["path"] for row in unknown if row["document"] == "parcels"] == ["parcel_set[0].new"] * len(rows)
