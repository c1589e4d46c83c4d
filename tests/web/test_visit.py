"""Visits on the wire: every command's answer, and the hall's refusals as problems."""

from typing import Any

import pytest

from tests.web.stage import HALL, Client, Stage

WINDOW = f"/halls/{HALL}/windows/1"


@pytest.fixture
def clerk(stage: Stage) -> Client:
    """Give the clerk at window 1, which is open."""
    client = stage.person("clerk", window="1", hall=HALL)
    assert client.post(f"{WINDOW}/open").status_code == 200
    return client


def ok(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    return dict(answer.json)


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json; charset=utf-8"
    assert set(answer.json) == {"type", "title", "status", "detail", "code"}
    assert answer.json["status"] == status
    return dict(answer.json)


def test_issue_says_what_the_visitor_is_told(stage: Stage) -> None:
    answer = stage.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": "general", "priority": "green_channel"})
    told = ok(answer, 201)
    assert answer.headers["Location"] == f"/api/v1/halls/{HALL}/tickets/20260302-A001"
    track = told.pop("track")
    assert len(track) >= 20
    assert told == {
        "ticket": "20260302-A001",
        "label": "A001",
        "number": 1,
        "service": "general",
        "zone": "general",
        "issued_at": "2026-03-02T09:00:00.000+08:00",
        "ahead": 0,
        "eta": None,
        "track_url": f"http://localhost/t/{HALL}/{track}",
        "windows": ["1", "2"],
        "priority": "green_channel",
        "seq": told["seq"],
        "legs": [],
        "leg_unserved": False,
    }


def test_a_plain_visit(stage: Stage, clerk: Client) -> None:
    told = stage.issue()
    stage.clock.forward(65)
    called = ok(clerk.post(f"{WINDOW}/call-next"))
    assert called | {"seq": 0} == {
        "ticket": told["ticket"],
        "label": "A001",
        "number": 1,
        "service": "general",
        "window": "1",
        "waited_s": 65,
        "priority": "ordinary",
        "call_count": 1,
        "why": "head",
        "reason": "head",
        "clear_min": None,
        "own_clear_min": None,
        "called_at": "2026-03-02T09:01:05.000+08:00",
        "seq": 0,
    }
    assert ok(clerk.post(f"{WINDOW}/recall"))["call_count"] == 2
    moved = ok(clerk.post(f"{WINDOW}/start", {}))
    assert moved | {"seq": 0} == {
        "ticket": told["ticket"],
        "label": "A001",
        "status": "serving",
        "window": "1",
        "call_count": 2,
        "seq": 0,
    }
    stage.clock.forward(300)
    assert ok(clerk.post(f"{WINDOW}/finish"))["status"] == "finished"
    rated = ok(stage.nobody().post(f"/halls/{HALL}/tickets/{told['track']}/rate", {"grade": 5}))
    assert (rated["grade"], rated["window"]) == (5, "1")
    view = ok(stage.nobody().get(f"/halls/{HALL}/tickets/{told['track']}"))
    assert (view["status"], view["rated"], view["waited_s"]) == ("finished", True, 65)
    assert [row["event"] for row in view["history"]] == [
        "ticket_issued",
        "ticket_called",
        "ticket_recalled",
        "serving_started",
        "ticket_finished",
        "ticket_rated",
    ]
    assert all(row["actor"] is None and row["reason"] is None for row in view["history"])
    assert view["can"] == {"cancel": False, "reinstate": False, "rate": False, "back": False}


def test_a_number_left_open_says_why_it_expired(stage: Stage, clerk: Client) -> None:
    told = stage.issue()
    ok(stage.person("manager").post(f"/halls/{HALL}/day/close"))
    for language, reason in (("en", "still open when the day closed"), ("zh", "营业结束时未办完")):
        view = ok(clerk.get(f"/halls/{HALL}/tickets/{told['ticket']}", Accept_Language=language))
        assert (view["history"][-1]["event"], view["history"][-1]["reason"]) == ("ticket_expired", reason)


def test_the_halls_own_people_see_who_did_what(stage: Stage, clerk: Client) -> None:
    told = stage.issue()
    ok(clerk.post(f"{WINDOW}/call-next"))
    view = ok(clerk.get(f"/halls/{HALL}/tickets/a001"))
    assert [row["actor"] for row in view["history"]] == ["kiosk-1", "clerk"]
    assert "track_url" not in view, "a clerk who had it could grade himself"
    assert told["track"] not in clerk.get(f"/halls/{HALL}/tickets").text


def test_missed_and_reinstated_by_the_visitor(stage: Stage, clerk: Client) -> None:
    told = stage.issue()
    ok(clerk.post(f"{WINDOW}/call-next"))
    assert ok(clerk.post(f"{WINDOW}/missed"))["status"] == "missed"
    back = ok(stage.nobody().post(f"/halls/{HALL}/tickets/{told['ticket']}/reinstate?track={told['track']}"))
    assert back["status"] == "waiting"
    ok(clerk.post(f"{WINDOW}/call-next"))
    assert ok(clerk.post(f"{WINDOW}/no-show"))["status"] == "no_show"


def test_return_hold_and_resume(stage: Stage, clerk: Client) -> None:
    stage.issue()
    ok(clerk.post(f"{WINDOW}/call-next"))
    returned = ok(clerk.post(f"{WINDOW}/return", {"reason": "叫错"}))
    assert (returned["status"], returned["window"], returned["call_count"]) == ("waiting", None, 0)
    ok(clerk.post(f"{WINDOW}/call-next"))
    ok(clerk.post(f"{WINDOW}/start"))
    assert ok(clerk.post(f"{WINDOW}/hold", {"reason": "去复印"}))["status"] == "held"
    state = ok(clerk.get(f"/halls/{HALL}/state"))
    assert state["windows"][0]["held"] == ["20260302-A001"]
    assert ok(clerk.post(f"{WINDOW}/resume-held", {"ticket": "A001"}))["status"] == "called"


def test_transfer_to_a_service_and_to_a_window(stage: Stage, clerk: Client) -> None:
    stage.issue()
    ok(clerk.post(f"{WINDOW}/call-next"))
    sent = ok(clerk.post(f"{WINDOW}/transfer", {"service": "tax", "place": "front", "reason": "走错"}))
    assert (sent["status"], sent["window"]) == ("waiting", None)
    assert ok(clerk.get(f"/halls/{HALL}/tickets/A001"))["service"] == "tax"
    stage.issue()
    ok(clerk.post(f"{WINDOW}/call-next"))
    assert ok(clerk.post(f"{WINDOW}/transfer", {"window": "2"}))["status"] == "waiting"


def test_call_out_of_turn_keeps_the_reason(stage: Stage, clerk: Client) -> None:
    stage.issue()
    stage.issue()
    called = ok(clerk.post(f"{WINDOW}/call", {"label": "a002", "reason": "孕妇"}))
    assert (called["label"], called["why"], called["reason"]) == ("A002", "chosen", "孕妇")
    problem(clerk.post(f"{WINDOW}/call", {"label": "A001"}), 422, "invalid")


def test_call_next_with_finish(stage: Stage, clerk: Client) -> None:
    stage.issue()
    stage.issue()
    ok(clerk.post(f"{WINDOW}/call-next"))
    busy = problem(clerk.post(f"{WINDOW}/call-next"), 409, "window_busy")
    assert "A001" in busy["detail"]
    assert ok(clerk.post(f"{WINDOW}/call-next", {"finish": True}))["label"] == "A002"


def test_open_pause_resume_close(stage: Stage, clerk: Client) -> None:
    assert ok(clerk.post(f"{WINDOW}/pause", {"reason": "lunch"})) | {"seq": 0} == {
        "window": "1",
        "status": "paused",
        "seq": 0,
    }
    problem(clerk.post(f"{WINDOW}/call-next"), 409, "window_paused")
    assert ok(clerk.get(f"/halls/{HALL}/state"))["windows"][0]["pause_reason"] == "lunch"
    assert ok(clerk.post(f"{WINDOW}/resume"))["status"] == "open"
    assert ok(clerk.post(f"{WINDOW}/close"))["status"] == "closed"
    problem(clerk.post(f"{WINDOW}/call-next"), 409, "window_closed")


def test_nobody_waiting_in_both_languages(stage: Stage, clerk: Client) -> None:
    english = problem(clerk.post(f"{WINDOW}/call-next"), 409, "nobody_waiting")
    chinese = problem(
        clerk.post(f"{WINDOW}/call-next", Accept_Language="zh-CN,zh;q=0.9,en;q=0.8"), 409, "nobody_waiting"
    )
    assert english["detail"] == "Nobody is waiting for this window."
    assert chinese["detail"] == "现在没有人等候。"


def test_cancel_by_the_visitor_and_by_a_manager(stage: Stage) -> None:
    one, two = stage.issue(), stage.issue()
    assert ok(stage.nobody().post(f"/halls/{HALL}/tickets/{one['track']}/cancel"))["status"] == "cancelled"
    assert ok(stage.person("manager").post(f"/halls/{HALL}/tickets/{two['label']}/cancel"))["status"] == "cancelled"
    again = stage.person("manager").post(f"/halls/{HALL}/tickets/{two['label']}/cancel")
    assert "cancelled" in problem(again, 409, "illegal_move")["detail"]


def test_reprint_at_the_asking_kiosk(stage: Stage) -> None:
    told = stage.issue()
    answer = ok(stage.device("kiosk-1").post(f"/halls/{HALL}/tickets/{told['label']}/reprint"))
    assert answer["ticket"] == told["ticket"]
    assert stage.hall.commits(answer["seq"] - 1, 1)[0].events[0].kiosk == "kiosk-1"  # type: ignore[union-attr]


def test_assign_services_live(stage: Stage) -> None:
    path = f"/halls/{HALL}/windows/3/services"
    answer = ok(stage.person("manager").put(path, {"serves": ["tax", "general"], "relief": []}))
    assert answer | {"seq": 0} == {"window": "3", "serves": ["tax", "general"], "relief": [], "seq": 0}
    problem(stage.person("manager").put(path, {"serves": [], "relief": []}), 409, "nothing_to_serve")
    problem(stage.person("manager").put(path, {"serves": ["no"]}), 404, "service_not_found")


def test_the_day_is_closed(stage: Stage) -> None:
    stage.issue()
    manager = stage.person("manager")
    assert ok(manager.post(f"/halls/{HALL}/day/close"))["business_day"] == "2026-03-02"
    problem(stage.device("kiosk-1").post(f"/halls/{HALL}/tickets", {"service": "general"}), 409, "hall_closed")
    assert ok(manager.get(f"/halls/{HALL}/state"))["day_open"] is False


def test_a_visitor_waits_once_for_a_service(stage: Stage) -> None:
    stage.issue(visitor_ref="110101199003070000")
    again = stage.device("kiosk-1").post(
        f"/halls/{HALL}/tickets", {"service": "general", "visitor_ref": "110101199003070000"}
    )
    problem(again, 409, "already_waiting")


def test_what_does_not_exist(stage: Stage) -> None:
    kiosk, manager = stage.device("kiosk-1"), stage.person("boss")
    problem(kiosk.post(f"/halls/{HALL}/tickets", {"service": "no"}), 404, "service_not_found")
    problem(kiosk.post(f"/halls/{HALL}/tickets", {"service": "tax", "priority": "no"}), 404, "priority_not_found")
    problem(manager.get("/halls/no"), 404, "hall_not_found")
    problem(manager.get("/halls/no/state"), 404, "hall_not_found")
    problem(manager.get(f"/halls/{HALL}/tickets/20260302-Z001"), 404, "ticket_not_found")
    problem(manager.post(f"/halls/{HALL}/windows/99/open"), 404, "window_not_found")
    problem(manager.get("/nothing"), 404, "not_found")


def test_structure_and_state(stage: Stage) -> None:
    board = stage.device("display-1")
    assert [row["hall"] for row in ok(board.get("/halls"))["halls"]] == [HALL]
    hall = ok(board.get(f"/halls/{HALL}"))
    assert hall["services"][0]["windows"] == ["1", "2"]
    assert hall["priorities"][0]["question"] == {"zh": "是否需要照顾？"}
    everybody: dict[str, list[str]] = {"zones": [], "services": []}
    assert hall["hours"] == [{"days": ["mon", "tue"], "opens": "09:00", "closes": "17:00", **everybody}]
    assert hall["notice"] == {"zh": "请勿吸烟"}
    stage.issue()
    stage.clock.forward(30)
    state = ok(board.get(f"/halls/{HALL}/state"))
    assert state["zones"][0] == {"zone": "general", "waiting": 1, "oldest_wait_s": 30, "open_windows": 0}
    assert state["services"][0]["waiting"] == 1
    assert state["business_day"] == "2026-03-02"
    assert state["seq"] == stage.hall.seq


def test_tickets_are_listed_by_status_zone_and_window(stage: Stage, clerk: Client) -> None:
    stage.issue()
    stage.issue("tax")
    ok(clerk.post(f"{WINDOW}/call-next"))

    def labels(query: str) -> list[str]:
        return [row["label"] for row in ok(clerk.get(f"/halls/{HALL}/tickets{query}"))["tickets"]]

    assert labels("") == ["A001", "B001"]
    assert labels("?status=waiting") == ["B001"]
    assert labels("?zone=general") == ["A001"]
    assert labels("?window=1") == ["A001"]
    problem(clerk.get(f"/halls/{HALL}/tickets?status=lost"), 422, "invalid")
    problem(clerk.get(f"/halls/{HALL}/tickets?color=red"), 422, "invalid")


def test_the_ledgers_tail(stage: Stage) -> None:
    told = stage.issue()
    auditor = stage.person("auditor")
    tail = ok(auditor.get(f"/halls/{HALL}/commits?after={told['seq'] - 1}&limit=10"))
    (row,) = tail["commits"]
    assert tail["seq"] == row["seq"] == told["seq"]
    assert row["actor"] == {"kind": "device", "id": "kiosk-1", "source": "127.0.0.1"}
    assert row["events"][0][0] == "ticket_issued"
    assert row["prev_hash"] == stage.hall.commits(told["seq"] - 2, 1)[0].hash
    assert ok(auditor.get(f"/halls/{HALL}/commits?after=999"))["commits"] == []


def test_a_rating_pad_and_a_keypad(stage: Stage, clerk: Client) -> None:
    agent = stage.device("devices-1")
    problem(agent.post(f"{WINDOW}/rate", {"grade": 4}), 403, "not_allowed")
    problem(agent.post(f"{WINDOW}/call-next"), 403, "not_allowed")
    ok(agent.put(f"/halls/{HALL}/devices/pad-1", {"kind": "rating", "windows": ["1"]}))
    ok(agent.put(f"/halls/{HALL}/devices/keys-1", {"kind": "keypad", "windows": ["1", "2"]}))
    stage.issue()
    ok(agent.post(f"{WINDOW}/call-next"))
    ok(agent.post(f"{WINDOW}/finish"))
    assert ok(agent.post(f"{WINDOW}/rate", {"grade": 4}))["label"] == "A001"
    problem(agent.post(f"{WINDOW}/rate", {"grade": 4}), 409, "already_rated")
    # A rating pad on the keypad's line needs no row of its own.
    problem(agent.post(f"/halls/{HALL}/windows/2/rate", {"grade": 4}), 409, "illegal_move")
    problem(clerk.post(f"{WINDOW}/rate", {"grade": 5}), 403, "not_allowed")


def test_a_keypad_opens_the_window_for_the_clerk_signed_in_there(stage: Stage) -> None:
    agent = stage.device("devices-1")
    ok(agent.put(f"/halls/{HALL}/devices/keys", {"kind": "keypad", "windows": ["2"]}))
    problem(agent.post(f"/halls/{HALL}/windows/2/open"), 409, "nobody_at_window")
    stage.person("clerk2", window="2")
    ok(agent.post(f"/halls/{HALL}/windows/2/open"))
    state = ok(agent.get(f"/halls/{HALL}/state"))
    assert state["windows"][1]["clerk"] == "clerk2"


def test_a_manager_opens_several_windows_and_a_clerk_one(stage: Stage, clerk: Client) -> None:
    manager = stage.person("manager")
    for no in ("2", "3"):
        ok(manager.post(f"/halls/{HALL}/windows/{no}/open"))
    problem(manager.post(f"{WINDOW}/open"), 409, "window_taken")
    stage.issue()
    ok(manager.post(f"/halls/{HALL}/windows/2/call-next"))
    assert clerk.post(f"{WINDOW}/close").status_code == 200


def test_yesterdays_report_and_todays(stage: Stage, clerk: Client) -> None:
    told = stage.issue()
    stage.issue()
    stage.clock.forward(1500)  # over the target of 20 minutes
    ok(clerk.post(f"{WINDOW}/call-next"))
    stage.clock.forward(30)
    ok(clerk.post(f"{WINDOW}/start"))
    stage.clock.forward(270)
    ok(clerk.post(f"{WINDOW}/call-next", {"finish": True}))
    ok(stage.nobody().post(f"/halls/{HALL}/tickets/{told['track']}/rate", {"grade": 2}))
    ok(clerk.post(f"{WINDOW}/no-show"))
    manager = stage.person("manager")
    today = ok(manager.get(f"/halls/{HALL}/reports/day"))
    stage.clock.forward(24 * 3600)
    stage.issue()  # turns the day
    report = ok(manager.get(f"/halls/{HALL}/reports/day?date=2026-03-02"))
    total = report["total"]
    assert total == today["total"]
    assert (total["issued"], total["called"], total["finished"], total["no_shows"]) == (2, 2, 1, 1)
    assert total["wait"] == {"count": 2, "mean_s": 1650, "median_s": 1500, "p80_s": 1800, "p90_s": 1800, "p95_s": 1800}
    assert total["walk"]["mean_s"] == 30
    assert total["serve"]["mean_s"] == 270
    assert (total["no_show_rate"], total["overdue_rate"]) == (0.5, 1.0)
    assert (total["rated_rate"], total["satisfaction"]) == (1.0, 0.0)
    window = next(row for row in today["windows"] if row["window"] == "1")
    assert (window["signed_on_s"], window["serving_s"], window["utilisation"]) == (1800, 270, 0.15)
    assert ok(manager.get(f"/halls/{HALL}/reports/day"))["total"]["issued"] == 1
    problem(manager.get(f"/halls/{HALL}/reports/day?date=2026-02-01"), 404, "day_not_found")
    problem(manager.get(f"/halls/{HALL}/reports/day?date=2026-13-01"), 400, "bad_request")
    problem(manager.get(f"/halls/{HALL}/reports/day?date=yesterday"), 422, "invalid")


def test_registered_devices_are_listed_with_their_faults(stage: Stage) -> None:
    agent = stage.device("devices-1")
    stage.device("kiosk-1").get(f"/halls/{HALL}")
    fault = {"code": "paper_out", "detail": "没有纸", "since": "2026-03-02T09:00:00+08:00"}
    row = {
        "kind": "printer",
        "driver": "escpos",
        "health": "degraded",
        "faults": [fault],
        "paper": "out",
        "kiosks": ["kiosk-1"],
    }
    answer = ok(agent.put(f"/halls/{HALL}/devices/printer-1", row))
    assert answer == {"device": "printer-1", "hall": HALL, "seq": stage.hall.seq}
    printer, kiosk = ok(stage.person("manager").get("/devices"))["devices"]
    assert (printer["device"], printer["faults"], printer["paper"]) == ("printer-1", [fault], "out")
    assert (printer["ip"], printer["agent"]) == ("127.0.0.1", "devices-1")
    assert (kiosk["device"], kiosk["role"], kiosk["ip"]) == ("kiosk-1", "kiosk", "127.0.0.1")
    problem(agent.put(f"/halls/{HALL}/devices/x", {"kind": "toaster"}), 422, "invalid")


def test_a_kiosk_sees_its_own_printers_and_reader_only(stage: Stage) -> None:
    agent = stage.device("devices-1")
    for name, row in (
        ("mine", {"kind": "printer", "kiosks": ["kiosk-1"]}),
        ("everybodys", {"kind": "printer"}),
        ("another", {"kind": "printer", "kiosks": ["kiosk-2"]}),
        ("strip", {"kind": "strip", "windows": ["1"]}),
        ("reader", {"kind": "idcard", "kiosks": ["kiosk-1"]}),
        ("other-reader", {"kind": "idcard", "kiosks": ["kiosk-2"]}),
    ):
        ok(agent.put(f"/halls/{HALL}/devices/{name}", row))
    seen = [row["device"] for row in ok(stage.device("kiosk-1").get("/devices"))["devices"]]
    assert seen == ["mine", "everybodys", "reader"]
