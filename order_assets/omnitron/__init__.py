"""The Omnitron API as a client sees it: login, calls with repeats, budget, order list, order documents.

Belongs here: everything between a URL with credentials and bytes that are known to be an answer of the API.
Not here: what an order means (`contract`), and redacting and storing it (`landing`). Start with
`OmnitronClient`.
"""

from order_assets.omnitron.api_errors import (
    OmnitronAnswerError,
    OmnitronAuthError,
    OmnitronBlockedError,
    OmnitronConfigError,
    OmnitronError,
    OmnitronForbiddenError,
    OmnitronMisfitError,
    OmnitronNotFoundError,
    OmnitronQuietError,
    OmnitronRequestError,
    OmnitronStoppedError,
    OmnitronUnavailableError,
)
from order_assets.omnitron.client import OmnitronClient
from order_assets.omnitron.client_settings import ClientSettings
from order_assets.omnitron.documents import OrderDocuments
from order_assets.omnitron.pagination import Page
from order_assets.omnitron.rate_limit.limiter import SharedBudget
from order_assets.omnitron.response import Response
from order_assets.omnitron.stats import Counters
from order_assets.omnitron.worker_pool import Outcome

__all__ = [
    "ClientSettings",
    "Counters",
    "OmnitronAnswerError",
    "OmnitronAuthError",
    "OmnitronBlockedError",
    "OmnitronClient",
    "OmnitronConfigError",
    "OmnitronError",
    "OmnitronForbiddenError",
    "OmnitronMisfitError",
    "OmnitronNotFoundError",
    "OmnitronQuietError",
    "OmnitronRequestError",
    "OmnitronStoppedError",
    "OmnitronUnavailableError",
    "OrderDocuments",
    "Outcome",
    "Page",
    "Response",
    "SharedBudget",
]
