"""What holds for the project as a whole: it loads, its commands start, and its papers say what is there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[1]
# What a user reads, by file; the faults are a table that a program writes.
PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in (*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md"))
    if path.name != "faults.md"
}
DOCS = "\n".join(PAGES.values())
_OURS = ("OMNITRON_", "ORDER_ASSETS_", "DAGSTER_")
_NOT_OURS = {"data", "history", "schedules", "storage", "logs", "__pycache__", "build", "dist"}
_TODAY = datetime.now(UTC).date()


def run(*command: str, **variables: str) -> str:
    """The output of a command of this environment in a process of its own; fails with it if it fails."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    done = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=PROJECT,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, f"{' '.join(command)} gave {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A history and a data root of their own."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "home").mkdir()
    shutil.copy(PROJECT / "dagster.yaml", folder / "home")
    return {"DAGSTER_HOME": str(folder / "home"), "ORDER_ASSETS_DATA": str(folder / "data")}


def test_a_fresh_process_loads_the_location_that_the_workspace_names(variables: dict[str, str]) -> None:
    # Without DAGSTER_HOME too, as in a fresh clone: Dagster then takes a folder for the moment and reads dagster.yaml.
    named = {"ORDER_ASSETS_DATA": variables["ORDER_ASSETS_DATA"]}
    said = run("dagster", "definitions", "validate", "-w", "workspace.yaml", **named)
    assert "Validation successful for code location order_assets" in said


def test_loading_the_definitions_waits_for_no_heavy_library() -> None:
    # Each run and each reload of the UI would wait for them again.
    heavy = ("pyarrow", "duckdb", "pandas", "requests")
    program = (
        "import sys, dagster; before = set(sys.modules); import order_assets.definitions; "
        f"print([name for name in {heavy!r} if name in sys.modules and name not in before])"
    )
    assert run("python", "-c", program).strip().splitlines()[-1] == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="huge pages are Linux's, and only it says what is switched off")
def test_a_process_that_loads_the_definitions_has_arrow_take_small_pages() -> None:
    # Said by the kernel, after the allocator has started.
    program = (
        "import os; os.environ.pop('MIMALLOC_ALLOW_THP', None); "
        "import ctypes, dagster, order_assets.definitions, pyarrow; pyarrow.array([1]); "
        "get_thp_disable = 42; print(ctypes.CDLL(None).prctl(get_thp_disable, 0, 0, 0, 0))"
    )
    assert run("python", "-c", program).strip().splitlines()[-1] == "1"


def test_workspace_and_dg_name_the_same_location() -> None:
    # The state of sensors and schedules hangs on the name; two names would be two states.
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["dg"]["project"]
    workspace = yaml.safe_load((PROJECT / "workspace.yaml").read_text(encoding="utf-8"))
    (entry,) = workspace["load_from"]
    assert entry["python_module"]["location_name"] == project["code_location_name"]
    assert entry["python_module"]["module_name"] == f"{project['root_module']}.definitions"


