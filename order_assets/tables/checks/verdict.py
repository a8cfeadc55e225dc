"""What checking a day found, kept beside the tables: the warehouse takes only days that passed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from order_assets.core.check_result import CheckResult
from order_assets.core.store import write_json

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class DayVerdict:
    """Whether a day may be loaded; `reasons` say why not.

    `ledger` is a digest of the ledger that the tables were made from, `checked_at` when that was done, UTC.
    """

    day: date
    contract_version: str
    reasons: tuple[str, ...]
    ledger: str = ""
    checked_at: datetime = _LONG_AGO

    @property
    def passed(self) -> bool:
        """Whether nothing blocks the day."""
        return not self.reasons


def verdict_file(data_root: Path, day: date) -> Path:
    """Where the verdict of a day is."""
    return data_root / "verdicts" / f"date={day.isoformat()}.json"


def write_verdict(
    data_root: Path, day: date, contract_version: str, findings: Sequence[CheckResult], others: Sequence[str] = ()
) -> DayVerdict:
    """Keep what was found about a day; `others` are reasons from outside the tables that block it."""
    reasons = [f"{found.asset}, {found.name}: {found}" for found in findings if not found.passed]
    verdict = DayVerdict(day, contract_version, (*others, *reasons), _ledger_digest(data_root, day), datetime.now(UTC))
    write_json(verdict_file(data_root, day), asdict(verdict))
    return verdict


def withdraw_verdict(data_root: Path, day: date) -> None:
    """Say nothing about a day any more: its tables are about to change."""
    verdict_file(data_root, day).unlink(missing_ok=True)


def read_verdict(data_root: Path, day: date) -> DayVerdict | None:
    """The verdict of a day; `None` when its tables were never completed.

    A verdict that cannot be read counts as none: the day's tables are then made again from what has landed.
    """
    try:
        known = json.loads(verdict_file(data_root, day).read_text(encoding="utf-8"))
        at = datetime.fromisoformat(known["checked_at"]) if "checked_at" in known else _LONG_AGO
        return DayVerdict(day, known["contract_version"], tuple(known["reasons"]), known.get("ledger", ""), at)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def passed_days(data_root: Path) -> list[date]:
    """The days whose tables are complete and passed, in order."""
    found = _judged_days(data_root)
    return [day for day in found if (verdict := read_verdict(data_root, day)) is not None and verdict.passed]


def stale_days(data_root: Path, contract_version: str) -> list[date]:
    """The days whose tables were made under another contract, in order; a replay makes them from what has landed."""
    verdicts = (read_verdict(data_root, day) for day in _judged_days(data_root))
    return [verdict.day for verdict in verdicts if verdict is not None and verdict.contract_version != contract_version]


def unflattened_days(data_root: Path, days: Iterable[date]) -> list[date]:
    """Those of the landed days whose tables were not made from their present ledger: a run was cut off in between."""
    return [
        day
        for day in days
        if (verdict := read_verdict(data_root, day)) is None or verdict.ledger != _ledger_digest(data_root, day)
    ]


def _judged_days(data_root: Path) -> list[date]:
    return sorted(
        date.fromisoformat(path.stem.removeprefix("date=")) for path in (data_root / "verdicts").glob("date=*.json")
    )


def _ledger_digest(data_root: Path, day: date) -> str:
    ledger = data_root / "landing" / f"date={day.isoformat()}" / "ledger.parquet"
    return hashlib.sha256(ledger.read_bytes()).hexdigest() if ledger.exists() else ""
