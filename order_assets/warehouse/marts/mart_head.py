"""Reads marts from `.sql` files: the head, YAML in the comment that opens the file, says what the SELECT makes.

/* ---
description: Orders of a day
grain: one row per day
key: [date]
refresh: days            # or whole, for a mart without a column date
references:              # optional: columns, and the table that they are found in, with its key in brackets
  channel_pk: orders.channels (pk)
rules: [amounts_add_up]  # optional: rules of mart_rules beyond key and references
restated: marts.other    # optional: a whole mart whose columns stand here too, and are brought up to it on all days
columns:
  date: Day that the orders were placed in
--- */
SELECT date, count(*) AS order_count FROM orders.orders GROUP BY date
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from order_assets.warehouse.layout import ORDERS
from order_assets.warehouse.marts.mart import SCHEMA, Mart, MartError, Marts, Reference, Refresh
from order_assets.warehouse.marts.mart_rules import MEANINGS

_BLOCK = re.compile(r"\A\s*/\*\s*---[ \t]*\n(?P<yaml>.*?)^[ \t]*---\s*\*/[ \t]*\n?", re.DOTALL | re.MULTILINE)
_LINES = re.compile(r"\A\s*--[ \t]*---[ \t]*\n(?P<yaml>(?:--[^\n]*\n)*?)--[ \t]*---[ \t]*\n")
_TARGET = re.compile(r"(?P<schema>\w+)\.(?P<table>\w+)(?:\s*\((?P<key>[\w\s,]+)\))?")
_REQUIRED = ("description", "grain", "key", "refresh", "columns")
_KNOWN = (*_REQUIRED, "references", "rules", "restated")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_marts(folder: Path | str) -> Marts:
    """The marts of a folder: one per `.sql` file in it, named like the file.

    Raises `MartError` for a folder without such files and for a file without a usable head.
    """
    files = sorted(Path(folder).glob("*.sql"))
    if not files:
        raise MartError(f"{folder} has no .sql file: give the folder that holds the marts, one .sql file each")
    return Marts(map(_read, files))


def _read(file: Path) -> Mart:
    text = file.read_text(encoding="utf-8")
    head = _BLOCK.match(text) or _LINES.match(text)
    if head is None:
        raise MartError(
            f"{file}:1:1: no head: open the file with a comment from /* --- to --- */ that says in YAML "
            f"{', '.join(_REQUIRED)}"
        )
    return _Head(file, text, head).mart()


class _Head:
    """The head of one file: its values, and where each is written."""

    def __init__(self, file: Path, text: str, head: re.Match[str]) -> None:
        self.file = file
        # What stands before the YAML becomes blank, so that lines and columns are those of the file.
        body = re.sub(r"^--", "  ", head["yaml"], flags=re.MULTILINE)
        self.yaml = "\n" * text.count("\n", 0, head.start("yaml")) + body
        self.sql = text[head.end() :]
        self.line = text.count("\n", 0, head.end()) + 1
        try:
            loader = _LOADER(self.yaml)
            self.root = loader.get_single_node()
            self.values: Any = loader.construct_document(self.root) if self.root else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
            raise MartError(
                f"{where}: the head is no YAML: {error.problem}; quote a text that has a colon or begins with a sign"
            ) from None

    def mart(self) -> Mart:
        """The mart that the file describes."""
        if not isinstance(self.values, Mapping):
            raise self.error((), f"the head has no names: write {', '.join(_REQUIRED)}, each with a colon behind it")
        for name in self.values:
            if name not in _KNOWN:
                raise self.error((name,), f"{name!r} says nothing about a mart: write one of {', '.join(_KNOWN)}")
        for name in _REQUIRED:
            if not self.values.get(name):
                raise self.error((name,), f"{name} is missing: write `{name}: ...` in the head")
        if not self.sql.strip():
            raise MartError(f"{self.file}:{self.line}:1: there is no SELECT: write it below the head")
        columns, refresh = self.columns(), self.refresh()
        return Mart(
            name=self.file.stem,
            description=self.text("description"),
            grain=self.text("grain"),
            key=self.names("key", columns, "a column of the mart"),
            refresh=refresh,
            columns=columns,
            sql=self.sql,
            references=self.references(columns),
            rules=self.names("rules", MEANINGS, "a rule"),
            restated=self.restated(),
            file=self.file,
            place=self.place(("columns",)),
        )

    def text(self, name: str) -> str:
        """The text under a name."""
        found = self.values[name]
        if not isinstance(found, str):
            raise self.error((name,), f"{name} is no text: write a sentence, in quotes if it has a colon")
        return found

    def names(self, name: str, known: Mapping[str, str], what: str) -> tuple[str, ...]:
        """A list of names that have to be among the known ones."""
        found = self.values.get(name) or []
        if not isinstance(found, list):
            raise self.error((name,), f"{name} is no list: write it in brackets, as [{', '.join(list(known)[:2])}]")
        for number, one in enumerate(found):
            if one not in known:
                raise self.error((name, number), f"{one!r} is not {what}: write some of {', '.join(known)}")
        return tuple(found)

    def columns(self) -> dict[str, str]:
        """Each column with what it means."""
        columns = self.values["columns"]
        if not isinstance(columns, Mapping):
            raise self.error(("columns",), "columns is no list of names with meanings: write `name: what it means`")
        for name, meaning in columns.items():
            if not isinstance(meaning, str) or not meaning.strip():
                raise self.error(("columns", name), f"column {name} has no description: write `{name}: what it means`")
        return dict(columns)

    def refresh(self) -> Refresh:
        """What a load of days does to the mart."""
        try:
            refresh = Refresh(self.values["refresh"])
        except ValueError:
            raise self.error(("refresh",), f"refresh is {self.values['refresh']!r}: write days or whole") from None
        if refresh is Refresh.DAYS and "date" not in self.values["columns"]:
            raise self.error(
                ("refresh",), "a mart that is refreshed by days has a column date: add it, or write refresh: whole"
            )
        return refresh

    def restated(self) -> str:
        """The mart whose columns are brought up to it on all days, or an empty text."""
        match = _TARGET.fullmatch(str(self.values.get("restated") or f"{SCHEMA}.none"))
        if match is None or match["schema"] != SCHEMA:
            raise self.error(("restated",), "restated names no mart: write `restated: marts.<mart>`")
        return match["table"] if "restated" in self.values else ""

    def references(self, columns: Mapping[str, str]) -> tuple[Reference, ...]:
        """Which columns lead where; whether that is there is known with the contract and all marts."""
        found = self.values.get("references") or {}
        if not isinstance(found, Mapping):
            raise self.error(("references",), "references is no list: write `column: orders.table` below it")
        return tuple(self._reference(named, target, columns) for named, target in found.items())

    def _reference(self, named: Any, target: Any, columns: Mapping[str, str]) -> Reference:
        of = ("references", named)
        ours = tuple(column.strip() for column in str(named).split(","))
        if unknown := [column for column in ours if column not in columns]:
            raise self.error(of, f"{', '.join(unknown)} is no column of the mart: write some of {', '.join(columns)}")
        match = _TARGET.fullmatch(str(target).strip())
        if match is None or match["schema"] not in (ORDERS, SCHEMA):
            raise self.error(
                of, f"{target!r} names no table: write `orders.<table> (<columns>)` or `marts.<mart> (<columns>)`"
            )
        default = ours if match["schema"] == SCHEMA else ("pk",)
        key = tuple(column.strip() for column in match["key"].split(",")) if match["key"] else default
        if len(key) != len(ours):
            raise self.error(of, f"{len(ours)} columns lead to {len(key)} of {target}: write as many in its brackets")
        return Reference(ours, match["schema"], match["table"], key, self.place(of))

    def error(self, path: Sequence[Any], message: str) -> MartError:
        """An error at the place of the value that the path leads to."""
        return MartError(f"{self.place(path)}: {message}")

    def place(self, path: Sequence[Any]) -> str:
        """File, line and column of a value of the head, or of the last thing around it that is there."""
        node, mark = self.root, self.root.start_mark if self.root else None
        for step in path:
            if isinstance(node, yaml.MappingNode):
                pairs = [(key, value) for key, value in node.value if key.value == str(step)]
                if not pairs:
                    break
                mark, node = pairs[0][0].start_mark, pairs[0][1]
            elif isinstance(node, yaml.SequenceNode):
                node = node.value[step]
                mark = node.start_mark
        return f"{self.file}:{mark.line + 1}:{mark.column + 1}" if mark else f"{self.file}:1:1"
