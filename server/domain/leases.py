"""Leased numbers (离线号): what a kiosk gives by itself while it cannot reach the server.

Each kiosk holds a block of every series it gives: a few numbers, far above those that the server gives, for this
business day. From the lease on they are the kiosk's alone, whether it uses them or not: neither the server nor another
kiosk ever gives one, so a kiosk that was cut off and one whose memory was lost can do no harm. What a kiosk gave by
itself it tells later, in order; the number then waits as if it had been given here at the moment of the press. As the
paper is in the visitor's hand, neither hours nor quotas refuse it, but it counts in the quotas. Leases end with the
day, and so does what was not told before.

The form is that of ticket offices that sell without a line: seats set aside for them beforehand, told afterwards.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.checks import known_service
from server.domain.issue import legs_of, unserved
from server.domain.records import Lease
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import ORDINARY, DeviceId, Label, label_of, ticket_id_of

Command = c.LeaseNumbers | c.IssueOffline | c.ReturnBlock
Event = e.BlockLeased | e.BlockReturned

CHANNEL = "offline"
HELD_MAX = 30
"""Numbers of one series that a kiosk may hold: an hour of presses, and all that a stolen kiosk can give."""
BLOCKS_FROM = 901
"""Blocks begin here where the series goes so far, so that nobody in the hall waits between two of their numbers."""
RETURNED, ENDED, DAY_CLOSED = "returned", "ended", "day_closed"


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command.

    Raises:
        Refusal: no such series or block, enough numbers held, a number that is not this kiosk's or was told already.
    """
    match command:
        case c.LeaseNumbers():
            return [_leased(state, command)]
        case c.IssueOffline():
            return [*_issued(state, command, now_ms)]
        case c.ReturnBlock():
            lease = state.leases.get(command.lease)
            if lease is None or (command.kiosk is not None and lease.kiosk != command.kiosk):
                raise Refusal(Code.LEASE_NOT_FOUND, lease=command.lease[:16])
            if not lease.open:
                raise Refusal(Code.LEASE_OVER, lease=command.lease)
            return [_returned(lease, ENDED if command.kiosk is None else RETURNED)]
        case _:
            assert_never(command)


def at_day_close(state: HallState) -> list[e.Event]:
    """Give the end of every block that is still out."""
    return [_returned(lease, DAY_CLOSED) for lease in state.leases.values() if lease.open]


def held_by(state: HallState, kiosk: DeviceId, prefix: str) -> int:
    """Count the numbers of a series that a kiosk may still give, as far as the hall knows."""
    mine = (it for it in state.leases.values() if it.open and (it.kiosk, it.prefix) == (kiosk, prefix))
    return sum(it.last - it.given for it in mine)


def _leased(state: HallState, command: c.LeaseNumbers) -> e.BlockLeased:
    prefix = command.prefix
    ranges = [(it.first, it.last) for it in state.plan.services if it.prefix == prefix]
    if not ranges:
        raise Refusal(Code.SERIES_NOT_FOUND, prefix=prefix[:8])
    held = held_by(state, command.kiosk, prefix)
    count = min(command.count, HELD_MAX - held)
    if count <= 0:
        raise Refusal(Code.LEASE_ENOUGH, count=str(held), prefix=prefix)
    lowest = max(max(first for first, _ in ranges), state.numbers.get(prefix, 0) + 1)
    first = _room(state, prefix, lowest, min(last for _, last in ranges), count)
    if first is None:
        raise Refusal(Code.LEASE_NO_ROOM, prefix=prefix)
    return e.BlockLeased(kiosk=command.kiosk, prefix=prefix, first=first, last=first + count - 1)


