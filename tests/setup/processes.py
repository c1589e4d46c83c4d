"""Child processes of the set-up tests: read what they say with a bound, and never leave one behind."""

import contextlib
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

from tests.patience import PATIENCE_S


def wait_for_line(
    process: subprocess.Popen[str], pattern: str, *, timeout_s: float, heard: list[str] | None = None
) -> re.Match[str]:
    """Give the first line of the process that matches; fail with all that it said when it ends before or is late.

    `heard` gets the lines up to there.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:  # goes on after the match, else the process would block on a full pipe
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said = ""
    end = time.monotonic() + timeout_s
    while (left := end - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line is None:
            raise AssertionError(f"ended with {process.wait(PATIENCE_S)} before {pattern!r}:\n{said}")
        said += line
        if heard is not None:
            heard.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"no {pattern!r} in {timeout_s} s:\n{said}")


@contextlib.contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """End the process politely at the end of the block, with its group if it leads one, and then for certain."""
    try:
        yield
    finally:
        group = os.getpgid(process.pid) == process.pid if process.poll() is None else False
        for kill in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is not None:
                break
            if group:
                os.killpg(process.pid, kill)
            else:
                process.send_signal(kill)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
        if process.stdout:
            with contextlib.suppress(ValueError):
                process.stdout.close()
