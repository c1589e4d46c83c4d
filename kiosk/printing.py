"""The printer on this PC, through the agent that owns it: jobs go to its local door, a socket file of this machine.

The agent keeps a journal of its own: a job with the same id is printed once, however often it is sent.
"""

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONNECT_S, PRINT_S = 2.0, 130.0


class NoPrinter(Exception):
    """The agent is not there, or has no printer for this kiosk; the text says which. Nothing was printed."""


class LocalPrinter:
    """The way to the agent; each job is one short connection."""

    def __init__(self, path: Path, device: str | None, kiosk: str) -> None:
        """Keep the socket's path; `device` names the printer, else the agent picks the one of this kiosk."""
        self._path, self._device, self._kiosk = path, device, kiosk

    def print(self, job: Mapping[str, Any]) -> str:
        """Print a job and say how it ended: printed, unknown, failed, expired.

        Raises:
            NoPrinter: nothing was printed.
        """
        answer = self._ask("POST", "/print", {"device": self._device, "kiosk": self._kiosk, "job": dict(job)})
        return str(answer["result"]["status"])

    def printers(self) -> list[dict[str, Any]]:
        """Give the printers that this kiosk may use: {device, kiosks, health, paper}.

        Raises:
            NoPrinter: the agent does not say.
        """
        found = self._ask("GET", "/printers", None)["printers"]
        return [row for row in found if self._device in (None, row["device"])]

    def _ask(self, method: str, path: str, body: object) -> dict[str, Any]:
        connection = _Unix(self._path)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise NoPrinter(text.decode(errors="replace")[:200])
            answer = json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoPrinter(f"{self._path}: {error}") from error
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise NoPrinter(f"{self._path}: no JSON object")
        return answer


class _Unix(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PRINT_S)
        self._path = path

    def connect(self) -> None:
        """Open the socket file."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(CONNECT_S)
        self.sock.connect(str(self._path))
        self.sock.settimeout(PRINT_S)
