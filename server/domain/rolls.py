"""Pre-printed paper rolls (号卷): numbers for a hall whose kiosk is broken.

A guide hangs a roll with letters of its own beside the kiosk. The numbers are in people's hands before the hall knows
of them: the guide reports from time to time how far the roll is torn off, and a window with nobody waiting calls the
next number of a roll whose service it may serve, as if somebody held it. Since the paper is given already, neither
hours nor quotas refuse a number of a roll, and it counts in no quota. The series is dense from the roll's first number;
labels are never used twice in a day; rolls end with the day. Source: "Paper roll" of QSystem,
https://dev.apertum.ru/index.php/en/doc/91-paper-roll-en
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import assert_never

from server.domain import commands as c
from server.domain import events as e
from server.domain.checks import known_service
from server.domain.forecast import expected
from server.domain.issue import legs_of, unserved
from server.domain.lookahead import Newcomer
from server.domain.records import Roll
from server.domain.refusals import PREFIX_UNCLEAR, ROLL_GIVEN, ROLL_KNOWN, Code, Refusal
from server.domain.routing import ahead_of_newcomer
from server.domain.state import HallState
from server.domain.terms import ORDINARY, Track, WindowNo, label_of, ticket_id_of

Command = c.AnnounceRoll | c.TornOff | c.EndRoll
Event = e.RollAnnounced | e.RollEnded

CHANNEL = "roll"
AT_ONCE_MAX = 200  # numbers that become known by one report
NUMBERS = range(1, 10_000)
PREFIX = re.compile("[A-Z]{1,2}")


def decide(state: HallState, command: Command, now_ms: int) -> list[e.Event]:
    """Give the events of a command.

    Raises:
        Refusal: the letters are in use, the numbers are not a roll's, or there is no such roll.
    """
    match command:
        case c.AnnounceRoll():
            return [_announced(state, command)]
        case c.TornOff():
            return _torn_off(state, command, now_ms)
        case c.EndRoll():
            return [_ended(_open_roll(state, command.prefix))]
        case _:
            assert_never(command)


def next_of_roll(state: HallState, no: WindowNo, track: Track | None, now_ms: int) -> list[e.Event]:
    """Give the events of issuing and calling the next number of a roll that this window may serve, or nothing.

    Without a `track` no number is given.
    """
    roll = roll_at(state, no)
    if roll is None or track is None:
        return []
    events = list(_issued(state, roll, roll.given + 1, (track,), now_ms))
    issued = next(it for it in events if isinstance(it, e.TicketIssued))
    return [
        *events,
        e.TicketCalled(
            ticket=issued.ticket,
            label=issued.label,
            number=issued.number,
            window=no,
            service=issued.service,
            zone=issued.zone,
            priority=issued.priority,
            waited_s=0,
            call_count=1,
            why=CHANNEL,
        ),
    ]


def roll_at(state: HallState, no: WindowNo) -> Roll | None:
    """Give the roll a window calls from when nobody waits: own work before relief, then the one announced first."""
    window = state.windows[no]
    rolls = [roll for roll in state.rolls.values() if roll.given < roll.last]
    own = (roll for roll in rolls if roll.service in window.serves)
    relief = (roll for roll in rolls if roll.service in window.relief)
    return next(own, None) or next(relief, None)


def at_day_close(state: HallState) -> list[e.Event]:
    """Give the end of every roll in use."""
    return [_ended(roll) for roll in state.rolls.values()]


def _announced(state: HallState, command: c.AnnounceRoll) -> e.RollAnnounced:
    service, prefix = known_service(state, command.service), command.prefix.strip().upper()
    if not PREFIX.fullmatch(prefix):
        raise Refusal(Code.ROLL_RANGE, PREFIX_UNCLEAR, prefix=prefix[:8])
    if prefix in state.rolls or any(it.prefix == prefix for it in state.plan.services):
        raise Refusal(Code.PREFIX_TAKEN, prefix=prefix)
    if command.first not in NUMBERS or command.last not in NUMBERS or command.first > command.last:
        raise Refusal(Code.ROLL_RANGE, count=str(AT_ONCE_MAX))
    given = state.numbers.get(prefix, 0)
    if command.first <= given:  # of a roll that was taken away today: else a label would be used twice
        raise Refusal(Code.ROLL_RANGE, ROLL_GIVEN, label=label_of(prefix, given))
    return e.RollAnnounced(
        prefix=prefix, service=service, first=command.first, last=command.last, note=command.note.strip()
    )


def _torn_off(state: HallState, command: c.TornOff, now_ms: int) -> list[e.Event]:
    roll = _open_roll(state, command.prefix)
    if command.upto > roll.last:
        raise Refusal(Code.ROLL_USED_UP, prefix=roll.prefix, last=label_of(roll.prefix, roll.last))
    if command.upto <= roll.given:
        if roll.given < roll.first:
            raise Refusal(Code.ROLL_RANGE, count=str(AT_ONCE_MAX))
        raise Refusal(Code.ROLL_RANGE, ROLL_KNOWN, label=label_of(roll.prefix, roll.given))
    if command.upto - roll.given > min(AT_ONCE_MAX, len(command.tracks)):
        raise Refusal(Code.ROLL_RANGE, count=str(AT_ONCE_MAX))
    return [*_issued(state, roll, command.upto, command.tracks, now_ms)]


def _issued(
    state: HallState, roll: Roll, upto: int, tracks: tuple[Track, ...], now_ms: int
) -> Iterator[e.TicketIssued | e.LegsPlanned]:
    """Give the numbers after those known, one behind the other, with the legs of a joint matter."""
    planned = state.plan.service[roll.service]
    legs = legs_of(state, roll.service, planned.legs, done=0) if planned.legs else ()
    ahead = ahead_of_newcomer(state, roll.service, ORDINARY, now_ms)
    for more, (number, track) in enumerate(zip(range(roll.given + 1, upto + 1), tracks, strict=False)):
        label = label_of(roll.prefix, number)
        eta = expected(state, Newcomer(service=roll.service, more=more), now_ms)
        id_ = ticket_id_of(date.fromisoformat(state.day or ""), label)
        yield e.TicketIssued(
            ticket=id_,
            label=label,
            number=number,
            prefix=roll.prefix,
            service=roll.service,
            zone=planned.zone,
            priority=ORDINARY,
            track=track,
            ahead=ahead + more,
            eta_p50_s=eta.p50_s if eta else None,
            eta_p80_s=eta.p80_s if eta else None,
            eta_low_s=eta.low_s if eta else None,
            eta_high_s=eta.high_s if eta else None,
            eta_seen_s=eta.seen_s if eta else None,
            eta_width_s=eta.width_s if eta else None,
            windows=state.windows_of(roll.service),
            channel=CHANNEL,
        )
        if len(legs) > 1:
            yield e.LegsPlanned(
                ticket=id_, label=label, window=None, services=legs, done=(), unserved=unserved(state, legs)
            )


def _open_roll(state: HallState, prefix: str) -> Roll:
    roll = state.rolls.get(prefix.strip().upper())
    if roll is None:
        raise Refusal(Code.ROLL_NOT_FOUND, prefix=prefix[:8])
    return roll


def _ended(roll: Roll) -> e.RollEnded:
    return e.RollEnded(prefix=roll.prefix, given=roll.given)


def evolve(state: HallState, event: Event) -> None:
    """Fold one event into the state."""
    match event:
        case e.RollAnnounced():
            state.rolls[event.prefix] = Roll(
                prefix=event.prefix,
                service=event.service,
                first=event.first,
                last=event.last,
                given=event.first - 1,
                note=event.note,
            )
        case e.RollEnded():
            del state.rolls[event.prefix]
        case _:
            assert_never(event)


def count_given(state: HallState, prefix: str, number: int) -> None:
    """Keep how far a roll is known."""
    if (roll := state.rolls.get(prefix)) is not None:
        roll.given = number
