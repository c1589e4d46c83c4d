"""A full disk stops new numbers and nothing else; space brings them back without a restart and without a gap."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from server.ballast import FILE, Ballast
from server.domain import commands as c
from server.domain import events as e
from server.domain.terms import CLOCK, HallId, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger.audit import audit
from server.ledger.base import DiskFull, LedgerDown
from server.ledger.sqlite import SqliteLedger
from server.web.problems import DISK_FULL
from tests.domain.halls import NINE, PLAN, ms
from tests.faults.clients import Clients, commits_in
from tests.faults.spawned import SpawnedHouse, Spawner
from tests.live.house import HALL, House
from tests.patience import until

linux_root = pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0), reason="mounts a disk: needs root on Linux"
)
DISK_MB = 32


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a small disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Let somebody else take every byte that is left."""
    hog = disk / "hog"
    with hog.open("ab", buffering=0) as file:
        for piece in (2**20, 2**12, 1):
            try:
                while file.write(bytes(piece)) == piece:
                    pass
            except OSError:
                continue
    return hog


def hall_on(folder: Path, ballast: Ballast | None) -> Hall:
    """Give a hall with an open window and twenty people waiting."""
    hall = Hall(HallId("test"), SqliteLedger(folder / "test.sqlite"), clock=lambda: ms(NINE), ballast=ballast)
    hall.handle(c.PlanHall(plan=PLAN), actor=CLOCK)
    hall.handle(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("1")), actor=CLOCK)
    for number in range(20):
        press(hall, f"t{number}")
    return hall


def press(hall: Hall, key: str) -> None:
    """Take a number."""
    hall.handle(c.IssueTicket(service=ServiceId("general"), track=Track(key)), actor=CLOCK, key=key)


def press_until_refused(hall: Hall) -> int:
    """Press while the last pages of the disk are used up; give how many numbers there were."""
    for number in range(100_000):
        try:
            press(hall, f"more{number}")
        except LedgerDown:
            return number
    raise AssertionError("the disk never was full")


@linux_root
def test_without_a_reserve_a_full_disk_stops_the_clerks_too(disk: Path) -> None:
    """The control: what the reserve is for."""
    hall = hall_on(disk, None)
    fill(disk)
    press_until_refused(hall)
    call = c.CallNext(window=WindowNo("1"), finish=True)
    with pytest.raises(DiskFull):
        all(hall.handle(call, actor=CLOCK) for _ in range(20))
    hall.close()


@linux_root
def test_with_a_reserve_everything_but_new_numbers_goes_on(disk: Path) -> None:
    ballast = Ballast(disk)
    assert (disk / FILE).stat().st_blocks * 512 >= (disk / FILE).stat().st_size > 0  # no holes
    hall = hall_on(disk, ballast)
    hog = fill(disk)
    given = 20 + press_until_refused(hall)
    assert not ballast.held
    for _ in range(20):
        hall.handle(c.CallNext(window=WindowNo("1"), finish=True), actor=CLOCK)
    with pytest.raises(DiskFull):
        press(hall, "refused")
    press(hall, "t3")  # known: the first answer again
    hall.handle(c.CloseDay(), actor=CLOCK)
    hog.unlink()
    assert ballast.ready()
    commits = list(hall._ledger.read())
    assert not audit(commits)
    assert sum(commit.key is not None for commit in commits) == given
    hall.close()


