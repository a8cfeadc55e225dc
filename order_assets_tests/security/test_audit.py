"""`make audit` passes only where every version was looked up; an advisory or a silent database is no pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AUDIT = Path(__file__).resolve().parents[2] / "tools" / "audit.py"
SOUND = {"name": "sound", "version": "1", "vulns": []}
FLAWED = {"name": "flawed", "version": "2", "vulns": [{"id": "PYSEC-2026-1"}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        ([SOUND], 0, "1 versions, no advisory"),
        ([SOUND, FLAWED], 1, "flawed 2 has PYSEC-2026-1"),
        ([UNKNOWN, FLAWED], 1, "flawed 2 has PYSEC-2026-1"),
        ([SOUND, UNKNOWN], 75, "NOT AUDITED"),
        (None, 75, "NOT AUDITED"),
    ],
)
def test_only_versions_that_were_looked_up_pass(
    tmp_path: Path, found: list[dict[str, Any]] | None, code: int, said: str
) -> None:
    # Advisory databases are out of reach of a test, so the program that asks them is a stand-in here.
    answer = "raise SystemExit('no route')" if found is None else f"print({json.dumps({'dependencies': found})!r})"
    (tmp_path / "pip_audit.py").write_text(answer, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(AUDIT), "pins.txt"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout + done.stderr
