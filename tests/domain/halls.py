"""A small hall for tests, and a scene that plays it: given what happened, when a command comes, then events or no."""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest

from server.domain import commands as c
from server.domain import events as e
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState, Ticket, WindowState
from server.domain.terms import (
    HallId,
    HallPlan,
    Label,
    Place,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    TicketStatus,
    Track,
    Window,
    WindowNo,
    WorkId,
    Zone,
    ZoneId,
)

MIN = 60_000
NINE = "2026-03-02T09:00:00+08:00"


def ms(instant: str) -> int:
    """Give the Unix ms of an RFC 3339 instant."""
    return int(datetime.fromisoformat(instant).timestamp() * 1000)


def a_service(id_: str, prefix: str, zone: str = "hall", **more: object) -> Service:
    """Give a service named after its id."""
    base = Service(id=ServiceId(id_), name={"zh": f"{id_}事", "en": id_}, zone=ZoneId(zone), prefix=prefix)
    return replace(base, **more)  # type: ignore[arg-type]  # a test says only what matters to it


def a_window(no: str, serves: str = "", relief: str = "") -> Window:
    """Give a window; services are written with spaces between."""
    return Window(
        no=WindowNo(no),
        name={"zh": f"{no}号窗口"},
        zone=ZoneId("hall"),
        serves=tuple(ServiceId(it) for it in serves.split()),
        relief=tuple(ServiceId(it) for it in relief.split()),
    )


PLAN = HallPlan(
    hall=HallId("test"),
    name={"zh": "测试大厅"},
    time_zone="Asia/Shanghai",
    languages=("zh", "en"),
    zones=(Zone(id=ZoneId("hall"), name={"zh": "综合"}), Zone(id=ZoneId("tax"), name={"zh": "税务"})),
    services=(
        a_service("general", "A"),
        a_service("social", "C"),
        a_service("tax", "B", "tax"),
        a_service("invoice", "B", "tax"),  # one series with tax
    ),
    windows=(
        a_window("1", "general", relief="tax"),
        a_window("2", "general social"),
        a_window("3", "tax invoice"),
        a_window("4", "tax"),
    ),
    priorities=(
        PriorityRule(id=PriorityId("green"), name={"zh": "绿色通道"}, slope=3.0, head_start_min=10.0),
        PriorityRule(id=PriorityId("appointment"), name={"zh": "预约"}, slope=1.0, head_start_min=20.0),
    ),
)


class Scene:
    """A hall being played. Labels stand for tickets, plain strings for ids."""

    def __init__(self, plan: HallPlan = PLAN, at: str = NINE, open_windows: Iterable[str] = ()) -> None:
        self.state = HallState()
        self.now_ms = ms(at)
        self.past: list[tuple[int, e.Event]] = []
        self._tracks = count(1)
        self.do(c.PlanHall(plan=plan))
        self.do(c.StartDay())
        for no in open_windows:
            self.open(no)

    def do(self, command: c.Command) -> list[e.Event]:
        """Obey a command and give what happened."""
        events = decide(self.state, command, now_ms=self.now_ms)
        for event in events:
            evolve(self.state, event, at_ms=self.now_ms)
            self.past.append((self.now_ms, event))
        return events

    def refused(self, command: c.Command) -> Code:
        """Give the code of the refusal; nothing may have changed."""
        before = deepcopy(self.state)
        with pytest.raises(Refusal) as refusal:
            decide(self.state, command, now_ms=self.now_ms)
        assert self.state == before
        assert "{" not in refusal.value.sentence("zh") + refusal.value.sentence("en")
        return refusal.value.code

    def wait(self, minutes: float) -> None:
        """Let time pass."""
        self.now_ms += round(minutes * MIN)

    def issue(self, service: str = "general", priority: str | None = None, window: str | None = None) -> Label:
        """Give a number; a millisecond passes, so that arrivals differ."""
        (event,) = self.do(issue(service, priority, window, track=f"track-{next(self._tracks)}"))
        assert isinstance(event, e.TicketIssued)
        self.now_ms += 1
        return event.label

    def open(self, no: str) -> None:
        """Open a window by a clerk of its own."""
        self.do(c.OpenWindow(window=WindowNo(no), clerk=WorkId(f"clerk-{no}")))

    def next(self, no: str, *, finish: bool = False) -> Label:
        """Call who is next and give the label."""
        event = self.do(c.CallNext(window=WindowNo(no), finish=finish))[-1]
        assert isinstance(event, e.TicketCalled)
        return event.label

    def start(self, no: str) -> None:
        """Start serving the current ticket."""
        self.do(c.StartServing(window=WindowNo(no)))

    def finish(self, no: str) -> e.TicketFinished:
        """Finish the current ticket."""
        (event,) = self.do(c.Finish(window=WindowNo(no)))
        assert isinstance(event, e.TicketFinished)
        return event

    def transfer(self, no: str, service: str | None = None, to: str | None = None, place: str = "by_arrival") -> None:
        """Transfer the current ticket."""
        self.do(transfer(no, service, to, place))

    def ticket(self, label: str) -> Ticket:
        """Give the ticket with this label."""
        return self.state.tickets[self.state.labels[Label(label)]]

    def status(self, label: str) -> TicketStatus:
        """Say where a ticket stands."""
        return self.ticket(label).status

    def window(self, no: str) -> WindowState:
        """Give the window's state."""
        return self.state.windows[WindowNo(no)]

    def order_at(self, no: str) -> list[Label]:
        """Give who would be called at a window, one after the other, were time to stand still."""
        later = Scene.__new__(Scene)
        later.state, later.now_ms, later.past = deepcopy(self.state), self.now_ms, []
        found: list[Label] = []
        while True:
            try:
                found.append(later.next(no, finish=True))
            except Refusal as refusal:
                if refusal.code is not Code.NOBODY_WAITING:
                    raise
                return found


def issue(
    service: str,
    priority: str | None = None,
    window: str | None = None,
    *,
    track: str = "track",
    visitor: str | None = None,
) -> c.IssueTicket:
    """Give the command of a press at the kiosk."""
    return c.IssueTicket(
        service=ServiceId(service),
        track=Track(track),
        priority=PriorityId(priority) if priority else None,
        window=WindowNo(window) if window else None,
        visitor=visitor,
    )


def transfer(no: str, service: str | None = None, to: str | None = None, place: str = "by_arrival") -> c.Transfer:
    """Give the command that sends the current visitor of a window on."""
    return c.Transfer(
        window=WindowNo(no),
        service=ServiceId(service) if service else None,
        to_window=WindowNo(to) if to else None,
        place=Place(place),
    )
