"""The five numbers at the head of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from order_assets.report.figures import Facts


@dataclass(frozen=True)
class Headline:
    """A number with its name, as it is shown, and what there is to say beside it."""

    name: str
    value: str
    note: str


def headlines(facts: Facts, outside: int = 0) -> list[Headline]:
    """Orders, net sales, payment success, time to deliver, and how much of the shop is here.

    `outside` orders are read again by no rule.
    """
    totals = facts.totals
    deleted = f"; the shop has deleted {totals['deleted']:,} of them" if totals["deleted"] else ""
    return [
        Headline("Orders", f"{totals['orders']:,}", f"of {totals['days']:,} days{deleted}"),
        _sales(facts),
        Headline(
            "Card payments that went well",
            _percent(totals["card_succeeded"], totals["card_attempts"]),
            f"of {totals['card_attempts']:,} attempts" if totals["card_attempts"] else "no order was paid by card",
        ),
        Headline(
            "Placed to delivered",
            "–" if totals["median_hours"] is None else f"{totals['median_hours']:.0f} h",
            f"median of {totals['deliveries']:,} deliveries" if totals["deliveries"] else "nothing was delivered",
        ),
        _coverage(facts, outside),
    ]


def _sales(facts: Facts) -> Headline:
    # Amounts of two currencies are never added up.
    if not facts.currencies:
        return Headline("Net sales", "–", "nothing was sold")
    first, *others = facts.currencies
    beside = ", ".join(_money(row) for row in others)
    return Headline("Net sales", _money(first), f"and {beside}" if beside else "sold and kept, without shipping")


def _coverage(facts: Facts, outside: int) -> Headline:
    fetched = [day for day in facts.days if day.is_landed]
    listed = sum(day.listed for day in fetched)
    landed = sum(min(day.landed, day.listed) for day in fetched)
    counts = {
        "pending": sum(day.pending for day in fetched),
        "quarantined": sum(day.quarantined for day in fetched),
    }
    missing = [f"{count:,} {what}" for what, count in counts.items() if count]
    if others := len(facts.days) - len(fetched):
        missing.append(f"{others:,} other days not fetched")
    if outside:
        missing.append(f"{outside:,} orders too old to be read again")
    note = "; ".join([f"of {listed:,} listed orders of {len(fetched):,} days", *missing])
    return Headline("Landed", _percent(landed, listed), note if listed else "no day is fetched")


def _money(row: Any) -> str:
    amount: Decimal = row["net_sales"] or Decimal(0)
    return f"{amount:,.2f} {row['currency']}"


def _percent(part: int, whole: int) -> str:
    if not whole:
        return "–"
    # Not all is never shown as 100 %.
    return f"{min(100 * part / whole, 100.0 if part == whole else 99.9):.1f} %"


def as_text(numbers: Sequence[Headline]) -> str:
    """One line each, for a terminal."""
    width = max(len(number.name) for number in numbers)
    return "\n".join(f"{number.name:<{width}}  {number.value} ({number.note})" for number in numbers)
