"""Says for each column where its value comes from, in the words and paths of the API's documents.

The paths here are for people and for catalogues; what reads the documents takes its paths from `shape`.
"""

from __future__ import annotations

from order_assets.contract.model import Column, Kind, Origin, Source, Table
from order_assets.contract.tables.orders import COPY_PATH

# Rows of tables with several sources, and the objects that hold them, stand for each source in turn.
ROW = "(row)"
OWNER = "(owner)"


def full_paths(table: Table, column: Column) -> tuple[str, ...]:
    """Every path that fills the column, as `document: path`; empty where no path of a document does."""
    if table.kind is Kind.OVERFLOW:
        return ()
    return tuple(
        f"{source.document}: {path}" for source in table.sources if (path := _path(source, column)) is not None
    )


def short_path(table: Table, column: Column) -> str | None:
    """The one path that fills the column, below `(row)` or `(owner)` where the table has several sources."""
    if table.kind is Kind.OVERFLOW:
        return None
    if len(table.sources) == 1:
        return _path(table.sources[0], column)
    return {
        Origin.PATH: f"{ROW}.{column.path}",
        Origin.OWNER: f"{OWNER}.{column.path}",
        Origin.WHOLE: ROW,
    }.get(column.origin)


def origin_note(table: Table, column: Column) -> str:
    """What there is to say beyond the path, or an empty string."""
    if table.kind is Kind.OVERFLOW:
        return "written by the validator"
    match column.origin:
        case Origin.ORDER_PK:
            return "pk of the order"
        case Origin.POSITION:
            return "place in the set"
        case Origin.LABEL:
            return "which source the row is from"
        case Origin.WHOLE:
            return "the whole row"
        case Origin.FOLDED:
            return f"else `{column.path}` in the order list"
        case Origin.VERSION:
            return f"`{column.path}` of the stored version"
        case Origin.GONE:
            return "whether the API answered 404"
        case Origin.GONE_AT:
            return "when the API answered 404"
        case Origin.SIZE:
            return "number of rows"
        case Origin.TRUE:
            return "number of rows that say true"
        case Origin.PATH | Origin.OWNER:
            return ""


def _path(source: Source, column: Column) -> str | None:
    match column.origin:
        case Origin.PATH | Origin.SIZE | Origin.TRUE:
            return _join(source.path, column.path)
        case Origin.OWNER:
            return _join(source.path.rpartition(".")[0], column.path)
        case Origin.WHOLE:
            return source.path
        case Origin.FOLDED:
            return _join(COPY_PATH, column.path)
        case Origin.ORDER_PK | Origin.POSITION | Origin.LABEL | Origin.VERSION | Origin.GONE | Origin.GONE_AT:
            return None


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
