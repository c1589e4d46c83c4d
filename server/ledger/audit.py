"""The auditor: reads a ledger from its first commit and says every rule of the hall that it breaks.

It knows the stored events and nothing else: not `decide`, not `evolve`, not the routing. So a mistake there is seen
here. The rules, with the letters they are known by:

- L1 commits are dense and chained, L2 a request key stands once in a day;
- T1 an id is given once, T2 the numbers of a series are dense, but for blocks leased to kiosks: their numbers are given
  by the kiosk that holds them and by nobody else, each once and upwards; T3 they end at its last number and never begin
  again within a day, T4 days go forward and numbers are given on open days;
- C1 a ticket goes only where it may from where it stands, final is final; C2 a ticket is at one window at most and a
  window has one current ticket at most; C3 who is called is the first of those who came for the same service in the
  same class, or there is a reason; C5 at the end of a day nobody is left over;
- W1 a window calls only with a clerk, without a pause, and what it serves; W2 a clerk is at one window at a time;
- A1 somebody stands behind every commit; A2 no identity number and no telephone number stands in one.

What needs more than the ledger (answers, screens, paper, voice) judges tests/checker.

Source of the form: Jepsen's checkers and TigerBeetle's (an order is given, so every rule is one pass).
"""

import re
from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from server.domain import events as e
from server.domain.terms import ActorKind, DeviceId, HallPlan, ServiceId, TicketId, TicketStatus, WindowNo, WorkId
from server.ledger import codec
from server.ledger.base import GENESIS, Commit

S = TicketStatus

