"""A print queue of CUPS, for printers that another program or computer drives: bytes go through it as they are.

    cups://tickets              the queue's name as `lpstat -e` lists it

One write is one print job (`lp -o raw`); nothing comes back from the printer. What CUPS itself says counts: a queue
that is stopped or unknown is LineDown before anything is sent, a job that is refused is LineDown with nothing left of
it, and a job that waits longer than its visitor does is taken back.

Source: CUPS manual pages lp(1), lpstat(1), cancel(1), https://www.cups.org/doc/options.html
"""

import os
import re
import subprocess
import time
from collections.abc import Sequence

from drivers.faults import LineDown
from drivers.transport.base import LineUrl

HAND_OVER_S = 15.0
"""How long a job may stay in the queue; then it is cancelled, for its visitor has gone."""
_COMMAND_S = 5.0
_LOOK_EVERY_S = 0.2
_ACCEPTED = re.compile(r"request id is (\S+)")


class CupsQueue:
    """A queue that was found ready."""

    def __init__(self, parsed: LineUrl) -> None:
        """Look at the queue. Raises LineDown when it is not there or stopped."""
        self.url = parsed.url
        self._queue = parsed.host
        self._look()

    def write(self, data: bytes, timeout_s: float) -> None:
        """Print the bytes as one job and wait until it left the queue, or raise LineDown."""
        said = self._run(("lp", "-d", self._queue, "-o", "raw", "-t", "ticket"), data, untouched=True)
        accepted = _ACCEPTED.search(said)
        if accepted is None:
            raise LineDown(self.url, f"lp gave no job number: {_first_line(said)}")
        job = accepted[1]
        until_s = time.monotonic() + max(timeout_s, HAND_OVER_S)
        while job in self._run(("lpstat", "-o", self._queue)).split():
            if time.monotonic() >= until_s:
                self._run(("cancel", job))
                raise LineDown(self.url, f"job {job} was not printed in time and taken back")
            time.sleep(_LOOK_EVERY_S)

    def read(self, timeout_s: float) -> bytes:
        """Give b"" after the time: a queue hands no answers back. Raises LineDown when it was stopped."""
        if timeout_s > 0:
            time.sleep(timeout_s)
        else:
            self._look()
        return b""

    def close(self) -> None:
        """Nothing is held open."""

    def _look(self) -> None:
        said = self._run(("lpstat", "-p", self._queue))
        if "disabled" in said.partition("\n")[0]:
            reason = " ".join(said.split()[-12:])
            raise LineDown(self.url, f"the queue is stopped (cupsenable {self._queue}): {reason}")

    def _run(self, command: Sequence[str], data: bytes = b"", *, untouched: bool = False) -> str:
        """Run a command of CUPS and give what it says. `untouched`: when it refuses, nothing was printed."""
        try:
            done = subprocess.run(
                command, input=data, capture_output=True, timeout=_COMMAND_S, env={**os.environ, "LC_ALL": "C"}
            )
        except FileNotFoundError as error:
            raise LineDown(self.url, f"{command[0]} is not installed (package cups-client)", untouched=True) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LineDown(self.url, f"{command[0]} gave no answer") from error
        if done.returncode != 0:
            why = _first_line(done.stderr.decode(errors="replace")) or f"{command[0]} ended with {done.returncode}"
            raise LineDown(self.url, why, untouched=untouched)
        return done.stdout.decode(errors="replace")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0].strip()
