"""Cases (台账) on the wire: agency and visits at home, hand-over between halls, follow-ups of bad grades, all grades.

Who signs in is the agent; only the agent, and managers and administrators, act on a case. Halls of one process hand
over by themselves; for others a person or a script carries the answer of `export` to the other hall's
`cases/receive`, and its answer back to `confirm`.
"""

import csv
import io
import json
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain import cases as rules
from server.domain import commands as c
from server.domain.records import Case
from server.domain.refusals import Code, Refusal
from server.domain.state import HallState
from server.domain.terms import CaseId, CaseStatus, HallId, HallPlan, Label, ServiceId, TicketId, WorkId
from server.hall import Hall
from server.ledger.base import Commit
from server.people import PeopleError
from server.projections.common import instant, instant_or_none, service_name
from server.projections.ratings import GRADE_NAMES, Rating, Told, ratings
from server.web import wire
from server.web.asking import hall_of, operation_id, reply, run, visitor_hash
from server.web.auth import CHIEFS, signed_in
from server.web.history import CHUNK, first_of_day
from server.web.problems import Problem, bad_request
from server.web.site import here

RATING_DAYS_MAX = 366
FORMULA_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")  # a table program would run what follows
COLUMNS = (
    *("ticket", "label", "service", "department", "matter_code", "case_number", "window", "clerk", "finished_at"),
    *("grade", "grade_name", "grade_name_en", "channel", "struck"),
)

api = APIBlueprint(
    "cases",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="cases", description="Cases and grades")],
    operation_id_callback=operation_id,
)

_CASES = "/halls/<hall>/cases"
_CASE = f"{_CASES}/<case>"


@api.post(_CASES, responses={201: wire.CaseChanged})
def open_case(path: wire.HallPath, body: wire.OpenCase) -> Response:
    """Take on a matter for somebody (代办) or agree on a visit at home (上门办). For clerks, guides and managers."""
    hall = hall_of(path.hall)
    command = c.OpenCase(
        kind=body.kind,
        agent=_agent(body.agent),
        client=body.client,
        service=ServiceId(body.service) if body.service else None,
        visitor=visitor_hash(hall, body.visitor_ref),
        ticket=hall.read(lambda state, _: _ticket(state, body.ticket)),
        note=body.note,
        visit_at_ms=_instant(hall.plan, body.visit_at),
        due=body.due,
        elsewhere=body.elsewhere,
    )
    return _created(hall, run(hall, command))


@api.get(_CASES, responses={200: wire.Cases})
def cases(path: wire.HallPath, query: wire.CasesQuery) -> Response:
    """List the open cases and those closed not long ago, without their logs."""

    def rows(state: HallState, seq: int) -> wire.Cases:
        found = [
            case
            for case in state.cases.values()
            if query.status in (None, case.status)
            and query.kind in (None, case.kind)
            and query.agent in (None, case.agent)
            and (query.due is None or (case.due is not None and case.due <= query.due))
        ]
        return wire.Cases(cases=[_view(state.plan, case) for case in found[-query.limit :]], seq=seq)

    return reply(hall_of(path.hall).read(rows))


@api.get(_CASE, responses={200: wire.Case})
def case(path: wire.CasePath) -> Response:
    """Give a case with its log."""

    def look(state: HallState, _: int) -> wire.Case:
        found = _find(state, path.case)
        return _view(state.plan, found).model_copy(update={"log": _log(state.plan, found)})

    return reply(hall_of(path.hall).read(look))


@api.post(f"{_CASE}/log", responses={200: wire.CaseChanged})
def log_case(path: wire.CasePath, body: wire.LogCase) -> Response:
    """Write a line into the log, or which papers are still missing."""
    command = c.LogCase(
        case=CaseId(path.case),
        by=_asker(),
        note=body.note,
        items=tuple(body.items),
        chief=_is_chief(),
        agent=WorkId(body.agent) if body.agent else None,
    )
    return _changed(path, command)


@api.post(f"{_CASE}/finish", responses={200: wire.CaseChanged})
def finish_case(path: wire.CasePath, body: wire.FinishCase) -> Response:
    """The matter is done; of a bad grade: what was done about it."""
    command = c.FinishCase(case=CaseId(path.case), by=_asker(), outcome=body.outcome, chief=_is_chief())
    return _changed(path, command)


@api.post(f"{_CASE}/withdraw", responses={200: wire.CaseChanged})
def withdraw_case(path: wire.CasePath, body: wire.WithdrawCase) -> Response:
    """The client ends the agency (终止委托), or it was taken on by mistake."""
    command = c.WithdrawCase(case=CaseId(path.case), by=_asker(), reason=body.reason, chief=_is_chief())
    return _changed(path, command)


@api.post(f"{_CASE}/hand-over", responses={200: wire.CaseChanged})
def hand_over_case(path: wire.CasePath, body: wire.HandOverCase) -> Response:
    """Give the case to the hall whose matter it is (转交). One of this server has it within a second."""
    command = c.HandOverCase(
        case=CaseId(path.case), by=_asker(), to_hall=HallId(body.hall), note=body.note, chief=_is_chief()
    )
    return _changed(path, command)


