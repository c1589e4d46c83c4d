"""Plays a scenario on a real hall with a ledger in memory and a clock that shows what the script says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from server.domain import appointments, routing
from server.domain import commands as c
from server.domain import events as e
from server.domain.refusals import Refusal
from server.domain.rolls import AT_ONCE_MAX
from server.domain.state import HallState
from server.domain.terms import APPOINTMENT, CLOCK, ORDINARY, AppointmentId, CaseId, CaseKind, HallPlan, Track
from server.hall import Hall
from server.ledger.memory import MemoryLedger
from server.scenario.language import ENGLISH, MINUTES, booking_of, change_of
from server.scenario.script import Scenario, Step, clock_of

Facts = dict[str, str]
"""What happened, as it is expected: {"": "C001", "ahead": "0"}; the number of the ticket has no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What came of a line, in the words of an expectation. `refusal`: the hall's sentence (zh, en) when it said no."""

    line: int
    asked: bool
    at: str
    text: str
    happened: str
    expected: str | None
    refusal: tuple[str, str] | None
    ok: bool


def play(scenario: Scenario) -> list[Happened]:
    """Play a scenario from first to last line, whatever fails; at the end its ledger must give the same hall again."""
    stage = _Stage(scenario.plan)
    end = replace(scenario.steps[-1], text="", times=1, every_ms=0, commands=(), question=None, wanted=None)
    return [stage.take(step) for step in (*scenario.steps, end)]


def report(scenario: Scenario, results: Sequence[Happened], language: str = "en") -> str:
    """Give what happened as text, a line for each line; what went otherwise is marked and counted."""
    chinese = language.startswith("zh")
    lines = [f"{scenario.plan.hall} · {scenario.file}"]
    for it in results:
        sign = "=" if it.asked else "->"
        text = it.text or ("结束，重读账本" if chinese else "the end, read again from the ledger")
        told = f"{it.at:5}  {text}" + (f" {sign} {_told(it.happened, language)}" if it.happened else "")
        lines.append(told + (f"  ({it.refusal[0 if chinese else 1]})" if it.refusal else ""))
        if not it.ok:
            wanted = it.expected or ("不被拒绝" if chinese else "no refusal")
            place = f"{scenario.file}:{it.line}"
            lines.append(f"  ✗ {place}：预期 {wanted}" if chinese else f"  ✗ {place}: expected {wanted}")
    failed = sum(1 for it in results if not it.ok)
    if chinese:
        lines.append(f"共 {len(results)} 行，{f'{failed} 行与预期不符' if failed else '全部符合预期'}。")
    else:
        lines.append(f"{len(results)} lines, {f'{failed} not as expected' if failed else 'all as expected'}.")
    return "\n".join(lines)


class _Stage:
    """A hall with a ledger in memory and a clock that shows what the script says."""

    def __init__(self, plan: HallPlan) -> None:
        self._plan, self._now_ms, self._tracks = plan, 0, 0
        self._ledger = MemoryLedger()
        self._hall = self._opened()
        self._hall.handle(c.PlanHall(plan=plan), actor=CLOCK)

    def take(self, step: Step) -> Happened:
        """Do what a line says, as often as it says."""
        found: Facts = {}
        refusal: Refusal | None = None
        self._now_ms = max(self._now_ms, step.at_ms)
        at = clock_of(self._plan, self._now_ms)
        for turn in range(step.times):
            self._now_ms = max(self._now_ms, step.at_ms + turn * step.every_ms)
            try:
                found = _longer(found, self._once(step))
            except Refusal as no:
                refusal, found = no, self._refused(no) | ({"after": str(turn)} if step.times > 1 else {})
                break
        wanted = step.wanted
        held = refusal is None if wanted is None else all(_fits(want, found.get(key)) for key, want in wanted.items())
        return Happened(
            line=step.line,
            asked=step.question is not None,
            at=at,
            text=step.text,
            happened=_written(found),
            expected=None if wanted is None else _written(wanted),
            refusal=(refusal.sentence("zh"), refusal.sentence("en")) if refusal else None,
            ok=held and not found.get("", "").startswith("different"),
        )

    def _once(self, step: Step) -> Facts:
        if step.question is not None:
            question = step.question
            return {"": self._hall.read(lambda state, _: question(state, self._hall.now_ms()))}
        if not step.commands:
            return self._restart()
        found: Facts = {}
        for command in step.commands:
            self._tracks += 1
            events = self._hall.handle(self._named(command), actor=step.actor).events
            found = self._hall.read(partial(_facts, events, found))
        return found

    def _named(self, command: c.Command) -> c.Command:
        """Give a command with what no line says: the token of a number, id and code of a booking."""
        match command:
            case c.TornOff():
                tracks = tuple(Track(f"track-{self._tracks}-{number}") for number in range(AT_ONCE_MAX))
                return replace(command, tracks=tracks)
            case c.IssueTicket() | c.CheckIn() | c.CallNext():
                return replace(command, track=Track(f"track-{self._tracks}"))
            case c.BookAppointment():
                return replace(command, id=AppointmentId(f"booking-{self._tracks}"), code=f"{self._tracks:06d}")
            case c.CancelAppointment():
                booked = self._hall.read(lambda state, _: booking_of(state, command.id))
                return replace(command, id=booked.id if booked is not None else command.id)
            case c.UndoChange():
                change = self._hall.read(lambda state, _: change_of(state, command.change))
                return replace(command, change=change)
            case _:
                return command

    def _refused(self, refusal: Refusal) -> Facts:
        """Give code and next opening of a refusal: 14:00 of today, or 2026-03-03T08:30."""
        day, _, clock = refusal.facts.get("opens_at", "")[:16].partition("T")
        today = datetime.fromtimestamp(self._now_ms / 1000, tz=self._plan.zone_info).date().isoformat()
        until = {"until": clock if day == today else f"{day}T{clock}"} if clock else {}
        return {"refused": refusal.code.value} | until

    def _opened(self) -> Hall:
        return Hall(self._plan.hall, self._ledger, clock=lambda: self._now_ms)

    def _restart(self) -> Facts:
        """Read the hall again from its ledger: nothing may be different."""
        before, self._hall = self._hall.read(lambda state, _: state), self._opened()
        after = self._hall.read(lambda state, _: state)
        changed = [name for name in HallState.__dataclass_fields__ if getattr(before, name) != getattr(after, name)]
        return {"": "different: " + ", ".join(changed) if changed else "equal"}


