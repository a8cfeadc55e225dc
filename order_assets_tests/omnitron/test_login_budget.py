"""Logins are few: one for all clients of a process, and three in six minutes for all processes together."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from order_assets.omnitron import ClientSettings, OmnitronAuthError, OmnitronClient, OmnitronUnavailableError
from order_assets.omnitron.auth import KEPT

from .conftest import NO_LIMIT, VirtualTime
from .scripted_shop import Answer, Asked, Reply, ScriptedShop

Serve = Callable[[Answer], ScriptedShop]
Connect = Callable[..., OmnitronClient]

USER = {"token": None, "username": "warehouse-user", "password": "pa55-w0rd-of-test"}


def desk(asked: Asked) -> Reply:
    """Gives everybody the same token."""
    return Reply({"key": "t0ken"}) if asked.method == "POST" else Reply({})


def test_two_clients_of_a_run_log_in_once_and_a_refused_token_is_renewed_once(serve: Serve, connect: Connect) -> None:
    valid = ["t0ken-1"]

    def answer(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply({"key": valid[0]})
        return Reply({}) if asked.token == f"Token {valid[0]}" else Reply({"detail": "no"}, 401)

    shop = serve(answer)
    for _ in range(2):
        connect(shop, **USER).get_json_bytes("orders/")
    assert shop.count("auth/login/") == 1
    valid[0] = "t0ken-2"
    for _ in range(2):
        connect(shop, **USER).get_json_bytes("orders/")
    assert shop.count("auth/login/") == 2
    # Another password is another login.
    connect(shop, **{**USER, "password": "another"}).get_json_bytes("orders/")
    assert shop.count("auth/login/") == 3


def process(shop: ScriptedShop, folder: Path, virtual: VirtualTime, **changes: object) -> OmnitronClient:
    """A client as a process of its own has it: it knows no token of the others, and shares the folder."""
    KEPT.clear()
    facts = {**USER, "requests_per_second": NO_LIMIT, "budget_directory": folder, **changes}
    settings = ClientSettings(shop.url, **facts)  # type: ignore[arg-type]
    return OmnitronClient(settings, clock=virtual.clock, sleep=virtual.sleep)


def test_the_fourth_login_in_six_minutes_waits_for_the_first_to_be_over(
    serve: Serve, tmp_path: Path, virtual: VirtualTime
) -> None:
    shop = serve(desk)
    times = []
    for _ in range(7):
        with process(shop, tmp_path, virtual) as client:
            client.get_json_bytes("orders/")
        times.append(virtual.now)
        virtual.now += 1
    assert shop.count("auth/login/") == 7
    assert all(later - earlier >= 360 for earlier, later in zip(times, times[3:], strict=False))
    assert times[2] - times[0] < 10


def test_a_login_whose_turn_does_not_come_says_so_and_what_to_do(
    serve: Serve, tmp_path: Path, virtual: VirtualTime
) -> None:
    shop = serve(desk)
    for _ in range(3):
        with process(shop, tmp_path, virtual) as client:
            client.get_json_bytes("orders/")
    with (
        process(shop, tmp_path, virtual, max_login_wait_seconds=100) as client,
        pytest.raises(OmnitronUnavailableError, match=r"three times in six minutes.*OMNITRON_TOKEN") as caught,
    ):
        client.get_json_bytes("orders/")
    assert caught.value.systemic
    assert shop.count("auth/login/") == 3
    with process(shop, tmp_path, virtual, token="g1ven") as client:
        assert client.get_json_bytes("orders/").status == 200


def test_a_429_of_the_login_is_waited_out_by_all_who_log_in_and_by_nobody_else(
    serve: Serve, tmp_path: Path, virtual: VirtualTime
) -> None:
    busy = [Reply({"detail": "Request was throttled."}, 429, headers={"Retry-After": "120"})]
    shop = serve(lambda asked: busy.pop() if busy and asked.method == "POST" else desk(asked))
    start = virtual.now
    with process(shop, tmp_path, virtual) as client:
        client.get_json_bytes("orders/")
    assert 120 <= virtual.now - start < 130
    busy.append(Reply({"detail": "Request was throttled."}, 429, headers={"Retry-After": "4000"}))
    with (
        process(shop, tmp_path, virtual) as client,
        pytest.raises(OmnitronUnavailableError, match="come back in 4000 s"),
    ):
        client.get_json_bytes("orders/")
    asked, now = shop.count("auth/login/"), virtual.now
    with process(shop, tmp_path, virtual) as client, pytest.raises(OmnitronUnavailableError, match="No login"):
        client.get_json_bytes("orders/")
    with process(shop, tmp_path, virtual, token="g1ven") as client:
        client.get_json_bytes("orders/")
    assert (shop.count("auth/login/"), virtual.now - now < 5) == (asked, True)


def test_a_refused_password_counts_as_a_login(serve: Serve, tmp_path: Path, virtual: VirtualTime) -> None:
    shop = serve(lambda asked: Reply({"non_field_errors": ["no"]}, 400))
    for _ in range(3):
        with process(shop, tmp_path, virtual) as client, pytest.raises(OmnitronAuthError):
            client.get_json_bytes("orders/")
    with process(shop, tmp_path, virtual, max_login_wait_seconds=0) as client, pytest.raises(OmnitronUnavailableError):
        client.get_json_bytes("orders/")
    assert shop.count("auth/login/") == 3


_CALLER = """
import sys
from pathlib import Path
from order_assets.omnitron import ClientSettings, OmnitronClient, OmnitronUnavailableError
settings = ClientSettings(sys.argv[1], username="u", password="p", budget_directory=Path(sys.argv[2]),
                          max_login_wait_seconds=0)
with OmnitronClient(settings) as client:
    sys.stdin.readline()
    try:
        client.get_json_bytes("orders/")
        print("in")
    except OmnitronUnavailableError:
        print("waits")
"""


def test_five_processes_at_once_log_in_three_times_together_and_keep_no_token_on_the_disk(
    serve: Serve, tmp_path: Path
) -> None:
    shop = serve(desk)
    command = [sys.executable, "-c", _CALLER, shop.url, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    for running in processes:
        assert running.stdin is not None
        running.stdin.write("go\n")
        running.stdin.flush()
    said = [running.communicate(timeout=60)[0].strip() for running in processes]
    assert sorted(said) == ["in"] * 3 + ["waits"] * 2
    assert shop.count("auth/login/") == 3
    assert not any(b"t0ken" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
