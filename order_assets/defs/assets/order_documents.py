"""The asset `order_documents`: the documents of each order of a day, redacted, and the day's ledger."""

# Dagster reads the annotations of asset functions, so this module does not postpone them.

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from order_assets.core import progress
from order_assets.core.check_result import CheckResult, Severity
from order_assets.defs.partitions import ONE_RUN, days_of, has_days, span
from order_assets.defs.reporting import (
    FRESH,
    OWNERS,
    StepChecks,
    add_day_metadata,
    check_spec,
    failure,
    written_together,
)
from order_assets.defs.resources import ContractResource
from order_assets.defs.shop_names import CONTRACT_POLICY, DATA_ROOT, OMNITRON, PRIVACY, SYNC_RULES, Shop
from order_assets.defs.ui_schema import documents_schema
from order_assets.errors import OrderAssetsError

if TYPE_CHECKING:
    from order_assets.landing import DayReport

ACCOUNTED_FOR = "every_listed_order_accounted_for"
NOTHING_PENDING = "nothing_pending"
QUARANTINE_BUDGET = "quarantine_within_budget"

# Paths whose masked values a day names in the UI; meta.masked_values has all.
_MOST_PATHS = 20
# What fetching and documents may produce: events of checks, early events of days, the result of the asset.
_Event = (
    dg.AssetCheckResult
    | dg.AssetCheckEvaluation
    | dg.AssetMaterialization
    | dg.MaterializeResult[None]
    | dg.Output[None]
)


class DocumentsConfig(dg.Config):
    """How a run fetches."""

    refetch: bool = Field(default=False, description="Fetch every order of the day again, changed or not")
    sweep: bool = Field(default=False, description="Fetch orders too whose turn in the slow sweep it is")


def order_documents_asset(shop: Shop) -> dg.AssetsDefinition:
    """The asset that lands the documents of days."""

    spec = dg.AssetSpec(
        shop.order_documents,
        deps=[shop.order_index],
        group_name=shop.named("landing"),
        kinds={"python", "parquet"},
        tags=shop.tags("landing", personal=True),
        freshness_policy=FRESH,
        owners=OWNERS,
        code_version="2",
        skippable=True,
        description=(
            "The detail, items and discounts documents of each order that was placed on the day, as exact JSON, "
            "with secrets and personal data taken out before writing. Grain: one row per order and fetched version. "
            "Source: the API's detailed_integration of an order, its items and its discount items. Only orders that "
            "are new, changed since they were landed, or due for re-reading are asked for."
        ),
        metadata={"dagster/column_schema": documents_schema(shop.contract)},
    )

    # A multi-asset of one: in a run over many days its checks are reported per day, so their outputs are optional.
    @dg.multi_asset(
        name=shop.named("order_documents"),
        specs=[spec],
        partitions_def=shop.days,
        backfill_policy=ONE_RUN,
        can_subset=True,
        pool=shop.api_pool,
        required_resource_keys=shop.needs(OMNITRON, CONTRACT_POLICY, PRIVACY, DATA_ROOT, SYNC_RULES),
        check_specs=[
            check_spec(
                shop.order_documents,
                ACCOUNTED_FOR,
                "listed = landed + tombstoned + quarantined + pending",
                shop.days,
                blocking=True,
            ),
            check_spec(shop.order_documents, NOTHING_PENDING, "No listed order is waiting to be fetched", shop.days),
            check_spec(
                shop.order_documents,
                QUARANTINE_BUDGET,
                "No more orders were refused than the contract's policy allows",
                shop.days,
            ),
        ],
    )
    def order_documents(
        context: dg.AssetExecutionContext,
        config: DocumentsConfig,
    ) -> Iterator[_Event]:
        if not has_days(context):
            return
        checks, using = StepChecks(context), shop.resources(context)
        reports: list[DayReport] = []
        metadata: dict[tuple[dg.AssetKey, date], dict[str, Any]] = {}
        doing = "preparing to fetch"
        try:
            pipeline, days_asked = using.pipeline(OMNITRON, PRIVACY, SYNC_RULES), days_of(context)
            doing = f"fetching the orders of {span(days_asked)}"
            for report in pipeline.refresh(
                days_asked,
                refetch=config.refetch,
                reread=using.sync_rules.reread(sweep=config.sweep),
                on_progress=_progress(days_asked, context.log.info),
            ):
                reports.append(report)
                values = _metadata(report, pipeline.root)
                metadata[shop.order_documents, report.day] = values
                yield from _report_day(context, checks, report, _results(shop, report, using.contract), values)
        except OrderAssetsError as error:
            raise failure(error, doing=doing) from None
        add_day_metadata(context, metadata)
        with written_together(context.instance):
            yield dg.MaterializeResult(asset_key=shop.order_documents)
            for report in reports:
                checks.take(_results(shop, report, using.contract))
            yield from checks.results()
            yield from checks.complete()
        incomplete = [report for report in reports if report.pending]
        if incomplete:
            raise dg.Failure(description=_explain_pending(incomplete, len(reports)), allow_retries=True)

    return order_documents


