"""What holds for all tests: none of them touches the home folder of whoever runs them.

A `conftest.py` imports the fixtures; they are used by themselves.
"""

from collections.abc import Iterator

import pytest

from order_assets.omnitron.auth import KEPT


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Shared budgets lie in a folder of this run, also for commands in processes of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        for name in ("ORDER_ASSETS_BUDGET_DIR", "ORDER_ASSETS_QUIET_HOURS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(autouse=True)
def no_token_of_another_test() -> None:
    """Ports are given out again, and tokens are kept by address."""
    KEPT.clear()
