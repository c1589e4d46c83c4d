"""The settings of a hall as a whole: when others may be taken over, and how they become the hall's.

Everything goes one way, whether a file was changed or somebody wrote on the page: the whole plan is taken over or
refused. What somebody in the hall depends on today never goes away; `obstacles` says all of it at once.
"""

from collections import Counter
from collections.abc import Iterator

from server.domain import commands as c
from server.domain import events as e
from server.domain.admission import name_in_both
from server.domain.lifecycle import FINAL
from server.domain.records import Edition
from server.domain.refusals import (
    PLAN_ENDS_DAY,
    PLAN_ROLL_IN_USE,
    PLAN_WINDOW_IN_USE,
    PLAN_WINDOW_STAFFED,
    Code,
    Refusal,
)
from server.domain.state import HallState, WindowState, ZoneCount
from server.domain.terms import HallPlan, ServiceId, WindowNo, business_day


def decide(state: HallState, command: c.PlanHall, now_ms: int) -> list[e.Event]:
    """Give the events of a plan that is taken over.

    Raises:
        Refusal: others were quicker, nothing would change, or somebody still depends on what would go.
    """
    now = state.edition
    if command.after is not None:
        if now is not None and now.version != command.after:
            version = str(now.version)
            by = now.by or ("服务器", "The server")
            raise Refusal(Code.PLAN_CHANGED, facts={"version": version}, by=by, version=version)
        if command.text == state.text and command.plan.digest == state.plan.digest:
            raise Refusal(Code.PLAN_SAME)
    for obstacle in obstacles(state, command.plan, now_ms):
        raise obstacle
    return taken_over(
        state,
        e.HallPlanned(
            plan=command.plan, text=command.text, source=command.source, by=command.by, note=command.note.strip()
        ),
    )


def taken_over(state: HallState, planned: e.HallPlanned) -> list[e.Event]:
    """Give what comes of a plan: tides of windows that it changes are over, and the clock begins those that it has."""
    found: list[e.Event] = [planned]
    for no, tide in state.balancing.tides.items():
        old, new = state.plan.window.get(no), planned.plan.window.get(no)
        if tide is None or old is None or new is None:
            continue
        if (old.serves, old.relief, old.tides) != (new.serves, new.relief, new.tides):
            found.append(e.TideTurned(window=no, tide=None))
            if new.serves or new.relief:
                found.append(e.ServicesAssigned(window=no, serves=new.serves, relief=new.relief, reason="tide over"))
    return found


def obstacles(state: HallState, plan: HallPlan, now_ms: int) -> Iterator[Refusal]:
    """Give why a plan cannot be taken over now, each with what to do first: it drops what is in use today."""
    services: Counter[ServiceId] = Counter()
    windows: Counter[WindowNo] = Counter()
    staffed = {no for no, window in plan.window.items() if window.staffed}
    for ticket in state.tickets.values():
        if ticket.status in FINAL:
            continue
        services.update(one for one in {ticket.service, *ticket.legs_planned} if one not in plan.service)
        windows.update(one for one in {ticket.window, ticket.bound} if one is not None and one not in staffed)
    for service, count in services.items():
        yield Refusal(Code.PLAN_IN_USE, what=name_in_both(state, service), count=str(count))
    for no, window in state.windows.items():
        if no in windows:
            yield Refusal(Code.PLAN_IN_USE, PLAN_WINDOW_IN_USE, what=no, count=str(windows[no]))
        elif window.clerk is not None and no not in staffed:
            yield Refusal(Code.PLAN_IN_USE, PLAN_WINDOW_STAFFED, what=no)
    prefixes = {service.prefix for service in plan.services}
    for roll in state.rolls.values():
        if roll.service not in plan.service:
            what = name_in_both(state, roll.service)
            yield Refusal(Code.PLAN_IN_USE, PLAN_ROLL_IN_USE, prefix=roll.prefix, what=what)
        if roll.prefix in prefixes:
            yield Refusal(Code.PREFIX_TAKEN, prefix=roll.prefix)
    if state.day is not None and state.day_open and business_day(state.plan, now_ms).isoformat() == state.day:
        day = business_day(plan, now_ms).isoformat()
        if day > state.day:
            yield Refusal(Code.PLAN_IN_USE, PLAN_ENDS_DAY, day=state.day)


def evolve(state: HallState, event: e.HallPlanned, at_ms: int) -> None:
    """Take over a plan; a live assignment survives when the file says the same of that window as before."""
    plan, before = event.plan, state.plan.window
    windows: dict[WindowNo, WindowState] = {}
    for planned in plan.windows:
        window = state.windows.get(planned.no)
        if window is None:
            window = WindowState(no=planned.no, serves=planned.serves, relief=planned.relief)
        elif (old := before.get(planned.no)) is None or (old.serves, old.relief) != (planned.serves, planned.relief):
            window.serves, window.relief = planned.serves, planned.relief
        else:  # else a service that the new file dropped would stay assigned
            window.serves = tuple(service for service in window.serves if service in plan.service)
            window.relief = tuple(service for service in window.relief if service in plan.service)
            if not window.serves and not window.relief:
                window.serves, window.relief = planned.serves, planned.relief
        windows[planned.no] = window
    state.plan, state.windows = plan, windows
    state.zones = {zone.id: state.zones.get(zone.id, ZoneCount()) for zone in plan.zones}
    for ticket in state.tickets.values():  # else a visit whose service moved to another zone could never finish
        if ticket.status not in FINAL:
            ticket.zone = plan.service[ticket.service].zone
    state.text = event.text
    state.editions.append(
        Edition(
            version=state.edition.version + 1 if state.edition else 1,
            at_ms=at_ms,
            day=state.day or "",
            source=event.source,
            by=event.by,
            note=event.note,
            digest=plan.digest,
        )
    )