def _progress(days: Sequence[date], say: Callable[[str], object]) -> Callable[[date, int, int], None]:
    """Tells the listener of this process each order, and the run's log now and then."""
    spoken = progress.Spoken(days, say)

    def both(day: date, done: int, due: int) -> None:
        progress.report(day, done, due)
        spoken(day, done, due)

    return both


def _metadata(report: "DayReport", root: Path) -> dict[str, Any]:
    """What the materialisation of a day says."""
    return {
        "dagster/partition_row_count": report.listed,
        "listed": report.listed,
        **report.outcomes,
        "carried_over": report.carried_over,
        "fetched": sum(report.due.values()) - len(report.errors),
        "requests": report.requests,
        "retries": report.retries,
        "bytes": report.bytes,
        "seconds": round(report.seconds, 3),
        "values_masked": report.masked,
        "masked_by_path": dg.MetadataValue.json(
            {
                f"{document}:{path} ({kind})": count
                for (document, path, kind), count in list(report.masked_paths.items())[:_MOST_PATHS]
            }
        ),
        "orders_with_unmapped_fields": report.unmapped_orders,
        "due": dg.MetadataValue.json(dict(report.due)),
        "folder": dg.MetadataValue.path(f"{root}/landing/date={report.day}"),
    }


def _report_day(
    context: dg.AssetExecutionContext,
    checks: StepChecks,
    report: "DayReport",
    results: Sequence[CheckResult],
    metadata: Mapping[str, Any],
) -> Iterator[_Event]:
    context.log.info(
        f"{report.day}: {report.listed} listed, {metadata['fetched']} fetched, {report.carried_over} carried over, "
        f"{report.requests} requests in {report.seconds:.1f} s, {report.masked} values masked"
    )
    with written_together(context.instance):
        if checks.days > 1:
            # Dagster would report all days at the end; a run that is cut off keeps the days that it finished.
            key = dg.AssetKey.from_user_string(results[0].asset)
            yield dg.AssetMaterialization(key, partition=report.day.isoformat(), metadata=metadata)
            checks.take(results)
            yield from checks.results()


def _results(shop: Shop, report: "DayReport", policy: ContractResource) -> list[CheckResult]:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.outcomes.items())
    refused = report.outcomes["quarantined"]
    share = 100 * refused / report.listed if report.listed else 0.0
    within = refused <= policy.quarantine_warn_above
    beyond = share > policy.quarantine_error_above_percent
    asset = shop.order_documents.to_user_string()
    return [
        CheckResult(
            asset,
            ACCOUNTED_FOR,
            report.adds_up,
            f"{report.listed} listed; {counts}",
            {"listed": report.listed, **report.outcomes},
            report.day,
            next_step="The ledger of the day does not add up: refresh the day again; if it stays, report it as a fault "
            "of this package",
        ),
        CheckResult(
            asset,
            NOTHING_PENDING,
            report.pending == 0,
            _explain_pending([report], 1) if report.pending else "nothing is pending",
            {"pending": report.pending},
            report.day,
        ),
        CheckResult(
            asset,
            QUARANTINE_BUDGET,
            within and not beyond,
            f"{refused} of {report.listed} orders refused ({share:.2f} %); the table quarantine has paths and reasons"
            if refused
            else "no order was refused",
            {"quarantined": refused, "percent": round(share, 4)},
            report.day,
            Severity.ERROR if beyond else Severity.WARN,
            next_step="order-assets quarantine list names them. Refreshing the day fetches them again; where the "
            "contract is too narrow, widen it and run order-assets replay",
        ),
    ]


def _explain_pending(reports: "Sequence[DayReport]", of_days: int) -> str:
    """Which days are not complete, one example each, and what to do."""
    lines = [
        f"{report.day}: {report.pending} of {report.listed} orders could not be fetched; {_example(report)}"
        for report in reports[:10]
    ]
    more = f" (and {len(reports) - 10} more days)" if len(reports) > 10 else ""
    return (
        f"{len(reports)} of {of_days} days are not complete{more}. " + " ".join(lines) + " What was fetched is kept: "
        "materialise the same days again and only the missing orders are asked for."
    )


def _example(report: "DayReport") -> str:
    for pk, error in report.errors.items():
        return f"for example order {pk}: {error}"
    return "they were not reached"
