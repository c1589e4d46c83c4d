"""Who may do what: every role against every route, cookies with their CSRF header, sessions that end."""

import re
from collections.abc import Callable

import pytest

from server.people import DEVICE_ROLES, PERSON_ROLES, SESSION_IDLE_S, Role
from server.web.app import create_app
from server.web.auth import RIGHTS
from server.web.buckets import AUDIT_BURST
from tests.web.stage import HALL, OTHER, PASSWORD, Stage

P = frozenset(PERSON_ROLES)
D = frozenset(DEVICE_ROLES)
CHIEFS = {"manager", "admin"}
STAFF = CHIEFS | {"clerk", "guide"}
WINDOW = f"/halls/{HALL}/windows/1"

# Written by hand, not drawn from the table it checks. The clerk sits at window 1.
MATRIX: list[tuple[str, str, set[str]]] = [
    ("GET", "/halls", {*P, *D}),
    ("GET", f"/halls/{HALL}", {*P, *D}),
    ("GET", f"/halls/{HALL}/state", {*P, *D}),
    ("POST", f"/halls/{HALL}/tickets", CHIEFS | {"guide", "kiosk", "integration"}),
    ("GET", f"/halls/{HALL}/tickets", {*P}),
    ("GET", f"/halls/{HALL}/tickets/A001", {*P, "kiosk", "devices", "integration"}),
    ("POST", f"/halls/{HALL}/tickets/A001/legs", STAFF),
    ("POST", f"/halls/{HALL}/tickets/A001/cancel", STAFF | {"integration"}),
    ("POST", f"/halls/{HALL}/tickets/A001/reinstate", STAFF | {"kiosk", "integration"}),
    ("POST", f"/halls/{HALL}/tickets/A001/back", STAFF | {"kiosk", "integration"}),
    ("POST", f"/halls/{HALL}/tickets/A001/case", STAFF | {"integration"}),
    ("POST", f"/halls/{HALL}/results", CHIEFS | {"integration"}),
    ("GET", f"/halls/{HALL}/results", {*P}),
    ("POST", f"/halls/{HALL}/tickets/A001/reprint", STAFF | {"kiosk", "integration"}),
    ("POST", f"/halls/{HALL}/tickets/A001/rate", {"kiosk", "devices", "integration"}),
    ("GET", f"/halls/{HALL}/appointments/slots", {*P, *D}),
    ("POST", f"/halls/{HALL}/appointments", CHIEFS | {"guide", "kiosk", "integration"}),
    ("GET", f"/halls/{HALL}/appointments", {*P}),
    ("GET", f"/halls/{HALL}/appointments/short", {*P, "kiosk", "integration"}),
    ("POST", f"/halls/{HALL}/appointments/short/cancel", STAFF | {"integration"}),
    ("POST", f"/halls/{HALL}/appointments/check-in", CHIEFS | {"guide", "kiosk", "integration"}),
    ("POST", f"/halls/{HALL}/appointments/import", CHIEFS | {"integration"}),
    ("GET", f"/halls/{HALL}/balance", CHIEFS | {"auditor"}),
    ("GET", f"/halls/{HALL}/balance/what-if?service=tax", CHIEFS),
    ("POST", f"/halls/{HALL}/balance/on-1-tax/apply", CHIEFS),
    ("POST", f"/halls/{HALL}/balance/on-1-tax/decline", CHIEFS),
    ("POST", f"/halls/{HALL}/balance/changes/1/undo", CHIEFS),
    ("PUT", f"/halls/{HALL}/balance/limits", CHIEFS),
    ("POST", f"/halls/{HALL}/announcements", CHIEFS | {"guide"}),
    ("POST", f"/halls/{HALL}/announcements/end", CHIEFS | {"guide"}),
    ("GET", f"/halls/{HALL}/rolls", STAFF),
    ("POST", f"/halls/{HALL}/rolls", CHIEFS | {"guide"}),
    ("POST", f"/halls/{HALL}/rolls/X/torn-off", CHIEFS | {"guide"}),
    ("POST", f"/halls/{HALL}/rolls/X/end", CHIEFS | {"guide"}),
    ("GET", f"/halls/{HALL}/leases", CHIEFS | {"auditor", "kiosk"}),
    ("POST", f"/halls/{HALL}/leases", {"kiosk"}),
    ("POST", f"/halls/{HALL}/leases/A901/return", CHIEFS | {"kiosk"}),
    ("POST", f"/halls/{HALL}/offline-tickets", {"kiosk"}),
    ("POST", f"{WINDOW}/rate", set()),
    ("GET", f"/halls/{HALL}/clerks/clerk/photo", {*P, *D}),
    ("GET", f"/halls/{HALL}/media", {*P, *D}),
    ("GET", f"/halls/{HALL}/media/1.png", {*P, *D}),
    ("GET", f"/halls/{HALL}/prompts", {*P, *D}),
    ("GET", f"/halls/{HALL}/prompts/zh/1.wav", {*P, *D}),
    *(
        ("POST", f"{WINDOW}/{move}", CHIEFS | {"clerk"})
        for move in (
            *("open", "pause", "resume", "close", "call-next", "call", "recall", "start", "finish", "missed"),
            *(
                "no-show",
                "return",
                "undo",
                "hold",
                "resume-held",
                "transfer",
                "notice",
                "await-result",
                "hand-over",
                "move-held",
                "alive",
            ),
        )
    ),
    *(("POST", f"/halls/{HALL}/windows/2/{move}", CHIEFS) for move in ("open", "call-next", "finish")),
    ("PUT", f"{WINDOW}/services", CHIEFS),
    ("POST", f"/halls/{HALL}/day/close", CHIEFS),
    ("GET", f"/halls/{HALL}/commits", CHIEFS | {"auditor", "devices", "integration"}),
    ("GET", f"/halls/{HALL}/settings", CHIEFS | {"auditor", "integration"}),
    ("GET", f"/halls/{HALL}/settings/1", CHIEFS | {"auditor", "integration"}),
    ("POST", f"/halls/{HALL}/settings/check", CHIEFS),
    ("PUT", f"/halls/{HALL}/settings", CHIEFS),
    ("GET", f"/halls/{HALL}/ledger", CHIEFS | {"auditor", "devices", "integration"}),
    ("GET", f"/halls/{HALL}/reports/day", CHIEFS | {"auditor", "integration"}),
    ("GET", f"/halls/{HALL}/reports/month", CHIEFS | {"auditor", "integration"}),
    ("GET", f"/halls/{HALL}/audit", CHIEFS | {"auditor"}),
    ("GET", f"/halls/{HALL}/audit/file", CHIEFS | {"auditor"}),
    ("GET", f"/halls/{HALL}/replay?date=2026-03-02", CHIEFS | {"auditor"}),
    ("GET", f"/halls/{HALL}/replay/picture?date=2026-03-02&at=2026-03-02T09:00:00%2B08:00", CHIEFS | {"auditor"}),
    ("GET", f"/halls/{HALL}/reports/period?from=2026-03-02&to=2026-03-02", CHIEFS | {"auditor", "integration"}),
    ("GET", f"/halls/{HALL}/reports/period/file?from=2026-03-02&to=2026-03-02", CHIEFS | {"auditor", "integration"}),
    ("POST", f"/halls/{HALL}/cases", STAFF),
    ("GET", f"/halls/{HALL}/cases", {*P, "integration"}),
    ("GET", f"/halls/{HALL}/cases/C20260302-001", {*P, "integration"}),
    *(
        ("POST", f"/halls/{HALL}/cases/C20260302-001/{move}", STAFF)
        for move in ("log", "finish", "withdraw", "hand-over", "take", "appeal")
    ),
    ("POST", f"/halls/{HALL}/cases/C20260302-001/decide-appeal", CHIEFS),
    ("GET", f"/halls/{HALL}/cases/C20260302-001/export", CHIEFS | {"auditor", "integration"}),
    ("POST", f"/halls/{HALL}/cases/receive", CHIEFS | {"integration"}),
    ("POST", f"/halls/{HALL}/cases/C20260302-001/confirm", CHIEFS | {"integration"}),
    ("POST", f"/halls/{HALL}/cases/C20260302-001/report-back", CHIEFS | {"integration"}),
    ("GET", f"/halls/{HALL}/ratings", CHIEFS | {"auditor", "integration"}),
    ("GET", "/devices", CHIEFS | {"auditor", "devices", "kiosk"}),
    ("PUT", f"/halls/{HALL}/devices/d1", {"devices"}),
    *(("POST", f"/halls/{HALL}/devices/d1/{what}", {"devices"}) for what in ("number", "card-key", "card", "scan")),
]


