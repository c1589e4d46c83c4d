"""Starts `jiaohao serve` again and again without paying for the imports: forks a child per line of its standard input.

python -m tests.faults.spawner

A line is JSON: {"arguments": [...], "errors": FILE, "broken": NAME}. The answers are lines: `pid N`, then what the
child says on its standard output, then `ended STATUS` (negative: the signal that killed it). The child is what
`jiaohao` would be, from its command line on; `broken` names one of `tests/faults/broken.py`.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import gevent  # noqa: E402

import server.serve  # noqa: E402, F401  # what is imported here the children need not import
from server.main import main  # noqa: E402
from tests.faults.broken import BROKEN  # noqa: E402

fork = monkey.get_original("os", "fork")  # gevent's own would watch the child on a loop, and here is none yet


def lines() -> Iterator[bytes]:
    """Give the lines of standard input, read without the loop."""
    left = b""
    while piece := os.read(0, 65536):
        *whole, left = (left + piece).split(b"\n")
        yield from whole


def run() -> None:
    """Fork a child per line and wait for its end."""
    for line in lines():
        asked = json.loads(line)
        pid = fork()
        if pid == 0:
            child(asked["arguments"], asked["errors"], asked["broken"])
        os.write(1, f"pid {pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(1, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())


def child(arguments: list[str], errors: str, broken: str) -> None:
    """Be the server; never comes back."""
    gevent.reinit()
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
    status = 1
    try:
        if broken:
            BROKEN[broken]()
        main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    run()
