"""The first rows of a table as Markdown, for the UI."""

from __future__ import annotations

from collections.abc import Sequence

from order_assets.contract.model import JSON, Table
from order_assets.redaction import looks_personal
from order_assets.tables import DayFiles

_ROWS = 5
# Shops fill in what they like: names, e-mail addresses.
_CODES = frozenset({"erp_code", "value", "code", "title", "reason", "description"})
_COLUMNS = 8
_WIDTH = 40


def preview(files: DayFiles, table: Table) -> str:
    """The first rows as a Markdown table.

    Personal data, free-form JSON and gateway texts stay out, whatever the privacy settings, and so does what only looks
    like somebody's, such as an e-mail address as a code: the preview is kept in Dagster's event log.
    """
    shown = [
        column.name
        for column in table.columns
        if column.personal is None and column.name not in _CODES and column.type != JSON and not column.gateway_text
    ][:_COLUMNS]
    first = files.first(table.name, shown, _ROWS).to_pylist()
    return _markdown(shown, [[_cell(row[name]) for name in shown] for row in first])


def _markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and looks_personal(text):
        text = "[personal]"
    return (text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…").replace("|", "\\|")
