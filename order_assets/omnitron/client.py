"""The client that the other rooms use.

Belongs here: putting the parts together behind one class. Not here: how any part works; each has its module.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

from order_assets.contract.model import DOCUMENTS, Document
from order_assets.omnitron.api_errors import OmnitronConfigError
from order_assets.omnitron.cancellation import Halt
from order_assets.omnitron.client_settings import ClientSettings
from order_assets.omnitron.documents import OrderDocuments, order_documents
from order_assets.omnitron.pagination import Page, list_child_rows, list_orders
from order_assets.omnitron.rate_limit.budget_store import BudgetStore, FileStore, MemoryStore, instance_folder
from order_assets.omnitron.rate_limit.limiter import SharedBudget
from order_assets.omnitron.response import Response
from order_assets.omnitron.session import Params, Session
from order_assets.omnitron.stats import Counters
from order_assets.omnitron.worker_pool import Outcome, Workers

Item = TypeVar("Item")
Value = TypeVar("Value")


class OmnitronClient:
    """Reads orders of one Omnitron instance; safe to use from many threads; never writes.

    Raises OmnitronConfigError when made without credentials; no request is sent before the first call.
    `budget` takes the place of the one that the settings name; `clock` (seconds) and `sleep` are for tests.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        budget: SharedBudget | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.settings = settings
        self.counters = Counters()
        self._halt = Halt(sleep)
        limits = budget or _budget(settings, clock)
        self._session = Session(settings, limits, self.counters, self._halt, clock)
        self._workers = Workers(settings.max_concurrency, self._halt)

    def get_json_bytes(
        self, path: str, params: Params | None = None, *, missing_ok: bool = False, about: str = ""
    ) -> Response:
        """GET a path below /api/v1/ or /api/i1/ (no leading slash) and return the checked JSON answer.

        With `missing_ok` a 404 of the API is returned with status 404. `about` says in error messages what
        the call is for. Raises OmnitronError.
        """
        return self._session.get(path, params, about=about, missing_ok=missing_ok)

    def list_orders(self, *, limit: int = 100, params: Params | None = None) -> Iterator[Page]:
        """Yield the pages of the order list, at least one. See `listing.list_orders`."""
        return list_orders(self._session, limit=limit, params=params)

    def list_child_rows(self, name: str, *, limit: int = 100, params: Params | None = None) -> Iterator[Page]:
        """Yield the pages of a list of rows below orders, such as `transactions`. See `listing.list_child_rows`."""
        return list_child_rows(self._session, name, limit=limit, params=params)

    def order_documents(self, order_pk: int, documents: Sequence[Document] = DOCUMENTS) -> OrderDocuments:
        """Fetch these documents of one order. See `documents.order_documents`."""
        return order_documents(self._session, order_pk, documents)

    def expect_prefixes(self, versions: Mapping[str, str]) -> None:
        """Try these of `v1` and `i1` first, by kind of path, as an earlier client found them."""
        self._session.prefixes.expect(versions)

    def prefixes(self) -> dict[str, str]:
        """Which of `v1` and `i1` served what so far, by kind of path such as `orders` or `orders_integration`."""
        return self._session.prefixes.found()

    def map_concurrently(
        self, function: Callable[[Item], Value], items: Iterable[Item]
    ) -> Iterator[Outcome[Item, Value]]:
        """Run a function over items in worker threads and yield outcomes as they complete.

        See `concurrently.Workers.run`.
        """
        return self._workers.run(function, items)

    def close(self) -> None:
        """End waiting calls and close the connections."""
        self._halt.close()
        self._workers.close()
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"OmnitronClient({self.settings.url})"


def _budget(settings: ClientSettings, clock: Callable[[], float]) -> SharedBudget:
    """The budget that the settings name: shared over machines, by all processes of this one, or of this one alone."""
    return SharedBudget(
        _budget_store(settings, clock),
        settings.requests_per_second,
        settings.max_concurrency,
        instance=settings.url,
        quiet=settings.quiet_hours,
    )


def _budget_store(settings: ClientSettings, clock: Callable[[], float]) -> BudgetStore:
    if settings.budget:
        return _postgres_store(settings.budget, settings.url)
    if settings.budget_directory:
        return FileStore(instance_folder(settings.budget_directory, settings.url), clock)
    return MemoryStore(clock)


def _postgres_store(database: str, url: str) -> BudgetStore:
    try:
        from order_assets.omnitron.rate_limit.postgres_store import PostgresStore

        return PostgresStore(database, url)
    except ImportError:
        raise OmnitronConfigError(
            "ORDER_ASSETS_BUDGET names a database, and psycopg is not installed: pip install 'order-assets[scale]'."
        ) from None
