"""Starting, moving and stopping the stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from order_assets.sandbox import Sandbox, SandboxError, Shop, ShopSettings, running_sandbox
from order_assets_tests.sandbox.calls import NOW, SETTINGS, Call, caller

DETAIL = "orders_integration/{}/detailed_integration/"


def test_sandboxes_run_side_by_side_and_leave_nothing_behind() -> None:
    before = threading.active_count()
    with running_sandbox(SETTINGS) as one, running_sandbox(replace(SETTINGS, seed=9)) as other:
        assert one.url != other.url
        assert one.url.startswith("http://127.0.0.1:")
        assert one.token != other.token
        with caller(one) as get_one, caller(other) as get_other:
            assert get_one("orders/").content != get_other("orders/").content
    with pytest.raises(requests.ConnectionError):
        requests.get(one.url, timeout=2)
    assert threading.active_count() <= before


def test_a_taken_port_is_a_clear_error(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(SandboxError, match=rf"127.0.0.1:{port}.*port 0"), running_sandbox(port=port):
        pass


def test_moving_the_clock_shows_the_orders_of_that_moment(sandbox: Sandbox, get: Call) -> None:
    pk = sandbox.shop.order_pks()[0]
    first = get(DETAIL.format(pk)).json()
    count = get("orders/").json()["count"]
    sandbox.advance(timedelta(days=15))
    assert get("orders/").json()["count"] == len(sandbox.shop.order_pks()) > count + 300
    moved = get(DETAIL.format(pk)).json()
    assert moved == sandbox.shop.order_detail(pk)
    assert moved["status"] != first["status"]
    sandbox.set_now(NOW)
    assert get(DETAIL.format(pk)).json() == first


def test_another_shop_can_be_served_in_its_place(sandbox: Sandbox, get: Call) -> None:
    pk = sandbox.shop.order_pks()[0]
    kept, old = get(DETAIL.format(pk)).json(), sandbox.shop
    sandbox.replace_shop(Shop(replace(SETTINGS, seed=77)))
    assert get(DETAIL.format(pk)).json() == sandbox.shop.order_detail(pk) != kept
    sandbox.replace_shop(old)
    assert get(DETAIL.format(pk)).json() == kept


def test_without_a_set_time_the_real_clock_counts() -> None:
    with running_sandbox(ShopSettings()) as sandbox, caller(sandbox) as get:
        answer = get("orders/", limit=1)
        assert abs(parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)) < timedelta(seconds=5)
        assert answer.json()["count"] == len(sandbox.shop.order_pks())


def test_latency_delays_each_request_but_not_the_others() -> None:
    with running_sandbox(replace(SETTINGS, latency_ms=150)) as sandbox:
        calls = [caller(sandbox) for _ in range(8)]
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda call: call("orders/", limit=1).status_code, calls))
        took = time.monotonic() - started
        for call in calls:
            call.session.close()
    assert answers == [200] * 8
    assert 0.15 <= took < 0.9


def test_many_callers_at_once_get_the_right_orders(sandbox: Sandbox) -> None:
    pks = list(sandbox.shop.order_pks())[:120]

    def fetch(part: list[int]) -> list[bool]:
        with caller(sandbox) as call:
            return [call(DETAIL.format(pk)).json()["pk"] == pk for pk in part]

    with ThreadPoolExecutor(4) as pool:
        results = [ok for part in pool.map(fetch, [pks[n::4] for n in range(4)]) for ok in part]
    assert results == [True] * len(pks)


def test_serve_prints_where_it_is_and_ends_cleanly_on_ctrl_c() -> None:
    code = "from order_assets.sandbox import ShopSettings, serve; serve(ShopSettings(orders_per_day=5), 0)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        assert "user sandbox, password sandbox" in process.stdout.readline()
        answer = requests.post(
            f"{url}/api/v1/auth/login/", json={"username": "sandbox", "password": "sandbox"}, timeout=10
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)
        assert process.returncode == 0, err
        assert "stopped" in out
        assert err == ""
    finally:
        process.kill()
        process.communicate(timeout=5)
