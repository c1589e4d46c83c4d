"""The pictures of one morning, word for word as they go on the wire. Golden files were read and checked by hand."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.domain import commands as c
from server.domain.terms import (
    FloorId,
    Place,
    ServiceId,
    ServiceKind,
    Tenant,
    TenantId,
    TicketId,
    TicketStatus,
    Track,
    Window,
    WindowNo,
    Zone,
    ZoneId,
    ZoneKind,
)
from server.projections.board import CALLS_MAX, board
from server.projections.common import REASON_MAX
from server.projections.jobs import jobs_of, still_matters
from server.projections.manager import manager
from server.projections.ticket import ticket
from server.projections.window import HELD_MAX, MISSED_MAX, NEXT_MAX, window
from tests.projections.scene import PLAN, Day, a_joint_matter, a_morning

GOLDEN = Path(__file__).parent / "golden"
NAMES = {"1001": "甲", "1002": "1002"}
DEVICE = {"device": "printer-1", "kind": "printer", "health": "ok"}

PICTURES: dict[str, Callable[[Day], object]] = {
    "board": lambda day: day.read(lambda state: board(state)),
    "board-tax": lambda day: day.read(lambda state: board(state, zone=ZoneId("tax"), drill=True)),
    "window-1": lambda day: day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names=NAMES)),
    "window-3": lambda day: day.read(lambda state: window(state, WindowNo("3"), now_ms=day.now, names=NAMES)),
    "manager": lambda day: day.read(lambda state: manager(state, names=NAMES, devices=[DEVICE])),
    "ticket-missed": lambda day: day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now)),
    "ticket-waiting": lambda day: day.read(lambda state: ticket(state, Track("track-5"), now_ms=day.now)),
    "ticket-finished": lambda day: day.read(lambda state: ticket(state, Track("track-3"), now_ms=day.now)),
    "jobs": lambda day: [
        {"id": job.id, "kind": job.kind, "zone": job.zone, "data": job.data} for job in every_job(day)[:9]
    ],
}


def every_job(day: Day) -> list[Any]:
    return [
        job
        for commit in day.hall.commits(0, 1000)
        for job in day.read(
            lambda state, commit=commit: jobs_of(  # type: ignore[misc]
                state, commit.events, seq=commit.seq, at_ms=commit.at_ms
            )
        )
    ]


def wire(picture: object) -> Any:
    return json.loads(msgspec.json.encode(picture))


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_word_for_word_what_the_wire_promises(name: str) -> None:
    assert wire(PICTURES[name](a_morning())) == json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["board", "board-tax", "window-1", "window-3", "manager", "ticket-missed"])
def test_a_picture_does_not_change_because_time_passes(name: str) -> None:
    day = a_morning()
    before = wire(PICTURES[name](day))
    assert wire(PICTURES[name](day.wait(90))) == before


def test_what_may_be_taken_back_says_until_when_and_goes_with_the_next_call() -> None:
    day = a_morning()

    def undo() -> Any:
        return wire(day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names=NAMES)))["undo"]

    label = wire(PICTURES["window-1"](day))["current"]["label"]
    day.at(c.Finish, "1")
    assert (undo()["label"], undo()["move"]) == (label, "finish")
    assert datetime.fromisoformat(undo()["until"]).timestamp() * 1000 == day.now + 5_000
    day.call("1")
    assert undo() is None


def test_what_a_clerk_wrote_is_read_where_the_visitor_is_called_next() -> None:
    day = a_morning()
    label = wire(PICTURES["window-1"](day))["current"]["label"]
    day.do(c.Transfer(window=WindowNo("1"), service=ServiceId("tax"), place=Place.FRONT, reason="收入证明已看过"))
    at_three = wire(PICTURES["window-3"](day))
    notes = {it["label"]: it["note"] for it in at_three["next"]}
    assert notes[label] == "收入证明已看过"


def test_the_legs_of_a_joint_matter_are_shown_to_everybody() -> None:
    day = a_joint_matter()
    legs = json.loads((GOLDEN / "legs.json").read_text())
    page = wire(day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now)))
    assert (page["legs"], page["lead_window"], page["leg_unserved"]) == (legs, "1", True)
    assert (page["status"], page["service"], page["eta"], page["windows"]) == ("waiting", "tax", None, ["3"])
    day.open("3", "1002")
    day.call("3")
    current = wire(day.read(lambda state: window(state, WindowNo("3"), now_ms=day.now, names=NAMES)))["current"]
    assert current["legs"] == [legs[0], legs[1] | {"window": "3", "unserved": False}]
    assert (current["lead_window"], current["why"]) == ("1", "returning_leg")
    day.at(c.Finish, "3")
    page = wire(day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now)))
    assert [leg["status"] for leg in page["legs"]] == ["done", "done"]


def test_a_leg_without_a_window_is_an_alarm_for_the_manager_until_one_opens() -> None:
    day = a_joint_matter()
    day.issue("tax")  # an ordinary visitor: no alarm for one who may wait until a window opens
    picture = wire(day.read(lambda state: manager(state, names=NAMES)))
    assert picture["alarms"] == [
        {
            "kind": "leg_unserved",
            "service": "tax",
            "name": {"zh": "税务"},
            "zone": "tax",
            "waiting": 1,
            "oldest_since": "2026-03-02T09:06:20.000+08:00",
        }
    ]
    assert [(zone["finished_today"], zone["legs_today"]) for zone in picture["zones"]] == [(1, 1), (0, 0)]
    day.open("3", "1002")
    assert wire(day.read(lambda state: manager(state, names=NAMES)))["alarms"] == []


def test_no_leg_is_active_once_the_visit_is_over() -> None:
    day = a_joint_matter()
    day.do(c.Cancel(ticket=day.read(lambda state: state.tracks[Track("track-1")])))
    page = wire(day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now)))
    assert [leg["status"] for leg in page["legs"]] == ["done", "planned"]
    assert page["leg_unserved"] is False


def test_the_paper_names_the_legs() -> None:
    jobs = every_job(a_joint_matter())
    assert [[leg.service for leg in job.data.legs] for job in jobs if job.kind == "print_ticket"] == [
        ["general", "tax"]
    ]


def test_a_visitor_away_is_at_no_window_and_may_come_back_with_the_papers() -> None:
    day = Day()
    day.open("1", "1001")
    day.issue("general")
    day.call("1")
    day.at(c.GiveNotice, "1", items=("照片", "合同"), away=True)
    page = wire(day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now)))
    assert (page["status"], page["away_for"], page["notice"]) == ("away", "papers", ["照片", "合同"])
    assert (page["window"], page["windows"], page["can"]["back"]) == (None, ["1"], True)
    (away,) = wire(day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names=NAMES)))["away"]
    assert away == {
        "ticket": "20260302-A001",
        "label": "A001",
        "service": {"zh": "综合业务"},
        "away_at": "2026-03-02T09:00:00.000+08:00",
        "away_for": "papers",
        "notice": ["照片", "合同"],
        "case_number": None,
    }
    (job,) = [it for it in every_job(day) if it.kind == "print_notice"]
    assert wire(job.data) == {
        "hall_name": {"zh": "小大厅", "en": "Little Hall"},
        "ticket": "20260302-A001",
        "label": "A001",
        "service": {"zh": "综合业务"},
        "department": None,
        "window": "1",
        "window_name": {"zh": "1号窗口", "en": "Window 1"},
        "items": ["照片", "合同"],
        "note": "",
        "away": True,
        "given_at": "2026-03-02T09:00:00.000+08:00",
        "track_url": "http://hall/t/little/track-1",
        "languages": ["zh", "en"],
        "drill": False,
        "logo": "",
    }


def test_a_visitor_who_awaits_a_result_sees_where_it_is_handed_out() -> None:
    day = Day()
    day.open("1", "1001")
    day.issue("general")
    day.call("1")
    day.at(c.AwaitResult, "1", pickup=ServiceId("tax"), case_number="330-1")
    page = wire(day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now)))
    assert (page["status"], page["away_for"], page["service"]) == ("away", "result", "tax")
    assert (page["window"], page["windows"], page["can"]["back"]) == (None, ["3"], False)
    assert [(leg["service"], leg["status"], leg["window"]) for leg in page["legs"]] == [
        ("general", "done", "1"),
        ("tax", "active", None),
    ]
    assert "case_number" not in page, "for the staff only"
    (away,) = wire(day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names=NAMES)))["away"]
    assert (away["away_for"], away["case_number"]) == ("result", "330-1")


def test_a_window_asks_for_a_grade_until_the_next_visitor_is_called() -> None:
    day = Day()
    day.open("1", "1001")
    for _ in range(3):
        day.issue("general")

    def asked() -> Any:
        return wire(day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names=NAMES)))["to_rate"]

    day.call("1")
    assert asked() is None
    day.wait(60).at(c.Finish, "1")
    assert asked() == {
        "ticket": "20260302-A001",
        "label": "A001",
        "service": {"zh": "综合业务"},
        "until": "2026-03-02T09:03:00.000+08:00",
    }
    day.wait(5).call("1")
    assert asked() is None
    # Finished and called with one press: whoever gets up has the time that the next one needs to come.
    day.wait(60).call("1", finish=True)
    assert asked()["label"] == "A002"
    day.wait(10).at(c.StartServing, "1")
    assert asked() is None
    day.wait(60).at(c.Finish, "1")
    day.do(c.RateAtWindow(window=WindowNo("1"), grade=4, ticket=TicketId("20260302-A003")))
    assert asked() is None


def test_a_recall_brings_the_call_to_the_front_once() -> None:
    day = Day()
    day.issue("general")
    day.issue("tax")
    day.open("1", "1001")
    day.open("3", "1002")
    day.call("1")
    day.wait(5)
    day.call("3")
    day.wait(5)
    day.at(c.Recall, "1")
    calls = day.read(board).calls
    assert [(call.label, call.call_count) for call in calls] == [("A001", 2), ("B001", 1)]


def test_every_list_is_bounded() -> None:
    day = Day()
    day.open("1", "1001")
    for _ in range(120):
        day.issue("general")
    for _ in range(35):
        day.call("1")
        day.at(c.Hold, "1")
    for _ in range(35):
        day.call("1")
        day.at(c.MarkMissed, "1")
    day.call("1")
    picture = day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names={}))
    assert (len(picture.held), len(picture.missed), len(picture.next)) == (HELD_MAX, MISSED_MAX, NEXT_MAX)
    assert len(day.read(board).calls) == CALLS_MAX
    assert picture.waiting == 120 - 71


def test_a_free_text_is_cut_to_what_a_screen_shows() -> None:
    picture = wire(PICTURES["window-1"](a_morning()))
    assert len(picture["held"][0]["reason"]) == REASON_MAX


def test_the_next_list_is_in_routing_order_with_priority_before_age() -> None:
    day = Day()
    for _ in range(3):
        day.issue("general")
        day.wait(30)
    day.issue("general", priority="green")
    picture = day.read(lambda state: window(state, WindowNo("1"), now_ms=day.now, names={}))
    assert [row.label for row in picture.next] == ["A004", "A001", "A002", "A003"]


def test_an_unknown_track_has_no_picture() -> None:
    assert a_morning().read(lambda state: ticket(state, Track("nobody"), now_ms=0)) is None


def test_a_kiosk_and_a_guide_print_and_a_phone_does_not() -> None:
    day = Day()
    for channel in ("kiosk", "phone", "guide"):
        day.issue("general", channel=channel)
    assert [job.data.label for job in every_job(day)] == ["A001", "A003"]


def test_a_reprint_is_marked_and_goes_to_the_kiosk_that_asked() -> None:
    day = Day()
    first = day.issue("general", kiosk="kiosk-1")
    day.wait(60)
    day.do(c.Reprint(ticket=first))
    paper, again = every_job(day)
    assert (paper.data.reprint, again.data.reprint) == (False, True)
    assert paper.data.issued_at == again.data.issued_at
    assert (paper.kiosk, again.kiosk) == ("kiosk-1", "kiosk-1")


def test_the_same_commit_gives_the_same_job_ids_whatever_happened_since() -> None:
    day = Day()
    day.issue("general")
    day.issue("tax")
    day.open("1", "1001")
    day.call("1")
    before = [job.id for job in every_job(day)]
    day.call("1", finish=True)
    after = [job.id for job in every_job(day)]
    assert after[: len(before)] == before
    assert after[-1].endswith(".1")  # finished and called in one commit: the call is its second event


def test_a_call_no_longer_matters_when_the_visitor_has_come() -> None:
    day = Day()
    first = day.issue("general")
    day.open("1", "1001")
    day.call("1")
    say = every_job(day)[-1]
    assert day.read(lambda state: still_matters(state, say))
    day.at(c.StartServing, "1")
    assert day.read(lambda state: state.tickets[first].status) is TicketStatus.SERVING
    assert not day.read(lambda state: still_matters(state, say))


def test_board_strip_and_paper_tell_what_kind_of_window_it_is() -> None:
    general, tax = PLAN.services
    desk = Tenant(id=TenantId("city"), name={"zh": "市中心", "en": "City"})
    machines = Zone(
        id=ZoneId("machines"),
        name={"zh": "自助服务区"},
        floor=FloorId("1F"),
        kind=ZoneKind.SELF_SERVICE,
        about={"zh": "社保、医保自助办理"},
        always_open=True,
    )
    empty = Window(no=WindowNo("9"), name={"zh": "9号窗口"}, zone=ZoneId("tax"), staffed=False)
    day = Day(
        replace(
            PLAN,
            tenants=(desk,),
            zones=(replace(PLAN.zones[0], tenant=desk.id), PLAN.zones[1], machines),
            services=(
                replace(general, kind=ServiceKind.CONSULT, flags=("fee",), department="民政"),
                replace(tax, legs=(tax.id, general.id)),
            ),
            windows=(replace(PLAN.windows[0], decides=False), PLAN.windows[1], empty),
            digest="2",
        )
    )
    picture = day.read(lambda state: board(state))
    assert [(one.window, one.kind, one.staffed, one.decides) for one in picture.windows] == [
        ("1", "consult", True, False),
        ("3", "ordinary", True, True),
        ("9", "ordinary", False, True),
    ]
    assert [zone.tenant for zone in picture.zones] == [desk.name, None]
    assert [(area.zone, area.kind, area.floor, area.always_open) for area in picture.areas] == [
        ("machines", "self_service", {"zh": "一楼", "en": "Ground"}, True)
    ]
    assert day.read(lambda state: board(state, zone=ZoneId("tax"))).areas == ()
    strip = day.read(lambda state: window(state, WindowNo("9"), now_ms=day.now, names={}))
    assert (strip.status, strip.staffed, strip.decides) == ("closed", False, True)
    day.issue("general")
    page = day.read(lambda state: ticket(state, Track("track-1"), now_ms=day.now))
    assert page is not None
    assert page.takes_in_only
    [paper] = [job.data for job in every_job(day)]
    assert (paper.kind, paper.flags, paper.tenant, paper.department, paper.takes_in_only) == (
        "consult",
        ("fee",),
        desk.name,
        "民政",
        True,
    )
