"""`GET /halls/{hall}` carries what the hall file says, for pages and for whoever integrates."""

from dataclasses import replace
from typing import Any

import pytest

from config import load_hall, shipped
from server.domain import commands as c
from server.domain.terms import CLOCK
from server.plan import plan_of
from tests.web.stage import HALL, Stage


def planned(stage: Stage, name: str) -> dict[str, Any]:
    """Let the stage's hall be a shipped one and give its structure."""
    plan = replace(plan_of(load_hall(shipped()[name])), hall=HALL)
    stage.hall.handle(c.PlanHall(plan=plan), actor=CLOCK)
    return asked(stage, f"/halls/{HALL}")


def asked(stage: Stage, path: str) -> dict[str, Any]:
    """Give what a display is told."""
    answer = stage.device("display-1").get(path)
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def test_zones_services_and_kiosks_of_zhenyuan(stage: Stage) -> None:
    hall = planned(stage, "zhenyuan")
    zones = {zone["zone"]: zone for zone in hall["zones"]}
    assert zones["self-service"]["kind"] == "self_service"
    assert zones["self-service"]["always_open"] is True
    assert "不动产" in zones["self-service"]["about"]["zh"]
    assert (zones["health"]["trial_from"], zones["health"]["trial_to"]) == ("2023-08-29", None)
    services = {service["service"]: service for service in hall["services"]}
    assert services["pickup"]["kind"] == "pickup"
    assert services["tax"]["flags"] == ["cross_province"]
    assert services["real-estate-joint"]["legs"] == [
        "real-estate-joint",
        "contract-filing",
        "transaction-tax",
        "meters",
    ]
    assert (services["marriage"]["appointments"], services["tax"]["appointments"]) == (1, None)
    upstairs = hall["kiosks"][2]
    assert (upstairs["kiosk"], upstairs["floor"], upstairs["day_quota"]) == ("zhenyuan-3F", "3F", None)
    assert upstairs["zones"] == ["fund", "real-estate", "enterprise", "transport"]
    assert hall["fairness"] == {"ratio": 2, "oldest_first_after_min": 30}
    assert hall["left_alone_min"] == 15
    assert hall["bookings"] == {
        "slot_min": 30,
        "days_ahead": 5,
        "early_min": 15,
        "late_min": 15,
        "cancel_before_min": 120,
        "per_day": 1,
        "no_shows": 3,
        "within_days": 90,
        "blocked_days": 30,
        "online": None,
    }
    assert hall["ratings"] == {
        "at_window_s": 120,
        "bad_grade": 2,
        "follow_up_working_days": 5,
        "appeal_working_days": 3,
    }


def test_tenants_and_windows_that_only_take_in(stage: Stage) -> None:
    hall = planned(stage, "lincang-linxiang")
    assert [tenant["tenant"] for tenant in hall["tenants"]] == ["city", "district"]
    tenants = {service["service"]: service["tenant"] for service in hall["services"]}
    assert (tenants["construction"], tenants["civil"], tenants["fees"]) == ("city", "district", None)
    assert [window["window"] for window in hall["windows"] if not window["decides"]] == ["1", "2"]


def test_windows_that_nobody_staffs_are_told(stage: Stage) -> None:
    hall = planned(stage, "cangyuan")
    assert [window["window"] for window in hall["windows"] if window["staffed"]] == ["1", "2", "3", "4", "5"]
    other = next(service for service in hall["services"] if service["service"] == "other")
    assert other["windows"] == ["1", "2", "3", "4", "5"]


def test_partners_for_hand_overs(stage: Stage) -> None:
    hall = planned(stage, "hefeng-township")
    assert hall["agency"] == {"alarm_before_close_min": 30, "partners": ["hefeng-county", "hefeng-village"]}


@pytest.mark.parametrize(
    ("name", "questions"),
    [("zhenyuan", {"appointment": False, "green_channel": True}), ("gengma", {"green_channel": True})],
)
def test_appointments_are_a_priority_nobody_is_asked_for(stage: Stage, name: str, questions: dict[str, bool]) -> None:
    priorities = planned(stage, name)["priorities"]
    assert {one["priority"]: one["question"] is not None for one in priorities} == questions


def test_zones_without_a_queue_are_not_counted(stage: Stage) -> None:
    planned(stage, "qiaocheng")
    state = asked(stage, f"/halls/{HALL}/state")
    assert len(state["zones"]) == 7


def test_services_are_spelled_for_search_in_every_reading(stage: Stage) -> None:
    services = {one["service"]: one for one in planned(stage, "zhenyuan")["services"]}
    name, zone, department = services["bank"]["pinyin"]
    assert name == "qi ye yin xing/hang/heng kai hu"
    assert zone.startswith("qi ye")
    assert department == "yin xing/hang/heng"
    assert services["marriage"]["pinyin"][2] == "", "without a department"
    assert [one for one, row in services.items() if row["common"]] == ["general", "pickup", "social", "medical"]


def test_the_service_guide_of_hefeng(stage: Stage) -> None:
    services = {one["service"]: one for one in planned(stage, "hefeng-county")["services"]}
    guide = services["assist"]["guide"]
    assert set(guide) == {"basis", "materials", "time", "fee", "phone"}
    assert "三办三不出" in guide["basis"]["zh"]
    assert [set(paper) for paper in guide["materials"]] == [{"zh", "en"}] * 3
    assert "当天转交" in guide["time"]["zh"]
    assert "免费" in guide["fee"]["zh"]
    assert guide["phone"] == "12345"
    assert all(row["guide"] for row in services.values()), "every service of the county hall can be read about"
    assert [one["guide"] for one in planned(stage, "qiaocheng")["services"]] == [None] * 12
