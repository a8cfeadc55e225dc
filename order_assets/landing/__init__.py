"""From a response to a stored row: redacted, checked, quarantined where need be, and accounted for in a ledger."""

from order_assets.landing.gate import Gate, Refused
from order_assets.landing.index import (
    IndexReport,
    ListedOrder,
    OrderIndexError,
    index_file,
    orders_of_day,
    write_index,
)
from order_assets.landing.privacy import SANDBOX_KEY, Privacy, PrivacyError, PrivacyMode
from order_assets.landing.receive import receive
from order_assets.landing.refresh import Attempt, DayReport, refresh_day
from order_assets.landing.root import DataRootError, Instance, check, claim
from order_assets.landing.store import Landing, LandingError, Outcome

__all__ = [
    "SANDBOX_KEY",
    "Attempt",
    "DataRootError",
    "DayReport",
    "Gate",
    "IndexReport",
    "Instance",
    "Landing",
    "LandingError",
    "ListedOrder",
    "OrderIndexError",
    "Outcome",
    "Privacy",
    "PrivacyError",
    "PrivacyMode",
    "Refused",
    "check",
    "claim",
    "index_file",
    "orders_of_day",
    "receive",
    "refresh_day",
    "write_index",
]
