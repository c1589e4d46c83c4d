"""What the server sends: read whole, refused by the name of the field, unknown fields ignored."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from drivers.jobs import (
    BadWire,
    PrintNotice,
    PrintTicket,
    Say,
    Stop,
    WindowStatus,
    in_language,
    read_order,
    read_window,
)

PAPER: dict[str, Any] = {
    "id": "41.0",
    "seq": 41,
    "kind": "print_ticket",
    "expires_at": "2026-11-21T10:34:00+08:00",
    "newer": "a field of a newer server",
    "data": {
        "hall_name": {"zh": "大厅", "en": "Hall"},
        "ticket": "20261121-A012",
        "label": "A012",
        "service": {"zh": "税务"},
        "zone": {"zh": "综合区"},
        "floor": None,
        "windows": ["1", "2"],
        "ahead": 4,
        "eta": {"p50_s": 700, "p80_s": 880, "low_s": 600, "high_s": 900.5},
        "issued_at": "2026-11-21T10:32:00+08:00",
        "priority": None,
        "priority_name": None,
        "track_url": "http://h/t/x",
        "languages": ["zh", "en"],
        "advice": None,
        "notice": None,
        "reprint": False,
        "drill": True,
    },
}
NOTICE: dict[str, Any] = {
    "id": "43.0",
    "kind": "print_notice",
    "expires_at": "2026-11-21T10:34:00+08:00",
    "data": {
        "hall_name": {"zh": "大厅"},
        "ticket": "20261121-A012",
        "label": "A012",
        "service": {"zh": "税务"},
        "department": None,
        "window": "3",
        "window_name": {"zh": "3号窗口"},
        "items": ["照片", "合同"],
        "note": "",
        "away": True,
        "given_at": "2026-11-21T10:32:00+08:00",
        "track_url": "http://h/t/x",
        "languages": ["zh"],
        "drill": False,
    },
}
SAY: dict[str, Any] = {
    "id": "42.0",
    "kind": "say",
    "expires_at": "2026-11-21T10:33:00+08:00",
    "at": "2026-11-21T10:32:30+08:00",
    "data": {
        "ticket": "20261121-A012",
        "label": "A012",
        "window": "1",
        "window_name": {"zh": "1号窗口"},
        "zone": "general",
        "languages": [],
        "call_count": 2,
    },
}


def test_a_notice_is_read_whole() -> None:
    order = read_order("printer-1", NOTICE)
    job = order.job
    assert isinstance(job, PrintNotice)
    assert (job.label, job.items, job.away, job.department) == ("A012", ("照片", "合同"), True, None)
    assert order.about == "notice 20261121-A012 2026-11-21T10:32:00+08:00"
    with pytest.raises(BadWire, match=r"job.data.items: a list of texts"):
        read_order("printer-1", NOTICE | {"data": NOTICE["data"] | {"items": "照片"}})


def test_a_ticket_is_read_whole() -> None:
    order = read_order("printer-1", PAPER)
    job = order.job
    assert isinstance(job, PrintTicket)
    assert (order.id, order.device, job.label, job.windows, job.ahead) == ("41.0", "printer-1", "A012", ("1", "2"), 4)
    assert (job.eta_low_s, job.eta_high_s, job.drill, job.reprint) == (600.0, 900.5, True, False)
    assert in_language(job.service, "en") == "税务", "Chinese where it is not translated"


def test_what_a_hall_wants_on_its_tickets_is_read_and_an_older_server_says_nothing() -> None:
    told = PAPER | {"data": PAPER["data"] | {"fields": ["number", "qr"], "logo": "iVBO"}}
    job = read_order("printer-1", told).job
    assert isinstance(job, PrintTicket)
    assert (job.fields, job.logo) == (("number", "qr"), b"\x89PN")
    older = read_order("printer-1", PAPER).job
    assert isinstance(older, PrintTicket)
    assert (older.fields, older.logo) == ((), b"")
    slip = read_order("printer-1", NOTICE | {"data": NOTICE["data"] | {"logo": "iVBO"}}).job
    assert isinstance(slip, PrintNotice)
    assert slip.logo == b"\x89PN"
    with pytest.raises(BadWire, match=r"data\.logo: base64"):
        read_order("printer-1", PAPER | {"data": PAPER["data"] | {"logo": "no base64!"}})


def test_a_call_is_read_whole() -> None:
    job = read_order("speaker-1", SAY).job
    assert isinstance(job, Say)
    assert (job.window, job.call_count, job.languages) == ("1", 2, ("zh",))


def test_how_long_a_job_lives_is_told_by_the_hall_where_it_says_its_time() -> None:
    now = datetime(2026, 11, 21, 2, 33, tzinfo=UTC)  # 10:33 in the hall
    assert read_order("p", PAPER).lives_s(now) == 60
    assert read_order("s", SAY).lives_s(now) == 30


def test_the_stops_and_marks_of_a_ticket_are_read_and_an_older_server_sends_none() -> None:
    told = deepcopy(PAPER)
    leg = {"name": {"zh": "税务"}, "zone_name": {"zh": "税务区"}, "floor": None, "status": "done", "service": "tax"}
    told["data"] |= {"legs": [leg], "lead_window": "3", "kind": "pickup", "flags": ["fee"], "takes_in_only": True}
    told["data"] |= {"tenant": {"zh": "市中心"}, "department": "税务局"}
    job = read_order("printer-1", told).job
    assert isinstance(job, PrintTicket)
    assert job.stops == (Stop(name={"zh": "税务"}, zone={"zh": "税务区"}, floor=None, done=True),)
    assert (job.lead_window, job.kind, job.flags, job.takes_in_only) == ("3", "pickup", ("fee",), True)
    assert (job.tenant, job.department) == ({"zh": "市中心"}, "税务局")
    older = read_order("printer-1", PAPER).job
    assert isinstance(older, PrintTicket)
    assert (older.stops, older.kind, older.flags, older.tenant) == ((), "ordinary", (), None)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("data", "legs"), [7], "job.data.legs[0]: an object was expected"),
        (("kind",), "dance", "job.kind: 'dance' is not known"),
        (("id",), 7, "job.id: text was expected"),
        (("expires_at",), "soon", "job.expires_at: 'soon' is not"),
        (("expires_at",), "2026-11-21T10:34:00", "has no offset"),
        (("data",), [], "job.data: an object was expected"),
        (("data", "label"), None, "job.data.label: text was expected"),
        (("data", "ahead"), True, "job.data.ahead: a whole number"),
        (("data", "windows"), "1", "job.data.windows: a list"),
        (("data", "service"), 1, "job.data.service: a text in languages"),
        (("data", "eta"), {"low_s": "x", "high_s": 1}, "job.data.eta.low_s: a number"),
    ],
)
def test_what_has_not_the_agreed_shape_is_refused_by_its_name(path: tuple[str, ...], value: object, words: str) -> None:
    wire = deepcopy(PAPER)
    place = wire
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(BadWire) as refused:
        read_order("p", wire)
    assert words in str(refused.value)


def test_a_missing_field_is_named() -> None:
    wire = deepcopy(PAPER)
    del wire["data"]["ticket"]
    with pytest.raises(BadWire, match=r"job\.data\.ticket: is missing"):
        read_order("p", wire)


def test_a_window_is_read_whole() -> None:
    picture = read_window(
        {
            "window": "7",
            "name": {"zh": "7号窗口"},
            "status": "serving",
            "pause_reason": None,
            "waiting": 3,
            "current": {
                "ticket": "t",
                "label": "A012",
                "service": {"zh": "税务"},
                "status": "serving",
                "call_count": 1,
            },
            "held": [{"label": "A001"}],
            "missed": [{"label": "A002", "reinstatable": True}, {"label": "A003", "reinstatable": False}],
        }
    )
    assert (picture.status, picture.label, picture.waiting) == (WindowStatus.SERVING, "A012", 3)
    assert (picture.held, picture.missed) == (("A001",), ("A002",))


def test_an_empty_window_has_no_ticket() -> None:
    picture = read_window({"window": "7", "name": {"zh": "7"}, "status": "open", "waiting": 0, "current": None})
    assert (picture.ticket, picture.label, picture.call_count) == (None, None, 0)


def test_a_window_in_an_unknown_state_is_refused() -> None:
    with pytest.raises(BadWire, match=r"window\.status: 'gone'"):
        read_window({"window": "7", "name": {"zh": "7"}, "status": "gone", "waiting": 0})
