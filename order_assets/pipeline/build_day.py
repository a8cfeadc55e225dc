"""Makes the tables of a day from its landing, looks at them, and writes the verdict.

The parts are those of `landing` and `tables`; here is the order in which a day goes through them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from order_assets.contract import Contract, Document
from order_assets.contract.rules import SCHEMA_RULE
from order_assets.contract.shape import contract_version
from order_assets.core.check_result import CheckResult, Severity
from order_assets.landing import Landing, LandingError, Revalidation, earlier_versions, revalidate_day, set_aside
from order_assets.pipeline.preview import preview
from order_assets.redaction import Privacy, Refused, Validator
from order_assets.tables import (
    DayFiles,
    Flattener,
    FlattenReport,
    MissingFields,
    Sample,
    documented_fields_present,
    keeping_old_files,
    nothing_lost,
    orders_at_fault,
    prove_day,
    refunds_within_amount,
    rows_name_their_order,
    values_are_known,
    verify_day,
    withdraw_verdict,
    write_verdict,
)

SET_ASIDE_RULE = "no_order_set_aside"
# Orders that break a rule of their day wait alone, as long as they are so few, by number or as a share of the day.
_MOST_SET_ASIDE, _SHARE_SET_ASIDE = 20, 0.1
_MOST_EXAMPLES = 10


@dataclass(frozen=True)
class DayJob:
    """What is to be done with each day: of which data root, under which contract, privacy settings and policy.

    `sample_percent` and `sample_at_most` bound the orders whose every value is looked for. Results of the rules in
    `ignored` pass whatever they are; those of the rules in `blocking` keep a day out of the warehouse. With `compare`
    the rows that changed are counted.
    """

    root: Path
    contract: Contract
    privacy: Privacy
    sample_percent: float
    sample_at_most: int
    ignored: frozenset[str]
    blocking: frozenset[str]
    compare: bool = False


@dataclass(frozen=True)
class DayTables:
    """What making the tables of a day gave.

    `findings` are those of the rules of each table, `controls` those that span tables; `reasons` say why the day may
    not be loaded. `unmapped` counts the orders that have a field which the contract does not know, by its path;
    `unmapped_values` counts the values. `set_aside` are the orders that landed and went to quarantine here, with the
    reason: the day could not have been loaded with them. `bytes` and `previews` (Markdown) are by table; empty tables
    have no preview.
    """

    day: date
    report: FlattenReport
    revalidation: Revalidation
    changed: Mapping[str, int] | None
    findings: Sequence[CheckResult]
    controls: Sequence[CheckResult]
    reasons: Sequence[str]
    unmapped: Mapping[str, int]
    unmapped_values: int
    bytes: Mapping[str, int]
    previews: Mapping[str, str]
    set_aside: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Look:
    """The files of a day, just made, and what was found in them."""

    files: DayFiles
    report: FlattenReport
    findings: Sequence[CheckResult]
    controls: Sequence[CheckResult]
    at_fault: Mapping[int, Refused]


class DayBuilder:
    """Makes days; keep one for many, since its statements are planned once."""

    def __init__(self, task: DayJob) -> None:
        self._task = task
        self._validator = Validator(task.contract, task.privacy)
        self._flattener = Flattener(task.contract)

    def make(self, day: date) -> DayTables:
        """Make the tables of a day. Raises `LandingError` for a day that was never landed or cannot be read."""
        task = self._task
        landing = Landing(task.root, day)
        listed = landing.listed_pks()
        revalidation = revalidate_day(task.root, day, self._validator, listed)
        withdraw_verdict(task.root, day)
        with ExitStack() as stack:
            before = stack.enter_context(keeping_old_files(task.root, day, task.contract)) if task.compare else None
            look, aside = self._without_faults(landing, listed)
            changed = before.changed_rows(task.root, day) if before else None
        files, report, findings = look.files, look.report, look.findings
        controls = [*look.controls, _set_aside_finding(aside)]
        blocking = [found for found in controls if found.name in task.blocking]
        verdict = write_verdict(task.root, day, contract_version(task.contract), [*findings, *blocking])
        unmapped, values = _unmapped(files)
        return DayTables(
            day=day,
            report=report,
            revalidation=revalidation,
            changed=changed,
            findings=findings,
            controls=controls,
            reasons=verdict.reasons,
            unmapped=unmapped,
            unmapped_values=values,
            bytes={table.name: files.path(table.name).stat().st_size for table in task.contract},
            previews={table.name: preview(files, table) for table in task.contract if report.rows[table.name]},
            set_aside={pk: str(refused) for pk, refused in aside.items()},
        )

    def _without_faults(self, landing: Landing, listed: Sequence[int]) -> tuple[_Look, dict[int, Refused]]:
        """Make the day, and make it again without the orders that it could not be loaded with; gives these as well.

        So many that it is no odd order any more keep their day out, as does a fault that no order can be blamed for.
        """
        aside: dict[int, Refused] = {}
        most = max(_MOST_SET_ASIDE, len(listed) * _SHARE_SET_ASIDE)
        while True:
            look: _Look | None = None
            try:
                look = self._look(landing, listed)
                found = look.at_fault
            except (LandingError, OSError, MemoryError):
                raise
            except Exception:
                found = self._unreadable(landing, listed)
                if not found or len(aside | found) > most:
                    raise
            new = {pk: refused for pk, refused in found.items() if pk not in aside}
            if look is not None and (not new or len(aside) + len(new) > most):
                return look, aside
            set_aside(landing, new)
            aside |= new

    def _look(self, landing: Landing, listed: Sequence[int]) -> _Look:
        task, day = self._task, landing.day
        sample = Sample(len(listed), percent=task.sample_percent, at_most=task.sample_at_most)
        missing = MissingFields()
        documents = sample.watching(missing.watching(landing.documents(listed)))
        report = self._flattener.flatten_day(task.root, day, documents, earlier_versions(landing, listed))
        files = DayFiles(task.root, day)
        findings = list(verify_day(files, task.contract, {**report.expected, "orders": report.orders}))
        # What does not have its columns cannot be looked at any further.
        if any(found.name == SCHEMA_RULE and not found.passed for found in findings):
            return _Look(files, report, findings, [], {})
        proof = prove_day(files, task.contract, sample, lambda: landing.documents(listed))
        controls = list(self._controls(files, nothing_lost(proof, day, sample), missing))
        judged = [*findings, *(found for found in controls if found.name in task.blocking)]
        at_fault = {
            pk: Refused(fault.document, fault.path, fault.reason)
            for pk, fault in orders_at_fault(files, task.contract, judged).items()
        }
        unproven = {
            pk: Refused(Document.DETAIL, "", f"its values could not be looked for in the tables ({kind})")
            for pk, kind in proof.failed.items()
        }
        return _Look(files, report, findings, controls, unproven | at_fault)

    def _unreadable(self, landing: Landing, listed: Sequence[int]) -> dict[int, Refused]:
        found = self._flattener.unreadable(landing.documents(listed), earlier_versions(landing, listed))
        return {
            pk: Refused(Document.DETAIL, "", f"its documents could not be flattened ({kind})")
            for pk, kind in found.items()
        }

    def _controls(self, files: DayFiles, lost: CheckResult, missing: MissingFields) -> Iterator[CheckResult]:
        contract = self._task.contract
        for found in (
            lost,
            rows_name_their_order(files),
            refunds_within_amount(files),
            values_are_known(files, contract),
            documented_fields_present(missing),
        ):
            yield replace(found, passed=True) if found.name in self._task.ignored else found


def _set_aside_finding(aside: Mapping[int, Refused]) -> CheckResult:
    return CheckResult(
        "orders",
        SET_ASIDE_RULE,
        not aside,
        f"{len(aside)} orders wait in quarantine, since the day could not be loaded with them"
        if aside
        else "every landed order is in the tables",
        {"set_aside": len(aside)},
        severity=Severity.WARN,
        examples=tuple(f"order {pk}: {refused}" for pk, refused in list(aside.items())[:_MOST_EXAMPLES]),
        next_step="order-assets quarantine list shows them; when the shop's answer is right again run refresh_days for "
        "the day",
    )


def _unmapped(files: DayFiles) -> tuple[dict[str, int], int]:
    """Orders with an unknown field by its path, and how many values there are."""
    rows = files.read("unmapped_fields", ["order_pk", "document", "path"]).to_pylist()
    orders: dict[str, set[int]] = {}
    for row in rows:
        orders.setdefault(f"{row['document']}: {_without_positions(row['path'])}", set()).add(row["order_pk"])
    return {path: len(pks) for path, pks in orders.items()}, len(rows)


def _without_positions(path: str) -> str:
    parts = path.split("[")
    return parts[0] + "".join("[]" + part.partition("]")[2] for part in parts[1:])
