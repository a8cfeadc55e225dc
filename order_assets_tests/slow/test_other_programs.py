"""What others find: any DuckDB reads the file, and the command needs no rights beyond its data root."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_COMMAND = Path(sys.executable).with_name("order-assets")
_OURS = ("OMNITRON_", "ORDER_ASSETS_", "DAGSTER_")
# The oldest that is promised, two of the years between, and the one that writes.
_VERSIONS = ("1.1.3", "1.4.5", "1.5.6", duckdb.__version__)

# Every table and view that is in the file: its rows, and the sums of its amounts and whole numbers.
READER = """
import duckdb, json, sys
c = duckdb.connect(sys.argv[1], read_only=True)
found = {"version": duckdb.__version__}
names = c.execute(
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database()"
).fetchall()
for schema, table in sorted(names):
    columns = c.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_catalog = current_database() "
        "AND table_schema = ? AND table_name = ? AND (data_type LIKE 'DECIMAL%' OR data_type LIKE '%INT%') "
        "ORDER BY column_name",
        [schema, table],
    ).fetchall()
    sums = ["sum(%s)::VARCHAR" % ('"' + name + '"') for name, in columns]
    sql = 'SELECT %s FROM "%s"."%s"' % (", ".join(["count(*)", *sums]), schema, table)
    found[schema + "." + table] = c.execute(sql).fetchall()[0]
comments = c.execute("SELECT count(*) FROM duckdb_columns() WHERE comment IS NOT NULL").fetchall()[0][0]
print(json.dumps({**found, "comments": comments}))
"""


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
    return subprocess.run(
        [*map(str, command)], env=environment | variables, capture_output=True, text=True, timeout=600, cwd="/"
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data root of a demonstration."""
    data = tmp_path_factory.mktemp("demo") / "data"
    done = run(_COMMAND, "demo", ORDER_ASSETS_DATA=str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    return data


def python_with(version: str, folder: Path) -> Path:
    """A Python of an environment of its own that has this DuckDB."""
    made = run(sys.executable, "-m", "venv", "--without-pip", folder)
    assert made.returncode == 0, made.stderr
    python = folder / "bin" / "python"
    wanted = (f"duckdb=={version}", "--only-binary=duckdb", "--no-deps", "-q")
    got = run(sys.executable, "-m", "pip", "--python", python, "install", *wanted)
    if got.returncode:
        pytest.skip(f"pip gives no duckdb {version} here: {got.stderr.strip().splitlines()[-1]}")
    return python


@pytest.mark.parametrize("version", _VERSIONS)
def test_a_duckdb_of_any_age_reads_the_same_sums_out_of_the_file(version: str, demo: Path, tmp_path: Path) -> None:
    file = demo / "warehouse.duckdb"
    expected = json.loads(run(sys.executable, "-c", READER, file).stdout)
    assert len([name for name in expected if name.startswith("marts.")]) >= 9
    assert expected["marts.fct_orders"][0] > 100

    done = run(python_with(version, tmp_path / "environment"), "-c", READER, file)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {**expected, "version": version}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody gets to: only its owner gets below those of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root may become a user without rights"
)
def test_a_user_without_rights_and_without_a_home_runs_the_demo_and_leaves_nothing_beside_the_data(
    open_folder: Path,
) -> None:
    # Nobody else has this number, so what it owns afterwards was made here. It may read anything, as Python may lie in
    # a folder of root's, and write nothing but below the data root.
    user = 54321
    data = open_folder / "data"
    data.mkdir()
    os.chown(data, user, user)
    rights = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--clear-groups")
    environment = ("env", "-i", "PATH=/usr/bin:/bin", "HOME=/nonexistent", f"ORDER_ASSETS_DATA={data}")
    started = time.time()

    done = run("setpriv", f"--reuid={user}", f"--regid={user}", *rights, *environment, _COMMAND, "demo")

    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("telemetry", "dagster.yaml", "Traceback"):
        assert word not in done.stdout + done.stderr
    assert (data / "report.html").exists()
    assert (data / "dagster" / "history" / "runs.db").exists()
    assert not list((data / "dagster").rglob("*telemetry*"))
    made = subprocess.run(
        ["find", "/", "-xdev", "-user", str(user), "-not", "-path", f"{data}*", "-print"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    ).stdout.split()
    # Of other file systems, what belongs to the user is looked for where programs like to put things.
    made += [
        str(path)
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run")
        for path in Path(place).glob("*")
        if path.lstat().st_uid == user and path.lstat().st_mtime >= started
    ]
    assert made == []
    assert not Path("/nonexistent").exists()


def test_the_packaged_command_brings_the_settings_of_the_dagster_instance(tmp_path: Path) -> None:
    project = Path(__file__).resolve().parents[2]
    built = run(
        sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, str(project)
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "unpacked", "zip")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'unpacked')!r}); import order_assets.dagster_home as home; "
        "from pathlib import Path; assert 'unpacked' in home.__file__; "
        f"print(home.make_ready(Path({str(tmp_path / 'data')!r}), {{}}))"
    )
    said = run(sys.executable, "-c", program)
    assert said.returncode == 0, said.stderr
    written = Path(said.stdout.strip(), "dagster.yaml").read_text(encoding="utf-8")
    assert written.partition("\n")[2] == (project / "dagster.yaml").read_text(encoding="utf-8")


def test_a_program_that_holds_the_file_for_writing_through_a_whole_run_hinders_nothing(demo: Path) -> None:
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(demo / "warehouse.duckdb")]
    (demo / "warehouse.duckdb").chmod(0o640)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for what in ("demo", "report"):
            done = run(_COMMAND, what, ORDER_ASSETS_DATA=str(demo))
            assert done.returncode == 0, done.stdout + done.stderr
        holder.communicate(timeout=30)
    assert (demo / "warehouse.duckdb").stat().st_mode & 0o777 == 0o640
