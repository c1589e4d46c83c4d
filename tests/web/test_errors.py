"""Every kind of error is a problem with a stable code and a sentence that helps."""

import json
import re
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from server.domain.refusals import SENTENCES, Code
from server.web import structure, tickets
from server.web.app import openapi
from server.web.asking import BODY_BYTES_MAX
from server.web.problems import PROBLEMS, status_of
from tests.web.stage import HALL, Stage

TICKETS = f"/api/v1/halls/{HALL}/tickets"


def check(answer: TestResponse, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json; charset=utf-8"
    body = json.loads(answer.text)
    assert set(body) == {"type", "title", "status", "detail", "code"}
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:jiaohao:problem:{code}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return str(body["detail"])


@pytest.fixture
def post(stage: Stage) -> Callable[..., TestResponse]:
    """Give a function that posts raw bytes as a kiosk."""
    kiosk = stage.device("kiosk-1")

    def send(data: bytes, content_type: str = "application/json", **headers: str) -> TestResponse:
        sent = {**kiosk.headers, "Accept-Language": "en", **headers}
        return kiosk.http.post(TICKETS, data=data, content_type=content_type, headers=sent)

    return send


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"{'service': 'tax'}",
        b'{"service": NaN}',
        b"\xff\xfe",
        b'"{\\"service\\": \\"tax\\"}"',
        b"[]",
        b"null",
        b"[" * 50_000,
        b'{"service": "\\ud800"}',
    ],
)
def test_what_is_not_a_json_object_is_a_bad_request(post: Callable[..., TestResponse], data: bytes) -> None:
    check(post(data), 400, "bad_request")


def test_a_form_is_not_json(post: Callable[..., TestResponse]) -> None:
    check(post(b"service=tax", "application/x-www-form-urlencoded"), 415, "not_json")
    check(post(b'{"service": "tax"}', "text/plain"), 415, "not_json")


def test_a_large_body_is_refused(post: Callable[..., TestResponse]) -> None:
    assert str(BODY_BYTES_MAX) in check(post(b" " * (BODY_BYTES_MAX + 1)), 413, "too_large")


@pytest.mark.parametrize(
    ("body", "english", "chinese"),
    [
        ({}, "service is missing.", "缺少“service”。"),
        ({"service": "tax", "servise": 1}, "there is no field servise.", "没有“servise”这个字段。"),
        ({"service": 7}, "service must be text.", "“service”必须是文字。"),
        ({"service": "x" * 65}, "service must have at most 64 characters.", "“service”最多 64 个字符。"),
        ({"service": "a\nb"}, "service must not contain control characters.", "“service”不能含有控制字符。"),
        ({"service": ""}, "service must have at least 1 character(s).", "“service”至少 1 个字符。"),
    ],
)
def test_a_wrong_field_is_named(post: Callable[..., TestResponse], body: object, english: str, chinese: str) -> None:
    data = json.dumps(body).encode()
    assert check(post(data), 422, "invalid") == english
    assert check(post(data, **{"Accept-Language": "zh-CN"}), 422, "invalid") == chinese
    assert check(post(data, **{"Accept-Language": "fr"}), 422, "invalid") == chinese


def test_wrong_words_are_answered_with_the_right_ones(stage: Stage) -> None:
    manager = stage.person("manager")
    answer = manager.post(f"/halls/{HALL}/windows/1/pause", {"reason": "sleep"})
    assert "'lunch', 'document'" in check(answer, 422, "invalid")
    answer = manager.get(f"/halls/{HALL}/commits?after=-1&limit=9999")
    assert check(answer, 422, "invalid") == "after must be at least 0; limit must be at most 1000."
    answer = manager.get(f"/halls/{HALL}/commits?after={10**20}")
    assert check(answer, 422, "invalid") == f"after must be at most {2**53}."
    answer = manager.post(f"/halls/{HALL}/windows/1/call", {"reason": "with leave"})
    assert check(answer, 422, "invalid") == "name the ticket by ticket or by label."
    chinese = {"Accept_Language": "zh"}
    answer = manager.post(f"/halls/{HALL}/windows/1/notice", {"items": []}, **chinese)
    assert check(answer, 422, "invalid") == "“items”至少 1 项。"
    answer = manager.get(f"/halls/{HALL}/reports/day?date=today", **chinese)
    assert check(answer, 422, "invalid") == "“date”的格式不对，应如 2026-05-01。"
    answer = manager.get(f"/halls/{HALL}/tickets?status=lost", **chinese)
    assert check(answer, 422, "invalid").startswith("“status”只能是 'waiting'、'called'、")
    answer = manager.post(f"/halls/{HALL}/rolls", {"service": "tax", "prefix": "R", "last": 10000}, **chinese)
    assert check(answer, 422, "invalid") == "“last”必须小于 10000。"


