"""Sets the stage of the demo: one process each for server, virtual devices and their agent, as in a real hall.

Everything lives in one folder that belongs to the demo and is made anew at each start. When one process ends, all end.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import IO

import click

from config.schema import HallFile
from server.demo.people import Clerk, Crowd
from server.people import People

PASSWORD = "jiaohao-demo"  # noqa: S105 - it opens nothing but a demo on this machine, and is printed at each start
START_S = 60.0
STOP_S = 6.0
MARK = "this folder belongs to jiaohao demo"
MANAGER, GUIDE = "9001", "8001"
KIOSK = "kiosk-1"
PANEL_BUTTONS = 6


class StageError(Exception):
    """The demo cannot start or has broken down."""


class Stage:
    """The demo of one hall."""

    def __init__(
        self, hall: HallFile, path: Path, *, host: str, port: int, speed: float, visitors: bool, data: Path
    ) -> None:
        """Prepare; nothing is started before `run`."""
        self._hall, self._path, self._host, self._port = hall, path, host, port
        self._speed, self._visitors, self._data = speed, visitors, data
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._over = Event()

    def run(self) -> int:
        """Run until Ctrl-C or SIGTERM (0), or until a process breaks down.

        Raises:
            StageError: with the reason, after everything was stopped.
        """
        signal.signal(signal.SIGTERM, lambda *_: self._over.set())
        signal.signal(signal.SIGINT, lambda *_: self._over.set())
        crowd: Crowd | None = None
        try:
            self._fresh_folder()
            people = People(self._data / "accounts.sqlite")
            own, simulated = self._accounts(people)
            code = people.new_code(KIOSK, role="kiosk", hall=self._hall.hall.id, many=True)
            tablet = people.new_code("tablet-1", role="display", hall=self._hall.hall.id, window=own.window, many=True)
            tokens = {
                name: people.add_device(name, role=role, hall=self._hall.hall.id)
                for name, role in (("agent", "devices"), ("crowd", "kiosk"))
            }
            bench = self._start("bench", self._bench_command(), "bench on ")
            server = self._start("server", self._server_command(), "listening on ")
            self._start("devices", self._agent_command(server), None, JIAOHAO_TOKEN=tokens["agent"])
            if self._visitors:
                hall = self._hall.hall.id
                crowd = Crowd(server, hall, kiosk_token=tokens["crowd"], clerks=simulated, speed=self._speed)
                crowd.start()
            click.echo(self._welcome(server, bench, own, code, tablet))
            self._watch()
        finally:
            if crowd is not None:
                crowd.stop()
            self._stop()
        return 0

    def _fresh_folder(self) -> None:
        mark = self._data / "DEMO"
        if self._data.exists() and any(self._data.iterdir()) and not mark.exists():
            raise StageError(f"{self._data} is not empty and was not made by a demo: use --data with another folder")
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(parents=True)
        mark.write_text(MARK + "\n", encoding="utf-8")

    def _accounts(self, people: People) -> tuple[Clerk, list[Clerk]]:
        """Make the demo's logins: the first window is the newcomer's, the others that have a post are simulated."""
        hall = self._hall.hall.id
        posts = [post for post in self._hall.clerks if post.role == "primary"]
        names = {window: post.name for post in posts for window in post.windows[:1]}
        staffed = [window.no for window in self._hall.windows if window.no in names or not names]
        own, *rest = [
            Clerk(work_id=f"{1001 + index}", password=PASSWORD, window=no) for index, no in enumerate(staffed)
        ]
        simulated = [replace(clerk, password=secrets.token_urlsafe(12)) for clerk in rest]
        for clerk in (own, *(simulated if self._visitors else rest)):
            name = names.get(clerk.window, "")
            people.add_user(clerk.work_id, clerk.password, role="clerk", name=name, windows=(clerk.window,), hall=hall)
        people.add_user(MANAGER, PASSWORD, role="manager", hall=hall)
        people.add_user(GUIDE, PASSWORD, role="guide", hall=hall)
        return own, simulated

    def _bench_command(self) -> list[str]:
        spec = {
            "hall": self._hall.hall.id,
            "windows": [window.no for window in self._hall.windows],
            "zones": [],  # one loudspeaker for the whole hall
            "languages": list(self._hall.hall.languages),
            "kiosk": KIOSK,
            "services": {it.id: it.name["zh"] for it in self._hall.services[:PANEL_BUTTONS]},
            "data_dir": str(self._data),
            "port": _free_port("127.0.0.1", self._port + 1 if self._port else 0),
        }
        path = self._data / "bench.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        return [sys.executable, "-m", "drivers.virtual.bench", "--spec", str(path)]

    def _server_command(self) -> list[str]:
        port = str(_free_port(self._host, self._port))
        command = [sys.executable, "-m", "server.main", "serve", str(self._path), "--host", self._host, "--port", port]
        loopback = ["--dev"] if self._host in ("127.0.0.1", "localhost", "::1") else []
        return [*command, *loopback, "--data", str(self._data)]

    def _agent_command(self, server: str) -> list[str]:
        devices = str(self._data / "DEVICES.toml")
        data = str(self._data / "agent")
        return [sys.executable, "-m", "server.main", "devices", devices, "--server", server, "--data", data]

    def _start(self, name: str, command: Sequence[str], ready: str | None, **extra: str) -> str:
        """Start a process; with `ready` wait for the line that begins so and give what follows."""
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=os.environ | extra, start_new_session=True
        )
        self._children[name] = child
        if child.stdout is None:
            raise AssertionError("stdout is a pipe")
        lines = _Lines(child.stdout, ready)
        Thread(target=lines.pump, daemon=True, name=f"{name} output").start()
        if ready is None:
            return ""
        end = time.monotonic() + START_S
        while not lines.found.wait(0.1):
            if child.poll() is not None:
                raise StageError(f"{name} ended with status {child.returncode} before it was ready")
            if self._over.is_set() or time.monotonic() > end:
                raise StageError(f"{name} did not become ready")
        return lines.rest

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            for name, child in self._children.items():
                if child.poll() is not None:
                    raise StageError(f"{name} ended with status {child.returncode}")

    def _stop(self) -> None:
        for child in reversed(list(self._children.values())):
            if child.poll() is None:
                child.terminate()
        for child in self._children.values():
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()

    def _booking(self, server: str) -> list[tuple[str, str, str]]:
        """Give where visitors book by themselves, if they do."""
        if self._hall.appointments.online is None:
            return []
        return [("预约 book", f"{server}/book?hall={self._hall.hall.id}", "")]

    def _welcome(self, server: str, bench: str, own: Clerk, code: str, tablet: str) -> str:
        hall = self._hall.hall
        # A browser is one device for a server: under another name of this machine it is the tablet beside the kiosk.
        beside = server.replace("//127.0.0.1:", "//localhost:")
        clerk = f"工号 work id {own.work_id}  密码 password {PASSWORD}  窗口 window {own.window}"
        rows = (
            ("首页 home", f"{server}/", ""),
            ("取号 kiosk", f"{server}/kiosk?hall={hall.id}#code={code}", ""),
            ("窗口 clerk", f"{server}/clerk", clerk),
            ("引导台 guide", f"{server}/guide", f"工号 work id {GUIDE}  密码 password {PASSWORD}"),
            *self._booking(server),
            ("大屏 board", f"{server}/board?hall={hall.id}", ""),
            (
                "评价 rating",
                f"{beside}/rating?hall={hall.id}#code={tablet}",
                f"{own.window} 号窗口的平板 tablet at window {own.window}",
            ),
            ("管理 manager", f"{server}/manager", f"工号 work id {MANAGER}  密码 password {PASSWORD}"),
            ("设备 devices", bench, "纸票、条屏、按键、喇叭 paper, strips, keypads, loudspeaker"),
        )
        lines = [f"\n  {hall.name['zh']} · {hall.name.get('en', '')} — 演示 demo\n"]
        lines += [
            f"  {name:<12}  {address}" + (f"\n                {note}" if note else "") for name, address, note in rows
        ]
        if self._visitors:
            lines.append(
                f"\n  其他窗口由模拟人员办理；{own.window} 号窗口是您的。Other windows are run by simulated clerks."
            )
        lines.append("\n  Ctrl-C 结束 stops everything.\n")
        return "\n".join(lines)


class _Lines:
    """Reads a child's output to its end, so that it never blocks; passes on everything but the awaited line."""

    def __init__(self, stream: IO[str], ready: str | None, write: Callable[[str], object] = sys.stderr.write) -> None:
        self._stream, self._ready, self._write = stream, ready, write
        self.found, self.rest = Event(), ""

    def pump(self) -> None:
        for line in self._stream:
            if self._ready is not None and not self.found.is_set() and line.startswith(self._ready):
                self.rest = line.removeprefix(self._ready).strip()
                self.found.set()
            else:
                self._write(line)


def _free_port(host: str, wanted: int) -> int:
    """Give the wanted port when nobody listens there, else a free one."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StageError(f"no free port on {host}")
