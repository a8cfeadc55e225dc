"""Moments as texts: read as the API and our own files write them, and written as the API takes them."""

from __future__ import annotations

from datetime import UTC, datetime


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC; one without offset is UTC. Raises OverflowError at the ends of time."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_moment(text: object) -> datetime | None:
    """The moment in UTC that an ISO 8601 text names; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def written_moment(moment: datetime) -> str:
    """A moment in UTC as the API takes it, such as 2026-01-31T12:00:00Z."""
    return moment.isoformat().replace("+00:00", "Z")