def _room(state: HallState, prefix: str, lowest: int, last: int, count: int) -> int | None:
    """Give where a block fits: from `BLOCKS_FROM` upwards, else as high as it can be below; None: nowhere."""
    taken = sorted((it.first, it.last) for it in state.leases.values() if it.prefix == prefix)
    first = max(lowest, BLOCKS_FROM)
    for block_first, block_last in taken:
        if block_first < first + count and first <= block_last:
            first = block_last + 1
    if first + count - 1 <= last:
        return first
    first = last - count + 1
    for block_first, block_last in reversed(taken):
        if block_first < first + count and first <= block_last:
            first = block_first - count
    return first if first >= lowest else None


def _issued(state: HallState, command: c.IssueOffline, now_ms: int) -> Iterator[e.TicketIssued | e.LegsPlanned]:
    """Give the ticket of a number that a kiosk gave by itself."""
    service = known_service(state, command.service)
    planned = state.plan.service[service]
    label = label_of(planned.prefix, command.number)
    if command.day != state.day:
        raise Refusal(Code.OFFLINE_DAY_OVER, label=label, day=command.day)
    lease = lease_of(state, planned.prefix, command.number)
    if lease is None or lease.kiosk != command.kiosk:
        raise Refusal(Code.OFFLINE_NOT_LEASED, label=label)
    if not lease.open:
        raise Refusal(Code.LEASE_OVER, lease=lease.label)
    if command.number <= lease.given:
        raise Refusal(Code.OFFLINE_GIVEN, label=label)
    pressed_ms = min(max(command.pressed_ms, lease.leased_ms, lease.given_ms), now_ms)
    legs = legs_of(state, service, planned.legs, done=0) if planned.legs else ()
    id_ = ticket_id_of(date.fromisoformat(state.day), label)
    yield e.TicketIssued(
        ticket=id_,
        label=label,
        number=command.number,
        prefix=planned.prefix,
        service=service,
        zone=planned.zone,
        # One that the plan has lost meanwhile makes nobody lose the number.
        priority=command.priority if command.priority in state.plan.priority else ORDINARY,
        track=command.track,
        ahead=_earlier(state, command, pressed_ms),
        eta_p50_s=None,  # nobody was told
        eta_p80_s=None,
        windows=state.windows_of(service),
        language=command.language,
        channel=CHANNEL,
        kiosk=command.kiosk,
        base_url=command.base_url,
        pressed_ms=pressed_ms,
    )
    if len(legs) > 1:
        yield e.LegsPlanned(
            ticket=id_, label=label, window=None, services=legs, done=(), unserved=unserved(state, legs)
        )


def _earlier(state: HallState, command: c.IssueOffline, pressed_ms: int) -> int:
    """Count who waits for the same service and came before."""
    lanes = (lane for (service, _, _), lane in state.lane_items() if service == command.service)
    return sum(bisect_left(lane, pressed_ms, key=lambda spot: spot[0]) for lane in lanes)


def lease_of(state: HallState, prefix: str, number: int) -> Lease | None:
    """Give the block of today that a number belongs to."""
    return next((it for it in state.leases.values() if it.holds(prefix, number)), None)


def _returned(lease: Lease, reason: str) -> e.BlockReturned:
    return e.BlockReturned(
        kiosk=lease.kiosk, prefix=lease.prefix, first=lease.first, last=lease.last, given=lease.given, reason=reason
    )


def evolve(state: HallState, event: Event, *, at_ms: int) -> None:
    """Fold one event into the state."""
    label = label_of(event.prefix, event.first)
    match event:
        case e.BlockLeased():
            state.leases[label] = Lease(
                label=label,
                kiosk=event.kiosk,
                prefix=event.prefix,
                first=event.first,
                last=event.last,
                given=event.first - 1,
                leased_ms=at_ms,
            )
        case e.BlockReturned():
            state.leases[Label(label)].open = False
        case _:
            assert_never(event)


def count_given(state: HallState, event: e.TicketIssued, at_ms: int) -> bool:
    """Keep how far a block is known, and say whether the number is of one."""
    lease = lease_of(state, event.prefix, event.number)
    if lease is None:
        return False
    lease.given, lease.given_ms = event.number, at_ms if event.pressed_ms is None else event.pressed_ms
    return True
