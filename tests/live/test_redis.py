"""Two real servers on one Redis: a press on one is on the board of the other, and either may die."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from server.main import main
from tests.ledger.redis_group import group
from tests.ledger.redis_server import RedisServer, needs_redis
from tests.live.house import HALL, House, Watcher, rising
from tests.live.test_serve import refused
from tests.patience import PATIENCE_S, until

pytestmark = needs_redis


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """Give a server of the test's own."""
    server = RedisServer().start()
    yield server
    server.remove()


@pytest.fixture
def houses(root: Path, tmp_path: Path, redis: RedisServer) -> Iterator[list[House]]:
    """Give two servers of the same hall; the first brings its accounts, so both know everybody."""
    made = [House(root, tmp_path / name) for name in ("one", "two")]
    made[1].tokens = made[0].tokens
    try:
        for house in made:
            house.server.start("--ledger", redis.url())
        yield made
    finally:
        for house in made:
            house.close()


def test_a_clerk_who_is_moved_to_another_server_stays_signed_in(houses: list[House], redis: RedisServer) -> None:
    one, two = houses
    clerk = one.person("1001", "1")
    moved = two.server.api()  # what a load balancer does to a browser
    moved._session.headers.update(clerk._session.headers)
    moved._session.cookies.update(clerk._session.cookies)
    assert moved.send("GET", "/me")["work_id"] == "1001"
    moved.hall("POST", "/windows/1/open")
    press(one, "p")
    called = clerk.hall("POST", "/windows/1/call-next")
    place = "/tickets/" + called["ticket"]
    until(lambda: moved.hall("GET", place, good=False)["status"] == "called", "the other server has heard of the call")
    console = two.watcher(cookies=moved.cookies).watch("window:1")
    until(lambda: console.last("window:1") is not None, "the console on the other server")

    data = two.server.data
    words = ["user", "disable", "1001", "--data", str(data), "--ledger", redis.url()]
    assert CliRunner().invoke(main, words).exit_code == 0  # on the other server's machine
    until(lambda: clerk.send("GET", "/me")["kind"] == "nobody", "signed out at the first")
    until(lambda: moved.send("GET", "/me")["kind"] == "nobody", "signed out at the second")
    until(lambda: console.disconnects > 0, "the open line is closed")
    new = CliRunner().invoke(main, ["device", "enrol", "kiosk-2", "--role", "kiosk", "--hall", HALL, "--print-token",
                                    "--data", str(data), "--ledger", redis.url()])  # fmt: skip
    for house in houses:
        assert house.server.api(new.stdout.strip()).press()["number"] > 1
    moved.close()


def test_two_servers_show_the_same_and_outlive_redis_and_each_other(houses: list[House], redis: RedisServer) -> None:
    one, two = houses
    here, there = (house.watcher("display").watch("board") for house in houses)
    given = [press(houses[n % 2], f"p{n}") for n in range(6)]
    assert [ticket["number"] for ticket in given] == [1, 2, 3, 4, 5, 6]
    for screen in (here, there):
        until(partial(_shows, screen, given[-1]["seq"]), "the last press on the board")
        assert rising(screen.seqs("board"))
    assert here.last("board")["data"] == there.last("board")["data"]  # type: ignore[index]

    redis.kill()
    until(lambda: readiness(one) == 503, "not ready")
    assert press(one, "p6", good=False)["code"] in {"ledger_unavailable", "outcome_unknown"}
    redis.start()
    until(lambda: readiness(one) == readiness(two) == 200, "ready again, without a restart")
    assert press(one, "p6")["number"] == 7

    printer = {"kind": "printer", "driver": "escpos", "url": "tcp://127.0.0.1:9100", "health": "ok"}
    one.api("devices").hall("PUT", "/devices/printer-1", printer)
    agent = one.watcher("devices").watch("device:printer-1")
    printed = [press(one, "p7")]
    until(lambda: len(agent.jobs) >= len(printed), "the agent prints for all servers")

    one.server.end(signal.SIGKILL)
    again = press(two, "p0")
    assert (again["ticket"], again["number"]) == (given[0]["ticket"], 1)
    printed.append(press(two, "p8"))  # while the agent is on its way to the other server
    assert printed[-1]["number"] == 9
    two.api("devices").hall("PUT", "/devices/printer-1", printer)
    agent = two.watcher("devices").watch("device:printer-1")
    until(lambda: printed[-1]["ticket"] in {job["data"]["ticket"] for job in agent.jobs}, "nothing is left unprinted")
    assert {job["id"] for job in agent.jobs} >= {f"{printed[-1]['seq']}.0"}


@pytest.mark.faults
def test_screens_of_two_servers_see_everything_in_order_while_masters_die(root: Path, tmp_path: Path) -> None:
    with group() as three:
        made = [House(root, tmp_path / name) for name in ("one", "two")]
        made[1].tokens = made[0].tokens
        try:
            for house in made:
                house.server.start("--ledger", three.url())
            screens = [house.watcher("display").watch("board") for house in made]
            numbers: list[int] = []
            for turn in range(3):
                for n in range(10):
                    until(partial(pressed, made[n % 2], f"{turn}-{n}", numbers), "a number")
                old = three.master()
                old.kill()
                until(partial(pressed, made[0], f"{turn}-after", numbers), "a number from the new master")
                old.start()
                until(three.is_ready, "the old master follows")
            assert numbers == list(range(1, 34))
            last = press(made[1], "last")["seq"]
            for screen in screens:
                until(partial(_shows, screen, last), "the last press on the board")
                assert rising(screen.seqs("board"))
            assert screens[0].last("board")["data"] == screens[1].last("board")["data"]  # type: ignore[index]
        finally:
            for house in made:
                house.close()


def pressed(house: House, key: str, numbers: list[int]) -> bool:
    """Press until there is an answer."""
    said = house.api("kiosk").hall("POST", "/tickets", {"service": "general"}, key=key, good=False)
    if "number" in said:
        numbers.append(said["number"])
    else:
        assert said["code"] in {"ledger_unavailable", "outcome_unknown"}
    return "number" in said


def press(house: House, key: str, *, good: bool = True) -> Any:
    """Press at a server's kiosk."""
    return house.api("kiosk").hall("POST", "/tickets", {"service": "general"}, key=key, good=good)


def readiness(house: House) -> int:
    """Ask a server whether it can give a number."""
    return requests.get(f"{house.server.url}/readyz", timeout=PATIENCE_S).status_code


def _shows(screen: Watcher, seq: int) -> bool:
    return screen.seqs("board")[-1:] == [seq]


def test_a_redis_that_is_not_there_is_told_in_one_line(root: Path, tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/nobody.sock"
    line = refused(root, "config/demo.toml", "--port", "0", "--data", str(tmp_path / "data"), "--ledger", address)
    assert "cannot open the ledger" in line
    assert "cannot be reached" in line
