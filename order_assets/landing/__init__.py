"""From a response to a stored row: redacted, checked, quarantined where need be, and accounted for in a ledger."""

from order_assets.landing.day import Attempt, DayReport
from order_assets.landing.erasure import forgotten_customers
from order_assets.landing.forget import Forgetting, forget
from order_assets.landing.index import (
    AsideRow,
    ListedOrder,
    OrderIndexError,
    SyncState,
    days_before,
    index_file,
    orders_of_day,
    sync_state,
)
from order_assets.landing.index_writer import IndexDraft, IndexReport, write_index
from order_assets.landing.land import misfit_row, receive
from order_assets.landing.landing_store import Landing, LandingError, Outcome
from order_assets.landing.quarantine import QuarantinedOrder, landed_days, quarantined, set_aside
from order_assets.landing.refetch_policy import Reread
from order_assets.landing.refresh import refresh_days
from order_assets.landing.revalidate import Revalidation, revalidate_day
from order_assets.landing.shop_identity import DataRootError, Instance, check, claim
from order_assets.landing.staleness import DueDay, changed_days, incomplete_days, waiting_days
from order_assets.landing.versions import earlier_versions, thin_versions

__all__ = [
    "AsideRow",
    "Attempt",
    "DataRootError",
    "DayReport",
    "DueDay",
    "Forgetting",
    "IndexDraft",
    "IndexReport",
    "Instance",
    "Landing",
    "LandingError",
    "ListedOrder",
    "OrderIndexError",
    "Outcome",
    "QuarantinedOrder",
    "Reread",
    "Revalidation",
    "SyncState",
    "changed_days",
    "check",
    "claim",
    "days_before",
    "earlier_versions",
    "forget",
    "forgotten_customers",
    "incomplete_days",
    "index_file",
    "landed_days",
    "misfit_row",
    "orders_of_day",
    "quarantined",
    "receive",
    "refresh_days",
    "revalidate_day",
    "set_aside",
    "sync_state",
    "thin_versions",
    "waiting_days",
    "write_index",
]