@api.post(f"{_CASE}/take", responses={200: wire.CaseChanged})
def take_case(path: wire.CasePath, body: wire.TakeCase) -> Response:
    """Become the agent of a case that has none."""
    return _changed(path, c.TakeCase(case=CaseId(path.case), agent=_agent(body.agent)))


@api.post(f"{_CASE}/appeal", responses={200: wire.CaseChanged})
def appeal(path: wire.CasePath, body: wire.AppealCase) -> Response:
    """Ask for a recheck of a bad grade: for the clerk whose visit it was, within the days of the hall file."""
    command = c.AppealCase(case=CaseId(path.case), by=_asker(), reason=body.reason, chief=_is_chief())
    return _changed(path, command)


@api.post(f"{_CASE}/decide-appeal", responses={200: wire.CaseChanged})
def decide_appeal(path: wire.CasePath, body: wire.DecideAppeal) -> Response:
    """Decide a recheck; upheld, the grade is struck from the statistics. Never for one's own visit."""
    command = c.DecideAppeal(case=CaseId(path.case), by=_asker(), upheld=body.upheld, note=body.note)
    return _changed(path, command)


@api.get(f"{_CASE}/export", responses={200: wire.CaseExport})
def export_case(path: wire.CasePath) -> Response:
    """Give a case on its way to another hall as that hall's `cases/receive` takes it. Whose it is stays here."""

    def look(state: HallState, _: int) -> wire.CaseExport:
        found = _find(state, path.case)
        if found.status is not CaseStatus.HANDED_OVER or found.to_hall is None:
            raise Refusal(Code.CASE_KIND, case=found.id)
        told = rules.for_other_hall(state, found)
        return wire.CaseExport(
            from_hall=told.from_hall,
            case=told.from_case,
            to_hall=found.to_hall,
            kind=told.kind,
            client=told.client,
            matter=told.matter,
            note=told.note,
            due=told.due,
        )

    return reply(hall_of(path.hall).read(look))


@api.post(f"{_CASES}/receive", responses={201: wire.CaseChanged})
def receive_case(path: wire.HallPath, body: wire.ReceiveCase) -> Response:
    """Take a case over from another hall; the same case again is refused and names what it is here."""
    hall = hall_of(path.hall)
    if body.to_hall != hall.id:
        raise Problem(
            "invalid",
            what={
                "zh": f"这件台账是转交给“{body.to_hall}”的，不是“{hall.id}”",
                "en": f"this case is for {body.to_hall}, not for {hall.id}",
            },
        )
    command = c.ReceiveCase(
        from_hall=HallId(body.from_hall),
        from_case=CaseId(body.case),
        kind=body.kind,
        client=body.client,
        matter=body.matter,
        note=body.note,
        due=body.due,
    )
    return _created(hall, run(hall, command))


@api.post(f"{_CASE}/confirm", responses={200: wire.CaseChanged})
def confirm_hand_over(path: wire.CasePath, body: wire.ConfirmHandOver) -> Response:
    """The other hall has the case, as its own `case`."""
    command = c.ConfirmHandOver(case=CaseId(path.case), to_hall=HallId(body.hall), their_case=CaseId(body.case))
    return _changed(path, command)


@api.post(f"{_CASE}/report-back", responses={200: wire.CaseChanged})
def report_back(path: wire.CasePath, body: wire.ReportBack) -> Response:
    """The other hall tells how the case ended there."""
    command = c.ReportBack(
        case=CaseId(path.case),
        from_hall=HallId(body.hall),
        their_case=CaseId(body.case),
        outcome=body.outcome,
        done=body.done,
    )
    return _changed(path, command)


@api.get("/halls/<hall>/ratings", responses={200: wire.Ratings})
def all_ratings(path: wire.HallPath, query: wire.RatingsQuery) -> Response:
    """Give every finished visit of some business days with its grade, as JSON or as a table (CSV, UTF-8 with BOM)."""
    hall = hall_of(path.hall)
    since, until = query.from_, query.to
    if date.fromisoformat(until) - date.fromisoformat(since) >= timedelta(days=RATING_DAYS_MAX):
        raise bad_request(
            f"一次最多 {RATING_DAYS_MAX} 天，请缩短日期范围", f"at most {RATING_DAYS_MAX} days at once: ask for fewer"
        )
    struck = hall.read(lambda state, _: frozenset(state.struck))
    rows = ratings(hall.plan, _told(hall, since), since=since, until=until, struck=struck)
    if query.format == "json":
        return Response(_as_json(hall.plan, rows), content_type="application/json")
    name = f"ratings-{hall.id}-{since}-{until}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(_as_csv(hall.plan, rows), content_type="text/csv; charset=utf-8", headers=headers)


def _asker() -> WorkId:
    return WorkId(signed_in().id)


