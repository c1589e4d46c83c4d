"""A small hall on a real `Hall` over a ledger in memory, with a clock that stands until told otherwise."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from typing import TypeVar

from server import timers
from server.domain import commands as c
from server.domain.state import HallState
from server.domain.terms import (
    Actor,
    ActorKind,
    DeviceId,
    Floor,
    FloorId,
    HallId,
    HallPlan,
    PauseReason,
    Post,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    TicketId,
    Track,
    Window,
    WindowNo,
    WorkId,
    Zone,
    ZoneId,
)
from server.hall import Hall
from server.ledger.base import Commit
from server.ledger.memory import MemoryLedger

T = TypeVar("T")

NOBODY = Actor(kind=ActorKind.CLOCK, id="test")
PLAN = HallPlan(
    hall=HallId("little"),
    name={"zh": "小大厅", "en": "Little Hall"},
    time_zone="Asia/Shanghai",
    languages=("zh", "en"),
    floors=(
        Floor(id=FloorId("1F"), name={"zh": "一楼", "en": "Ground"}),
        Floor(id=FloorId("2F"), name={"zh": "二楼", "en": "Upstairs"}),
    ),
    zones=(
        Zone(id=ZoneId("general"), name={"zh": "综合", "en": "General"}, floor=FloorId("1F")),
        Zone(id=ZoneId("tax"), name={"zh": "税务", "en": "Tax"}),
    ),
    services=(
        Service(
            id=ServiceId("general"), name={"zh": "综合业务"}, zone=ZoneId("general"), prefix="A", minutes_typical=6
        ),
        Service(id=ServiceId("tax"), name={"zh": "税务"}, zone=ZoneId("tax"), prefix="B", minutes_typical=8),
    ),
    windows=(
        Window(
            no=WindowNo("1"),
            name={"zh": "1号窗口", "en": "Window 1"},
            zone=ZoneId("general"),
            serves=(ServiceId("general"),),
            relief=(ServiceId("tax"),),
        ),
        Window(
            no=WindowNo("3"),
            name={"zh": "3号窗口", "en": "Window 3"},
            zone=ZoneId("tax"),
            floor=FloorId("2F"),
            serves=(ServiceId("tax"),),
        ),
    ),
    priorities=(PriorityRule(id=PriorityId("green"), name={"zh": "绿色通道", "en": "Green channel"}),),
    posts=(Post(work_id=WorkId("1002"), name="税务B角"),),
    notice={"zh": "请带好证件。"},
    advice={"zh": "过号请到引导台。"},
    digest="1",
)


class Day:
    """A hall being played from nine o'clock on 2 March 2026."""

    def __init__(self, plan: HallPlan = PLAN) -> None:
        self.now = round(datetime.fromisoformat("2026-03-02T09:00:00+08:00").timestamp() * 1000)
        self.hall = Hall(plan.hall, MemoryLedger(), clock=lambda: self.now)
        self._tracks: Iterator[int] = count(1)
        self.do(c.PlanHall(plan=plan))
        timers.tick([self.hall])

    def do(self, command: c.Command) -> Commit:
        return self.hall.handle(command, actor=NOBODY)

    def wait(self, seconds: float) -> "Day":
        self.now += round(seconds * 1000)
        return self

    def issue(self, service: str = "general", **more: object) -> TicketId:
        """Give a number; the tracks are track-1, track-2, ..."""
        track = Track(f"track-{next(self._tracks)}")
        told = {"priority": None, "kiosk": None, "channel": "kiosk", "legs": ""} | more
        commit = self.do(
            c.IssueTicket(
                base_url="http://hall",
                service=ServiceId(service),
                track=track,
                priority=PriorityId(str(told["priority"])) if told["priority"] else None,
                kiosk=DeviceId(str(told["kiosk"])) if told["kiosk"] else None,
                channel=str(told["channel"]),
                legs=tuple(ServiceId(leg) for leg in str(told["legs"]).split()),
            )
        )
        del commit
        return self.hall.read(lambda state, _: state.tracks[track])

    def open(self, no: str, clerk: str) -> None:
        self.do(c.OpenWindow(window=WindowNo(no), clerk=WorkId(clerk)))

    def call(self, no: str, *, finish: bool = False) -> Commit:
        return self.do(c.CallNext(window=WindowNo(no), finish=finish))

    def at(self, move: Callable[..., c.Command], no: str, **more: object) -> Commit:
        return self.do(move(window=WindowNo(no), **more))

    def read(self, question: Callable[[HallState], T]) -> T:
        return self.hall.read(lambda state, _: question(state))


def a_joint_matter() -> Day:
    """Play a joint matter that waits for its second leg, which no window at work serves."""
    day = Day()
    day.open("1", "1001")
    day.do(c.AssignServices(window=WindowNo("1"), serves=(ServiceId("general"),)))
    day.issue("general", legs="general tax")
    day.wait(60)
    day.call("1")
    day.wait(20)
    day.at(c.StartServing, "1")
    day.wait(300)
    day.at(c.Finish, "1")
    return day.wait(5)


def a_morning() -> Day:
    """Play a morning in which a little of everything happens."""
    day = Day()
    first = day.issue("general")
    day.wait(30)
    for service in ("general", "tax", "tax", "general"):
        day.issue(service)
        day.wait(15)
    day.issue("general", priority="green")
    day.open("1", "1001")
    day.open("3", "1002")
    day.wait(10)
    day.call("1")
    day.wait(20)
    day.at(c.StartServing, "1")
    day.wait(240)
    day.call("3")
    day.wait(5)
    day.at(c.Recall, "3")
    day.at(c.Hold, "1", reason="去复印" + "，" * 300)
    day.wait(5)
    day.call("1")
    day.wait(40)
    day.at(c.MarkMissed, "1")
    day.call("1")
    day.wait(8)
    day.at(c.Finish, "3")
    day.do(c.Rate(ticket=day.read(lambda state: state.windows[WindowNo("3")].last_finished) or first, grade=5))
    day.at(c.PauseWindow, "3", reason=PauseReason.LUNCH)
    return day