# Where a ticket may stand before an event of the kind. Written here again on purpose, not taken from the lifecycle.
BEFORE: Mapping[type[e.Event], frozenset[TicketStatus]] = {
    e.TicketCalled: frozenset({S.WAITING, S.MISSED, S.AWAY}),
    e.TicketRecalled: frozenset({S.CALLED}),
    e.ServingStarted: frozenset({S.CALLED}),
    e.TicketFinished: frozenset({S.CALLED, S.SERVING, S.HELD}),
    e.LegsPlanned: frozenset({S.WAITING, S.CALLED, S.SERVING, S.HELD}),
    e.LegFinished: frozenset({S.CALLED, S.SERVING, S.HELD}),
    e.TicketMissed: frozenset({S.CALLED}),
    e.TicketReinstated: frozenset({S.MISSED}),
    e.NoShowRecorded: frozenset({S.CALLED, S.HELD, S.MISSED}),
    e.TicketReturned: frozenset({S.CALLED}),
    e.TicketHeld: frozenset({S.CALLED, S.SERVING}),
    e.TicketResumed: frozenset({S.HELD}),
    e.TicketTransferred: frozenset({S.CALLED, S.SERVING, S.HELD}),
    e.TicketCancelled: frozenset({S.WAITING, S.CALLED, S.HELD, S.MISSED, S.AWAY}),
    e.TicketExpired: frozenset({S.WAITING, S.CALLED, S.SERVING, S.HELD, S.MISSED, S.AWAY}),
    e.TicketRated: frozenset({S.FINISHED}),
    e.NoticeGiven: frozenset({S.CALLED, S.SERVING, S.HELD}),
    e.ResultAwaited: frozenset({S.CALLED, S.SERVING, S.HELD}),
    e.TicketBack: frozenset({S.AWAY}),
    e.MoveUndone: frozenset({S.SERVING, S.FINISHED, S.MISSED, S.NO_SHOW, S.WAITING, S.HELD}),
}
# What may be taken back, by its name in `MoveUndone`.
TAKEN_BACK: Mapping[str, type[e.Event]] = {
    "start": e.ServingStarted,
    "finish": e.TicketFinished,
    "miss": e.TicketMissed,
    "no_show": e.NoShowRecorded,
    "return": e.TicketReturned,
    "hold": e.TicketHeld,
}
OPEN = frozenset({S.WAITING, S.CALLED, S.SERVING, S.HELD, S.MISSED, S.AWAY})
AT_WINDOW = frozenset({S.CALLED, S.SERVING})
IDENTITY_NUMBER = re.compile(rb"(?<!\d)[1-9]\d{16}[\dXx](?![\dA-Za-z])")  # GB 11643: 18 characters
MOBILE_NUMBER = re.compile(rb"(?<![\dA-Za-z.])1[3-9]\d{9}(?![\dA-Za-z])")
IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule: which, in which commit, and what is wrong there."""

    rule: str
    seq: int
    what: str

    def __str__(self) -> str:
        """Give it as one line; commit 0 is none."""
        return f"{self.rule} commit {self.seq}: {self.what}" if self.seq else f"{self.rule} {self.what}"


@dataclass(slots=True)
class _Ticket:
    status: TicketStatus
    lane: tuple[ServiceId, str, WindowNo | None]
    place: tuple[int, int]
    window: WindowNo | None = None
    rated: bool = False
    last: tuple[type[e.Event] | None, TicketStatus, WindowNo | None] = (None, S.WAITING, None)  # and where until then


@dataclass(slots=True)
class _Window:
    able: frozenset[ServiceId]
    clerk: WorkId | None = None
    paused: bool = False
    current: TicketId | None = None


@dataclass(slots=True)
class _Block:
    kiosk: DeviceId
    prefix: str
    first: int
    last: int
    given: int
    open: bool = True


def audit(commits: Iterable[Commit]) -> list[Finding]:
    """Give every broken rule of a whole ledger that this version wrote; an empty list is a clean bill."""
    auditor = Auditor()
    for commit in commits:
        auditor.take(commit)
    return auditor.findings


@dataclass(slots=True)
class Auditor:
    """The audit of a ledger as it grows."""

    findings: list[Finding] = field(default_factory=list)
    _seq: int = 0
    _head: str = GENESIS
    _keys: set[str] = field(default_factory=set)
    _plan: HallPlan | None = None
    _day: str = ""
    _day_open: bool = False
    _ids: set[str] = field(default_factory=set)
    _numbers: dict[str, int] = field(default_factory=dict)
    _blocks: list[_Block] = field(default_factory=list)
    _tickets: dict[TicketId, _Ticket] = field(default_factory=dict)
    _lanes: dict[tuple[ServiceId, str, WindowNo | None], list[tuple[int, int]]] = field(default_factory=dict)
    _windows: dict[WindowNo, _Window] = field(default_factory=dict)

    def take(self, commit: Commit, body: bytes | None = None) -> None:
        """Look at the next commit; `body` is its stored form where another version may have written it."""
        if body is None:
            body = codec.encode(commit)
        if commit.seq != self._seq + 1:
            self._say("L1", f"follows {self._seq}", commit.seq)
        if commit.prev_hash != self._head or codec.chain(self._head, body) != commit.hash:
            self._say("L1", "does not fit the hash of the one before", commit.seq)
        self._seq, self._head = commit.seq, commit.hash
        if holds_personal_number(body):
            self._say("A2", "holds an identity number or a telephone number")
        if not commit.actor.id or not isinstance(commit.actor.kind, ActorKind):
            self._say("A1", "nobody stands behind it")
        for event in commit.events:
            self._look(event, commit.at_ms)
        if commit.key is not None:  # after the events: a commit that opens the day belongs to it
            if commit.key in self._keys:
                self._say("L2", f"the key {commit.key} was used before in {self._day}")
            self._keys.add(commit.key)

    def _say(self, rule: str, what: str, seq: int | None = None) -> None:
        self.findings.append(Finding(rule=rule, seq=self._seq if seq is None else seq, what=what))

    def _look(self, event: e.Event, at_ms: int) -> None:
        match event:
            case e.HallPlanned():
                self._take_plan(event.plan)
            case e.DayOpened():
                self._open_day(event.day)
            case e.DayClosed():
                self._close_day()
            case e.TicketIssued():
                self._issue(event, at_ms)
            case e.RollAnnounced():
                if event.first <= self._numbers.get(event.prefix, 0):
                    self._say("T1", f"the roll {event.prefix} begins again with numbers that were given today")
                self._numbers[event.prefix] = event.first - 1  # another roll of the same letters goes on from there
            case e.BlockLeased():
                self._lease(event)
            case e.BlockReturned():
                self._return(event)
            case (
                e.WindowOpened()
                | e.WindowPaused()
                | e.WindowResumed()
                | e.WindowClosed()
                | e.WindowHandedOver()
                | e.WindowLeftAlone()
                | e.ServicesAssigned()
            ):
                self._change_window(event)
            case e.HeldMoved():
                for id_ in (*event.held, *event.missed):
                    if (moved := self._tickets.get(id_)) is not None:
                        moved.window = event.to_window
            case _ if type(event) in BEFORE:
                self._move(event)
            case _:
                pass

    def _take_plan(self, plan: HallPlan) -> None:
        for window in plan.windows:
            able = frozenset({*window.serves, *window.relief})
            known = self._windows.get(window.no)
            before = None if self._plan is None else self._plan.window.get(window.no)
            if known is None:
                self._windows[window.no] = _Window(able=able)
            elif before is None or (before.serves, before.relief) != (window.serves, window.relief):
                known.able = able
            else:
                known.able = frozenset(service for service in known.able if service in plan.service) or able
        self._plan = plan

    def _open_day(self, day: str) -> None:
        if day <= self._day:
            self._say("T4", f"day {day} opened after {self._day}")
        if self._day_open:
            self._say("C5", f"day {day} opened over an open day {self._day}")
        self._day, self._day_open = day, True
        for store in (self._keys, self._numbers, self._blocks, self._tickets, self._lanes):
            store.clear()

    def _close_day(self) -> None:
        left = [id_ for id_, ticket in self._tickets.items() if ticket.status in OPEN]
        if left:
            self._say("C5", f"the day closed over {', '.join(left)}")
        at_work = [no for no, window in self._windows.items() if window.clerk is not None]
        if at_work:
            self._say("C5", f"the day closed over the windows {', '.join(at_work)}")
        if out := [f"{it.prefix}{it.first}" for it in self._blocks if it.open]:
            self._say("C5", f"the day closed over the leased blocks {', '.join(out)}")
        self._day_open = False

    def _issue(self, event: e.TicketIssued, at_ms: int) -> None:
        if not self._day_open:
            self._say("T4", f"{event.ticket} was given on a closed day")
        if event.ticket in self._ids:
            self._say("T1", f"{event.ticket} was given twice")
        self._ids.add(event.ticket)
        service = self._plan.service.get(event.service) if self._plan is not None else None
        if (block := self._block(event.prefix, event.number)) is not None:
            self._issue_of(block, event)
        else:
            due = self._numbers.get(event.prefix, (service.first if service is not None else 1) - 1) + 1
            while (leased := self._block(event.prefix, due)) is not None:
                due = leased.last + 1
            if event.number != due:
                self._say("T2", f"{event.prefix}{event.number} was given where {event.prefix}{due} was due")
            self._numbers[event.prefix] = event.number
        if service is not None and service.prefix == event.prefix and event.number > service.last:
            self._say("T3", f"{event.prefix}{event.number} was given, the last number is {service.last}")
        lane = (event.service, event.priority, event.window)
        came_ms = at_ms if event.pressed_ms is None else event.pressed_ms
        ticket = _Ticket(status=S.WAITING, lane=lane, place=(came_ms, len(self._tickets)))
        self._tickets[event.ticket] = ticket
        insort(self._lanes.setdefault(lane, []), ticket.place)

    def _block(self, prefix: str, number: int) -> _Block | None:
        return next((it for it in self._blocks if it.prefix == prefix and it.first <= number <= it.last), None)

    def _issue_of(self, block: _Block, event: e.TicketIssued) -> None:
        """Look at a number of a leased block."""
        if event.kiosk != block.kiosk or event.pressed_ms is None or not block.open:
            self._say("T2", f"{event.prefix}{event.number} was given out of a block leased to {block.kiosk}")
        if event.number <= block.given:
            self._say("T2", f"{event.prefix}{event.number} was given after {event.prefix}{block.given}")
        block.given = max(block.given, event.number)

    def _lease(self, event: e.BlockLeased) -> None:
        given = self._numbers.get(event.prefix, 0)
        if event.first <= given or event.last < event.first:
            self._say("T2", f"{event.prefix}{event.first} to {event.last} was leased, {given} was given already")
        if any(it.prefix == event.prefix and it.first <= event.last and event.first <= it.last for it in self._blocks):
            self._say("T2", f"{event.prefix}{event.first} to {event.last} was leased twice")
        self._blocks.append(
            _Block(kiosk=event.kiosk, prefix=event.prefix, first=event.first, last=event.last, given=event.first - 1)
        )

    def _return(self, event: e.BlockReturned) -> None:
        block = self._block(event.prefix, event.first)
        if block is None or not block.open:
            self._say("T2", f"{event.prefix}{event.first} to {event.last} was returned and is leased to nobody")
            return
        if block.given != event.given:
            self._say("T2", f"{event.prefix}{event.first} to {event.last} was returned up to {event.given}")
        block.open = False

    def _change_window(
        self,
        event: e.WindowOpened
        | e.WindowPaused
        | e.WindowResumed
        | e.WindowClosed
        | e.WindowHandedOver
        | e.WindowLeftAlone
        | e.ServicesAssigned,
    ) -> None:
        window = self._windows.setdefault(event.window, _Window(able=frozenset()))
        match event:
            case e.WindowOpened():
                if window.clerk is not None:
                    self._say("C1", f"window {event.window} opened while open")
                window.clerk, window.paused = event.clerk, False
            case e.WindowPaused() | e.WindowLeftAlone():
                if window.clerk is None:
                    self._say("C1", f"window {event.window} paused while closed")
                window.paused = True
            case e.WindowResumed():
                if not window.paused:
                    self._say("C1", f"window {event.window} resumed without a pause")
                window.paused = False
            case e.WindowClosed():
                if window.clerk is None:
                    self._say("C1", f"window {event.window} closed while closed")
                if window.current is not None:
                    self._say("C2", f"window {event.window} closed over {window.current}")
                window.clerk, window.paused = None, False
            case e.WindowHandedOver():
                if window.clerk != event.from_clerk:
                    self._say("W2", f"window {event.window} was handed over by {event.from_clerk}, not {window.clerk}")
                window.clerk = event.clerk
            case e.ServicesAssigned():
                window.able = frozenset({*event.serves, *event.relief})

    def _move(self, event: e.Event) -> None:
        id_: TicketId = event.ticket  # type: ignore[union-attr,assignment]  # every kind in BEFORE has one
        ticket = self._tickets.get(id_)
        kind = type(event).__name__
        if ticket is None:
            self._say("C1", f"{kind} of {id_}, which nobody was given today")
            return
        if ticket.status not in BEFORE[type(event)]:
            self._say("C1", f"{kind} of {id_}, which is {ticket.status}")
        last = ticket.last
        ticket.last = type(event), ticket.status, ticket.window
        match event:
            case e.MoveUndone():
                self._put_back(event, ticket, last)
            case e.TicketCalled():
                self._call(event, ticket)
            case e.TicketResumed():
                self._arrive(event.window, event.ticket, ticket)
            case e.ServingStarted():
                ticket.status = S.SERVING
            case e.TicketFinished():
                self._leave(id_, ticket, S.FINISHED)
            case e.TicketMissed():
                self._leave(id_, ticket, S.MISSED, keep_window=True)
            case e.TicketHeld():
                self._leave(id_, ticket, S.HELD, keep_window=True)
            case e.NoShowRecorded():
                self._leave(id_, ticket, S.NO_SHOW)
            case e.TicketCancelled():
                self._leave(id_, ticket, S.CANCELLED)
            case e.TicketExpired():
                self._leave(id_, ticket, S.EXPIRED)
            case e.NoticeGiven() if event.away:
                self._leave(id_, ticket, S.AWAY)
            case e.ResultAwaited():
                self._leave(id_, ticket, S.AWAY)
                ticket.lane = (event.pickup, ticket.lane[1], None)
            case e.TicketReinstated():
                self._wait(id_, ticket, event.since_ms)
            case e.TicketReturned():
                self._wait(id_, ticket, ticket.place[0])
            case e.TicketBack():
                ticket.lane = (event.service, ticket.lane[1], ticket.lane[2])
                self._wait(id_, ticket, event.since_ms)
            case e.TicketTransferred():
                self._leave(id_, ticket, S.WAITING)
                ticket.lane = (event.service, ticket.lane[1], event.to_window)
                self._wait(id_, ticket, event.since_ms)
            case e.LegFinished():
                self._leave(id_, ticket, S.WAITING)
                ticket.lane = (event.next_service, ticket.lane[1], None)
                self._wait(id_, ticket, event.since_ms)
            case e.TicketRated():
                if ticket.rated:
                    self._say("C1", f"{id_} was rated twice")
                ticket.rated = True
            case _:
                pass

    def _call(self, event: e.TicketCalled, ticket: _Ticket) -> None:
        window = self._windows.setdefault(event.window, _Window(able=frozenset()))
        bound = ticket.lane[2] == event.window
        if not bound and event.service not in window.able:
            self._say("W1", f"window {event.window} called {event.ticket} for {event.service}, which it does not serve")
        if ticket.status is S.WAITING and event.why != "chosen":
            first = self._lanes.get(ticket.lane, [ticket.place])[0]
            if first != ticket.place:
                self._say("C3", f"{event.ticket} was called before others of its service and class")
        if event.why == "chosen" and not event.reason:
            self._say("C3", f"{event.ticket} was called out of turn without a reason")
        self._arrive(event.window, event.ticket, ticket)

    def _put_back(
        self,
        event: e.MoveUndone,
        ticket: _Ticket,
        last: tuple[type[e.Event] | None, TicketStatus, WindowNo | None],
    ) -> None:
        kind, status, no = last
        if kind is not TAKEN_BACK.get(event.undone) or (status, no) != (event.status, event.window):
            self._say("C1", f"{event.ticket} was put back to {event.status} where it was not")
        window = self._windows.setdefault(event.window, _Window(able=frozenset()))
        if window.clerk is None or window.paused:
            self._say("W1", f"{event.ticket} was put back to window {event.window}, which is closed or paused")
        if window.current not in (None, event.ticket):
            self._say("C2", f"{event.ticket} was put back to window {event.window}, which has {window.current}")
        self._leave(event.ticket, ticket, event.status)
        ticket.window, window.current = event.window, event.ticket

    def _arrive(self, no: WindowNo, id_: TicketId, ticket: _Ticket) -> None:
        window = self._windows.setdefault(no, _Window(able=frozenset()))
        if window.clerk is None:
            self._say("W1", f"{id_} was called to window {no}, which is closed")
        elif window.paused:
            self._say("W1", f"{id_} was called to window {no}, which is paused")
        if window.current is not None:
            self._say("C2", f"{id_} was called to window {no}, which has {window.current}")
        others = [other for other, it in self._windows.items() if it.current == id_ and other != no]
        if others:
            self._say("C2", f"{id_} was called to window {no} and is at window {others[0]}")
        if window.clerk is not None:
            self._check_clerk(no, window.clerk)
        self._leave(id_, ticket, S.CALLED)
        ticket.window, window.current = no, id_

    def _check_clerk(self, no: WindowNo, clerk: WorkId) -> None:
        post = self._plan.post.get(clerk) if self._plan is not None else None
        if post is None:
            return  # a manager may hold several windows open
        also = [other for other, it in self._windows.items() if it.clerk == clerk and other != no and it.current]
        if also:
            self._say("W2", f"{clerk} calls at window {no} and is busy at window {also[0]}")

    def _leave(self, id_: TicketId, ticket: _Ticket, status: TicketStatus, *, keep_window: bool = False) -> None:
        if ticket.status is S.WAITING:
            lane = self._lanes[ticket.lane]
            lane.remove(ticket.place)
            if not lane:
                del self._lanes[ticket.lane]
        elif ticket.status in AT_WINDOW and ticket.window is not None:
            window = self._windows[ticket.window]
            if window.current != id_:
                self._say("C2", f"{id_} left window {ticket.window}, which has {window.current}")
            window.current = None
        ticket.status = status
        if not keep_window:
            ticket.window = None

    def _wait(self, id_: TicketId, ticket: _Ticket, since_ms: int) -> None:
        if ticket.status is not S.WAITING:
            self._leave(id_, ticket, S.WAITING)
        ticket.place = (since_ms, ticket.place[1])
        insort(self._lanes.setdefault(ticket.lane, []), ticket.place)


def holds_personal_number(body: bytes) -> bool:
    """Say whether stored bytes hold a Chinese identity number (its check digit fits) or a mobile number."""
    if MOBILE_NUMBER.search(body):
        return True
    return any(_is_identity_number(found.group()) for found in IDENTITY_NUMBER.finditer(body))


def _is_identity_number(digits: bytes) -> bool:
    total = sum(weight * (digit - 48) for weight, digit in zip(IDENTITY_WEIGHTS, digits, strict=False))
    return b"10X98765432"[total % 11] == digits[17:18].upper()[0]
