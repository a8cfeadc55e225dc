"""`python tools/audit.py FILE ...`: do advisories know anything of these pinned versions?

Ends with 0 where every version was looked up and none has an advisory, with 1 where one has, and with 75 where no
database could be reached or did not know a version: that is no pass. Asks PyPI's database first, then OSV.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_SERVICES = ("pypi", "osv")
_FOUND, _NOT_KNOWN = 1, 75


def audit(pins: Path) -> int:
    """The exit code for one file of pins, which is explained in print."""
    reason = ""
    for service in _SERVICES:
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-f", "json"]
        command += ["-s", service, "--progress-spinner", "off", "--timeout", "10", "-r", str(pins)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603
        try:
            found = json.loads(done.stdout)["dependencies"]
        except ValueError:
            said = (done.stderr.strip().splitlines() or ["no answer"])[-1]
            reason = f"the database {service} gave no answer ({said.split(':')[0]})"
            continue
        skipped = [package for package in found if package.get("skip_reason")]
        flawed = [package for package in found if package.get("vulns")]
        for package in flawed:
            names = ", ".join(sorted(flaw["id"] for flaw in package["vulns"]))
            print(f"{pins}: {package['name']} {package['version']} has {names}")
        if flawed:
            return _FOUND
        if not skipped:
            print(f"{pins}: {len(found)} versions, no advisory in the database {service}")
            return 0
        # A mirror of a registry answers "not found" to questions about advisories; that says nothing of a version.
        reason = f"the database {service} does not know {len(skipped)} of {len(found)} versions"
    print(f"{pins}: NOT AUDITED, no advisory database can be reached from here: {reason}")
    return _NOT_KNOWN


if __name__ == "__main__":
    raise SystemExit(max(audit(Path(name)) for name in sys.argv[1:]))
