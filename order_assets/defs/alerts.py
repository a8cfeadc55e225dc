"""Tells somebody when runs failed: once for a storm, to the log or to a webhook.

Belongs here: which failed runs make one message, and where it goes. Not here: what a run failed with (`reporting`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from order_assets.defs.resources import from_setting
from order_assets.defs.shop_names import ALERT, Shop
from order_assets.errors import OrderAssetsError

if TYPE_CHECKING:
    from dagster import RunRecord

_SECRET: dict[str, Any] = {"dagster__is_secret": True}
_BACKFILL = "dagster/backfill"
_MOST_RUNS = 200
_REMEMBERED = 50
_TIMEOUT = 10.0  # seconds


class AlertError(OrderAssetsError):
    """An alert could not be delivered; it is tried again at the next tick."""


class AlertResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where alerts go: to the log, or as JSON {"text": ...} to a webhook, as Slack and others take it."""

    webhook: str = from_setting("alert_webhook", extra=_SECRET, repr=False)

    def send(self, message: str) -> None:
        """Deliver a message. Raises `AlertError`; its text never has the URL, which is a secret."""
        if not self.webhook:
            dg.get_dagster_logger("order_assets.alerts").error(message)
            return
        import requests

        from order_assets.omnitron.instance import host_of, is_loopback

        if not (self.webhook.startswith("https://") or is_loopback(host_of(self.webhook))):
            raise AlertError("ORDER_ASSETS_ALERT_WEBHOOK has to be an https address")
        try:
            answer = requests.post(self.webhook, json={"text": message}, timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise AlertError(f"the alert webhook gave no answer ({type(error).__name__})") from None
        if not answer.ok:
            raise AlertError(f"the alert webhook answered {answer.status_code}")


def alert_sensor(shop: Shop) -> dg.SensorDefinition:
    """Looks for failed runs of a shop and sends one message for all that failed since it last looked."""

    @dg.sensor(
        name=shop.named("alert_on_failures"),
        required_resource_keys=shop.needs(ALERT),
        minimum_interval_seconds=60,
        description=(
            "Sends one message for the runs that failed since the last tick; of a backfill one message, not one per "
            "run. Goes to the log, or to ORDER_ASSETS_ALERT_WEBHOOK. Asks the shop for nothing."
        ),
    )
    def alert_on_failures(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        now = datetime.now(UTC)
        since, told = _seen(context.cursor, now)
        failed = context.instance.get_run_records(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since),
            limit=_MOST_RUNS,
            ascending=True,
            order_by="update_timestamp",
        )
        # What has another shop's name is another shop's matter.
        ours = [record for record in failed if record.dagster_run.job_name.startswith(shop.named(""))]
        fresh = [record for record in ours if _storm_of(record) not in told]
        newest = max((record.update_timestamp for record in failed), default=since)
        cursor = json.dumps(
            {"since": newest.isoformat(), "told": [*told, *dict.fromkeys(map(_storm_of, fresh))][-_REMEMBERED:]}
        )
        if fresh:
            # An alert that cannot be delivered ends the tick here, and the cursor stays.
            shop.resources(context).alert.send(_message(context.instance, fresh))
        return dg.SensorResult(skip_reason=None if fresh else dg.SkipReason("no run failed"), cursor=cursor)

    return alert_on_failures


def _seen(cursor: str | None, now: datetime) -> tuple[datetime, list[str]]:
    """Up to when failures were told, and the last storms; what failed before it was switched on is not told."""
    if not cursor:
        return now, []
    values = json.loads(cursor)
    return datetime.fromisoformat(values["since"]), list(values["told"])


def _storm_of(record: RunRecord) -> str:
    """What a run's failure is counted under: its backfill, or the run itself."""
    return str(record.dagster_run.tags.get(_BACKFILL, record.dagster_run.run_id))


def _message(instance: dg.DagsterInstance, records: Sequence[RunRecord]) -> str:
    reasons = _counted(f"{record.dagster_run.job_name}: {_reason(instance, record)}" for record in records)
    runs = ", ".join(record.dagster_run.run_id for record in records[:3])
    return (
        f"order_assets: {len(records)} runs failed, for example {runs}. What was fetched is kept; a new run over the "
        f"same days does only what is missing.\n{reasons}"
    )


def _reason(instance: dg.DagsterInstance, record: RunRecord) -> str:
    """What the first failed step of a run said."""
    for entry in instance.all_logs(record.dagster_run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        data = entry.dagster_event.step_failure_data if entry.dagster_event is not None else None
        if data is not None and data.user_failure_data is not None and data.user_failure_data.description:
            return str(data.user_failure_data.description)
        if data is not None and data.error is not None:
            return str((data.error.cause or data.error).message).strip()
    return "no step says why; see the run"


def _counted(problems: Iterable[str]) -> str:
    """Many equal texts as one line each, with how often."""
    counts: dict[str, int] = {}
    for problem in problems:
        counts[problem] = counts.get(problem, 0) + 1
    return "\n".join(f"{count} x {text}" if count > 1 else text for text, count in counts.items())