def _facts(events: Sequence[e.Event], so_far: Facts, state: HallState, _seq: int) -> Facts:
    """Give what is worth telling of the events of one command."""
    found = dict(so_far)
    given = [it.label for it in events if isinstance(it, e.TicketIssued)]
    for event in events:
        match event:
            case e.TicketExpired():
                found["expired"] = str(int(found.get("expired", 0)) + 1)
            case e.TicketIssued():
                eta = {} if event.eta_p50_s is None else {"eta": _minutes(event.eta_p50_s)}
                numbers = event.label if event.label == given[0] else f"{given[0]}..{event.label}"  # of a roll
                found |= {"": numbers, "ahead": str(event.ahead)} | eta
            case e.TicketCalled():
                ended = [it.label for it in events if isinstance(it, e.TicketFinished | e.LegFinished)]
                found = {"": event.label, "waited": _minutes(event.waited_s), "because": event.why}
                found |= {"finished": ended[0]} if ended else {}
            case e.TicketRecalled():
                found |= {"": event.label, "count": str(event.call_count)}
            case e.TicketFinished() | e.ResultAwaited():
                found |= {"": event.label, "served": _minutes(event.serve_s)}
            case e.LegFinished():
                found |= {"": event.label, "served": _minutes(event.serve_s), "unserved": str(int(event.unserved))}
            case e.LegsPlanned():
                found |= {"": event.label, "unserved": str(len(event.unserved))}
            case e.TicketRated():
                found |= {"": event.label, "grade": str(event.grade)}
            case e.TicketReinstated() | e.TicketReturned() | e.TicketTransferred() | e.TicketBack():
                found |= {"": event.label, "ahead": str(routing.ahead(state, event.ticket, state.last_ms))}
            case (
                e.ServingStarted()
                | e.TicketMissed()
                | e.NoShowRecorded()
                | e.TicketHeld()
                | e.MoveUndone()
                | e.TicketResumed()
                | e.TicketCancelled()
                | e.ReprintRequested()
                | e.NoticeGiven()
            ):
                found[""] = event.label
            case e.AppointmentBooked():
                day = datetime.fromtimestamp(event.starts_ms / 1000, tz=state.plan.zone_info)
                slots = appointments.slots(state, event.service, day.date(), state.last_ms)
                left = next((slot.left for slot in slots if slot.starts_ms == event.starts_ms), 0)
                found |= {"booked": f"{day:%H:%M}", "left": str(left)}
            case e.AppointmentKept():
                found["as"] = ORDINARY if event.late else APPOINTMENT
            case e.AppointmentMissed():
                found["absent"] = str(int(found.get("absent", 0)) + 1)
            case e.CaseOpened(kind=CaseKind.RATING):
                found["case"] = _case(event.case)
            case (
                e.CaseOpened()
                | e.CaseReceived()
                | e.CaseTaken()
                | e.CaseLogged()
                | e.CaseFinished()
                | e.CaseWithdrawn()
                | e.CaseHandedOver()
                | e.CaseHandoverConfirmed()
                | e.CaseReportedBack()
                | e.CaseAppealed()
                | e.AppealDecided()
            ):
                found[""] = _case(event.case)
            case e.CaseHandoverDue():
                found["due"] = str(int(found.get("due", 0)) + 1)
            case e.CaseOverdue():
                found["overdue"] = str(int(found.get("overdue", 0)) + 1)
            case _:  # windows and days have nothing more to tell than their line
                pass
    return found


def _case(id_: CaseId) -> str:
    """Give a case as lines say it: C001."""
    return f"C{id_.rpartition('-')[2]}"


def _longer(before: Facts, now: Facts) -> Facts:
    """Put the repeats of a line together: the first and the last number, the rest as it was at the end."""
    first, last = before.get("", "").partition("..")[0], now.get("", "")
    return now | ({"": f"{first}..{last}"} if first and first != last else {})


def _fits(want: str, found: str | None) -> bool:
    """Say whether an answer is the expected one: the same, within 0..5, or beginning so when it ends with `...`."""
    if found is None or found == want:
        return found is not None
    if want.endswith(" ..."):
        return (found + " ").startswith(want[:-3])
    lowest, dots, highest = want.partition("..")
    try:
        return bool(dots) and float(lowest) <= float(found) <= float(highest)
    except ValueError:
        return False


def _written(facts: Mapping[str, str]) -> str:
    return " ".join(f"{key} {value}{' min' if key in MINUTES else ''}".strip() for key, value in facts.items())


def _told(words: str, language: str) -> str:
    return " ".join(ENGLISH.get(word, word) for word in words.split()) if language.startswith("zh") else words


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.3g}"
