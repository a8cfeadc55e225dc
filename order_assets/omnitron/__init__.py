"""The Omnitron API as a client sees it: login, calls with repeats, budget, order list, order documents.

Belongs here: everything between a URL with credentials and bytes that are known to be an answer of the API.
Not here: what an order means (`contract`), and redacting and storing it (`landing`). Start with
`OmnitronClient`.
"""

from order_assets.omnitron.answers import Response
from order_assets.omnitron.budget import Budget
from order_assets.omnitron.client import OmnitronClient
from order_assets.omnitron.concurrently import Outcome
from order_assets.omnitron.counters import Counters
from order_assets.omnitron.documents import OrderDocuments
from order_assets.omnitron.errors import (
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
from order_assets.omnitron.listing import Page
from order_assets.omnitron.settings import ClientSettings
from order_assets.omnitron.shared_budget import LocalBudget, SharedBudget

__all__ = [
    "Budget",
    "ClientSettings",
    "Counters",
    "LocalBudget",
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
