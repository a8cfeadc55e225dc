"""Tables as data frames: the rows of the days asked for, typed, and an answer that helps where something is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from order_assets import TableAccessError, read_table
from order_assets.contract import CONTRACT
from order_assets.contract.arrow import arrow_schema
from order_assets.contract.shape import contract_version
from order_assets.landing.landing_schema import LEDGER_SCHEMA
from order_assets.pipeline.build_day import DayBuilder, DayJob
from order_assets.redaction import Privacy, PrivacyMode
from order_assets.testing.landed_days import land_day
from order_assets.warehouse import load_days
from order_assets.warehouse.marts import MARTS

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(3)]
ORDERS = 8


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access") / "data"
    maker = DayBuilder(DayJob(folder, CONTRACT, Privacy(PrivacyMode.TOKENISE, "k"), 0.0, 0, frozenset(), frozenset()))
    for number, day in enumerate(DAYS):
        landing = land_day(folder, day, ORDERS, first_turn=number)
        rows = [{"number": str(pk), **row} for pk, row in landing.current().items()]
        landing.write_ledger([{name: row[name] for name in LEDGER_SCHEMA.names if name in row} for row in rows])
        maker.make(day)
    load_days(folder, DAYS, contract=CONTRACT, marts=MARTS, contract_version=contract_version(CONTRACT))
    return folder


def test_a_range_of_days_has_both_ends_and_a_column_that_says_the_day(root: Path) -> None:
    frame = read_table("orders", "2026-01-02", DAYS[2], data_root=root)
    assert list(frame.columns) == ["date", *CONTRACT.table("orders").column_names]
    assert frame["date"].value_counts().to_dict() == {DAYS[1]: ORDERS, DAYS[2]: ORDERS}
    assert len(read_table("orders", data_root=root)) == 3 * ORDERS


def test_amounts_are_decimals_times_are_utc_and_keys_stay_whole_numbers(root: Path) -> None:
    frame = read_table("orders", data_root=root, columns=["pk", "amount", "date_placed", "cargo_company_pk"])
    assert all(type(amount) is Decimal for amount in frame["amount"].dropna())
    assert str(frame["date_placed"].dt.tz) == "UTC"
    assert frame["pk"].dtype == frame["cargo_company_pk"].dtype == pd.Int64Dtype()


def test_arrow_has_the_types_of_the_contract(root: Path) -> None:
    rows = read_table("transactions", data_root=root, arrow=True)
    assert rows.schema.remove(0).equals(arrow_schema(CONTRACT.table("transactions")))
    assert rows.schema.field(0).type == pa.date32()


def test_a_range_without_days_has_all_columns_and_no_row(root: Path) -> None:
    frame = read_table("orders", "2030-01-01", data_root=root)
    assert len(frame) == 0
    assert list(frame.columns) == ["date", *CONTRACT.table("orders").column_names]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"table": "transaction"}, "did you mean transactions"),
        ({"table": "fct_orders"}, r"fct_orders is a mart.*warehouse\.duckdb.*select \* from marts\.fct_orders"),
        ({"table": "marts.dim_customers"}, r"select \* from marts\.dim_customers"),
        ({"table": "Orders"}, "did you mean orders"),
        ({"table": "orders", "columns": ["amout"]}, "no column 'amout'; did you mean amount"),
        ({"table": "orders", "start": "2026-02-02", "end": "2026-02-01"}, "ends before it starts"),
        ({"table": "orders", "start": "yesterday"}, "start is 'yesterday', which is not a date"),
        ({"table": "orders", "data_root": "/nowhere/data"}, "/nowhere/data has no tables"),
    ],
)
def test_a_mistake_is_answered_with_what_there_is(root: Path, asked: dict[str, object], says: str) -> None:
    with pytest.raises(TableAccessError, match=says):
        read_table(**{"data_root": root, **asked})  # type: ignore[call-overload]


def test_the_data_root_is_that_of_the_environment(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDER_ASSETS_DATA", str(root))
    assert len(read_table("orders", DAYS[0], DAYS[0])) == ORDERS


def test_the_example_runs_on_a_data_root(root: Path) -> None:
    example = Path(__file__).parents[1] / "examples" / "first_look.py"
    environment = {**os.environ, "ORDER_ASSETS_DATA": str(root)}
    done = subprocess.run(
        [sys.executable, str(example)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{3 * ORDERS} orders of 3 days")


def test_importing_the_package_loads_no_part_of_it() -> None:
    code = (
        "import sys, order_assets; print(sorted(m for m in sys.modules if m.startswith(('order_assets.', 'pyarrow'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def several_contracts(root: Path, tmp_path: Path) -> Path:
    """The three days, of which the first was made before a column was added and another one changed its type."""
    folder = tmp_path / "data"
    shutil.copytree(root / "tables", folder / "tables")
    file = folder / "tables" / "orders" / f"date={DAYS[0]}" / "part-0.parquet"
    rows = pq.read_table(file)
    there = rows.schema.get_field_index("channel_pk")
    rows = rows.set_column(there, "channel_pk", rows["channel_pk"].cast(pa.string()))
    rows = rows.drop_columns(["number", "currency"]).append_column("gone", pa.array(["x"] * rows.num_rows))
    pq.write_table(rows, file)
    return folder


def test_days_of_an_older_contract_have_nothing_in_the_columns_that_are_new_and_none_that_are_gone(
    root: Path, several_contracts: Path
) -> None:
    expected = read_table("orders", data_root=root, arrow=True)
    found = read_table("orders", data_root=several_contracts, arrow=True)
    assert found.schema.names == expected.schema.names
    assert [field.type for field in found.schema] == [field.type for field in expected.schema]
    assert found["channel_pk"] == expected["channel_pk"]
    assert found["number"].null_count == found["currency"].null_count == ORDERS
    assert found["number"].slice(ORDERS) == expected["number"].slice(ORDERS)
    frame = read_table("orders", data_root=several_contracts, columns=["number", "channel_pk"])
    assert list(frame.columns) == ["date", "number", "channel_pk"]
    assert len(frame) == 3 * ORDERS
    assert frame["channel_pk"].dtype == pd.Int64Dtype()


def test_columns_that_an_old_day_lacks_altogether_are_read_as_nothing_with_all_its_rows(
    several_contracts: Path,
) -> None:
    frame = read_table("orders", DAYS[0], DAYS[0], data_root=several_contracts, columns=["number", "currency"])
    assert len(frame) == ORDERS
    assert frame[["number", "currency"]].isna().all().all()


def test_an_old_value_that_does_not_fit_todays_type_is_said_with_its_day_and_what_to_do(
    several_contracts: Path,
) -> None:
    file = several_contracts / "tables" / "orders" / f"date={DAYS[0]}" / "part-0.parquet"
    rows = pq.read_table(file)
    there = rows.schema.get_field_index("channel_pk")
    pq.write_table(rows.set_column(there, "channel_pk", pa.array(["secret"] * rows.num_rows)), file)
    with pytest.raises(TableAccessError) as raised:
        read_table("orders", data_root=several_contracts)
    said = str(raised.value)
    assert "channel_pk in orders of 2026-01-01 is string" in said
    assert "order-assets replay --stale" in said
    assert "secret" not in said
    assert len(read_table("orders", data_root=several_contracts, columns=["pk"])) == 3 * ORDERS
