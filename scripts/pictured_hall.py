"""The hall that the pictures show: the demo's stage on a Monday morning, with a clock that is set by hand.

    python -m scripts.pictured_hall DATA HALL.toml...

The first hall has the virtual devices; the others are there for the county's page. The clock of all of them is set in a
file (`set_clock`). `Morning` plays the day over HTTP, minute after minute.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from PIL import Image, ImageDraw

from config import load_hall
from server.demo.stage import PASSWORD, Stage

HTTP_S = 30.0
WALK_MIN, SPREAD = 0.5, 0.45
HELD, MISSED, GREEN = 0.05, 0.04, 0.08


def main(data: Path, halls: Sequence[Path]) -> int:
    """Run the stage until it is ended; give the exit status."""
    first, *others = halls

    class Set(Stage):
        """The demo's stage with a server whose clock is set."""

        def _server_command(self) -> list[str]:
            _, _, _, _, path, *rest = super()._server_command()
            return [sys.executable, "-m", "scripts.set_clock", path, *map(str, others), *rest]

    return Set(load_hall(first), first, host="127.0.0.1", port=0, speed=1, visitors=False, data=data).run()


@dataclass(kw_only=True)
class Desk:
    """A clerk signed in at a window, and until when (minutes of the day) the visitor there stays."""

    window: str
    session: requests.Session
    until: float = 0.0
    busy: bool = False


@dataclass(kw_only=True)
class Morning:
    """People of one hall: `play` lets them come, be called and go, on the clock that it sets."""

    server: str
    hall: str
    clock: Path
    token: str
    manager: requests.Session
    chance: random.Random = field(default_factory=lambda: random.Random(8))
    desks: list[Desk] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now().astimezone())

    def set(self, now: datetime) -> None:
        """Move the hall's clock."""
        self.now = now
        written = self.clock.with_suffix(".new")
        written.write_text(now.isoformat())
        written.replace(self.clock)

    def open(self, people: Sequence[tuple[str, str]]) -> None:
        """Let clerks (work id, window) sign in and open."""
        self.desks = [self._desk(work_id, window) for work_id, window in people]

    def play(self, until: datetime, *, load: float) -> None:
        """Let `load` times as many come as the open windows can serve, until then."""
        shape = self.manager.get(self._at(), timeout=HTTP_S).json()
        minutes = {one["service"]: float(one["minutes_typical"]) for one in shape["services"]}
        open_now = {one.window for one in self.desks}
        served = {one["service"]: [no for no in one["windows"] if no in open_now] for one in shape["services"]}
        share: dict[str, int] = {no: sum(no in windows for windows in served.values()) for no in open_now}
        while self.now < until:
            self.set(self.now + timedelta(minutes=1))
            minute = self.now.hour * 60.0 + self.now.minute
            for service, windows in served.items():
                expected = load * sum(1 / share[no] for no in windows) / minutes[service]
                while expected > 0:
                    if self.chance.random() < expected:
                        self.press(service)
                    expected -= 1
            for desk in self.desks:
                if desk.until <= minute:
                    self._visit(desk, minute, minutes)

    def press(self, service: str, **more: object) -> dict[str, Any]:
        """Take a number at a kiosk; give the answer."""
        kind = {"priority": "green_channel"} if self.chance.random() < GREEN and not more else {}
        bearer = {"Authorization": f"Bearer {self.token}"}
        body = {"service": service, **kind, **more}
        answer = requests.post(f"{self._at()}/tickets", json=body, headers=bearer, timeout=HTTP_S)
        return dict(answer.json())

    def command(self, path: str, body: object, method: str = "POST") -> dict[str, Any]:
        """Ask something of the hall as its manager; a refusal ends the pictures."""
        answer = self.manager.request(method, f"{self._at()}{path}", json=body, timeout=HTTP_S)
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text}")
        return dict(answer.json())

    def close(self) -> None:
        """Let everybody finish and go home."""
        for desk in self.desks:
            if desk.busy:
                self._ask(desk, "finish")
            self._ask(desk, "close")

    def _visit(self, desk: Desk, minute: float, minutes: dict[str, float]) -> None:
        if desk.busy:
            self._ask(desk, "finish")
            desk.busy = False
        called = self._ask(desk, "call-next")
        if "service" not in called:
            return
        if self.chance.random() < MISSED:
            self._ask(desk, "missed")
            return
        self._ask(desk, "start")
        if self.chance.random() < HELD:
            self._ask(desk, "hold")
            return
        desk.busy = True
        desk.until = minute + WALK_MIN + minutes[called["service"]] * self.chance.lognormvariate(-0.1, SPREAD)

    def _desk(self, work_id: str, window: str) -> Desk:
        desk = Desk(window=window, session=sign_in(self.server, work_id, window, self.hall))
        self._ask(desk, "open")
        return desk

    def _ask(self, desk: Desk, what: str) -> dict[str, Any]:
        return dict(desk.session.post(f"{self._at()}/windows/{desk.window}/{what}", json={}, timeout=HTTP_S).json())

    def _at(self) -> str:
        return f"{self.server}/api/v1/halls/{self.hall}"


def sign_in(server: str, work_id: str, window: str | None, hall: str) -> requests.Session:
    """Give a signed-in person's session."""
    session = requests.Session()
    body = {"work_id": work_id, "password": PASSWORD, "hall": hall} | ({"window": window} if window else {})
    session.post(f"{server}/api/v1/login", json=body, timeout=HTTP_S).raise_for_status()
    session.headers["X-CSRF-Token"] = session.get(f"{server}/api/v1/me", timeout=HTTP_S).json()["csrf"]
    return session


def draw_photo(path: Path) -> None:
    """Draw a clerk who does not exist."""
    photo = Image.new("RGB", (420, 560), "#c9dcef")
    brush = ImageDraw.Draw(photo)
    brush.ellipse((20, 390, 400, 900), fill="#1d4f91")
    brush.polygon([(165, 392), (255, 392), (210, 480)], fill="#ffffff")
    brush.ellipse((108, 80, 312, 350), fill="#2b2320")
    brush.ellipse((125, 130, 295, 385), fill="#f1c9a5")
    brush.ellipse((165, 240, 181, 256), fill="#2b2320")
    brush.ellipse((239, 240, 255, 256), fill="#2b2320")
    brush.arc((175, 270, 245, 325), 20, 160, fill="#a4483c", width=6)
    path.parent.mkdir(parents=True, exist_ok=True)
    photo.save(path)


def draw_poster(path: Path) -> None:
    """Draw something for the board to show beside its calls."""
    poster = Image.new("RGB", (1600, 900), "#0d4f3c")
    brush = ImageDraw.Draw(poster)
    for index in range(9):
        brush.ellipse((-300 + 90 * index, 500 - 60 * index, 700 + 140 * index, 1500), outline="#3d9a78", width=6)
    brush.ellipse((1180, 110, 1420, 350), fill="#f4c95d")
    path.parent.mkdir(parents=True, exist_ok=True)
    poster.save(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(one) for one in sys.argv[2:]]))
