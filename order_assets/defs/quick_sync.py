"""Asks within a tick whether a sync would find anything, so that one that finds nothing leaves no run behind.

A listing that finds nothing is kept (cursor and times move on in the index file, and nothing else); one that finds
something is left to a run, which lists again and has it in its log. The checks of `order_index` are looked at as well:
a run is launched when one of them would say something else than it did, and once a day in any case, so that what
the UI shows is never older than that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from order_assets.defs.assets.order_index import checks_of_sync
from order_assets.defs.resources import (
    DataRootResource,
    OmnitronResource,
    PrivacyResource,
    SyncRulesResource,
    pipeline_of,
)
from order_assets.defs.shop_names import Shop
from order_assets.errors import OrderAssetsError

if TYPE_CHECKING:
    from order_assets.pipeline.sync import SyncReport

# A tick of Dagster may take a minute; what takes longer is a matter for a run.
_PATIENCE = 40.0  # seconds
_MOST_SECONDS = 20.0  # that a listing of all orders may take by reckoning
_ROWS_PER_PAGE = 100
# However little happens, the index is materialised this often.
_LIFE_SIGN = timedelta(hours=24)
# Errors that pass by are a word in a tick; those that stay become failed runs, which alerts tell of.
_ERRORS_STAY_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Asked:
    """What came of it: whether a run is needed, and why or why not, in words."""

    needs_run: bool
    said: str


@dataclass(frozen=True)
class QuickSync:
    """What a sync needs, as the tick of a schedule has it."""

    instance: dg.DagsterInstance
    shop: Shop
    omnitron: OmnitronResource
    privacy: PrivacyResource
    data_root: DataRootResource
    rules: SyncRulesResource

    def ask(self, now: datetime) -> Asked:
        """Ask the shop, if that is a matter of seconds; `now` in UTC."""

        try:
            if why := self._why_a_run(now):
                return Asked(True, why)
            return self._listed()
        except OrderAssetsError as error:
            since = now - self._synced_at()
            stays = since >= _ERRORS_STAY_AFTER
            word = "for an hour or more no sync was well" if stays else "asked again at the next tick"
            return Asked(stays, f"{word}: {error}")

    def _why_a_run(self, now: datetime) -> str:
        """Why a run is needed without asking, or an empty string."""
        from order_assets.landing import index_file, sync_state

        root = self.data_root.check_root()
        self.privacy.check()
        if not index_file(root).exists():
            return "there is no index yet"
        event = self.instance.get_latest_materialization_event(self.shop.order_index)
        if event is None or now - datetime.fromtimestamp(event.timestamp, UTC) >= _LIFE_SIGN:
            return "the index was not materialised for a day"
        state, rules = sync_state(root), self.rules.rules()
        whole_is_due = state.whole_at is None or (
            rules.whole_every is not None and now - state.whole_at >= rules.whole_every
        )
        if (whole_is_due or _lists_all(state.capabilities)) and self._seconds_to_list_all() > _MOST_SECONDS:
            return "all orders have to be listed"
        return ""

    def _listed(self) -> Asked:
        pipeline = pipeline_of(
            self.shop.contract,
            self.shop.marts,
            self.data_root,
            omnitron=self.omnitron,
            privacy=self.privacy,
            sync_rules=self.rules,
        )
        reports: list[SyncReport] = []

        def nothing_found(report: SyncReport) -> bool:
            reports.append(report)
            return not _found(report) and not self._checks_to_say(report)

        with pipeline.client() as client:
            # Ends whatever waits for the shop.
            late = threading.Timer(_PATIENCE, client.close)
            late.daemon = True
            late.start()
            try:
                # A tick that finds nothing leaves the folder as it is.
                pipeline.sync_with(client, on_answer=lambda: None, keep=nothing_found)
            finally:
                late.cancel()
            requests = int(client.counters.as_dict()["requests"])
        (report,) = reports
        if found := _found(report):
            return Asked(True, found)
        if checks := self._checks_to_say(report):
            return Asked(True, f"{', '.join(checks)} would say something else than before")
        return Asked(
            False,
            f"nothing is new: {report.index.orders} orders, {requests} requests, newest change "
            f"{report.index.newest_change}",
        )

    def _checks_to_say(self, report: SyncReport) -> Sequence[str]:
        """The checks of the index that have another result than when they were evaluated last."""
        now = {found.name: found.passed for found in checks_of_sync(self.shop, self.data_root, self.rules, report)}
        keys = [dg.AssetCheckKey(self.shop.order_index, str(name)) for name in now]
        known = self.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
        said = {}
        for key, record in known.items():
            event = record.event.dagster_event if record.event is not None else None
            if event is not None and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
                said[key.name] = event.asset_check_evaluation_data.passed
        return [str(name) for name, passed in now.items() if said.get(str(name)) != passed]

    def _seconds_to_list_all(self) -> float:
        from order_assets.landing.index import manifest_of

        pages = math.ceil(manifest_of(self.data_root.check_root()).rows / _ROWS_PER_PAGE)
        # Without a limit a page takes what the shop takes for it.
        return float(pages / (self.omnitron.requests_per_second or 20.0))

    def _synced_at(self) -> datetime:
        """When the index was last written, by a sync that was well; long ago where there is none."""
        from order_assets.landing import index_file

        file = index_file(self.data_root.check_root())
        return datetime.fromtimestamp(file.stat().st_mtime if file.exists() else 0, UTC)


def _lists_all(capabilities: object) -> bool:
    """Whether each sync lists all orders, since the list can do no better."""
    from order_assets.omnitron.capabilities import Capabilities

    try:
        return Capabilities.from_dict(capabilities).discovery() == "full listing"  # type: ignore[arg-type]
    except (TypeError, KeyError, AttributeError):
        return True


def _found(report: SyncReport) -> str:
    """What a listing found, in words; empty for nothing."""
    index = report.index
    counts = {
        "orders new": index.new,
        "changed": index.changed,
        "changed below": index.children_changed,
        "rows changed": index.row_changed,
        "gone or back": report.vanished_before != index.vanished,
        "rows that cannot be placed more or less": report.aside_before != index.aside_count,
    }
    said = [f"{int(count)} {what}" for what, count in counts.items() if count]
    if report.listing.fell_back:
        said.append(report.listing.fell_back)
    return ", ".join(said)
