"""The names that the package gives to others."""

from pathlib import Path

import pytest

import order_assets


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in order_assets.__all__:
        found = getattr(order_assets, name)
        assert not callable(found) or found.__doc__, name


def test_a_name_that_is_not_public_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="not_there"):
        order_assets.not_there  # noqa: B018 - reading it is the test


def test_a_file_name_occurs_once_in_the_package() -> None:
    names = [path.name for path in Path(order_assets.__file__).parent.rglob("*.py") if not path.name.startswith("__")]
    assert sorted(name for name in names if names.count(name) > 1) == []


def test_whoever_lists_the_names_of_the_package_finds_the_component() -> None:
    assert set(order_assets.__all__) <= set(dir(order_assets))
