"""The printer on this PC, through the agent that owns it: jobs go to its local door, a port of this machine.

Which port, and the key to it, stand in a file of the agent, new at every start: it is read for each job.

The agent keeps a journal of its own: a job with the same id is printed once, however often it is sent.
"""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONNECT_S, PRINT_S = 2.0, 130.0


class NoPrinter(Exception):
    """The agent is not there, or has no printer for this kiosk; the text says which. Nothing was printed."""


class LocalPrinter:
    """The way to the agent; each job is one short connection."""

    def __init__(self, path: Path, device: str | None, kiosk: str) -> None:
        """Keep the path of the door's file; `device` names the printer, else the agent picks the one of this kiosk."""
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
        connection = http.client.HTTPConnection("127.0.0.1", timeout=CONNECT_S)
        try:
            door = json.loads(self._path.read_text("ascii"))
            connection.port = door["port"]
            connection.connect()
            connection.sock.settimeout(PRINT_S)
            sent = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {door['key']}"}
            connection.request(method, path, sent, headers)
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise NoPrinter(text.decode(errors="replace")[:200])
            answer = json.loads(text)
        except (OSError, http.client.HTTPException, ValueError, TypeError, KeyError) as error:
            raise NoPrinter(f"{self._path}: {error}") from error
        finally:
            connection.close()
        if not isinstance(answer, dict):
            raise NoPrinter(f"{self._path}: no JSON object")
        return answer
