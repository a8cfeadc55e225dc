"""A data root of its own for each test, and a small contract where thirty tables are not the point."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from order_assets.contract import CONTRACT, Contract

TABLES = ("orders", "transactions", "customers", "installments", "unmapped_fields")
COLUMNS = {"pk", "order_pk", "position", "number", "first_name", "extra_field", "modified_date"}


def small_contract() -> Contract:
    """A table of each kind, and a thing that has no modified date; few columns."""
    tables = [CONTRACT.table(name) for name in TABLES]
    return Contract(
        tuple(
            replace(
                table,
                columns=tuple(column for column in table.columns if column.name in COLUMNS or not column.nullable),
            )
            for table in tables
        )
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def few() -> Contract:
    return small_contract()
