"""Calling a served stand-in, for the tests of the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import requests

from order_assets.sandbox import Sandbox, ShopSettings

NOW = datetime(2026, 1, 21, 9, 30, tzinfo=UTC)
SETTINGS = ShopSettings(seed=3, orders_per_day=24, start=date(2026, 1, 1), now=NOW)
Call = Callable[..., requests.Response]


class caller:  # noqa: N801 - used like a function
    """Calls GET on a sandbox, logged in; as a context manager it closes its connections."""

    def __init__(self, sandbox: Sandbox, version: str = "v1") -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Token {sandbox.token}"
        self.base = f"{sandbox.url}/api/{version}/"

    def __enter__(self) -> caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def __call__(self, path: str, **params: Any) -> requests.Response:
        return self.session.get(self.base + path, params=params, timeout=10, allow_redirects=False)


def every_page(call: Call, path: str, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in range(1, 1000):
        answer = call(path, page=page, **params)
        assert answer.status_code == 200, answer.text
        rows += answer.json()["results"]
        if not answer.json()["next"]:
            return rows
    raise AssertionError(f"{path} never ends")
