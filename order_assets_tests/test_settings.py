"""Settings that say how the shop is treated: what users write is what runs get."""

from pathlib import Path

import pytest

from order_assets.defs.build import build_definitions
from order_assets.defs.resources import OmnitronResource
from order_assets.settings import SettingsError, from_environment

SHOP = {"OMNITRON_URL": "https://shop.example"}


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ({"ORDER_ASSETS_BUDGET_DIR": "/var/lib/orders", "XDG_STATE_HOME": "/state"}, Path("/var/lib/orders")),
        ({"XDG_STATE_HOME": "/state"}, Path("/state/order_assets")),
        ({"XDG_STATE_HOME": "relative"}, Path.home() / ".local/state/order_assets"),
        ({}, Path.home() / ".local/state/order_assets"),
    ],
)
def test_the_shared_budget_lies_where_state_of_a_user_lies(given: dict[str, str], folder: Path) -> None:
    assert from_environment(SHOP | given).budget_directory == folder


def test_the_embedded_sandbox_shares_its_budget_with_nobody() -> None:
    assert from_environment({"ORDER_ASSETS_BUDGET_DIR": "/var/lib/orders"}).budget_directory is None


def test_quiet_hours_that_cannot_be_read_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"ORDER_ASSETS_QUIET_HOURS.*22:00-06:00"):
        from_environment(SHOP | {"ORDER_ASSETS_QUIET_HOURS": "at night"})


def test_runs_get_the_budget_and_the_quiet_hours_of_the_settings(tmp_path: Path) -> None:
    given = {
        "OMNITRON_URL": "http://127.0.0.1:9",
        "ORDER_ASSETS_BUDGET_DIR": str(tmp_path / "state"),
        "ORDER_ASSETS_QUIET_HOURS": "22:00-06:00",
        "ORDER_ASSETS_TIMEZONE": "Europe/Istanbul",
    }
    resource = (build_definitions(from_environment(given)).resources or {})["omnitron"]
    assert isinstance(resource, OmnitronResource)
    with resource.model_copy(update={"token": "t"}).client() as client:
        assert client.settings.budget_directory == tmp_path / "state"
        quiet = client.settings.quiet()
        assert quiet is not None
        assert quiet.zone.key == "Europe/Istanbul"
    assert len(list((tmp_path / "state").iterdir())) == 1
