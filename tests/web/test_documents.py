"""The OpenAPI document, the pages, health and figures."""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from server.domain.commands import PlanHall
from server.domain.refusals import Code
from server.domain.terms import CLOCK
from server.web.app import create_app, openapi
from server.web.buckets import ISSUE_BURST, LOGIN_BURST
from server.web.openapi import openapi_json
from server.web.problems import PROBLEMS
from server.web.reference import drawn
from tests.web.stage import HALL, Stage


def test_the_document_is_valid_and_names_every_route(stage: Stage) -> None:
    document = openapi()
    validate(document)
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in create_app(stage.site).url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.endpoint.startswith("docs.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


def test_the_kept_document_is_the_one_the_code_draws(root: Path) -> None:
    kept = (root / "server/ui/lib/src/openapi.json").read_text(encoding="utf-8")
    assert kept == openapi_json(), "run: python -m server.web.openapi > server/ui/lib/src/openapi.json"


def test_the_document_is_served_to_everybody(stage: Stage) -> None:
    answer = stage.new_http().get("/api/v1/openapi.json")
    assert answer.json == json.loads(openapi_json())


def test_commands_may_carry_a_key_and_bodies_that_may_be_empty_say_so() -> None:
    paths = openapi()["paths"]
    post = paths["/api/v1/halls/{hall}/windows/{no}/call-next"]["post"]
    assert [row["name"] for row in post["parameters"]] == ["hall", "no", "Idempotency-Key"]
    assert post["requestBody"]["required"] is False
    assert paths["/api/v1/halls/{hall}/tickets"]["post"]["requestBody"]["required"] is True
    assert set(paths["/api/v1/halls/{hall}/tickets"]["post"]["responses"]) == {"201", "4XX", "5XX"}


def test_the_docs_page_asks_no_other_host(stage: Stage) -> None:
    http = stage.new_http()
    page = http.get("/api/v1/docs")
    assert page.status_code == 200
    assert "//" not in re.sub(r"<!doctype html>", "", page.text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert http.get(address, buffered=True).status_code == 200, address
    assert "'unsafe-inline'" in page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]


@pytest.fixture
def built(stage: Stage) -> Stage:
    """Give a server whose pages are built."""
    folders = stage.site.pages
    for folder, names in (
        (folders.server, ("home", "login", "clerk", "guide", "manager", "ticket")),
        (folders.kiosk, ("kiosk",)),
        (folders.display, ("board", "strip")),
    ):
        (folder / "assets").mkdir(parents=True)
        for name in names:
            (folder / f"{name}.html").write_text(f"<!doctype html><title>{name}</title>")
        (folder / "assets" / "app-1a2b.js").write_text("//")
    return stage


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "home"),
        ("/login", "login"),
        ("/clerk", "clerk"),
        ("/guide", "guide"),
        ("/manager", "manager"),
        ("/kiosk", "kiosk"),
        ("/board", "board"),
        ("/strip", "strip"),
        (f"/t/{HALL}/abcdefghijklmnopqrstuv", "ticket"),
    ],
)
def test_pages_are_served_with_a_strict_policy(built: Stage, path: str, name: str) -> None:
    answer = built.new_http().get(path, buffered=True)
    assert f"<title>{name}</title>" in answer.text
    assert answer.headers["Cache-Control"] == ("no-store" if name == "ticket" else "no-cache")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self' ws://localhost wss://localhost" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_a_ticket_page_brings_its_first_picture_as_data_and_never_as_markup(built: Stage) -> None:
    (built.site.pages.server / "ticket.html").write_text('<!doctype html><body><div id="app"></div></body>')
    evil = "</script><script>alert(1)</script>"
    plan = replace(built.hall.plan, name={"zh": evil, "en": evil})
    built.hall.handle(PlanHall(plan=plan), actor=CLOCK)
    issued = built.issue()
    http = built.new_http()
    answer = http.get(f"/t/{HALL}/{issued['track']}", buffered=True)
    block = re.search(r'<script type="application/json" id="first">(.*?)</script>', answer.text)
    assert block is not None
    first = json.loads(block[1])
    assert (first["data"]["label"], first["data"]["hall_name"]["zh"]) == (issued["label"], evil)
    assert first["seq"] == built.hall.seq
    assert f"<h1>{issued['label']}<b>前面 0 人</b></h1>" in answer.text
    assert "<script>alert" not in answer.text
    assert "ETag" not in answer.headers
    for stranger in (f"/t/{HALL}/{'x' * 22}", f"/t/nowhere/{issued['track']}", f"/t/other/{issued['track']}"):
        assert "first" not in http.get(stranger, buffered=True).text, stranger


