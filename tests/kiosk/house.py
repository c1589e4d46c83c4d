"""A ticket server and a kiosk in front of it, real processes, as a hall runs them."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
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


class Cable:
    """The line between kiosk and server: it can be cut, and it can lose the answers to requests with certain words."""

    def __init__(self, port: int) -> None:
        self._to, self.cut, self.loses = port, False, b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        """Cut the line, with everything that goes over it."""
        self.cut = True
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.cut, self.loses = False, b""

    def close(self) -> None:
        self.pull()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.cut:
                    near.close()
                else:
                    threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, suppress(OSError), socket.create_connection(("127.0.0.1", self._to)) as far:
            ends, lost = {near: far, far: near}, False
            self._open |= ends.keys()
            try:
                while not self.cut:
                    for end in select.select(list(ends), [], [], 1.0)[0]:
                        data = end.recv(65_536)
                        if not data:
                            return
                        lost = lost or (end is near and self.loses != b"" and self.loses in data)
                        if end is near or not lost:
                            ends[end].sendall(data)
            finally:
                self._open -= ends.keys()


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
        self.cable = Cable(self.server.port)
        (folder / "token").write_text(self.token)
        server = f"http://127.0.0.1:{self.cable.port}"
        (folder / "kiosk.toml").write_text(
            f'schema = 1\n[kiosk]\nid = "{KIOSK}"\nhall = "{HALL}"\nserver = "{server}"\nport = 0\n{printing}'
        )
        self.kiosk = self._kiosk().start()

    def _server(self, port: int = 0) -> Program:
        hall = str(self.root / "config/demo.toml")
        return Program(self.root, self.folder / "server", "serve", hall, "--port", str(port))

    def _kiosk(self) -> Program:
        file, token = str(self.folder / "kiosk.toml"), str(self.folder / "token")
        return Program(self.root, self.folder / "kiosk", "kiosk", file, "--token-file", token)

    def kill_server(self) -> None:
        self.server.end(signal.SIGKILL)
        until(lambda: not self.health()["up"], "the kiosk notices that the server is gone")

    def pull_cable(self) -> None:
        self.cable.pull()
        until(lambda: not self.health()["up"], "the kiosk notices that the cable is cut")

    def heal(self) -> None:
        self.server = self._server(self.server.port).start()

    def kill_kiosk(self) -> None:
        self.kiosk.end(signal.SIGKILL)

    def kiosk_again(self) -> None:
        self.kiosk = self._kiosk().start()

    def end(self) -> None:
        self.cable.close()
        self.kiosk.end(signal.SIGKILL)
        self.server.end(signal.SIGKILL)

    def health(self) -> dict[str, Any]:
        return dict(self.ask("GET", "/healthz")[1])

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
