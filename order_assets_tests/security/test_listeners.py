"""What this project starts listens on this machine's own interface alone."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from order_assets.sandbox import ShopSettings, running_sandbox

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


def test_make_ui_gives_dagster_a_loopback_address() -> None:
    (command,) = re.findall(r"^.*dagster dev.*$", MAKEFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert "--host 127.0.0.1" in command


def test_the_sandbox_cannot_be_reached_from_outside() -> None:
    outside = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    with running_sandbox(ShopSettings(orders_per_day=0)) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        # In the kernel's list of listeners the address comes as hexadecimal digits, last byte first.
        listeners = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        found = [address for address in listeners if address.endswith(f":{port:04X}")]
        assert found
        assert all(address.startswith("0100007F:") for address in found)
        for host in outside:
            with socket.socket() as probe:
                probe.settimeout(0.5)
                assert probe.connect_ex((str(host), port)) != 0
