"""A server with two small halls, in memory but real: the real application, halls, accounts and register."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.domain.commands import PlanHall, StartDay
from server.domain.terms import (
    CLOCK,
    Floor,
    FloorId,
    HallId,
    HallPlan,
    OpeningHours,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    Window,
    WindowNo,
    Zone,
    ZoneId,
)
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.people import DEVICE_ROLES, People
from server.web.site import Site

PASSWORD = "correct horse"
NINE_MS = 1_772_413_200_000  # 2026-03-02T09:00:00+08:00
HALL, OTHER = HallId("qiao"), HallId("other")

PLAN = HallPlan(
    hall=HALL,
    name={"zh": "测试大厅", "en": "Test hall"},
    time_zone="Asia/Shanghai",
    languages=("zh", "en"),
    floors=(Floor(id=FloorId("1F"), name={"zh": "一楼", "en": "Floor 1"}),),
    zones=(
        Zone(id=ZoneId("general"), name={"zh": "综合", "en": "General"}, floor=FloorId("1F")),
        Zone(id=ZoneId("tax"), name={"zh": "税务", "en": "Tax"}, floor=FloorId("1F")),
    ),
    services=(
        Service(id=ServiceId("general"), name={"zh": "综合业务", "en": "General"}, zone=ZoneId("general"), prefix="A"),
        Service(id=ServiceId("tax"), name={"zh": "办税", "en": "Tax"}, zone=ZoneId("tax"), prefix="B"),
    ),
    windows=(
        Window(no=WindowNo("1"), name={"zh": "1号窗口"}, zone=ZoneId("general"), serves=(ServiceId("general"),)),
        Window(no=WindowNo("2"), name={"zh": "2号窗口"}, zone=ZoneId("general"), serves=(ServiceId("general"),)),
        Window(no=WindowNo("3"), name={"zh": "3号窗口"}, zone=ZoneId("tax"), serves=(ServiceId("tax"),)),
    ),
    priorities=(
        PriorityRule(id=PriorityId("green_channel"), name={"zh": "绿色通道"}, question={"zh": "是否需要照顾？"}),
    ),
    hours=(OpeningHours(days=("mon", "tue"), opens="09:00", closes="17:00"),),
    notice={"zh": "请勿吸烟"},
)


class Clock:
    """A clock that a test moves; Unix ms."""

    def __init__(self) -> None:
        self.ms = NINE_MS

    def __call__(self) -> int:
        return self.ms

    def forward(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


@dataclass
class Client:
    """Somebody at the door: sends JSON, the CSRF token or a bearer token."""

    http: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    csrf: str | None = None

    def send(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        sent = {"Accept-Language": "en", **self.headers}
        if self.csrf is not None and method != "GET":
            sent["X-CSRF-Token"] = self.csrf
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        extra: dict[str, Any] = {} if body is None else {"json": body}
        return self.http.open(f"/api/v1{path}", method=method, headers=sent, **extra)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.send("PUT", path, body, **headers)


@dataclass
class Stage:
    """The server and everybody who may come."""

    site: Site
    clock: Clock
    wall: Clock
    new_http: Callable[[], FlaskClient]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def hall(self) -> Hall:
        return self.site.halls[HALL]

    @property
    def people(self) -> People:
        return self.site.people

    def nobody(self) -> Client:
        return Client(self.new_http())

    def person(self, work_id: str, *, window: str | None = None, hall: str | None = None) -> Client:
        client = self.nobody()
        body = {"work_id": work_id, "password": PASSWORD}
        body |= {} if window is None else {"window": window}
        body |= {} if hall is None else {"hall": hall}
        answer = client.post("/login", body)
        assert answer.status_code == 200, answer.text
        client.csrf = answer.json["csrf"]  # type: ignore[index]
        return client

    def device(self, name: str) -> Client:
        if name not in self.tokens:
            role = name.partition("-")[0]
            hall = None if name.endswith("-all") else OTHER if name.endswith("-other") else HALL
            self.tokens[name] = self.people.add_device(name, role=role, hall=hall)
        return Client(self.new_http(), {"Authorization": f"Bearer {self.tokens[name]}"})

    def tablet(self, window: str, *, hall: HallId = HALL) -> Client:
        """Give the rating tablet of a window."""
        name = f"tablet-{window}" if hall == HALL else f"tablet-{hall}-{window}"
        token = self.people.add_device(name, role="display", hall=hall, window=window)
        return Client(self.new_http(), {"Authorization": f"Bearer {token}"})

    def anybody(self, role: str) -> Client:
        """Give somebody of a role in the first hall; a clerk sits at window 1."""
        if role in DEVICE_ROLES:
            return self.device(f"{role}-1")
        if role == "clerk":
            return self.person("clerk", window="1", hall=HALL)
        return self.nobody() if role == "nobody" else self.person(role)

    def issue(self, service: str = "general", **more: object) -> dict[str, Any]:
        answer = self.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": service, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json)  # type: ignore[arg-type]


def make_hall(hall: HallId, clock: Clock) -> Hall:
    made = Hall(hall, MemoryLedger(), clock=clock)
    made.handle(PlanHall(plan=replace(PLAN, hall=hall)), actor=CLOCK)
    if made.read(lambda state, _: state.day) is None:
        made.handle(StartDay(), actor=CLOCK)
    return made
