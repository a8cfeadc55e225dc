"""From a response to a stored row: redacted, checked, quarantined where need be, and accounted for in a ledger."""

from order_assets.landing.gate import Gate, Refused
from order_assets.landing.index import (
    IndexError,
    IndexReport,
    ListedOrder,
    index_file,
    orders_of_day,
    write_index,
)
from order_assets.landing.privacy import SANDBOX_KEY, Privacy, PrivacyError, PrivacyMode
from order_assets.landing.receive import receive
from order_assets.landing.refresh import Attempt, DayReport, refresh_day
from order_assets.landing.root import DataRootError, Instance, claim
from order_assets.landing.store import Landing, LandingError, Outcome

__all__ = [
    "SANDBOX_KEY",
    "Attempt",
    "DataRootError",
    "DayReport",
    "Gate",
    "IndexError",
    "IndexReport",
    "Instance",
    "Landing",
    "LandingError",
    "ListedOrder",
    "Outcome",
    "Privacy",
    "PrivacyError",
    "PrivacyMode",
    "Refused",
    "claim",
    "index_file",
    "orders_of_day",
    "receive",
    "refresh_day",
    "write_index",
]
