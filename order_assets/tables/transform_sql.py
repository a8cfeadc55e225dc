"""Plans, from the contract alone, the SQL that reads JSON text into typed values.

A document is read whole, in one pass; values inside free-form JSON are read in a second pass over those texts only.
Running the statements is the work of `reader`; cutting the typed values into rows of tables that of `rows`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from order_assets.contract.model import ColumnType, Contract, Document
from order_assets.contract.shape import (
    CopyOf,
    FreeForm,
    Leaf,
    Record,
    Removed,
    SetOf,
    Shape,
    document_shape,
    history_shape,
)
from order_assets.core.sql import literal


def documents_statement(contract: Contract) -> str:
    """The statement that reads a relation `texts` with the documents: a typed value for each."""
    read = ", ".join(_transform(document.name, document_shape(contract, document)) for document in contract.documents)
    return f"SELECT {read} FROM texts"  # noqa: S608


def history_statement(contract: Contract) -> str:
    """The statement that reads of detail documents only what histories are made of."""
    return f"SELECT {_transform(Document.DETAIL.name, history_shape(contract))} FROM texts"  # noqa: S608


def extract_statement(types: Mapping[str, ColumnType]) -> str:
    """The statement that reads single values out of free-form JSON objects `text`, by their names, as a record `d`."""
    structure = literal(json.dumps({name: type_.duckdb for name, type_ in types.items()}))
    return f"SELECT json_transform(text, {structure}) AS d FROM texts"  # noqa: S608


def _transform(document: str, shape: Record | SetOf) -> str:
    return f"json_transform({document}, {literal(json.dumps(_structure(shape)))}) AS {document}"


def _structure(shape: Shape) -> object:
    """The structure that `json_transform` takes; free-form JSON is read as text."""
    match shape:
        case Leaf():
            return shape.type.duckdb
        case FreeForm():
            return "VARCHAR"
        case SetOf():
            return [_structure(shape.element)]
        case Record():
            return {
                name: _structure(child)
                for name, child in shape.children.items()
                if not isinstance(child, Removed | CopyOf)
            }
        case Removed() | CopyOf():
            raise AssertionError("secrets and copies have no column")
