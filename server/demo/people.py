"""Simulated visitors and clerks for the demo: they meet the server on the wire only, as everybody does.

Visitors press a kiosk; each clerk signs in at one window, calls, waits for the visitor, serves and finishes. Some
visitors do not come, some are held, some are sent to another window. Times are divided by `speed`.
"""

import logging
import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import requests

LOAD = 0.85  # visitors come a little slower than the windows can serve
FIRST_CROWD = 1.5  # visitors per window who wait when the doors open
NO_SHOW = 0.06
HOLD = 0.04
GREEN = 0.08
WALK_S = (8.0, 40.0)
IDLE_S = 4.0  # how long a clerk with nobody to call waits before asking again
PATIENCE_S = 20.0  # how long a clerk waits when the window was paused or closed by a manager
HTTP_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """A simulated clerk and the window the clerk sits at."""

    work_id: str
    password: str
    window: str


class Crowd:
    """Simulated people of one hall; they run in daemon threads until `stop`."""

    def __init__(self, base_url: str, hall: str, *, kiosk_token: str, clerks: Sequence[Clerk], speed: float) -> None:
        """Prepare; nobody moves before `start`. `speed` 2 makes an hour of the hall take half an hour."""
        self._api = f"{base_url}/api/v1"
        self._hall = f"{self._api}/halls/{hall}"
        self._token, self._clerks, self._speed = kiosk_token, clerks, speed
        self._stop = threading.Event()
        self._chance = random.Random(hall)  # noqa: S311 - play, not secrets

    def start(self) -> None:
        """Let the visitors come and the clerks sit down."""
        shape = requests.get(self._hall, headers=self._bearer(), timeout=HTTP_S).json()
        threading.Thread(target=self._visitors, args=(shape,), daemon=True, name="visitors").start()
        minutes = {service["service"]: float(service["minutes_typical"]) for service in shape["services"]}
        for clerk in self._clerks:
            threading.Thread(target=self._clerk, args=(clerk, minutes), daemon=True, name=clerk.window).start()

    def stop(self) -> None:
        """Let everybody go home."""
        self._stop.set()

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _pause(self, seconds: float) -> bool:
        """Wait hall seconds; say whether the demo is over."""
        return self._stop.wait(seconds / self._speed)

    def _visitors(self, shape: Mapping[str, list[Mapping[str, object]]]) -> None:
        staffed = {clerk.window for clerk in self._clerks}
        services: list[str] = []
        weights: list[float] = []
        for service in shape["services"]:
            windows = service["windows"]
            here = [no for no in windows if no in staffed] if isinstance(windows, list) else []
            if here:
                services.append(str(service["service"]))
                weights.append(len(here) / float(str(service["minutes_typical"])))
        if not services:
            return
        priorities = [str(priority["priority"]) for priority in shape["priorities"]]
        crowd = round(FIRST_CROWD * len(staffed))
        per_s = LOAD * sum(weights) / _shared(shape, staffed) / 60
        while True:
            wish = self._chance.choices(services, weights)[0]
            priority = self._chance.choice(priorities) if priorities and self._chance.random() < GREEN else None
            self._press(wish, priority)
            crowd -= 1
            if self._pause(self._chance.expovariate(per_s) if crowd < 0 else 1.0):
                return

    def _press(self, service: str, priority: str | None) -> None:
        body = {"service": service} | ({"priority": priority} if priority else {})
        headers = self._bearer() | {"Idempotency-Key": str(uuid.uuid4())}
        try:
            reply = requests.post(f"{self._hall}/tickets", json=body, headers=headers, timeout=HTTP_S)
        except requests.RequestException as error:
            log.info("a visitor could not reach the server: %s", type(error).__name__)
            return
        if reply.status_code not in (201, 409, 429):
            log.warning("a visitor got %s: %s", reply.status_code, reply.text[:200])

    def _clerk(self, clerk: Clerk, minutes: Mapping[str, float]) -> None:
        chance = random.Random(clerk.window)  # noqa: S311 - play, not secrets
        desk = _Desk(self._api, self._hall, clerk)
        while not self._stop.is_set():
            try:
                self._one_visit(desk, chance, minutes)
            except requests.RequestException as error:
                log.info("window %s lost the server: %s", clerk.window, type(error).__name__)
                desk.signed_in = False
                if self._pause(IDLE_S):
                    return

    def _one_visit(self, desk: "_Desk", chance: random.Random, minutes: Mapping[str, float]) -> None:
        if not desk.signed_in and not desk.sign_in():
            self._pause(PATIENCE_S)
            return
        code, call = desk.post("call-next")
        if code == "window_busy":
            desk.post("finish")
            return
        if code is not None:
            if code == "not_signed_in":
                desk.signed_in = False
            self._pause(IDLE_S if code == "nobody_waiting" else PATIENCE_S)
            return
        if self._pause(chance.uniform(*WALK_S)):
            return
        if chance.random() < NO_SHOW:
            desk.post("recall")
            self._pause(WALK_S[1])
            desk.post("missed")
            return
        desk.post("start")
        typical_s = minutes.get(str(call.get("service")), 10.0) * 60
        if chance.random() < HOLD:
            self._pause(typical_s / 3)
            desk.post("hold")
            self._pause(typical_s / 4)
            desk.post("resume-held")
        self._pause(min(typical_s * chance.lognormvariate(-0.15, 0.55), 4 * typical_s))
        desk.post("finish")


class _Desk:
    """A clerk's console: a signed-in session at one window."""

    def __init__(self, api: str, hall: str, clerk: Clerk) -> None:
        self._api, self._window = api, f"{hall}/windows/{clerk.window}"
        self._clerk, self._session = clerk, requests.Session()
        self._hall_id = hall.rsplit("/", 1)[1]
        self.signed_in = False

    def sign_in(self) -> bool:
        """Sign in and open the window; say whether it worked."""
        body = {"work_id": self._clerk.work_id, "password": self._clerk.password, "window": self._clerk.window}
        reply = self._session.post(f"{self._api}/login", json=body | {"hall": self._hall_id}, timeout=HTTP_S)
        if not reply.ok:
            log.warning("clerk at window %s cannot sign in: %s", self._clerk.window, reply.text[:200])
            return False
        me = self._session.get(f"{self._api}/me", timeout=HTTP_S).json()
        self._session.headers["X-CSRF-Token"] = me["csrf"]
        self.post("open")
        self.signed_in = True
        return True

    def post(self, what: str) -> tuple[str | None, Mapping[str, object]]:
        """Ask something of the window: (refusal code or None, answer)."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        reply = self._session.post(f"{self._window}/{what}", json={}, headers=headers, timeout=HTTP_S)
        answer = reply.json()
        return (None, answer) if reply.ok else (str(answer.get("code")), answer)


def _shared(shape: Mapping[str, list[Mapping[str, object]]], staffed: set[str]) -> float:
    """Give how many services a staffed window serves on average: their work shares its time."""
    counts: dict[str, int] = dict.fromkeys(staffed, 0)
    for service in shape["services"]:
        windows = service["windows"]
        for no in windows if isinstance(windows, list) else []:
            if no in counts:
                counts[no] += 1
    used = [count for count in counts.values() if count]
    return sum(used) / len(used) if used else 1.0
