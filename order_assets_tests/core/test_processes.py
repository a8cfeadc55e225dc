import os
import subprocess
import sys
import time

from order_assets.core.processes import is_gone, lived_at, this_process


def test_a_process_that_ended_is_gone_and_one_under_its_number_is_another() -> None:
    program = "from order_assets.core.processes import this_process; print(this_process())"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert is_gone(other)
    assert not is_gone(this_process())
    host, pid, started = this_process().rsplit("/", 2)
    assert is_gone(f"{host}/{pid}/{int(started) - 1}")


def test_nothing_is_said_of_processes_of_other_machines_or_without_a_name() -> None:
    assert not is_gone("elsewhere/1/1")
    assert not is_gone(None)


def test_a_process_lived_only_since_it_was_started() -> None:
    assert lived_at(os.getpid(), time.time())
    assert not lived_at(os.getpid(), time.time() - 10 * 365 * 24 * 3600)
