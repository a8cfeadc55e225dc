"""All SQL of the room: names are quoted here, and the statements of `sql/` get their names here.

Statements with a fixed shape lie in `sql/*.sql`, with `{placeholders}` for names and `$parameters` for
values. What repeats per column is generated, and S608 is waived there: every name goes through `name`. When
to run which is said in `schema` and `load`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from order_assets.core.sql import literal, quoted, quoted_list
from order_assets.warehouse.layout import ColumnLayout, TableLayout

# What every statement of the room is put together with.
name, names, text = quoted, quoted_list, literal


def relation(columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> str:
    """A subquery in brackets that has these rows; texts, whole numbers, truth values and NULL."""
    values = ", ".join(f"({', '.join(map(as_sql, row))})" for row in rows)
    return f"(SELECT * FROM (VALUES {values}) AS known ({names(columns)}))"  # noqa: S608


def as_sql(value: str | int | None) -> str:
    """A text, a whole number, a truth value or NULL as SQL has it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return text(value) if isinstance(value, str) else str(value)


def statement(file: str, **placeholders: str) -> str:
    """The statement in `sql/<file>.sql` with its placeholders filled in."""
    template = _template(file)
    return template.format(**placeholders) if placeholders else template


@cache
def _template(file: str) -> str:
    return files(__package__).joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")


def create_table(table: TableLayout, table_name: str) -> str:
    """Create the table under `table_name` in its schema."""
    columns = ",\n    ".join(_declaration(column) for column in table.columns)
    return f"CREATE TABLE {name(table.schema, table_name)} (\n    {columns}\n)"


def _declaration(column: ColumnLayout) -> str:
    return f"{name(column.name)} {column.type}{' NOT NULL' if column.required else ''}"


def copy_table(source: str, target: str, columns: Sequence[ColumnLayout]) -> str:
    """Insert all rows of `source` into `target` (both quoted), with these columns cast to their types."""
    values = ", ".join(f"CAST({name(column.name)} AS {column.type})" for column in columns)
    targets = names(column.name for column in columns)
    return f"INSERT INTO {target} ({targets}) SELECT {values} FROM {source}"  # noqa: S608


def count_inexact(source: str, column: ColumnLayout, old_type: str) -> str:
    """Count the values of a column that would not survive the way into the new type and back."""
    there = f"TRY_CAST({name(column.name)} AS {column.type})"
    back = f"TRY_CAST({there} AS {old_type})"
    return f"SELECT count(*) FROM {source} WHERE {back} IS DISTINCT FROM {name(column.name)}"  # noqa: S608


def count_nulls(source: str, columns: Sequence[str]) -> str:
    """Count the rows, and the NULLs of each of these columns; one row."""
    counts = ", ".join(f"count(*) - count({name(column)})" for column in columns)
    return f"SELECT count(*), {counts} FROM {source}"  # noqa: S608


def count_refused(required: Sequence[str], free_form: Sequence[str]) -> str:
    """Count, per file, the rows without a required value and those whose free-form value is no JSON."""
    nulls = [f"count(*) - count({name(column)})" for column in required]
    broken = [f"count(*) FILTER (NOT json_valid({name(column)}))" for column in free_form]
    return statement("count_refused", counts=", ".join(["file_index::BIGINT", *nulls, *broken]))


def comments(kind: str, table: TableLayout, schema: str) -> list[str]:
    """Describe a table or a view (`kind`) of that layout, and its columns."""
    target = name(schema, table.name)
    return [
        f"COMMENT ON {kind} {target} IS {text(table.comment)}",
        *(
            f"COMMENT ON COLUMN {target}.{name(column.name)} IS {text(column.comment)}"
            for column in table.columns
            if column.comment
        ),
    ]


def count_per_day(tables: Iterable[TableLayout]) -> str:
    """Rows of each table and day in `$days`: table name, day, rows."""
    return "\nUNION ALL\n".join(
        statement("count_days", table_text=text(table.name), table=name(table.schema, table.name)) for table in tables
    )


def count_rows(tables: Iterable[tuple[str, str]]) -> str:
    """Rows of each table (schema, name): schema, table name, rows of all days."""
    return "\nUNION ALL\n".join(
        statement("count_rows", schema_text=text(schema), table_text=text(table), table=name(schema, table))
        for schema, table in tables
    )


def digest_per_day(tables: Iterable[TableLayout]) -> str:
    """Of each table and day in `$days`: table name, day, rows, digest of all values but the day."""
    return "\nUNION ALL\n".join(
        statement(
            "digest_days",
            table_text=text(table.name),
            table=name(table.schema, table.name),
            columns=names(column for column in table.column_names if column != "date"),
        )
        for table in tables
    )


def digest_per_file(tables: Iterable[tuple[TableLayout, Sequence[str]]]) -> str:
    """Like `digest_per_day`, of the files of each table, one per day in the order of `$days`."""
    return "\nUNION ALL\n".join(
        statement(
            "digest_files",
            table_text=text(table.name),
            columns=names(column for column in table.column_names if column != "date"),
            files=f"[{', '.join(map(text, files))}]",
        )
        for table, files in tables
    )


def age(columns: Sequence[str]) -> str:
    """What is greatest for the newest version of a thing: when it was changed, if known, then the day."""
    changed = "coalesce(modified_date, '-infinity'::TIMESTAMPTZ)" if "modified_date" in columns else "0"
    return f"row({changed}, date)"


def file_pattern(path: str) -> str:
    """A pattern that matches this path and nothing else; DuckDB reads every path as a pattern."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)
