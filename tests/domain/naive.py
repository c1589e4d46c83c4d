"""A hall written the slow and obvious way, to hold the real one against: lists, whole numbers, brute force.

It shares no code with the domain, not even its table of moves. It says who is next by looking at everybody, every time.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

MIN = 60_000
CREDIT_MIN = 8
CLASSES = {"ordinary": (1, 0), "green": (3, 10), "appointment": (1, 20)}  # slope, head start in minutes
SERVICES = {"general": "A", "social": "C", "tax": "B", "invoice": "B"}
ZONES = {"general": "hall", "social": "hall", "tax": "tax", "invoice": "tax"}
WINDOWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "1": (("general",), ("tax",)),
    "2": (("general", "social"), ()),
    "3": (("tax", "invoice"), ()),
    "4": (("tax",), ()),
}
DAY_QUOTA = {"invoice": 7}
SLOTS = {"social": (("09:00", "09:20", 3), ("09:20", "12:00", 4))}  # at most so many numbers between these clock times
BEIJING_MS = 8 * 60 * MIN
OVER = ("finished", "no_show", "cancelled", "expired")
RECALLS, REINSTATE_BEHIND, REINSTATE_TIMES = 5, 3, 1
LEGS, LEG_AGE = 8, 30 * MIN

ALLOWED = {
    "recall": ("called",),
    "start": ("called",),
    "finish": ("called", "serving", "held"),
    "missed": ("called",),
    "no_show": ("called", "held", "missed"),
    "return": ("called",),
    "hold": ("called", "serving"),
    "transfer": ("called", "serving", "held"),
    "plan": ("waiting", "called", "serving", "held"),
}


@dataclass
class Visit:
    """A ticket."""

    label: str
    number: int
    order: int
    service: str
    priority: str
    issued: int
    since: int
    visitor: str | None
    bound: str | None
    status: str = "waiting"
    window: str | None = None
    clerk: str | None = None
    calls: int = 0
    reinstated: int = 0
    grade: int | None = None
    arrived: int = 0  # when called to the window last
    started: int | None = None
    away: int = 0
    held_since: int | None = None
    asked: str = ""  # the service the number was given for
    rest: list[str] = field(default_factory=list)  # legs after the one the visit is at
    done: list[tuple[str, str, int]] = field(default_factory=list)  # service, window, when
    leads: str | None = None
    planned: int = 0  # how often

    def right(self, joined: int) -> int:
        """Give the arrival that counts for somebody who joins a waiting then."""
        return max(self.issued, joined - LEG_AGE)


@dataclass
class Desk:
    """A window."""

    serves: tuple[str, ...]
    relief: tuple[str, ...]
    clerk: str | None = None
    paused: bool = False
    last: Visit | None = None
    slip: "Slip | None" = None


@dataclass
class Slip:
    """A move at a window that may be taken back: the visit just before and just after it, who sat there, and when."""

    before: Visit
    after: Visit
    clerk: str | None
    at: int
    last: Visit | None


@dataclass
class Naive:
    """The whole hall. Methods give None for a refusal, else something to compare."""

    now: int = 0
    open: bool = True
    visits: list[Visit] = field(default_factory=list)
    desks: dict[str, Desk] = field(default_factory=lambda: {no: Desk(*lists) for no, lists in WINDOWS.items()})
    queue_of: dict[str, list[Visit]] = field(default_factory=dict)  # hold lists, in order
    ratio: int = 0
    oldest_min: int = 0
    kinds: list[str] = field(default_factory=list)  # why those of the last queue stand where they do
    turns: list[tuple[str, str]] = field(default_factory=list)  # of each call in turn: zone; ordinary, long, priority
    rule: str = "oldest_waiting"

    def new_day(self) -> None:
        """Forget the visits; windows keep their assignment."""
        self.open, self.visits, self.queue_of, self.turns = True, [], {}, []
        for desk in self.desks.values():
            desk.clerk, desk.paused, desk.last, desk.slip = None, False, None, None

    def close_day(self) -> bool:
        """Expire everybody."""
        if not self.open:
            return False
        for visit in self.visits:
            if visit.status not in OVER:
                visit.status = "expired"
        for desk in self.desks.values():
            desk.clerk, desk.paused = None, False
        self.open, self.queue_of = False, {}
        return True

    def at(self, no: str) -> Visit | None:
        """Give the current visit of a window."""
        found = [it for it in self.visits if it.window == no and it.status in ("called", "serving")]
        assert len(found) <= 1
        return found[0] if found else None

    def find(self, label: str) -> Visit | None:
        """Give the visit with a label."""
        return next((it for it in self.visits if it.label == label), None)

    def legs(self, first: str, wanted: list[str], before: int) -> list[str] | None:
        """Give the stops from the one the visit is at, None when they cannot be."""
        stops = wanted if wanted[:1] == [first] else [first, *wanted]
        good = all(it in SERVICES for it in stops) and len({*stops}) == len(stops) and before + len(stops) <= LEGS
        return stops if good else None

    def issue(
        self, service: str, priority: str, window: str | None, visitor: str | None, legs: list[str] | None = None
    ) -> str | None:
        """Give the label of a new number."""
        stops = self.legs(service, legs or [service], 0)
        if stops is None:
            return None
        if not self.open or service not in SERVICES or priority not in CLASSES:
            return None
        if window is not None:
            desk = self.desks.get(window)
            if desk is None or service not in desk.serves + desk.relief:
                return None
        if visitor is not None:
            for visit in self.visits:
                if visit.visitor == visitor and visit.service == service and visit.status not in OVER:
                    return None
        if self.quota_full(service):
            return None
        prefix = SERVICES[service]
        number = len([it for it in self.visits if it.label[0] == prefix]) + 1
        label = f"{prefix}{number:03d}"
        visit = Visit(label, number, len(self.visits), service, priority, self.now, self.now, visitor, window)
        visit.asked, visit.rest = service, stops[1:]
        self.visits.append(visit)
        return label

    def quota_full(self, service: str) -> bool:
        """Say whether day or slot have no number left for a service."""
        given = [clock_of(it.issued) for it in self.visits if it.asked == service]
        if service in DAY_QUOTA and len(given) >= DAY_QUOTA[service]:
            return True
        for begin, end, quota in SLOTS.get(service, ()):
            if begin <= clock_of(self.now) < end and len([it for it in given if begin <= it < end]) >= quota:
                return True
        return False

    def queue(self, no: str, sides: list[tuple[str, bool]] | None = None) -> list[Visit]:
        """Give everybody a window may call, in the order in which it would call them were it still now.

        Under the balanced rule the hall weighs zones: which of the `sides` (zone, own work) was the heavier at each
        call is then taken as given, and the row is as long as they are.
        """
        desk = self.desks[no]
        credit = {"oldest_waiting": CREDIT_MIN, "home_first": 10**6, "static": 0, "balanced": 0}[self.rule]
        left: list[tuple[float, int, bool, Visit]] = []
        for visit in self.visits:
            if visit.status != "waiting" or visit.bound not in (None, no):
                continue
            home = visit.bound == no or visit.service in desk.serves
            if not home and (visit.service not in desk.relief or self.rule == "static"):
                continue
            slope, head = CLASSES[visit.priority]
            urgency = slope * (self.now - visit.since) + head * MIN + (credit * MIN if home else 0)
            left.append((-urgency, visit.order, home, visit))
        left.sort(key=lambda it: it[:2])
        row: list[Visit] = []
        turns = [*self.turns]
        while left and (sides is None or len(row) < len(sides)):
            heavier = None if sides is None else sides[len(row)]
            chosen, kind = self.fair([it for it in left if heavier in (None, (ZONES[it[3].service], it[2]))], turns)
            left.remove(chosen)
            row.append(chosen[3])
            turns.append((ZONES[chosen[3].service], kind))
        self.kinds = [kind for _, kind in turns[len(self.turns) :]]
        return row

    def fair(self, left: list[tuple[float, int, bool, Visit]], turns: list[tuple[str, str]]) -> tuple[Any, str]:
        """Give who of those left is called: the most urgent, unless that is a priority whose turn it is not."""
        first = left[0]
        if first[3].priority == "ordinary":
            return first, self.kind(first[3])
        zone = ZONES[first[3].service]
        ordinary = [it for it in left if it[3].priority == "ordinary" and ZONES[it[3].service] == zone]
        calls = [kind for of, kind in turns if of == zone]
        if self.oldest_min and calls[-1:] != ["long"]:
            for it in ordinary:
                if self.now - it[3].since > self.oldest_min * MIN and it[2] >= first[2]:
                    return it, "long"
        if self.ratio and calls[-self.ratio :] == ["priority"] * self.ratio and ordinary:
            return ordinary[0], self.kind(ordinary[0][3])
        return first, "priority"

    def kind(self, visit: Visit) -> str:
        """Say whether an ordinary visit has waited so long that priorities come after it once."""
        return "long" if self.oldest_min and self.now - visit.since > self.oldest_min * MIN else "ordinary"

    def others_free(self, no: str) -> bool:
        """Say whether another window could call: somebody may be left to it."""
        return any(other != no and self.can_call(other) for other in self.desks)

    def can_call(self, no: str) -> bool:
        """Say whether a window is open, free and not paused."""
        desk = self.desks.get(no)
        return self.open and desk is not None and desk.clerk is not None and not desk.paused and self.at(no) is None

    def call_next(self, no: str, *, finish: bool, side: tuple[str, bool] | None = None) -> str | None:
        """Give the label that is called."""
        current = self.at(no) if no in self.desks else None
        if not self.open or not (self.can_call(no) or (finish and current)):
            return None
        after = deepcopy(self)  # who is at the window may be the next one, too: with the next leg of a joint matter
        if current:
            after.end(next(visit for visit in after.visits if visit.label == current.label), None)
        queue = after.queue(no, [side] if side else None)
        if not queue:
            return None
        if current:
            self.end(current, None)
        chosen = next(visit for visit in self.visits if visit.label == queue[0].label)
        self.turns.append((ZONES[chosen.service], after.kinds[0]))
        self.call(chosen, no)
        return chosen.label

    def call(self, visit: Visit, no: str) -> None:
        """Invite a visit to a window."""
        if visit.status != "held":
            visit.started, visit.away = None, 0
        elif visit.started is not None:
            visit.away += self.now - (visit.held_since or 0)
        visit.status, visit.window, visit.calls = "called", no, 1
        visit.clerk, visit.arrived, visit.held_since = self.desks[no].clerk, self.now, None
        self.desks[no].slip = None

    def call_ticket(self, no: str, label: str) -> str | None:
        """Give the label that is called out of turn."""
        visit = self.find(label)
        if not self.can_call(no) or visit is None or visit.status not in ("waiting", "missed"):
            return None
        desk = self.desks[no]
        if visit.bound != no and visit.service not in desk.serves + desk.relief:
            return None
        self.call(visit, no)
        return label

    def chosen(self, no: str, label: str | None, move: str) -> Visit | None:
        """Give the named or current visit of a window if it may make the move."""
        if not self.open or no not in self.desks:
            return None
        visit = self.find(label) if label else self.at(no)
        return visit if visit and visit.window == no and visit.status in ALLOWED[move] else None

    def leave(self, visit: Visit, status: str) -> None:
        """Take a visit away from its window."""
        if visit.window in self.queue_of and visit in self.queue_of[visit.window]:
            self.queue_of[visit.window].remove(visit)
        if status == "finished" and visit.window:
            self.desks[visit.window].last = visit
        visit.status = status

    def end(self, visit: Visit, following: str | None) -> None:
        """End the visit, or the leg it is at: then it waits for the next, no longer than half an hour ahead of now."""
        no = visit.window or ""
        visit.leads = visit.leads or no
        if not visit.rest:
            self.leave(visit, "finished")
            return
        self.leave(visit, "waiting")
        self.desks[no].last = None
        visit.done.append((visit.service, no, self.now))
        visit.service = following or visit.rest[0]
        visit.rest = [it for it in visit.rest if it != visit.service]
        visit.window = visit.bound = None
        visit.since = visit.right(self.now)

    def plan(self, label: str, wanted: list[str], no: str | None) -> str | None:
        """Set the legs still to come."""
        visit = self.find(label)
        if not self.open or visit is None or visit.status not in ALLOWED["plan"] or not wanted:
            return None
        if no is not None and visit.window != no:
            return None
        stops = self.legs(visit.service, wanted, len(visit.done))
        if stops is None:
            return None
        visit.rest, visit.leads, visit.planned = stops[1:], visit.leads or visit.window, visit.planned + 1
        return visit.label

    def serve_ms(self, visit: Visit) -> int:
        """Give the milliseconds of service a visit has had if it ended now."""
        until = self.now if visit.held_since is None else visit.held_since
        begun = visit.started if visit.started is not None else visit.arrived
        return max(0, (until - begun) - visit.away)

    def move(self, no: str, label: str | None, move: str, following: str | None = None) -> Visit | None:
        """Make one of the plain moves."""
        visit = self.chosen(no, label, move)
        if visit is None or (following is not None and following not in visit.rest):
            return None
        before = deepcopy(visit) if visit.status in ("called", "serving") else None
        last = self.desks[no].last
        if move in ("start", "hold"):
            visit.leads = visit.leads or no
        match move:
            case "finish":
                self.end(visit, following)
            case "recall":
                if visit.calls > RECALLS:
                    return None
                visit.calls += 1
            case "start":
                visit.status = "serving"
                if visit.started is None:
                    visit.started = self.now
                else:
                    visit.away += self.now - visit.arrived
            case "return":
                self.leave(visit, "waiting")
                visit.window = None
            case "hold":
                visit.status, visit.held_since = "held", self.now
                self.queue_of.setdefault(no, []).append(visit)
            case _:
                self.leave(visit, move)
        if before is not None and move != "recall" and not (move == "finish" and visit.status == "waiting"):
            desk = self.desks[no]
            desk.slip = Slip(before, deepcopy(visit), desk.clerk, self.now, last)
        return visit

    def undo(self, no: str, label: str | None) -> str | None:
        """Take the last move of a window back."""
        desk = self.desks.get(no)
        slip = desk.slip if desk else None
        if not self.open or desk is None or slip is None or label not in (None, slip.before.label):
            return None
        visit, at = self.find(slip.before.label), self.at(no)
        if self.now - slip.at > 8000 or desk.paused or desk.clerk is None or desk.clerk != slip.clerk:
            return None
        if visit != slip.after or at not in (None, visit) or (at is None) == (slip.after.status == "serving"):
            return None
        if visit.status == "held":
            self.queue_of[no].remove(visit)
        if visit.status == "finished":
            desk.last = slip.last
        vars(visit).update(vars(deepcopy(slip.before)))
        desk.slip = None
        return visit.label

    def resume(self, no: str, label: str | None) -> str | None:
        """Call a held visit back."""
        if not self.can_call(no):
            return None
        waiting = self.queue_of.get(no, [])
        visit = self.find(label) if label else (waiting[0] if waiting else None)
        if visit is None or visit not in waiting:
            return None
        waiting.remove(visit)
        self.call(visit, no)
        return visit.label

    def transfer(self, no: str, label: str | None, service: str | None, to: str | None, place: str) -> str | None:
        """Send a visit on."""
        visit = self.chosen(no, label, "transfer")
        if visit is None:
            return None
        target = service or visit.service
        if to is not None and (to not in self.desks or target not in self.desks[to].serves + self.desks[to].relief):
            return None
        if to == no or (to is None and target == visit.service):
            return None
        others = [it.since for it in self.visits if it.status == "waiting" and it.service == target]
        self.leave(visit, "waiting")
        visit.leads = visit.leads or no
        visit.rest = [visit.service if it == target else it for it in visit.rest]
        visit.service, visit.bound, visit.window = target, to, None
        right = visit.right(visit.done[-1][2] if visit.done else visit.issued)
        visit.since = {
            "by_arrival": right,
            "end": self.now,
            "front": min([since - 1 for since in others] + [right]),
        }[place]
        return visit.label

    def reinstate(self, label: str) -> str | None:
        """Let a missed visit wait again."""
        visit = self.find(label)
        if not self.open or visit is None or visit.status != "missed" or visit.reinstated >= REINSTATE_TIMES:
            return None
        same = [
            it
            for it in self.visits
            if it.status == "waiting"
            and (it.service, it.priority, it.bound) == (visit.service, visit.priority, visit.bound)
        ]
        same.sort(key=lambda it: (it.since, it.order))
        ahead = same[:REINSTATE_BEHIND]
        self.leave(visit, "waiting")
        visit.window, visit.since, visit.reinstated = None, ahead[-1].since + 1 if ahead else self.now, 1
        return visit.label

    def cancel(self, label: str) -> str | None:
        """Give up a visit."""
        visit = self.find(label)
        if not self.open or visit is None or visit.status not in ("waiting", "called", "held", "missed"):
            return None
        self.leave(visit, "cancelled")
        return label

    def rate(self, label: str, grade: int) -> str | None:
        """Grade a finished visit."""
        visit = self.find(label)
        if visit is None or visit.status != "finished" or visit.grade is not None or grade not in (1, 2, 3, 4, 5):
            return None
        visit.grade = grade
        return label

    def open_window(self, no: str, clerk: str) -> bool:
        """Sign on."""
        if not self.open or no not in self.desks or self.desks[no].clerk is not None:
            return False
        if any(desk.clerk == clerk for desk in self.desks.values()):
            return False
        self.desks[no].clerk, self.desks[no].paused = clerk, False
        return True

    def pause(self, no: str) -> bool:
        """Pause."""
        if not self.can_call(no):
            return False
        self.desks[no].paused = True
        return True

    def unpause(self, no: str) -> bool:
        """End the pause."""
        if not self.open or no not in self.desks or not self.desks[no].paused:
            return False
        self.desks[no].paused = False
        return True

    def close_window(self, no: str) -> bool:
        """Sign off."""
        desk = self.desks.get(no)
        if not self.open or desk is None or desk.clerk is None or self.at(no) is not None:
            return False
        desk.clerk, desk.paused = None, False
        return True

    def assign(self, no: str, serves: tuple[str, ...], relief: tuple[str, ...]) -> bool:
        """Set what a window serves."""
        if no not in self.desks or not (serves or relief):
            return False
        self.desks[no].serves, self.desks[no].relief = serves, tuple(it for it in relief if it not in serves)
        return True


def clock_of(at_ms: int) -> str:
    """Give what a clock in the hall shows: "09:05"."""
    minutes = (at_ms + BEIJING_MS) // MIN % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
