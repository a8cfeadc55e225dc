"""Files are whole or not there, and what a killed process left does not stay for ever."""

from __future__ import annotations

import os
import time
from pathlib import Path

from order_assets.disk import write_json


def test_what_a_killed_process_left_goes_and_what_may_be_under_way_stays(tmp_path: Path) -> None:
    old, young = tmp_path / ".parts.parquet.1.tmp", tmp_path / ".parts.parquet.2.tmp"
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    write_json(tmp_path / "facts.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "facts.json"]
