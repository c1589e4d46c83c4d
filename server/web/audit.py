"""Who did what, when and from where: pages of the ledger for auditors, in sentences, newest first."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.domain.terms import ActorKind, HallPlan
from server.hall import Hall
from server.ledger.codec import NAMES, STORED_NAME
from server.projections.common import instant
from server.projections.sentences import sentence
from server.tables import harmless
from server.trail import Found, Trail, Wanted
from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.problems import bad_request, language
from server.web.site import here

ROWS_MAX = 10_000  # of a file
ROWS_AT_ONCE = 500
LAST_DAY = "9999-12-30"  # the calendar has no midnight after the next one
HEADS = {
    "zh": ("时间", "提交号", "账号", "姓名", "角色", "来源地址", "事件", "内容", "窗口", "号票", "哈希"),
    "en": ("at", "commit", "who", "name", "role", "from", "event", "what", "window", "ticket", "hash"),
}

Accounts = Mapping[str, tuple[str, str]]
"""Name and role of everybody with an account, by work id."""

api = APIBlueprint(
    "audit",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="audit", description="Who did what, when and from where")],
    operation_id_callback=operation_id,
)


@api.get("/halls/<hall>/audit", responses={200: wire.Audit})
def audit(path: wire.HallPath, query: wire.AuditQuery) -> Response:
    """Give what happened, newest first, by who, what, where and when; ask again with `next` for what was before."""
    hall = hall_of(path.hall)
    found, indexed = _trail(hall).find(_wanted(hall, query), before=query.before, limit=query.limit)
    accounts = _accounts()
    return reply(
        wire.Audit(
            entries=[_entry(hall.plan, one, accounts) for one in found],
            next=found[-1].place if len(found) == query.limit else None,
            indexed=indexed,
            seq=hall.seq,
        )
    )


@api.get("/halls/<hall>/audit/file")
def audit_file(path: wire.HallPath, query: wire.AuditFileQuery) -> Response:
    """Give the same as a table for spreadsheets: CSV in UTF-8 with BOM, newest first, at most 10 000 rows."""
    hall = hall_of(path.hall)
    wanted = _wanted(hall, query)
    headers = {"Content-Disposition": f'attachment; filename="audit-{hall.id}.csv"'}
    lines = _lines(hall, _trail(hall), wanted, _accounts(), query.lang or language())
    return Response(lines, content_type="text/csv; charset=utf-8", headers=headers)


def _trail(hall: Hall) -> Trail:
    site = here()
    return site.trails.setdefault(hall.id, Trail(hall, site.folder))


def _wanted(hall: Hall, query: wire.AuditQuery) -> Wanted:
    if query.action is not None and query.action not in NAMES:
        raise bad_request(f"没有事件“{query.action}”", f"there is no event {query.action}")
    who = None
    if query.role is not None:
        who = [(ActorKind.PERSON, str(user.work_id)) for user in here().people.users() if user.role == query.role]
    if query.who is not None:
        named = [(kind, query.who) for kind in (ActorKind.PERSON, ActorKind.DEVICE)]
        who = named if who is None else [one for one in named if one in who]
    return Wanted(
        who=who,
        kind=None if query.kind is None else ActorKind(query.kind),
        action=query.action,
        window=query.window,
        ticket=None if query.ticket is None else query.ticket.upper(),
        since_ms=_midnight(hall.plan, query.from_, 0),
        until_ms=_midnight(hall.plan, query.to, 1),
    )


def _midnight(plan: HallPlan, day: str | None, later: int) -> int | None:
    """Give the instant at which a day of the calendar (ISO) begins, or one some days later."""
    if day is None:
        return None
    at = datetime.fromisoformat(min(day, LAST_DAY)).replace(tzinfo=plan.zone_info) + timedelta(days=later)
    return int(at.timestamp() * 1000)


def _entry(plan: HallPlan, found: Found, accounts: Accounts) -> wire.AuditEntry:
    commit, event = found.commit, found.event
    actor = commit.actor
    account = accounts.get(actor.id) if actor.kind is ActorKind.PERSON else None
    window: str | None = getattr(event, "window", None)
    return wire.AuditEntry(
        place=found.place,
        seq=commit.seq,
        at=instant(plan, commit.at_ms),
        kind=actor.kind.value,
        # Of visitors nothing is said but the ticket: the id may be what opens their page.
        who=None if actor.kind is ActorKind.VISITOR else actor.id,
        name=account[0] if account is not None else None,
        role=account[1] if account is not None else None,
        source=actor.source or None,
        action=STORED_NAME[type(event)],
        text=dict(sentence(plan, event)),
        window=window,
        ticket=getattr(event, "label", None),
        prev_hash=commit.prev_hash,
        hash=commit.hash,
    )


def _accounts() -> Accounts:
    return {str(user.work_id): (user.name, user.role.value) for user in here().people.users()}


def _lines(hall: Hall, trail: Trail, wanted: Wanted, accounts: Accounts, tongue: str) -> Iterator[str]:
    yield "\ufeff" + _line(HEADS[tongue])
    now = hall.seq
    while trail.find(wanted, before=0, limit=1)[1] < now:  # the newest is taken in last, and comes first here
        pass
    before: int | None = None
    for _ in range(ROWS_MAX // ROWS_AT_ONCE):
        found, _indexed = trail.find(wanted, before=before, limit=ROWS_AT_ONCE)
        for one in found:
            row = _entry(hall.plan, one, accounts)
            what = row.text[tongue]
            cells = (row.at, row.seq, row.who, row.name, row.role, row.source, row.action, what, row.window, row.ticket)
            yield _line([*cells, row.hash])
        if len(found) < ROWS_AT_ONCE:
            return
        before = found[-1].place


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(["" if cell is None else harmless(cell) for cell in cells])
    return text.getvalue()
