"""A served stand-in and a logged-in caller for the tests of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from order_assets.sandbox import Sandbox, Shop, running_sandbox
from order_assets_tests.sandbox.calls import NOW, SETTINGS, Call, caller


@pytest.fixture(scope="session")
def shop() -> Shop:
    return Shop(SETTINGS)


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with running_sandbox(SETTINGS) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox) -> Iterator[Sandbox]:
    served.set_now(NOW)
    served.requests.clear()
    yield served
    served.set_now(NOW)


@pytest.fixture
def get(sandbox: Sandbox) -> Iterator[Call]:
    with caller(sandbox) as call:
        yield call
