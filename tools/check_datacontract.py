"""Lints a data contract with datacontract-cli and tests the files of a data root against it.

Run by `make datacontract` with the tool's own Python on the file that the export wrote; the package order_assets is
neither needed nor imported. Nothing is downloaded: files are the only thing that it may open.

The tool casts Parquet files into the contract's types before it looks at them and leaves its type checks out. They
are made here instead, from the schema of each file. Marts are no files: their columns are those of warehouse.duckdb.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import yaml
from datacontract.data_contract import DataContract

_LEFT_OUT = "Checking types in parquet files is not supported yet."
_DUCKDB_TYPES = {"TIMESTAMP_TZ": "TIMESTAMP WITH TIME ZONE"}
_SHOWN = 20


def main() -> int:
    """Run the command; gives the exit code: 0 as the contract says, 1 not so, 2 nothing to test."""
    parser = argparse.ArgumentParser(description="Lint the data contract and test Parquet files against it.")
    parser.add_argument("contract", type=Path, help="the contract in YAML")
    parser.add_argument("data_root", type=Path, help="the data root whose tables are tested")
    arguments = parser.parse_args()
    contract = yaml.safe_load(arguments.contract.read_text(encoding="utf-8"))
    server = contract["servers"][0]
    server["path"] = str(arguments.data_root.resolve() / Path(server["path"]).relative_to("data"))
    marts = [entry for entry in contract["schema"] if entry["physicalType"] == "table"]
    contract["schema"] = [entry for entry in contract["schema"] if entry not in marts]
    empty = [table["name"] for table in contract["schema"] if not _files(server["path"], table["name"])]
    if empty:
        print(f"no Parquet files of {empty[0]} ({len(empty)} such tables) at {server['path']}", file=sys.stderr)
        print("`make demo` makes some; ORDER_ASSETS_DATA says where they are", file=sys.stderr)
        return 2
    return max(
        _lint(arguments.contract),
        _types(contract, server["path"]),
        _marts(marts, arguments.data_root / "warehouse.duckdb"),
        _test(contract),
    )


def _lint(path: Path) -> int:
    run = DataContract(data_contract_file=str(path), inline_references=False, all_errors=True).lint()
    return _report(f"lint of {path}", run.checks)


def _test(contract: dict[str, Any]) -> int:
    text = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True)
    pattern = contract["servers"][0]["path"]
    with duckdb.connect() as connection:
        # No extension is fetched, no other file is read, and nothing is called over the network.
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET allowed_directories = [$1]", [pattern.partition("{model}")[0]])
        connection.execute("SET enable_external_access = false")
        run = DataContract(
            data_contract_str=text, server="local", inline_references=False, duckdb_connection=connection
        ).test()
    return _report(f"test of {pattern}", run.checks)


def _report(what: str, checks: list[Any]) -> int:
    done = [check for check in checks if check.reason != _LEFT_OUT]
    # What could not be tested comes last in the tool's list, and is why the rest was not run.
    bad = sorted((check for check in done if _result(check) != "passed"), key=lambda check: _result(check) == "not run")
    counts = Counter(map(_result, done))
    print(f"{what}: {', '.join(f'{number} {result}' for result, number in sorted(counts.items())) or 'no checks'}")
    if len(done) < len(checks):
        print(f"  {len(checks) - len(done)} type checks are not the tool's: see types")
    for check in bad[:_SHOWN]:
        print(f"  {_result(check)}: {check.model or ''} {check.field or ''} {check.name}: {check.reason}")
    if len(bad) > _SHOWN:
        print(f"  and {len(bad) - _SHOWN} more")
    return int(bool(bad) or not done)


def _result(check: Any) -> str:
    return check.result.value if check.result else "not run"


def _types(contract: dict[str, Any], pattern: str) -> int:
    findings = list(_wrong_types(contract, pattern))
    files = sum(len(_files(pattern, table["name"])) for table in contract["schema"])
    print(f"types of {pattern}: {files} files, {len(findings)} not as declared")
    for finding in findings[:_SHOWN]:
        print(f"  {finding}")
    return int(bool(findings))


def _marts(marts: list[dict[str, Any]], file: Path) -> int:
    wrong = 0
    with duckdb.connect(str(file), read_only=True) as connection:
        for mart in marts:
            relation = connection.sql(f"FROM {mart['physicalName']}")
            found = [(name, str(type_)) for name, type_ in zip(relation.columns, relation.types, strict=True)]
            if found != (declared := _declared(mart)):
                wrong += 1
                print(f"  {mart['name']}: found {set(found) - set(declared)}, declared {set(declared) - set(found)}")
    print(f"types of {file}: {len(marts)} marts, {wrong} not as declared")
    return int(bool(wrong))


def _declared(table: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (column["name"], _DUCKDB_TYPES.get(column["physicalType"], column["physicalType"]))
        for column in table["properties"]
        # The day is in the directory's name, not in the file.
        if not column.get("partitioned")
    ]


def _wrong_types(contract: dict[str, Any], pattern: str) -> Iterator[str]:
    for table in contract["schema"]:
        declared = _declared(table)
        for path in _files(pattern, table["name"]):
            relation = duckdb.read_parquet(str(path), hive_partitioning=False)
            found = [(name, str(type_)) for name, type_ in zip(relation.columns, relation.types, strict=True)]
            if found != declared:
                yield f"{path}: found {set(found) - set(declared)}, declared {set(declared) - set(found)}"


def _files(pattern: str, table: str) -> list[Path]:
    root, _, glob = pattern.format(model=table).partition("date=")
    return sorted(Path(root).glob(f"date={glob}"))


if __name__ == "__main__":
    raise SystemExit(main())