@pytest.mark.parametrize("role", [*sorted(P | D), "nobody"])
def test_every_role_against_every_route(stage: Stage, role: str) -> None:
    stage.issue()
    client = stage.anybody(role)
    for method, path, allowed in MATRIX:
        status = client.send(method, path, {"unknown": 1} if method != "GET" else None).status_code
        refused = 401 if role == "nobody" else 403
        # Who is let in is stopped by the unknown field, before anything happens.
        expected = {200, 404, 422} if role in allowed else {refused}
        assert status in expected, (role, method, path, status)


def test_a_tablet_may_what_a_display_may_and_grade_at_its_own_window(stage: Stage) -> None:
    stage.issue()
    tablet = stage.tablet("1")
    for method, path, allowed in MATRIX:
        status = tablet.send(method, path, {"unknown": 1} if method != "GET" else None).status_code
        expected = {200, 404, 422} if "display" in allowed or path == f"{WINDOW}/rate" else {403}
        assert status in expected, (method, path, status)
    grade = {"grade": 5, "ticket": "A001"}
    for window in (f"/halls/{HALL}/windows/2", f"/halls/{OTHER}/windows/1"):
        assert tablet.post(f"{window}/rate", grade).status_code == 403
    assert stage.tablet("1", hall=OTHER).post(f"{WINDOW}/rate", grade).status_code == 403
    stage.people.revoke_device("tablet-1")
    assert tablet.post(f"{WINDOW}/rate", grade).status_code == 401