def _is_chief() -> bool:
    return signed_in().role in CHIEFS


def _agent(named: str | None) -> WorkId:
    """Give the agent: who asks, or whom a chief names."""
    identity = signed_in()
    if named is None or named == identity.id:
        return WorkId(identity.id)
    if identity.role not in CHIEFS:
        raise Problem("not_allowed")
    try:
        return here().people.user(named).work_id
    except PeopleError as error:
        what = {"zh": f"没有工号“{named}”", "en": f"there is no work id {named}"}
        raise Problem("invalid", what=what) from error


def _ticket(state: HallState, name: str | None) -> TicketId | None:
    """Give the id of a ticket named by id or label; unknown names are left to the hall to refuse."""
    if name is None:
        return None
    return TicketId(name) if name in state.tickets else state.labels.get(Label(name.upper()), TicketId(name))


def _find(state: HallState, name: str) -> Case:
    found = state.cases.get(CaseId(name))
    if found is None:
        raise Refusal(Code.CASE_NOT_FOUND, case=name[:64])
    return found


def _instant(plan: HallPlan, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"看不懂时间 {text}", f"{text} is no time") from error
    return round((at if at.tzinfo else at.replace(tzinfo=plan.zone_info)).timestamp() * 1000)


def _changed(path: wire.CasePath, command: c.CaseMove) -> Response:
    commit = run(hall_of(path.hall), command)
    return reply(wire.CaseChanged(case=path.case, seq=commit.seq))


def _created(hall: Hall, commit: Commit) -> Response:
    id_ = next(event.case for event in commit.events if isinstance(event, rules.Event))
    location = f"/api/v1/halls/{hall.id}/cases/{id_}"
    return reply(wire.CaseChanged(case=id_, seq=commit.seq), 201, {"Location": location})


def _view(plan: HallPlan, found: Case) -> wire.Case:
    return wire.Case(
        case=found.id,
        kind=found.kind,
        status=found.status,
        agent=found.agent,
        client=found.client,
        service=found.service,
        service_name=dict(service_name(plan, found.service)) if found.service is not None else None,
        matter=found.matter,
        ticket=found.ticket,
        label=found.label,
        window=found.window,
        clerk=found.clerk,
        grade=found.grade,
        visit_at=instant_or_none(plan, found.visit_at_ms),
        due=found.due,
        overdue=found.overdue,
        elsewhere=found.elsewhere,
        handover_due=found.alarmed and found.status is CaseStatus.OPEN,
        to_hall=found.to_hall,
        their_case=found.their_case,
        from_hall=found.origin[0] if found.origin else None,
        from_case=found.origin[1] if found.origin else None,
        appeal=found.appeal,
        opened_at=instant(plan, found.opened_ms),
        closed_at=instant_or_none(plan, found.closed_ms),
        log=[],
    )


def _log(plan: HallPlan, found: Case) -> list[wire.CaseStep]:
    return [
        wire.CaseStep(
            at=instant(plan, step.at_ms),
            what=step.what,
            by=step.by or None,
            note=step.note,
            items=list(step.items),
            to_hall=step.to_hall,
        )
        for step in found.steps
    ]


def _told(hall: Hall, since: str) -> Iterator[Told]:
    """Give the events from the commit on that turns to a business day."""
    after = max(0, first_of_day(hall, since) - 1)
    while commits := hall.commits(after, CHUNK):
        for commit in commits:
            for event in commit.events:
                yield commit.day, commit.at_ms, commit.actor.kind, event
        after = commits[-1].seq
        time.sleep(0)  # a year is long: let others be answered in between


def _row(plan: HallPlan, rating: Rating) -> wire.Rating:
    return wire.Rating(
        ticket=rating.ticket,
        label=rating.label,
        service=rating.service,
        department=rating.department,
        matter_code=rating.matter_code,
        case_number=rating.case_number,
        window=rating.window,
        clerk=rating.clerk,
        finished_at=instant(plan, rating.finished_ms),
        grade=rating.grade,
        grade_name=None if rating.grade is None else GRADE_NAMES[rating.grade],
        channel=rating.channel,
        struck=rating.struck,
    )


def _as_json(plan: HallPlan, rows: Iterable[Rating]) -> Iterator[str]:
    yield '{"ratings":['
    for number, rating in enumerate(rows):
        yield ("," if number else "") + _row(plan, rating).model_dump_json()
    yield "]}"


def _as_csv(plan: HallPlan, rows: Iterable[Rating]) -> Iterator[str]:
    """Give a table that Excel reads as UTF-8 and in which no cell is a formula."""
    yield "\ufeff" + _line(COLUMNS)
    for rating in rows:
        cells = json.loads(_row(plan, rating).model_dump_json())
        names = cells.pop("grade_name") or {}
        cells |= {"grade_name": names.get("zh"), "grade_name_en": names.get("en"), "struck": int(cells["struck"])}
        yield _line("" if cells[column] is None else str(cells[column]) for column in COLUMNS)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell for cell in cells)
    return text.getvalue()