def test_the_reserve_of_a_small_disk_is_a_small_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    small = [100 * 2**20 // real.f_frsize]
    monkeypatch.setattr(Ballast, "_free", lambda _: small[0] * real.f_frsize)
    ballast = Ballast(tmp_path, size=2**20)
    assert ballast.held
    assert (tmp_path / FILE).stat().st_size == 2**20
    small[0] = 1
    ballast.tend()
    assert not ballast.held
    assert not (tmp_path / FILE).exists()
    assert "no new numbers" in (ballast.fault() or "")
    assert not Ballast(tmp_path, size=2**20).held  # a start on a full disk
    small[0] = 2**20 // real.f_frsize + 1
    assert not ballast.ready()  # not all of it would be left
    small[0] = 2 * 2**20 // real.f_frsize
    assert ballast.ready()
    assert ballast.fault() is None


def answer(house: House, token: str, body: dict[str, Any], *, key: str = "", language: str = "zh") -> requests.Response:
    """Press, and give whatever came."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
    if key:
        headers["Idempotency-Key"] = key
    return requests.post(f"{house.server.url}/api/v1/halls/demo/tickets", json=body, headers=headers, timeout=30)


@pytest.fixture
def house(spawner: Spawner, root: Path, disk: Path) -> Iterator[SpawnedHouse]:
    """Give a house on that disk, whose server runs and logs elsewhere."""
    made = SpawnedHouse(spawner, root, disk / "data")
    made.server.errors = disk.parent / "stderr.txt"
    made.server.start()
    yield made
    made.close()


def ready(house: House) -> dict[str, Any]:
    """Give what the server says of itself."""
    answer: dict[str, Any] = requests.get(f"{house.server.url}/readyz", timeout=30).json()
    return answer


@linux_root
def test_a_real_server_on_a_full_disk_refuses_goes_on_and_recovers(house: SpawnedHouse, disk: Path) -> None:
    kiosk, token = house.api("kiosk"), house.tokens["kiosk"]
    clerk, manager = house.person("1001", "1"), house.person("9001")
    clerk.hall("POST", "/windows/1/open")
    page = house.watcher(cookies=manager.cookies).watch("manager")

    def alarms() -> list[str]:
        picture = page.last("manager")
        return [alarm["kind"] for alarm in picture["data"]["alarms"]] if picture else []

    last = [kiosk.press()["number"] for _ in range(10)][-1]
    known = kiosk.hall("POST", "/tickets", {"service": "general"}, key="known")
    last = known["number"]
    assert ready(house)["reserve"] == "held"
    hog = fill(disk)

    refused: list[requests.Response] = []

    def is_refused() -> bool:
        nonlocal last
        response = answer(house, token, {"service": "general"})
        if response.status_code == 503:
            refused.append(response)
            return True
        if response.status_code == 201:
            last = response.json()["number"]
        return False

    until(is_refused, "a refusal")
    assert refused[0].json()["code"] == "ledger_unavailable"
    assert refused[0].json()["detail"] == DISK_FULL[0]
    english = answer(house, token, {"service": "general"}, language="en")
    assert english.json()["detail"] == DISK_FULL[1]
    assert answer(house, token, {"service": "general"}, key="known").json()["ticket"] == known["ticket"]
    for _ in range(3):
        clerk.hall("POST", "/windows/1/call-next", {"finish": True})
    said = ready(house)
    assert (said["ready"], said["reserve"]) == (False, "given up")
    assert "disk is full" in said["checks"]["disk"]
    until(lambda: "disk_full" in alarms(), "the alarm on the manager's page")
    hog.unlink()
    assert kiosk.press()["number"] == last + 1
    assert ready(house)["reserve"] == "held"
    until(lambda: "disk_full" not in alarms(), "the end of the alarm")
    told = house.server.errors.read_text()
    assert told.count("the reserve is given up") == 1
    assert told.count("the reserve is back") == 1
    fill(disk)
    until(is_refused, "a refusal")
    manager.hall("POST", "/day/close")
    assert house.server.end(signal.SIGTERM) == 0
    commits = commits_in(house.server.data / f"{HALL}.sqlite")
    assert not audit(commits)
    assert any(isinstance(event, e.DayClosed) for event in commits[-1].events)


@linux_root
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # as in test_kills
@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.faults)])
def test_a_disk_that_is_full_and_empty_again_breaks_no_promise(house: SpawnedHouse, disk: Path, times: int) -> None:
    clients = Clients(house)
    for _ in range(times):
        clients.until_answers(20)
        hog = fill(disk)
        until(lambda: ready(house)["reserve"] == "given up", "the reserve is given up")
        clients.until_answers(10)  # from here on of clerks alone
        hog.unlink()
        until(lambda: ready(house)["reserve"] == "held", "the reserve is back")
    clients.until_answers(20)
    clients.stop()
    assert house.server.end(signal.SIGTERM) == 0
    gc.collect()
    assert not [str(it) for it in clients.judged()]
