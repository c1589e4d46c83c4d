"""Houses whose server starts within a blink, for tests that kill it often; see `tests/faults/spawner.py`."""

import json
import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.live.house import House, ServerProcess
from tests.patience import PATIENCE_S

LISTENING = re.compile(r"^listening on http://[^:]+:(\d+)$", re.MULTILINE)
PID = re.compile(r"^pid (\d+)$", re.MULTILINE)
ENDED = re.compile(r"^ended (-?\d+)$", re.MULTILINE)


class Spawner:
    """The process that forks servers, one at a time. `environment` is for all of them."""

    def __init__(self, root: Path, environment: dict[str, str] | None = None, before: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", "tests.faults.spawner"],
            cwd=root,
            env=os.environ | {"LANG": "C.UTF-8"} | (environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout.fileno()
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._from, selectors.EVENT_READ)
        self._heard = ""

    def ask(self, arguments: list[str], errors: Path, broken: str) -> int:
        """Start a server and give its process id."""
        self._heard = ""
        asked = {"arguments": arguments, "errors": str(errors), "broken": broken}
        self._to.write(json.dumps(asked).encode() + b"\n")
        self._to.flush()
        return int(self.hear(PID)[1])

    def hear(self, *wanted: "re.Pattern[str]") -> "re.Match[str]":
        """Wait for one of some lines."""
        while True:
            for pattern in wanted:
                if found := pattern.search(self._heard):
                    return found
            assert self._ready.select(timeout=PATIENCE_S), f"nothing but {self._heard!r}"
            piece = os.read(self._from, 65536)
            assert piece, f"the spawner ended: {self._heard!r}"
            self._heard += piece.decode()

    def close(self) -> None:
        """End the process and what it started."""
        self._ready.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        self._to.close()
        assert self._process.stdout is not None
        self._process.stdout.close()


class SpawnedServer(ServerProcess):
    """A server that the spawner forks."""

    def __init__(self, spawner: Spawner, root: Path, data: Path, hall_file: Path | None = None) -> None:
        super().__init__(root, data, hall_file)
        self._spawner, self.pid, self.host = spawner, 0, "127.0.0.1"
        self._handle, self.last_status = -1, 0
        self.broken = ""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def start(self, *options: str) -> "SpawnedServer":
        arguments = ["--lang", "en", "serve", str(self.hall_file), "--host", self.host, "--port", str(self.port)]
        self.pid = self._spawner.ask([*arguments, "--data", str(self.data), *options], self.errors, self.broken)
        self._handle = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else -1  # else the number may be another's
        said = self._spawner.hear(LISTENING, ENDED)
        if said.re is ENDED:
            self.status()
            raise AssertionError(said[0], self.errors.read_text())
        self.port = int(said[1])
        return self

    def end(self, number: int) -> int:
        """Send a signal and give the exit status."""
        if self._handle >= 0:
            with suppress(ProcessLookupError):  # it has ended by itself
                signal.pidfd_send_signal(self._handle, number)
        else:
            os.kill(self.pid, number)
        return self.status()

    def status(self) -> int:
        """Wait for the end and give the exit status."""
        status = int(self._spawner.hear(ENDED)[1])
        if self._handle >= 0:
            os.close(self._handle)
        self.pid, self._handle, self.last_status = 0, -1, status
        return status


class SpawnedHouse(House):
    """A house with such a server, and a clerk more."""

    server: SpawnedServer

    def __init__(self, spawner: Spawner, root: Path, data: Path, hall_file: Path | None = None) -> None:
        super().__init__(root, data, hall_file)
        self.server = SpawnedServer(spawner, root, data, hall_file)
        self.people.add_user("1002", self.password, role="clerk", name="窗口三")

    def close(self) -> None:
        super().close()
        if self.server.pid:
            self.server.end(signal.SIGKILL)
