"""A budget in Postgres is that of all machines: their clocks do not matter, and without the database nobody asks."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from order_assets.omnitron import ClientSettings, OmnitronClient, OmnitronConfigError
from order_assets.sandbox import ShopSettings, running_sandbox
from order_assets.testing.servers import postgres, server_folder

from .conftest import TOKEN
from .scripted_shop import Reply
from .test_shared_budget import Serve, callers, calls_made, most_within

pytestmark = pytest.mark.long


def _other_clock(seconds: int) -> list[str]:
    """Before a command: it runs with a monotonic clock that is so far ahead, as that of another machine."""
    if shutil.which("unshare") is None:
        return []
    command = ["unshare", "--time", "--fork", "--monotonic", str(seconds)]
    tried = subprocess.run([*command, "true"], capture_output=True, timeout=10, check=False)
    return command if tried.returncode == 0 else []


def test_machines_with_clocks_of_their_own_keep_one_rate(database: str) -> None:
    settings = ShopSettings(orders_per_day=1, start=date(2026, 1, 1), now=datetime(2026, 1, 2, tzinfo=UTC))
    how = {"rate": 50, "places": 8, "seconds": 4}
    with (
        running_sandbox(settings) as sandbox,
        callers(1, sandbox.url, sandbox.token, database, **how) as here,
        callers(1, sandbox.url, sandbox.token, database, before=_other_clock(100_000), **how) as later,
        callers(1, sandbox.url, sandbox.token, database, before=_other_clock(5_000_000), **how) as latest,
    ):
        made = [calls_made(process) for process in (*here, *later, *latest)]
        moments = [record.at for record in sandbox.requests if record.path.endswith("/orders/")]
    assert sum(made) == len(moments)
    most = most_within(1, moments), most_within(0.1, moments)
    print(f"{len(moments)} in 4 s, at most {most[0]} in a second, {most[1]} in 100 ms")
    assert most[0] <= 55
    assert len(moments) >= 0.9 * 50 * 4
    assert min(made) > 0


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder() as made:
        yield made / "data"


def test_without_the_database_nothing_is_asked_and_it_is_said_without_the_password(folder: Path, serve: Serve) -> None:
    shop = serve(lambda _: Reply({}))
    with postgres(folder) as address:
        named = address.replace("postgres:@", "postgres:hunter2hunter2@")
        client = OmnitronClient(ClientSettings(shop.url, token=TOKEN, budget=named))
        client.get_json_bytes("orders/")
        asked = len(shop.asked)
    with client, pytest.raises(OmnitronConfigError, match="ORDER_ASSETS_BUDGET") as told:
        client.get_json_bytes("orders/")
    with pytest.raises(OmnitronConfigError, match="no request is made without it") as told_first:
        OmnitronClient(ClientSettings(shop.url, token=TOKEN, budget=named))
    assert len(shop.asked) == asked
    assert "hunter2" not in f"{told.value} {told_first.value} {client!r} {client.settings!r}"


def test_a_database_that_comes_back_is_used_again(folder: Path, serve: Serve) -> None:
    shop = serve(lambda _: Reply({}))
    with postgres(folder) as address:
        client = OmnitronClient(ClientSettings(shop.url, token=TOKEN, budget=address))
        client.get_json_bytes("orders/")
    with pytest.raises(OmnitronConfigError):
        client.get_json_bytes("orders/")
    with postgres(folder) as again, client:
        assert again == address
        assert client.get_json_bytes("orders/").status == 200