def test_the_matrix_names_every_route_that_is_not_open(stage: Stage) -> None:
    app = create_app(stage.site)
    adapter = app.url_map.bind("localhost")
    seen = {adapter.match(f"/api/v1{path.partition('?')[0]}", method=method)[0] for method, path, _ in MATRIX}
    visitors = {"booking.online_booking", "booking.book_online"}  # open or shut by the hall file, whoever asks
    assert seen | visitors == {endpoint for endpoint, right in RIGHTS.items() if not right.everybody}


def test_every_route_of_the_api_has_a_row_of_rights(stage: Stage) -> None:
    app = create_app(stage.site)
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    documents = {endpoint for endpoint in routes if endpoint.startswith("docs.")}
    assert routes - documents <= set(RIGHTS)


def test_a_route_without_a_row_is_closed(stage: Stage) -> None:
    app = create_app(stage.site)
    app.add_url_rule("/api/v1/forgotten", "forgotten", lambda: "open")
    answer = app.test_client().get("/api/v1/forgotten")
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")  # type: ignore[index]


def test_nobody_acts_across_halls(stage: Stage) -> None:
    foreign = stage.device("kiosk-other")
    assert foreign.post(f"/halls/{OTHER}/tickets", {"service": "general"}).status_code == 201
    assert foreign.post(f"/halls/{HALL}/tickets", {"service": "general"}).json["code"] == "not_allowed"  # type: ignore[index]
    assert foreign.get(f"/halls/{HALL}/state").status_code == 403
    clerk = stage.person("clerk", window="1", hall=OTHER)
    assert clerk.post(f"/halls/{OTHER}/windows/1/open").status_code == 200
    assert clerk.post(f"{WINDOW}/open").status_code == 403
    assert stage.person("manager").put(f"/halls/{OTHER}/windows/1/services", {"serves": ["tax"]}).status_code == 403
    assert stage.person("boss").put(f"/halls/{OTHER}/windows/1/services", {"serves": ["tax"]}).status_code == 200
    # A device without a hall serves all of them.
    assert stage.device("integration-all").post(f"/halls/{OTHER}/tickets", {"service": "tax"}).status_code == 201


def test_a_clerk_signs_in_only_where_the_account_allows(stage: Stage) -> None:
    def login(**more: str) -> str:
        answer = stage.nobody().post("/login", {"work_id": "clerk2", "password": PASSWORD, **more})
        return "ok" if answer.status_code == 200 else str(answer.json["code"])  # type: ignore[index]

    assert login(window="2") == "ok"
    assert login(window="1") == "window_not_yours"
    assert login(window="99") == "window_not_found"
    assert login(window="2", hall=OTHER) == "not_allowed"
    answer = stage.nobody().post("/login", {"work_id": "clerk", "password": PASSWORD, "window": "1"})
    assert answer.json["code"] == "hall_missing"  # type: ignore[index]


def test_commands_with_a_session_cookie_need_the_token_of_that_session(stage: Stage) -> None:
    client = stage.person("clerk", window="1", hall=HALL)
    good = client.csrf
    for bad in (None, "", "x", stage.person("manager").csrf):
        client.csrf = bad
        answer = client.post(f"{WINDOW}/open")
        assert (answer.status_code, answer.json["code"]) == (403, "csrf")  # type: ignore[index]
        assert client.post("/logout").status_code == 403
    client.csrf = good
    assert client.post(f"{WINDOW}/open").status_code == 200


