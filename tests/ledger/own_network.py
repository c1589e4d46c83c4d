"""A network of the test's own, in which machines can be cut off from each other: for whoever is root on Linux.

Each machine is an address of the loopback device in a network namespace; a cut is a pair of routing rules that swallow
what goes from one to the other. A thread enters the namespace, and all that it starts is in it.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

import pytest

CLONE_NEWNET = 0x40000000
HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")  # the tests themselves are at 127.0.0.1 and are never cut off


def _why_not() -> str:
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("ip") is None:
        return "needs root on Linux, and iproute2"
    # In a process of its own: the one that asks must stay where it is.
    ask = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x40000000) != 0)"
    return "" if subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0 else "needs CAP_SYS_ADMIN"


needs_own_network = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")


def in_own_network(body: Callable[[], None]) -> None:
    """Do something in a network namespace of its own; raises what it raised."""
    failed: list[BaseException] = []

    def enter() -> None:
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            _ip("link", "set", "lo", "up")
            _ip("rule", "add", "pref", "100", "lookup", "local")  # behind the cuts, which come first then
            _ip("rule", "del", "pref", "0")
            body()
        except BaseException as error:  # noqa: BLE001 - whatever it was, the test is told
            failed.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def cut_off(host: str, others: Sequence[str] = HOSTS) -> None:
    """Swallow what goes between a machine and the others."""
    _between("add", host, others)


def mend(host: str, others: Sequence[str] = HOSTS) -> None:
    """Take a cut back."""
    _between("del", host, others)


def _between(what: str, host: str, others: Sequence[str]) -> None:
    for other in others:
        if other != host:
            for one, two in ((host, other), (other, host)):
                _ip("rule", what, "pref", "10", "from", one, "to", two, "type", "blackhole")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
