"""Joint matters over HTTP: planning, finishing leg by leg, what everybody sees, who may."""

from typing import Any

from tests.web.stage import HALL, Client, Stage

TICKETS = f"/halls/{HALL}/tickets"
WINDOWS = f"/halls/{HALL}/windows"


def ready(stage: Stage, *numbers: str) -> Client:
    """Give a manager who has opened these windows."""
    manager = stage.person("manager")
    for no in numbers:
        assert manager.post(f"{WINDOWS}/{no}/open").status_code == 200
    return manager


def ok(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.json
    return answer.json


def test_a_joint_matter_goes_from_window_to_window_under_one_number(stage: Stage) -> None:
    manager = ready(stage, "1", "3")
    kiosk = stage.device("kiosk-1")
    given = ok(kiosk.post(TICKETS, {"service": "general", "legs": ["general", "tax"]}), 201)
    assert [(leg["service"], leg["status"], leg["name"]["zh"]) for leg in given["legs"]] == [
        ("general", "active", "综合业务"),
        ("tax", "planned", "办税"),
    ]
    assert given["leg_unserved"] is False
    stage.clock.forward(60)
    ok(manager.post(f"{WINDOWS}/1/call-next"))
    ok(manager.post(f"{WINDOWS}/1/start"))
    stage.clock.forward(300)
    ended = ok(manager.post(f"{WINDOWS}/1/finish"))
    assert {name: ended[name] for name in ("label", "status", "window", "next_leg", "leg_unserved")} == {
        "label": "A001",
        "status": "waiting",
        "window": None,
        "next_leg": "tax",
        "leg_unserved": False,
    }
    page = ok(stage.nobody().get(f"{TICKETS}/{given['track']}"))
    assert (page["status"], page["service"], page["zone"], page["lead_window"]) == ("waiting", "tax", "tax", "1")
    assert [(leg["status"], leg["window"], leg["finished_at"]) for leg in page["legs"]] == [
        ("done", "1", "2026-03-02T09:06:00.000+08:00"),
        ("active", None, None),
    ]
    assert page["issued_at"] == given["issued_at"]
    stage.clock.forward(30)
    called = ok(manager.post(f"{WINDOWS}/3/call-next"))
    assert (called["label"], called["why"], called["waited_s"]) == ("A001", "returning_leg", 30)
    last = ok(manager.post(f"{WINDOWS}/3/finish"))
    assert (last["status"], "next_leg" in last) == ("finished", False)
    done = ok(manager.get(f"{TICKETS}/A001"))
    assert [(leg["status"], leg["window"]) for leg in done["legs"]] == [("done", "1"), ("done", "3")]
    assert [entry["event"] for entry in done["history"]].count("leg_finished") == 1
    report = ok(manager.get(f"/halls/{HALL}/reports/day"))
    assert (report["total"]["finished"], report["total"]["legs"], report["total"]["serve"]["count"]) == (1, 1, 2)
    assert [(row["window"], row["finished"]) for row in report["windows"]] == [("1", 1), ("2", 0), ("3", 1)]
    assert [(row["zone"], row["called"], row["finished"]) for row in report["zones"]] == [
        ("general", 1, 1),
        ("tax", 1, 1),
    ]


def test_a_leg_nobody_serves_now_is_told_at_once(stage: Stage) -> None:
    manager = ready(stage, "1")
    kiosk = stage.device("kiosk-1")
    given = ok(kiosk.post(TICKETS, {"service": "general", "legs": ["general", "tax"]}), 201)
    assert (given["leg_unserved"], [leg["unserved"] for leg in given["legs"]]) == (True, [False, True])
    assert ok(stage.nobody().get(f"{TICKETS}/{given['track']}"))["leg_unserved"] is True
    ok(manager.post(f"{WINDOWS}/1/call-next"))
    assert ok(manager.post(f"{WINDOWS}/1/finish"))["leg_unserved"] is True
    ok(manager.post(f"{WINDOWS}/3/open"))
    assert ok(stage.nobody().get(f"{TICKETS}/{given['track']}"))["leg_unserved"] is False


def test_the_clerk_plans_and_chooses_for_the_visitor_at_the_own_window_only(stage: Stage) -> None:
    ready(stage, "2")
    clerk = stage.person("clerk", window="1", hall=HALL)
    ok(clerk.post(f"{WINDOWS}/1/open"))
    stage.issue()
    refused = clerk.post(f"{TICKETS}/A001/legs", {"services": ["tax"]})
    assert (refused.status_code, refused.json["code"]) == (409, "ticket_elsewhere")  # type: ignore[index]
    ok(clerk.post(f"{WINDOWS}/1/call-next"))
    planned = ok(clerk.post(f"{TICKETS}/A001/legs", {"services": ["general", "tax"]}))
    assert [(leg["service"], leg["window"], leg["unserved"]) for leg in planned["legs"]] == [
        ("general", "1", False),
        ("tax", None, True),
    ]
    assert planned["leg_unserved"] is True
    bad = clerk.post(f"{WINDOWS}/1/finish", {"next": "general"})
    assert (bad.status_code, bad.json["code"]) == (409, "leg_not_planned")  # type: ignore[index]
    assert ok(clerk.post(f"{WINDOWS}/1/finish", {"next": "tax"}))["next_leg"] == "tax"


def test_a_guide_plans_for_somebody_who_waits(stage: Stage) -> None:
    stage.issue()
    legs = ok(stage.person("guide").post(f"{TICKETS}/A001/legs", {"services": ["tax"]}))["legs"]
    assert [(leg["service"], leg["status"]) for leg in legs] == [("general", "active"), ("tax", "planned")]


def test_a_bad_plan_has_a_stable_code(stage: Stage) -> None:
    stage.issue()
    guide = stage.person("guide")

    def code(services: list[str]) -> str:
        answer = guide.post(f"{TICKETS}/A001/legs", {"services": services})
        assert answer.status_code in (404, 409)
        return str(answer.json["code"])  # type: ignore[index]

    assert code([]) == "legs_missing"
    assert code(["tax", "tax"]) == "leg_repeated"
    assert code(["moon"]) == "service_not_found"
    assert guide.post(f"{TICKETS}/Z999/legs", {"services": ["tax"]}).status_code == 404


def test_the_same_request_again_gives_the_same_plan(stage: Stage) -> None:
    ready(stage, "1", "3")
    stage.issue()
    guide = stage.person("guide")
    first = ok(guide.post(f"{TICKETS}/A001/legs", {"services": ["tax"]}, Idempotency_Key="k1"))
    ok(guide.post(f"{TICKETS}/A001/legs", {"services": ["general"]}))
    assert ok(guide.post(f"{TICKETS}/A001/legs", {"services": ["tax"]}, Idempotency_Key="k1")) == first
