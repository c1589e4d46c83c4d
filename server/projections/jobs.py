"""What devices are asked to do because of a commit: print a ticket or a notice, say a call, tell everybody something.

Pure; the same commit, the same jobs.

A job is named by its commit and its place in it ("1041.0"), so that it keeps its id over restarts and can be told
apart from every other for ever. Jobs that come too late are worse than none: each expires.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from server.domain import events as e
from server.domain.state import HallState, Ticket
from server.domain.terms import (
    ORDINARY,
    DeviceId,
    Label,
    ServiceId,
    ServiceKind,
    Text,
    TicketId,
    TicketStatus,
    Track,
    WindowNo,
    ZoneId,
)
from server.projections.common import (
    EtaView,
    LegView,
    floor_of_zone,
    instant,
    lead_window,
    legs_of,
    service_name,
    takes_in_only,
    tenant_name,
    told,
    track_url,
    window_name,
    zone_name,
)

PRINT_WITHIN_MS = 120_000  # the visitor has gone by then
SAY_WITHIN_MS = 30_000  # a call spoken later than this confuses
ANNOUNCE_WITHIN_MS = 60_000
PRINTING_CHANNELS = frozenset({"kiosk", "guide"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintTicket:
    """What stands on the paper. `takes_in_only`: the windows take papers in and decide nothing (只收不办).

    `fields`: what is printed, in order; empty: everything as usual. `logo`: a PNG in base64, empty: none.
    """

    hall_name: Text
    ticket: str
    label: str
    service: Text
    zone: Text
    floor: Text | None
    windows: tuple[str, ...]
    ahead: int
    eta: EtaView | None
    issued_at: str
    priority: str | None
    priority_name: Text | None
    track_url: str
    languages: tuple[str, ...]
    advice: Text | None
    notice: Text | None
    reprint: bool
    drill: bool
    legs: tuple[LegView, ...]
    lead_window: str | None
    kind: str
    flags: tuple[str, ...]
    tenant: Text | None
    department: str | None
    takes_in_only: bool
    fields: tuple[str, ...]
    logo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintNotice:
    """A slip with the papers that are missing (一次告知单). `away`: the visitor fetches them now and comes back."""

    hall_name: Text
    ticket: str
    label: str
    service: Text
    department: str | None
    window: str
    window_name: Text
    items: tuple[str, ...]
    note: str
    away: bool
    given_at: str
    track_url: str
    languages: tuple[str, ...]
    drill: bool
    logo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What the loudspeaker calls; with `yao` the 1 of a ticket is read 幺."""

    ticket: str
    label: str
    window: str
    window_name: Text
    zone: str
    languages: tuple[str, ...]
    call_count: int
    yao: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """What every loudspeaker tells; an emergency comes before the calls that wait there."""

    text: Text
    languages: tuple[str, ...]
    emergency: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job of a commit. `kiosk`, `zone` and `window` say which device gets it; instants are Unix ms."""

    seq: int
    index: int
    ticket: TicketId | None
    data: PrintTicket | PrintNotice | Say | Announce
    at_ms: int
    expires_ms: int
    kiosk: DeviceId | None = None
    zone: ZoneId | None = None
    window: WindowNo | None = None

    @property
    def id(self) -> str:
        """Give the id on the wire: commit and place in it."""
        return f"{self.seq}.{self.index}"

    @property
    def kind(self) -> str:
        """Give the kind on the wire."""
        match self.data:
            case PrintTicket():
                return "print_ticket"
            case PrintNotice():
                return "print_notice"
            case Say():
                return "say"
            case Announce():
                return "announce"
            case _:
                assert_never(self.data)


def jobs_of(
    state: HallState,
    events: Sequence[e.Event],
    *,
    seq: int,
    at_ms: int,
    drill: bool = False,
) -> list[Job]:
    """Give the jobs of one commit, in order. Tickets of another business day than the state's are skipped."""
    jobs: list[Job] = []
    for index, event in enumerate(events):
        window: WindowNo | None = None
        match event:
            case e.TicketIssued():
                if event.channel not in PRINTING_CHANNELS or event.ticket not in state.tickets:
                    continue
                ticket = state.tickets[event.ticket]
                paper = _paper(state, ticket, issued_ms=at_ms, drill=drill, reprint=False)
                kiosk, zone = event.kiosk, None
                data: PrintTicket | PrintNotice | Say | Announce = paper
                within_ms = PRINT_WITHIN_MS
            case e.ReprintRequested():
                if event.ticket not in state.tickets:
                    continue
                ticket = state.tickets[event.ticket]
                data = _paper(state, ticket, issued_ms=ticket.issued_ms, drill=drill, reprint=True)
                kiosk, zone, within_ms = event.kiosk, None, PRINT_WITHIN_MS
            case e.NoticeGiven():
                if event.ticket not in state.tickets:
                    continue
                ticket = state.tickets[event.ticket]
                data = _notice(state, ticket, event, at_ms=at_ms, drill=drill)
                kiosk, zone, within_ms, window = ticket.kiosk, None, PRINT_WITHIN_MS, event.window
            case e.TicketCalled() | e.TicketRecalled() | e.TicketResumed():
                if event.window not in state.plan.window:
                    continue
                data = _call(state, event.ticket, event.label, event.window, event.call_count)
                kiosk, zone, within_ms = None, state.plan.window[event.window].zone, SAY_WITHIN_MS
            case e.Announced() if event.spoken:
                data = Announce(text=event.text, languages=state.plan.languages, emergency=event.emergency)
                kiosk, zone, within_ms = None, None, ANNOUNCE_WITHIN_MS
            case _:
                continue
        jobs.append(
            Job(
                seq=seq,
                index=index,
                ticket=None if isinstance(event, e.Announced) else event.ticket,
                data=data,
                at_ms=at_ms,
                expires_ms=at_ms + within_ms,
                kiosk=kiosk,
                zone=zone,
                window=window,
            )
        )
    return jobs


