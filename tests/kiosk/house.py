"""A ticket server and a kiosk in front of it, real processes, as a hall runs them."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import requests

from server.people import People
from tests.patience import PATIENCE_S, until

HALL, KIOSK = "demo", "kiosk-1"


class Program:
    """One `jiaohao` process that says where it listens."""

    def __init__(self, root: Path, data: Path, *arguments: str) -> None:
        self.root, self.data, self.arguments, self.port = root, data, arguments, 0
        self.process: subprocess.Popen[str] | None = None
        self.errors = data / "stderr.txt"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Program":
        with self.errors.open("a") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server.main", "--lang", "en", *self.arguments, "--data", str(self.data)],
                cwd=self.root,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=os.environ | {"LANG": "C.UTF-8"},
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), (line, self.errors.read_text())
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        status = self.process.wait(timeout=PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return status


class House:
    """The processes of one hall; the server keeps its port when it is started again."""

    def __init__(self, root: Path, folder: Path, *, printing: str = "") -> None:
        self.root, self.folder = root, folder
        for name in ("server", "kiosk"):
            (folder / name).mkdir()
        self.people = People(folder / "server/accounts.sqlite")
        self.people.accounts.busy_wait_s = PATIENCE_S
        self.people.add_user("boss", "a long password", role="manager")
        self.token = self.people.add_device(KIOSK, role="kiosk", hall=HALL)
        self.server = self._server().start()
        (folder / "token").write_text(self.token)
        (folder / "kiosk.toml").write_text(
            f'schema = 1\n[kiosk]\nid = "{KIOSK}"\nhall = "{HALL}"\nserver = "{self.server.url}"\nport = 0\n{printing}'
        )
        self.kiosk = self._kiosk().start()
        self._mine = threading.local()

    def _server(self, port: int = 0) -> Program:
        hall = str(self.root / "config/demo.toml")
        return Program(self.root, self.folder / "server", "serve", hall, "--port", str(port))

    def _kiosk(self) -> Program:
        file, token = str(self.folder / "kiosk.toml"), str(self.folder / "token")
        return Program(self.root, self.folder / "kiosk", "kiosk", file, "--token-file", token)

    def kill_server(self) -> None:
        self.server.end(signal.SIGKILL)
        until(lambda: not self.health()["up"], "the kiosk notices that the server is gone")

    def heal(self) -> None:
        self.server = self._server(self.server.port).start()

    def kill_kiosk(self) -> None:
        self.kiosk.end(signal.SIGKILL)

    def kiosk_again(self) -> None:
        self.kiosk = self._kiosk().start()

    def end(self) -> None:
        self.kiosk.end(signal.SIGKILL)
        self.server.end(signal.SIGKILL)

    def health(self) -> dict[str, Any]:
        return self.ask("GET", "/healthz")[1]

    def ready(self) -> "House":
        """Wait until the kiosk holds numbers of every series."""
        until(lambda: self.health()["up"] and all(self.health()["left"].values()), "the kiosk holds numbers")
        return self

    def told(self) -> None:
        """Wait until the server knows of every number."""
        until(lambda: self.health()["up"] and self.health()["untold"] == 0, "the server was told")

    def ask(self, method: str, path: str, body: object = None, *, key: str | None = None) -> tuple[int, Any]:
        """Ask the kiosk as its page does; give status and answer."""
        headers = {"Accept-Language": "en"} | ({"Idempotency-Key": key} if key else {})
        with requests.request(
            method, f"{self.kiosk.url}{path}", json=body, headers=headers, timeout=PATIENCE_S
        ) as response:
            return response.status_code, response.json()

    def press(self, key: str, service: str = "general", **more: object) -> tuple[int, Any]:
        return self.ask("POST", f"/api/v1/halls/{HALL}/tickets", {"service": service, **more}, key=key)

    def manager(self) -> requests.Session:
        session = requests.Session()
        asked = {"work_id": "boss", "password": "a long password", "hall": HALL}
        me = session.post(f"{self.server.url}/api/v1/login", json=asked, timeout=PATIENCE_S).json()
        session.headers["X-CSRF-Token"] = me["csrf"]
        return session

    def tickets(self) -> list[dict[str, Any]]:
        """Give the tickets of today as the hall knows them, in the order of issue."""
        with self.manager() as session:
            url = f"{self.server.url}/api/v1/halls/{HALL}/tickets"
            return list(session.get(url, timeout=PATIENCE_S).json()["tickets"])