def test_a_page_of_another_site_cannot_send_commands(stage: Stage) -> None:
    client = stage.person("clerk", window="1", hall=HALL)
    for origin in ("http://evil.example", "null", "http://localhost.evil.example:8000", "http://localhost:9999"):
        answer = client.post(f"{WINDOW}/open", Origin=origin)
        assert (answer.status_code, answer.json["code"]) == (403, "csrf"), origin  # type: ignore[index]
        login = stage.nobody().post("/login", {"work_id": "clerk", "password": PASSWORD}, Origin=origin)
        assert login.status_code == 403
    for origin in ("http://localhost", "http://localhost:8000", "https://queue.example.cn"):
        assert (
            stage.nobody().post("/login", {"work_id": "manager", "password": PASSWORD}, Origin=origin).status_code
            == 200
        )


def test_a_browser_becomes_a_device_by_its_cookie(stage: Stage) -> None:
    code = stage.people.new_code("kiosk-9", role="kiosk", hall=HALL)
    page = stage.nobody()
    answer = page.post("/devices/enrol", {"code": code.lower().replace("-", " ")})
    assert answer.json["device"] == "kiosk-9"  # type: ignore[index]
    assert re.search(r"jiaohao_device=[^;]+;.*HttpOnly;.*SameSite=Strict", answer.headers["Set-Cookie"])
    assert page.get("/me").json["kind"] == "device"  # type: ignore[index]
    assert page.post(f"/halls/{HALL}/tickets", {"service": "tax"}).json["code"] == "csrf"  # type: ignore[index]
    page.csrf = "page"
    assert page.post(f"/halls/{HALL}/tickets", {"service": "tax"}).status_code == 201
    again = stage.nobody().post("/devices/enrol", {"code": code})
    assert (again.status_code, again.json["code"]) == (401, "code_unknown")  # type: ignore[index]
    stage.people.revoke_device("kiosk-9")
    assert page.get("/me").json["kind"] == "nobody"  # type: ignore[index]
    assert page.post(f"/halls/{HALL}/tickets", {"service": "tax"}).status_code == 401


def test_me_says_who_and_never_fails(stage: Stage) -> None:
    nobody = stage.nobody().get("/me").json
    assert nobody == {
        "kind": "nobody",
        "csrf": "",
        "languages": ["zh", "en"],
        "drill": False,
        "dev": False,
        "halls": [{"hall": hall, "name": {"zh": "测试大厅", "en": "Test hall"}} for hall in (HALL, OTHER)],
    }
    me = stage.person("clerk2", window="2").get("/me").json
    assert me is not None
    assert (me["kind"], me["work_id"], me["role"], me["hall"], me["window"]) == ("person", "clerk2", "clerk", HALL, "2")
    assert len(me["csrf"]) > 20
    device = stage.device("display-1").get("/me").json
    assert device is not None
    assert (device["kind"], device["device"], device["role"], device["hall"]) == (
        "device",
        "display-1",
        "display",
        HALL,
    )


def test_the_session_cookie_is_for_this_server_only(stage: Stage) -> None:
    body = {"work_id": "manager", "password": PASSWORD}
    plain = stage.nobody().post("/login", body).headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Strict" in plain
    assert "Secure" not in plain
    assert "Secure" in stage.nobody().post("/login", body, Host="queue.example.cn").headers["Set-Cookie"]


def test_signing_out_ends_the_session_everywhere(stage: Stage) -> None:
    client = stage.person("manager")
    copy = stage.nobody()
    copy.http.set_cookie("jiaohao_session", client.http.get_cookie("jiaohao_session").value)  # type: ignore[union-attr]
    assert copy.get(f"/halls/{HALL}").status_code == 200
    assert client.post("/logout").json == {"kind": "nobody"}
    assert client.get(f"/halls/{HALL}").status_code == 401
    assert copy.get(f"/halls/{HALL}").status_code == 401


def test_an_idle_session_ends_and_a_used_one_does_not(stage: Stage) -> None:
    client = stage.person("manager")
    for _ in range(3):
        stage.wall.forward(SESSION_IDLE_S - 60)
        assert client.get(f"/halls/{HALL}").status_code == 200
    stage.wall.forward(SESSION_IDLE_S + 60)
    assert client.get(f"/halls/{HALL}").status_code == 401