def test_unknown_addresses_and_methods(stage: Stage) -> None:
    http = stage.new_http()
    check(http.get("/api/v1/nothing"), 404, "not_found")
    check(http.get("/nothing"), 404, "not_found")
    answer = http.delete(TICKETS)
    check(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_nobody_is_asked_to_sign_in(stage: Stage) -> None:
    answer = stage.new_http().get(f"/api/v1/halls/{HALL}")
    check(answer, 401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_bug_is_a_logged_500_without_its_insides(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("the inside")

    monkeypatch.setattr(structure, "_state", broken)
    answer = stage.device("display-1").get(f"/halls/{HALL}/state")
    assert "inside" not in check(answer, 500, "internal_error")
    assert "the inside" in caplog.text


def test_the_log_of_a_bug_names_the_route_and_no_track_token(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("the inside")

    monkeypatch.setattr(tickets, "_find", broken)
    track = "S0me-Track_Token-of-22"
    check(stage.new_http().get(f"{TICKETS}/{track}"), 500, "internal_error")
    assert "GET /api/v1/halls/<hall>/tickets/<ticket> failed" in caplog.text
    assert track not in caplog.text


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "HALL.example.cn", "queue.example.cn"],
)
def test_its_own_names_are_answered(stage: Stage, host: str) -> None:
    assert stage.new_http().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.0.2.77", "hall.example.cn.evil", "x"])
def test_a_foreign_host_is_refused_everywhere(stage: Stage, host: str) -> None:
    for path in ("/healthz", "/", "/api/v1/me", "/api/v1/openapi.json", "/nothing"):
        check(stage.new_http().get(path, headers={"Host": host}), 400, "wrong_host")


def test_every_problem_speaks_both_languages() -> None:
    for code, (status, zh, en) in PROBLEMS.items():
        assert 400 <= status < 600, code
        assert zh.endswith("。"), code
        assert en.endswith("."), code
    assert not set(PROBLEMS) & {code.value for code in Code}


def test_the_status_of_each_refusal() -> None:
    assert {code for code in SENTENCES if status_of(code) == 404} == {
        Code.WINDOW_NOT_FOUND,
        Code.SERIES_NOT_FOUND,
        Code.LEASE_NOT_FOUND,
        Code.SERVICE_NOT_FOUND,
        Code.PRIORITY_NOT_FOUND,
        Code.TICKET_NOT_FOUND,
        Code.APPOINTMENT_NOT_FOUND,
        Code.CASE_NOT_FOUND,
        Code.ROLL_NOT_FOUND,
    }


FILTERS = [
    "reports/day?date={day}",
    "reports/month?month={month}",
    "appointments?day={day}",
    "appointments/slots?service=general&from={day}",
    "cases?due={day}",
    "ratings?from={day}&to=2026-03-02",
    "ratings?from=2026-03-02&to={day}",
    "reports/period?from={day}&to=2026-03-02",
    "reports/period?from=2026-03-02&to={day}",
    "reports/period/file?from={day}&to=2026-03-02",
    "reports/period/file?from=2026-03-02&to={day}",
    "audit?from={day}",
    "audit?to={day}",
    "audit/file?from={day}",
    "audit/file?to={day}",
    "replay?date={day}",
    "replay/picture?date={day}&at=2026-03-02T09:00:00Z",
]


@pytest.mark.parametrize("path", FILTERS)
@pytest.mark.parametrize("day", ["2026-02-31", "2026-13-01", "0000-01-01"])
def test_a_day_that_is_not_in_the_calendar_is_told_in_both_languages(stage: Stage, path: str, day: str) -> None:
    manager = stage.person("manager")
    asked = day if "{day}" in path else "2026-13"
    url = f"/halls/{HALL}/{path.format(day=day, month=asked)}"
    zh, en = (check(manager.get(url, Accept_Language=tongue), 400, "bad_request") for tongue in ("zh", "en"))
    assert f"{asked} 在日历上没有，请改成真实的日期" in zh
    assert f"{asked}, which the calendar does not have: write a real date" in en


def test_days_in_the_wrong_order_are_told_in_both_languages(stage: Stage) -> None:
    manager = stage.person("manager")
    url = f"/halls/{HALL}/ratings?from=2026-03-02&to=2026-03-01"
    zh, en = (check(manager.get(url, Accept_Language=tongue), 400, "bad_request") for tongue in ("zh", "en"))
    assert "结束日期 2026-03-01 早于开始日期 2026-03-02，请对调或改正" in zh
    assert "swap or correct them" in en


def test_every_filter_by_days_is_one_that_looks_into_the_calendar(stage: Stage) -> None:
    paths = openapi()["paths"]
    found = {
        (path.rpartition("{hall}/")[2], row["name"])
        for path, item in paths.items()
        for operation in item.values()
        for row in operation.get("parameters", [])
        if any("\\d{4}" in str(one.get("pattern")) for one in (row["schema"], *row["schema"].get("anyOf", ())))
    }
    known = {(path.partition("?")[0], one) for path in FILTERS for one in re.findall(r"(\w+)={", path)}
    assert found == known