def test_files_are_packed_for_who_takes_that(built: Stage) -> None:
    path, words = built.site.pages.server / "assets" / "app-1a2b.js", "let a = 1;" * 1000
    path.write_text(words)
    http = built.new_http()
    asked = {accept: http.get("/pages/server/assets/app-1a2b.js", headers={"Accept-Encoding": accept}, buffered=True)
             for accept in ("gzip, deflate", "identity", "gzip;q=0")}  # fmt: skip
    packed = asked["gzip, deflate"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data).decode() == words
    assert len(packed.data) < len(words) / 10
    assert packed.content_length == len(packed.data)
    for plain in (asked["identity"], asked["gzip;q=0"]):
        assert "Content-Encoding" not in plain.headers
        assert plain.text == words
    assert {answer.headers["Vary"] for answer in asked.values()} == {"Accept-Encoding"}


def test_assets_may_be_kept_for_a_year_and_nothing_else_leaves_the_folder(built: Stage) -> None:
    http = built.new_http()
    for area in ("server", "kiosk", "display"):
        answer = http.get(f"/pages/{area}/assets/app-1a2b.js", buffered=True)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in (
        "/pages/server/../accounts.sqlite",
        "/pages/server/%2e%2e/accounts.sqlite",
        "/pages/server/..%2faccounts.sqlite",
        "/pages/drivers/assets/app-1a2b.js",
        "/pages/server/clerk.html",
    ):
        assert http.get(path).status_code == 404, path


def test_pages_that_are_not_built_say_how(stage: Stage) -> None:
    answer = stage.new_http().get("/kiosk", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert answer.status_code == 503
    assert "`make run` builds them" in answer.text


def test_health(make_stage: Callable[..., Stage]) -> None:
    ill: list[str | None] = [None]
    stage = make_stage(checks={"ledger": lambda: ill[0], "clock": lambda: None})
    http = stage.new_http()
    assert http.get("/healthz").json == {"alive": True}
    ready = http.get("/readyz")
    well = {"ready": True, "checks": {"ledger": "ok", "clock": "ok"}, "reserve": "held", "notes": []}
    assert (ready.status_code, ready.json) == (200, well)
    ill[0] = "no space left"
    ready = http.get("/readyz")
    assert (ready.status_code, ready.json["checks"]["ledger"]) == (503, "no space left")  # type: ignore[index]
    assert http.get("/healthz").status_code == 200


def test_figures_for_prometheus(stage: Stage) -> None:
    stage.issue()
    stage.new_http().open("/nothing", method="BREW")
    lines = stage.new_http().get("/metrics").text.splitlines()
    assert f'jiaohao_waiting{{hall="{HALL}",zone="general"}} 1' in lines
    route = "/api/v1/halls/<hall>/tickets"
    assert f'jiaohao_http_requests_total{{method="POST",route="{route}",status="201"}} 1' in lines
    assert f'jiaohao_http_request_seconds_bucket{{route="{route}",le="+Inf"}} 1' in lines
    assert any('method="(other)"' in line for line in lines)
    names = [re.split(r"[ {]", line.removeprefix("# TYPE "))[0] for line in lines]
    families = [re.sub(r"_(bucket|sum|count)$", "", name) for name in names]
    assert len([one for one, before in zip(families, ["", *families], strict=False) if one != before]) == len(
        set(families)
    )
    for line in lines:
        assert re.fullmatch(r"# TYPE \w+ \w+|\w+(\{.*\})? [-+.e\d]+", line), line


def test_the_wire_reference_is_drawn_from_the_code(root: Path) -> None:
    page = (root / "docs/api.md").read_text(encoding="utf-8")
    assert drawn(page) == page, "run: python -m server.web.reference docs/api.md"
    for code in (*Code, *PROBLEMS):
        assert f"| `{code}` |" in page
    assert f"{LOGIN_BURST} sign-ins" in page
    assert f"{ISSUE_BURST} numbers" in page
