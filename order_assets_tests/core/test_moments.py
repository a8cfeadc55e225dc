from datetime import UTC, datetime

import pytest

from order_assets.core.moments import read_moment, written_moment


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T15:00:00+03:00", "2026-01-31T12:00:00"])
def test_one_moment_is_read_the_same_however_it_is_written(text: str) -> None:
    assert read_moment(text) == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", None, 7, "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_breaks_nothing(text: object) -> None:
    assert read_moment(text) is None


def test_a_moment_is_written_as_the_api_takes_it() -> None:
    assert written_moment(datetime(2026, 1, 31, 12, tzinfo=UTC)) == "2026-01-31T12:00:00Z"
