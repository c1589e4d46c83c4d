"""Cases as the manager sees them: what is open, the most urgent first, and what must be handed over before closing."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.domain.calendar import hall_closing
from server.domain.cases import APPEAL_OPEN, CLOSED
from server.domain.records import Case
from server.domain.state import HallState
from server.domain.terms import CaseStatus, Text
from server.projections.common import ClerkView, clerk_of, instant, instant_or_none, service_name

CASES_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A case that somebody still has to do something about; `handover_due`: before the hall closes today."""

    case: str
    kind: str
    status: str
    agent: ClerkView | None
    client: str
    service: Text | None
    label: str | None
    window: str | None
    clerk: ClerkView | None
    grade: int | None
    due: str | None
    overdue: bool
    elsewhere: bool
    handover_due: bool
    visit_at: str | None
    from_hall: str | None
    to_hall: str | None
    appeal: str | None
    appeal_reason: str | None
    opened_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAlarm:
    """So many cases of another level must be handed over before the hall closes (`handover_due`)."""

    kind: str
    cases: int
    closes_at: str


def open_cases(state: HallState, names: Mapping[str, str]) -> tuple[CaseView, ...]:
    """Give the cases that are not over, late ones first, then by the day they are due; at most `CASES_SHOWN_MAX`."""
    found = [case for case in state.cases.values() if case.status not in CLOSED or case.appeal == APPEAL_OPEN]
    found.sort(key=lambda it: (not it.overdue, not _is_urgent(it), it.due or "9999", it.opened_ms, it.id))
    return tuple(_view(state, case, names) for case in found[:CASES_SHOWN_MAX])


def case_alarms(state: HallState) -> tuple[CaseAlarm, ...]:
    """Give the alarm before closing while there is a case to hand over."""
    urgent = sum(_is_urgent(case) for case in state.cases.values())
    if not urgent or state.day is None:
        return ()
    closes_at = instant(state.plan, hall_closing(state.plan, state.day))
    return (CaseAlarm(kind="handover_due", cases=urgent, closes_at=closes_at),)


def _is_urgent(case: Case) -> bool:
    return case.alarmed and case.status is CaseStatus.OPEN


def _view(state: HallState, case: Case, names: Mapping[str, str]) -> CaseView:
    plan = state.plan
    appeal = next((step.note for step in case.steps if step.what == "appealed"), None)
    matter = {"zh": case.matter} if case.matter else None
    return CaseView(
        case=case.id,
        kind=case.kind,
        status=case.status,
        agent=clerk_of(plan, case.agent, names),
        client=case.client,
        service=service_name(plan, case.service) if case.service is not None else matter,
        label=case.label,
        window=case.window,
        clerk=clerk_of(plan, case.clerk, names),
        grade=case.grade,
        due=case.due,
        overdue=case.overdue,
        elsewhere=case.elsewhere,
        handover_due=_is_urgent(case),
        visit_at=instant_or_none(plan, case.visit_at_ms),
        from_hall=case.origin[0] if case.origin is not None else None,
        to_hall=case.to_hall,
        appeal=case.appeal,
        appeal_reason=appeal,
        opened_at=instant(plan, case.opened_ms),
    )
