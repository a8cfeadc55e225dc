"""Rows of landing as plain Python values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from order_assets.landing.landing_schema import plain_rows

_MOMENT = pa.timestamp("us", tz="UTC")


def test_plain_rows_are_what_arrow_gives() -> None:
    moments = [datetime(2026, 1, 5, 23, 59, 59, 999_999, UTC), None, datetime(1969, 12, 31, 23, 0, 0, 1, UTC)]
    rows = pa.table(
        {
            "pk": [1, 2, 3],
            "at": pa.chunked_array([moments[:1], moments[1:]], _MOMENT),
            "day": [date(2026, 1, 5), None, date(1969, 12, 31)],
            "local": pa.array([datetime(2026, 1, 5), None, None], pa.timestamp("ms")),
        }
    )
    found = plain_rows(rows)
    assert found == rows.to_pylist()
    assert [row["at"] for row in found] == moments
    assert found[0]["at"].isoformat() == "2026-01-05T23:59:59.999999+00:00"


def test_no_rows_are_no_plain_rows() -> None:
    assert plain_rows(pa.schema([("at", _MOMENT)]).empty_table()) == []
