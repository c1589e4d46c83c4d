"""A past day played again: what there is to see of it, and the manager's own picture at any instant of it."""

from typing import Annotated, Any, Literal

import msgspec
from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import AwareDatetime, Field

from server.domain.state import HallState
from server.domain.terms import business_day
from server.hall import Hall
from server.projections.common import instant
from server.projections.manager import manager
from server.replay import SAMPLE_MS, Film, Kind
from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.balance import Balance, balance_of
from server.web.history import first_of_day
from server.web.problems import Problem
from server.web.site import here
from server.web.structure import structure_of

PATIENCE_S = 1.5  # a day that takes longer to prepare is asked for again

api = APIBlueprint(
    "replay",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="replay", description="Past days played again")],
    operation_id_callback=operation_id,
)


class ReplayQuery(wire.Body):
    """A business day of the hall, today up to now included."""

    date: wire.Day


class ReplayAtQuery(ReplayQuery):
    """An instant of it; what lies outside of the day counts as its beginning or end."""

    at: AwareDatetime


class ReplayMark(wire.Answer):
    """Something worth seeing, at a window or in a zone."""

    at: wire.Instant
    kind: Kind
    window: str | None
    zone: str | None


class ReplayFilm(wire.Answer):
    """The day from the first number or window to its last commit; `over`: nothing is added to it any more.

    `waiting`: how many waited at `begins_at` and every `sample_s` from there on. `hall` is the hall as planned at
    the end of that day.
    """

    begins_at: wire.Instant
    ends_at: wire.Instant
    over: bool
    sample_s: int
    waiting: list[int]
    marks: list[ReplayMark]
    hall: wire.Hall


class Replay(wire.Answer):
    """A day to play. While `status` is `preparing` there is no `film` yet: ask again; `done` is the share prepared."""

    hall: str
    date: str
    status: Literal["ready", "preparing"]
    done: Annotated[float, Field(ge=0, le=1)]
    film: ReplayFilm | None


class ReplayPicture(wire.Answer):
    """The hall as it stood at `at`, after commit `seq`; nothing changes before `next_at` (None: to the end of the day).

    `picture` is what the live topic `manager` showed then, but for devices, which no ledger knows.
    """

    at: wire.Instant
    seq: int
    next_at: wire.Instant | None
    balance: Balance
    picture: dict[str, Any]


@api.get("/halls/<hall>/replay", responses={200: Replay})
def replay(path: wire.HallPath, query: ReplayQuery) -> Response:
    """Say what there is to see of a day, preparing it when nobody has asked for it lately."""
    hall = hall_of(path.hall)
    film = _film(hall, query.date)
    if isinstance(film, float):
        return reply(Replay(hall=hall.id, date=query.date, status="preparing", done=round(film, 2), film=None))
    drill = here().drill

    def answer(state: HallState, _seq: int, _next_ms: int | None) -> ReplayFilm:
        plan = state.plan
        return ReplayFilm(
            begins_at=instant(plan, film.begins_ms),
            ends_at=instant(plan, film.ends_ms),
            over=film.end_seq is not None,
            sample_s=SAMPLE_MS // 1000,
            waiting=list(film.waiting),
            marks=[
                ReplayMark(at=instant(plan, it.at_ms), kind=it.kind, window=it.window, zone=it.zone)
                for it in film.marks
            ],
            hall=structure_of(state, film.ends_ms, drill=drill),
        )

    shown = film.show(film.ends_ms, answer)
    return reply(Replay(hall=hall.id, date=query.date, status="ready", done=1.0, film=shown))


@api.get("/halls/<hall>/replay/picture", responses={200: ReplayPicture})
def replay_picture(path: wire.HallPath, query: ReplayAtQuery) -> Response:
    """Give the manager's picture at an instant of a day that is ready to play."""
    hall, site = hall_of(path.hall), here()
    film = _film(hall, query.date)
    if isinstance(film, float):
        raise Problem("replay_preparing", day=query.date)
    at_ms = min(max(round(query.at.timestamp() * 1000), film.begins_ms), film.ends_ms)
    names = {str(user.work_id): user.name for user in site.people.users()}

    def answer(state: HallState, seq: int, next_ms: int | None) -> ReplayPicture:
        return ReplayPicture(
            at=instant(state.plan, at_ms),
            seq=seq,
            next_at=None if next_ms is None else instant(state.plan, next_ms),
            balance=balance_of(state, seq, at_ms),
            picture=msgspec.to_builtins(manager(state, names=names, drill=site.drill)),
        )

    return reply(film.show(at_ms, answer))


def _film(hall: Hall, day: str) -> Film | float:
    """Give a day of the hall, or which share of it is prepared.

    Raises:
        Problem: the hall had no such day.
        LedgerDown, LedgerBroken: the ledger cannot be read so far back.
    """
    if day > business_day(hall.plan, hall.now_ms()).isoformat():
        raise Problem("day_not_found", day=day)
    after = first_of_day(hall, day)
    if hall.read(lambda state, _: state.day) != day:
        rows = hall.commits(after, 1)
        if not rows or rows[0].day != day:
            raise Problem("day_not_found", day=day)
    return here().replays.film(hall, day, opens_after=after, within_s=PATIENCE_S)
