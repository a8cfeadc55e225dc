"""Files are whole or not there, and what a killed process left does not stay for ever."""

from __future__ import annotations

import os
import struct
import tempfile
import time
from pathlib import Path

import pytest

from order_assets.core.store import write_json


def test_what_a_killed_process_left_goes_and_what_may_be_under_way_stays(tmp_path: Path) -> None:
    old, young = tmp_path / ".parts.parquet.1.tmp", tmp_path / ".parts.parquet.2.tmp"
    old.touch()
    young.touch()
    os.utime(old, (time.time() - 7200,) * 2)
    write_json(tmp_path / "facts.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "facts.json"]


def rights(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mode & 0o777, found.st_uid, found.st_gid


def test_a_new_file_is_the_owners_alone_and_one_that_replaces_another_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_json(path, {})
    assert rights(path)[0] == 0o600
    for mode in (0o640, 0o664, 0o644, 0o600, 0o400):
        path.chmod(mode)
        write_json(path, {"mode": mode})
        assert rights(path)[0] == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_group_and_owner_of_a_file_that_root_replaces_stay(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_json(path, {})
    os.chown(path, 4711, 4712)
    path.chmod(0o640)
    write_json(path, {"again": True})
    assert rights(path) == (0o640, 4711, 4712)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_what_a_group_was_allowed_becomes_no_other_groups_where_the_group_cannot_be_kept() -> None:
    # Nobody but root gets below pytest's own folder.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.json"
        write_json(path, {})
        os.chown(path, -1, 4712)
        path.chmod(0o640)
        path.parent.chmod(0o777)
        os.seteuid(4711)
        try:
            write_json(path, {"again": True})
        finally:
            os.seteuid(0)
        assert rights(path)[:2] == (0o600, 4711)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="there are no access lists here")
def test_readers_of_an_access_list_stay(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    write_json(path, {})
    user, named, group, mask, other = (1, 6, -1), (2, 4, 4711), (4, 0, -1), (16, 4, -1), (32, 0, -1)
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in (user, named, group, mask, other))
    try:
        os.setxattr(path, "system.posix_acl_access", access)
    except OSError:
        pytest.skip("this disk keeps no access lists")
    write_json(path, {"again": True})
    assert os.getxattr(path, "system.posix_acl_access") == access