def test_a_disabled_account_is_out_at_once(stage: Stage) -> None:
    client = stage.person("manager")
    identity = stage.people.by_session(client.http.get_cookie("jiaohao_session").value)  # type: ignore[union-attr]
    assert identity is not None
    assert stage.people.is_valid(identity)
    stage.people.disable_user("manager")
    assert not stage.people.is_valid(identity)
    assert client.get(f"/halls/{HALL}").status_code == 401


def test_a_wrong_token_is_not_helped_by_a_cookie(stage: Stage) -> None:
    client = stage.person("manager")
    assert client.get(f"/halls/{HALL}", Authorization="Bearer wrong").status_code == 401
    assert client.get(f"/halls/{HALL}", Authorization="Basic abc").status_code == 200


def test_dev_opens_reading_on_loopback_and_nothing_else(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(dev=True)
    nobody = stage.nobody()
    assert nobody.get(f"/halls/{HALL}/state").status_code == 200
    assert nobody.get("/me").json["dev"] is True  # type: ignore[index]
    assert nobody.post(f"/halls/{HALL}/tickets", {"service": "tax"}).status_code == 401
    assert nobody.get(f"/halls/{HALL}/tickets").status_code == 401
    assert nobody.get(f"/halls/{HALL}/commits").status_code == 401
    far = nobody.http.get(f"/api/v1/halls/{HALL}", environ_base={"REMOTE_ADDR": "192.168.1.9"})
    assert far.status_code == 401


def test_five_failures_lock_the_name_known_or_not(stage: Stage) -> None:
    def login(name: str, password: str) -> tuple[int, str | None]:
        answer = stage.nobody().post("/login", {"work_id": name, "password": password})
        return answer.status_code, answer.headers.get("Retry-After")

    for name in ("guide", "nobody-knows-him"):
        assert [login(name, "wrong")[0] for _ in range(6)] == [401] * 5 + [429]
    assert login("guide", PASSWORD) == (429, "900")
    stage.wall.forward(901)
    assert login("guide", PASSWORD)[0] == 200
    assert [login("guide", "wrong")[0] for _ in range(4)] == [401] * 4
    assert login("guide", PASSWORD)[0] == 200, "a good sign-in forgets the failures"


def test_unknown_and_wrong_give_the_same_answer_for_the_same_work(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[str] = []
    verify = stage.people._verify

    def watched(hashed: str, word: str) -> bool:
        work.append(hashed[:30])
        return verify(hashed, word)

    monkeypatch.setattr(stage.people, "_verify", watched)
    stage.people.disable_user("guide")
    texts = {
        stage.nobody().post("/login", {"work_id": name, "password": word}).text
        for name, word in (("manager", "wrong"), ("nobody", "wrong"), ("guide", PASSWORD))
    }
    assert len(texts) == 1
    assert len(work) == 3
    assert len(set(work)) == 1, "the same parameters for accounts that do not exist"


def test_the_work_of_a_sign_in_goes_to_the_offload(stage: Stage) -> None:
    ran: list[bool] = []

    def offload(check: Callable[[], bool]) -> bool:
        ran.append(check())
        return ran[-1]

    stage.people._offload = offload
    stage.person("manager")
    assert ran == [True]


def test_roles_are_people_or_devices() -> None:
    assert frozenset(Role) == P | D
    assert not P & D


def test_sign_ins_and_refusals_are_kept_on_record(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "server.audit")
    track = stage.issue()["track"]
    stage.person("guide").post("/logout", X_CSRF_Token="wrong")
    stage.nobody().post("/login", {"work_id": "guide", "password": "wrong-word"})
    stage.nobody().post("/login", {"work_id": "my secret word!", "password": "x"})
    stage.nobody().get(f"/halls/{HALL}/commits?track={track}")
    stage.nobody().post("/devices/enrol", {"code": "AAAA-BBBB"})
    lines = [record.getMessage() for record in caplog.records if record.name == "server.audit"]
    assert lines == [
        "sign-in done: 'guide' from 127.0.0.1",
        "refused csrf: POST /api/v1/logout by guide from 127.0.0.1",
        "sign-in failed: 'guide' from 127.0.0.1",
        "sign-in failed: '?' from 127.0.0.1",
        "refused not_signed_in: GET /api/v1/halls/<hall>/commits by nobody from 127.0.0.1",
        "a wrong code from 127.0.0.1",
    ]


def test_a_flood_of_refusals_does_not_fill_the_record(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(AUDIT_BURST + 30):
        stage.nobody().get(f"/halls/{HALL}")
    lines = [record for record in caplog.records if record.name == "server.audit"]
    assert AUDIT_BURST <= len(lines) <= AUDIT_BURST + 10
