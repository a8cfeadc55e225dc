"""Names and texts as SQL has them, so that whatever stands in them is never read as SQL."""

from __future__ import annotations

from collections.abc import Iterable


def quoted(*parts: str) -> str:
    """An identifier; several parts are joined with dots."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def quoted_list(names: Iterable[str]) -> str:
    """Identifiers with commas between them."""
    return ", ".join(map(quoted, names))


def literal(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"