def still_matters(state: HallState, job: Job) -> bool:
    """Say whether a job is worth doing now: a call is not, once the visitor came, was sent elsewhere or recalled."""
    match job.data:
        case PrintTicket() | PrintNotice():
            return True
        case Say():
            ticket = state.tickets.get(job.ticket) if job.ticket is not None else None
            if ticket is None or ticket.status is not TicketStatus.CALLED:
                return False
            return (ticket.window, ticket.call_count) == (job.data.window, job.data.call_count)
        case Announce():
            return state.announcement is not None and state.announcement.since_ms == job.at_ms
        case _:
            assert_never(job.data)


def blank_paper(state: HallState, service: ServiceId, *, drill: bool) -> PrintTicket:
    """Give what stands on every ticket of a service now; label, ticket, instant and address are left empty."""
    planned = state.plan.service[service]
    blank = Ticket(
        id=TicketId(""),
        label=Label(""),
        number=0,
        order=0,
        service=service,
        zone=planned.zone,
        priority=ORDINARY,
        track=Track(""),
        windows=state.windows_of(service),
        issued_ms=0,
        since_ms=0,
        joined_ms=0,
        ahead=0,
        eta_p50_s=None,
        eta_p80_s=None,
        channel="",
        legs_planned=tuple(it for it in planned.legs if it != service),
    )
    return _paper(state, blank, issued_ms=0, drill=drill, reprint=False)


def _paper(state: HallState, ticket: Ticket, *, issued_ms: int, drill: bool, reprint: bool) -> PrintTicket:
    plan = state.plan
    rule = plan.priority.get(ticket.priority)
    service = plan.service.get(ticket.service)
    return PrintTicket(
        hall_name=plan.name,
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(plan, ticket.service),
        zone=zone_name(plan, ticket.zone),
        floor=floor_of_zone(plan, ticket.zone),
        windows=ticket.windows,
        ahead=ticket.ahead,
        eta=told(ticket),
        issued_at=instant(plan, issued_ms),
        priority=None if ticket.priority == ORDINARY else ticket.priority,
        priority_name=rule.name if rule and ticket.priority != ORDINARY else None,
        track_url=track_url(ticket.base_url, plan.hall, ticket.track),
        languages=plan.ticket_languages or plan.languages,
        advice=plan.advice,
        notice=plan.notice,
        reprint=reprint,
        drill=drill,
        legs=legs_of(state, ticket),
        lead_window=lead_window(ticket),
        kind=service.kind if service else ServiceKind.ORDINARY,
        flags=service.flags if service else (),
        tenant=tenant_name(plan, ticket.service),
        department=service.department if service else None,
        takes_in_only=takes_in_only(state, ticket.service),
        fields=plan.ticket_fields,
        logo=plan.ticket_logo,
    )


def _notice(state: HallState, ticket: Ticket, event: e.NoticeGiven, *, at_ms: int, drill: bool) -> PrintNotice:
    plan = state.plan
    service = plan.service.get(event.service)
    return PrintNotice(
        hall_name=plan.name,
        ticket=ticket.id,
        label=ticket.label,
        service=service_name(plan, event.service),
        department=service.department if service is not None else None,
        window=event.window,
        window_name=window_name(plan, event.window),
        items=event.items,
        note=event.note,
        away=event.away,
        given_at=instant(plan, at_ms),
        track_url=track_url(ticket.base_url, plan.hall, ticket.track),
        languages=plan.ticket_languages or plan.languages,
        drill=drill,
        logo=plan.ticket_logo,
    )


def _call(state: HallState, ticket: TicketId, label: Label, window: WindowNo, call_count: int) -> Say:
    return Say(
        ticket=ticket,
        label=label,
        window=window,
        window_name=window_name(state.plan, window),
        zone=state.plan.window[window].zone,
        languages=state.plan.call_languages or state.plan.languages,
        call_count=call_count,
        yao=state.plan.call_yao,
    )
