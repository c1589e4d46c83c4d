"""What the kiosk decides when the server answers, is away, or does not know it; the server is pretended here."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kiosk.desk import PRESS_BURST, Desk, NotHere
from kiosk.journal import Journal
from kiosk.link import Answer, Link, ServerAway
from tests.patience import until

HALL = "/api/v1/halls/demo"
TEXT = {"zh": "税务", "en": "Tax"}
FAR = "2999-01-01T06:00:00+08:00"


class Pretended(Link):
    """A ticket server of one series; `away` and `status` say how it misbehaves."""

    def __init__(self) -> None:
        super().__init__("http://nowhere", "token")
        self.away, self.status = False, 0
        self.leased = 0
        self.open: dict[str, bool] = {}
        self.commands: list[tuple[str, dict[str, Any], str | None]] = []
        self.hours: list[dict[str, str]] | None = None
        self.refuse: dict[str, tuple[int, str]] = {}

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        if self.away:
            raise ServerAway("pulled")
        if self.status:
            return say(self.status, {"code": "not_signed_in"})
        if method == "GET":
            return say(200, self._look(path))
        asked = json.loads(body or b"{}")
        self.commands.append((path.removeprefix(HALL), asked, (headers or {}).get("Idempotency-Key")))
        if path.removeprefix(HALL) in self.refuse:
            status, code = self.refuse[path.removeprefix(HALL)]
            return say(status, {"code": code})
        if path == f"{HALL}/leases":
            first = 901 + 30 * self.leased
            self.leased += 1
            self.open[f"A{first}"] = True
            return say(
                201,
                {"lease": f"A{first}", "business_day": "2026-03-02", "first": first, "last": first + asked["count"] - 1}
                | {"ends_at": FAR},
            )
        if path.endswith("/return"):
            self.open[path.split("/")[-2]] = False
        return say(201, {"label": "A001", "track": "other-track"})

    def _look(self, path: str) -> dict[str, Any]:
        match path.removeprefix(HALL):
            case "/leases":
                paper = {"legs": [], "label": "", "service": TEXT}
                service = {"service": "tax", "zone": "z", "prefix": "A", "windows": ["1"], "paper": paper}
                return {
                    "business_day": "2026-03-02",
                    "day_open": True,
                    "ends_at": FAR,
                    "hold": 30,
                    "track_base": "http://server/t/demo/",
                    "leases": [{"lease": lease, "open": open_} for lease, open_ in self.open.items()],
                    "services": [{**service, "hours": self.hours}],
                }
            case "/state":
                return {"services": [{"service": "tax", "waiting": 7}], "zones": [{"zone": "z", "waiting": 7}]}
            case _:
                return {"priorities": [], "path": path}

    def told(self, path: str) -> list[tuple[dict[str, Any], str | None]]:
        return [(body, key) for at, body, key in self.commands if at == path]


def say(status: int, body: object) -> Answer:
    return Answer(status=status, headers={}, body=json.dumps(body).encode())


@pytest.fixture
def server() -> Pretended:
    return Pretended()


@pytest.fixture
def kiosk(tmp_path: Path, server: Pretended) -> Iterator[Callable[[], Desk]]:
    """Give a function that starts the kiosk, again with what it had."""
    running: list[tuple[Desk, Journal]] = []

    def end() -> None:
        while running:
            desk, journal = running.pop()
            desk.stop()
            journal.close()

    def start() -> Desk:
        end()
        journal = Journal(tmp_path / "journal.sqlite")
        desk = Desk("demo", server, journal, None)
        running.append((desk, journal))
        desk.start()
        return desk

    yield start
    end()


def press(desk: Desk, key: str = "k", **more: object) -> Any:
    return desk.press(json.dumps({"service": "tax", **more}).encode(), {"Idempotency-Key": key})


def without(desk: Desk, server: Pretended) -> Desk:
    """Take the server away."""
    server.away = True
    until(lambda: not desk.up, "the kiosk notices")
    return desk


def why(desk: Desk, **more: object) -> str:
    with pytest.raises(NotHere) as error:
        press(desk, "refused", **more)
    return error.value.why


def test_with_the_server_a_press_goes_there(kiosk: Callable[[], Desk], server: Pretended) -> None:
    desk = kiosk()
    assert isinstance(press(desk), Answer)
    assert server.told("/tickets") == [({"service": "tax"}, "k")]
    assert desk.health()["left"] == {"A": 30}


def test_without_it_the_kiosk_gives_its_own_and_tells_it_later_in_order(
    kiosk: Callable[[], Desk], server: Pretended
) -> None:
    desk = without(kiosk(), server)
    given = [press(desk, f"k{turn}")["label"] for turn in range(3)]
    assert given == ["A901", "A902", "A903"]
    server.away = False
    until(lambda: desk.health()["untold"] == 0, "the server is told")
    told = server.told("/offline-tickets")
    assert [(body["number"], key) for body, key in told] == [(901, "k0"), (902, "k1"), (903, "k2")]
    assert {body["business_day"] for body, _ in told} == {"2026-03-02"}


def test_a_kiosk_that_never_saw_its_server_gives_nothing(kiosk: Callable[[], Desk], server: Pretended) -> None:
    server.away = True
    assert why(kiosk()) == "server_away"


def test_what_needs_the_hall_or_is_about_a_person_is_not_given(kiosk: Callable[[], Desk], server: Pretended) -> None:
    desk = without(kiosk(), server)
    assert why(desk, visitor_ref="somebody") == "server_away"
    assert why(desk, case_number="1") == "server_away"
    assert why(desk, priority=["green"]) == "server_away"
    assert why(desk, priority=True) == "server_away"
    assert why(desk, paperless="no") == "server_away"
    assert press(desk, "page", paperless=False, priority=None, language="zh", channel="kiosk")["label"] == "A901"
    assert why(desk, service="none") == "service_not_found"
    with pytest.raises(NotHere):
        desk.press(b"no json", {})


def test_outside_the_hours_nothing_is_given(kiosk: Callable[[], Desk], server: Pretended) -> None:
    server.hours = [{"from": "2001-01-01T08:00:00+08:00", "to": "2001-01-01T09:00:00+08:00"}]
    desk = without(kiosk(), server)
    assert why(desk) == "service_closed"
    state = desk.lonely(f"{HALL}/state")
    assert state is not None
    assert state["services"] == [
        {"service": "tax", "waiting": 0, "ahead": 0, "oldest_wait_s": None, "eta": None, "left": None, "opens_at": None}
        | {"open": False}
    ]


def test_many_hands_on_the_glass_do_not_use_up_the_block(
    kiosk: Callable[[], Desk], server: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.desk.PRESS_PER_S", 0.0)
    desk = without(kiosk(), server)
    for turn in range(int(PRESS_BURST)):
        press(desk, f"k{turn}")
    assert why(desk) == "too_many"
    assert press(desk, "k0")["label"] == "A901"


def test_more_is_leased_when_half_is_used(kiosk: Callable[[], Desk], server: Pretended) -> None:
    server.leased = 0
    desk = without(kiosk(), server)
    journal = desk._journal
    for turn in range(15):
        journal.give("A", key=f"k{turn}", body={"service": "tax"}, track="t", now_ms=desk.now_ms())
    server.away = False
    until(lambda: len(server.told("/leases")) == 2, "more is leased")
    assert server.told("/leases")[1][0] == {"prefix": "A", "count": 15}
    until(lambda: desk.health()["left"] == {"A": 30}, "it is kept")


def test_a_number_that_the_hall_refuses_is_told_once_and_shown(kiosk: Callable[[], Desk], server: Pretended) -> None:
    desk = without(kiosk(), server)
    press(desk)
    server.refuse["/offline-tickets"] = (409, "offline_day_over")
    server.away = False
    until(lambda: desk.health()["untold"] == 0, "the server is told")
    assert desk.health()["refused"] == ["2026-03-02 A901: offline_day_over"]
    assert len(server.told("/offline-tickets")) == 1


def test_a_server_that_asks_to_wait_is_told_later(kiosk: Callable[[], Desk], server: Pretended) -> None:
    desk = without(kiosk(), server)
    press(desk)
    server.refuse["/offline-tickets"] = (429, "too_many")
    server.away = False
    until(lambda: len(server.told("/offline-tickets")) >= 2, "it is told again and again")
    assert desk.health()["untold"] == 1
    server.refuse.clear()
    until(lambda: desk.health()["untold"] == 0, "the server is told")


def test_a_press_that_did_reach_the_server_is_cancelled_there(kiosk: Callable[[], Desk], server: Pretended) -> None:
    desk = without(kiosk(), server)
    press(desk, priority="green")
    server.refuse["/offline-tickets"] = (422, "key_reused")
    server.away = False
    until(lambda: len(server.commands) >= 5, "the server is told")
    told = [(at, key) for at, _, key in server.commands[1:5]]
    assert told == [
        ("/offline-tickets", "k"),
        ("/tickets", "k"),
        ("/tickets/other-track/cancel?track=other-track", "k.cancel"),
        ("/offline-tickets", "k.offline"),
    ]
    assert server.told("/tickets") == [({"service": "tax", "priority": "green"}, "k")]


def test_a_kiosk_that_was_put_out_of_service_gives_nothing_any_more(
    kiosk: Callable[[], Desk], server: Pretended
) -> None:
    desk = kiosk()
    server.status = 401
    desk._wake.set()
    press(desk, "passed on")
    server.away = True
    without(desk, server)
    server.away, server.status = False, 401
    until(lambda: "enrol" in desk.health()["trouble"], "the kiosk hears that it is out")
    without(desk, server)
    assert why(desk) == "offline_used_up"
    assert why(kiosk()) == "offline_used_up"


def test_a_kiosk_without_its_memory_gives_back_what_it_held(
    kiosk: Callable[[], Desk], server: Pretended, tmp_path: Path
) -> None:
    server.open["A871"] = True  # leased by this kiosk before its disk was changed
    desk = kiosk()
    assert server.open == {"A871": False, "A901": True}
    assert desk.health()["left"] == {"A": 30}


def test_a_block_that_the_hall_has_ended_is_not_used(kiosk: Callable[[], Desk], server: Pretended) -> None:
    kiosk()
    server.open["A901"] = False
    desk = kiosk()
    without(desk, server)
    assert press(desk)["label"] == "A931"


def test_the_state_without_the_server_says_so_and_nobody_s_wait(kiosk: Callable[[], Desk], server: Pretended) -> None:
    desk = without(kiosk(), server)
    state = desk.lonely(f"{HALL}/state")
    assert state is not None
    assert (state["offline"], state["services"][0]["waiting"], state["services"][0]["open"]) == (True, 0, True)
    assert state["zones"][0]["waiting"] == 0
    assert desk.lonely(f"{HALL}/tickets/A001") is None
    assert desk.lonely("/api/v1/devices") == {"devices": []}
    assert desk.lonely("/api/v1/me") == {"priorities": [], "path": "/api/v1/me"}