def test_dagster_accepts_its_settings(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", variables["DAGSTER_HOME"])
    with dg.DagsterInstance.from_config(variables["DAGSTER_HOME"]) as instance:
        assert not instance.telemetry_enabled
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled


def commands() -> list[str]:
    listed = run("order-assets", "--help").partition("Fetch and load:")[2]
    return re.findall(r"^  ([a-z]+)\b", listed, re.MULTILINE)


def targets() -> list[str]:
    return re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_every_command_explains_itself_and_stands_in_the_docs_with_options_that_it_has() -> None:
    helps = {name: run("order-assets", name, "--help") for name in commands()}
    assert {"run", "demo", "sandbox"} <= helps.keys()
    assert [name for name, text in helps.items() if f"Usage: order-assets {name}" not in text] == []
    assert [name for name in helps if f"order-assets {name}" not in DOCS] == []
    said = re.findall(r"order-assets ([a-z]+)((?: [\w.-]+)*)", DOCS)
    options = {(name, word) for name, others in said for word in others.split() if word.startswith("--")}
    assert {(name, option) for name, option in options if option not in helps[name]} == set()


def test_every_command_that_the_docs_show_as_code_is_one() -> None:
    spans = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`|^ {4}(\S[^\n]*)$", DOCS, re.DOTALL | re.MULTILINE)
    code = "\n".join("".join(found) for found in spans)
    shown = re.findall(r"^(?:\.venv/bin/)?order-assets ([a-z]+)", code, re.MULTILINE)
    assert len(shown) > 10
    assert set(shown) <= set(commands())
    assert set(re.findall(r"^make ([a-z-]+)", code, re.MULTILINE)) <= set(targets())


def test_pages_lead_to_files_and_headings_that_are_there() -> None:
    broken = []
    for path, text in PAGES.items():
        for link, heading in re.findall(r"\]\(([^)#:\s]*)(#[^)\s]+)?\)", text):
            target = (path.parent / link) if link else path
            anchors = {
                re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
                for title in re.findall(r"^#+ (.+)$", PAGES.get(target, ""), re.MULTILINE)
            }
            if not target.exists() or (heading and heading[1:] not in anchors):
                broken.append(f"{path.name}: {link}{heading}")
    assert broken == []


def test_python_of_the_docs_is_python() -> None:
    for block in re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL):
        compile(block, "docs", "exec")


def test_every_make_target_and_every_setting_stands_in_the_docs() -> None:
    assert [name for name in targets() if name != "help" and f"make {name}" not in DOCS] == []
    variable = re.compile(r"[\"'](?:OMNITRON|ORDER_ASSETS)_[A-Z_]+[\"']")
    read = {
        found.strip("\"'")
        for path in (PROJECT / "order_assets").rglob("*.py")
        for found in variable.findall(path.read_text(encoding="utf-8"))
    }
    assert "ORDER_ASSETS_PII_KEY" in read
    assert sorted(name for name in read if f"`{name}`" not in DOCS) == []


def test_a_port_that_is_taken_is_said_before_a_ui_is_started() -> None:
    program = [sys.executable, str(PROJECT / "tools" / "free_port.py")]
    recipe = (PROJECT / "Makefile").read_text(encoding="utf-8").partition("\nui:")[2].splitlines()
    assert "free_port.py" in recipe[1]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = subprocess.run([*program, port], capture_output=True, text=True, timeout=30, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"Port {port} cannot be used (Address already in use)")
    assert subprocess.run([*program, port], timeout=30, check=False).returncode == 0
    assert subprocess.run([*program, "http"], stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 2


def files() -> Iterator[Path]:
    for folder, folders, names in os.walk(PROJECT):
        folders[:] = [name for name in folders if name not in _NOT_OURS and (name == ".ci" or name[0] != ".")]
        yield from (Path(folder, name) for name in names)


def test_no_file_names_a_package_index_or_a_folder_of_one_machine() -> None:
    # Such a line works for its author only.
    forbidden = re.compile(
        "pypi" + r"\.org|pythonhosted|--(?:extra-)?index-url|--find-links|"
        rf"{re.escape(str(PROJECT))}\b|{re.escape(str(Path.home()))}/",
    )
    found = []
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and (match := forbidden.search(text)):
            found.append(f"{path.relative_to(PROJECT)}: {match[0]}")
    assert found == []


def test_constraints_fix_every_version_with_hashes_and_tests_run_on_the_versions_of_the_demo() -> None:
    pin = re.compile(r"^([\w.-]+)==([^ ;\\]+)( ;[^\\]*)?.*\n    --hash=sha256:", re.MULTILINE)
    runtime, development = (
        set(pin.findall((PROJECT / name).read_text(encoding="utf-8")))
        for name in ("constraints.txt", "constraints-dev.txt")
    )
    assert {"dagster", "duckdb", "hatchling"} <= {name for name, _, _ in runtime}
    assert {"pytest", "playwright"} <= {name for name, _, _ in development}
    # What a demo needs on some systems, tests may need on all.
    assert {found[:2] for found in runtime} <= {found[:2] for found in development}


def days_in_warehouse(data_root: str) -> dict[date, int]:
    with duckdb.connect(str(Path(data_root) / "warehouse.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute("select date_placed::date, count(*) from orders.orders group by 1 order by 1")
        return dict(rows.fetchall())


def materialise(variables: dict[str, str], *arguments: str) -> None:
    run("dagster", "asset", "materialize", "-m", "order_assets.definitions", "--select", *arguments, **variables)


@pytest.mark.long
def test_dagsters_own_command_materialises_a_day_with_the_index_before_it(variables: dict[str, str]) -> None:
    day = _TODAY - timedelta(days=1)
    # A stand-in of three days.
    few = {**variables, "ORDER_ASSETS_START_DATE": str(day - timedelta(days=1))}
    materialise(few, 'key:"order_index"+', "--partition", str(day))
    assert list(days_in_warehouse(variables["ORDER_ASSETS_DATA"])) == [day]


@pytest.mark.long
@pytest.mark.timeout(400)
def test_dagsters_own_command_materialises_a_day_and_a_range(variables: dict[str, str]) -> None:
    # The folder of the other tests begins with another day.
    variables = {**variables, "ORDER_ASSETS_DATA": variables["ORDER_ASSETS_DATA"] + "-of-a-range"}
    follow = 'key:"order_documents"+'
    ago = [(_TODAY - timedelta(days=days)) for days in range(6)]
    materialise(variables, "order_index")
    materialise(variables, follow, "--partition", str(ago[5]))
    assert list(days_in_warehouse(variables["ORDER_ASSETS_DATA"])) == [ago[5]]
    materialise(variables, follow, "--partition-range", f"{ago[3]}...{ago[1]}")
    counts = days_in_warehouse(variables["ORDER_ASSETS_DATA"])
    assert list(counts) == [ago[5], ago[3], ago[2], ago[1]]
    assert all(count > 0 for count in counts.values())
