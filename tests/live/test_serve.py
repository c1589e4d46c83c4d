"""The server process: starting, refusing to start, stopping, and what it promises under a crowd and a kill."""

import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from server.serve import STOP_WITHIN_S
from tests.live.house import House, ServerProcess, until
from tests.patience import PATIENCE_S


def refused(root: Path, *arguments: str) -> str:
    """Run a `serve` that must not start; give its one line."""
    done = subprocess.run(
        [sys.executable, "-m", "server.main", "--lang", "en", "serve", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2, done
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if line.startswith("jiaohao: ")]
    assert len(said) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return said[0]


def test_eight_kiosks_pressing_at_once_get_numbers_without_duplicate_or_gap(house: House) -> None:
    kiosks = [house.server.api(house.people.add_device(f"kiosk-{n}", role="kiosk", hall="demo")) for n in range(10, 18)]
    ready = threading.Barrier(8)

    def presses(n: int) -> list[dict[str, object]]:
        ready.wait()
        return [kiosks[n].press("tax") for _ in range(10)]

    with ThreadPoolExecutor(8) as crowd:
        tickets = [ticket for mine in crowd.map(presses, range(8)) for ticket in mine]
    for kiosk in kiosks:
        kiosk.close()
    assert sorted(int(str(ticket["number"])) for ticket in tickets) == list(range(1, 81))
    assert len({ticket["seq"] for ticket in tickets}) == 80
    assert len({ticket["track"] for ticket in tickets}) == 80


def test_a_kill_loses_no_acknowledged_number_and_a_retry_gets_the_first_answer(house: House) -> None:
    kiosk = house.api("kiosk")
    asked = {"service": "general"}
    given = [kiosk.hall("POST", "/tickets", asked, key=f"press-{n}") for n in range(5)]
    house.server.end(signal.SIGKILL)
    house.server.start()
    again = [kiosk.hall("POST", "/tickets", asked, key=f"press-{n}") for n in range(5)]
    assert [t["ticket"] for t in again] == [t["ticket"] for t in given]
    assert kiosk.press()["number"] == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_zero_in_five_seconds_with_lines_open(house: House, number: int) -> None:
    house.watcher("display").watch("board")
    house.api("kiosk").press()
    assert house.server.end(number) == 0  # it does not wait for the lines
    assert STOP_WITHIN_S < 5


def test_sigterm_finishes_what_it_accepts(house: House) -> None:
    kiosk = house.api("kiosk")
    answered: list[str] = []
    stopped = threading.Event()

    def press_on() -> None:
        for n in range(10_000):
            try:
                answered.append(kiosk.hall("POST", "/tickets", {"service": "pickup"}, key=f"k{n}")["ticket"])
            except (requests.RequestException, AssertionError):
                break
        stopped.set()

    threading.Thread(target=press_on).start()
    until(lambda: len(answered) > 20, "presses under way")
    assert house.server.end(signal.SIGTERM) == 0
    assert stopped.wait(PATIENCE_S)
    house.server.start()
    known = {t["ticket"] for t in house.person("9001").hall("GET", "/tickets")["tickets"]}
    assert set(answered) <= known
    assert len(known) - len(answered) <= 1


def test_a_second_process_on_the_folder_is_refused(house: House) -> None:
    line = refused(house.server.root, "config/demo.toml", "--port", "0", "--data", str(house.server.data))
    assert "in use by another process" in line
    assert str(house.server.data) in line


def test_a_port_in_use_is_refused(root: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(root, "config/demo.toml", "--port", str(port), "--data", str(tmp_path / "d"))
    assert f"127.0.0.1:{port}" in line


def test_a_bad_hall_file_is_refused_with_its_line(root: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text((root / "config/demo.toml").read_text().replace('zone = "tax"', 'zone = "tex"', 1))
    done = subprocess.run(
        [sys.executable, "-m", "server.main", "--lang", "en", "serve", str(bad), "--data", str(tmp_path / "d")],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "tex" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot write" in refused(root, "config/demo.toml", "--port", "0", "--data", str(tmp_path / "file" / "d"))


def test_dev_is_for_this_machine_only(root: Path, tmp_path: Path) -> None:
    line = refused(root, "config/demo.toml", "--dev", "--host", "0.0.0.0", "--data", str(tmp_path / "d"))
    assert "--dev" in line


def test_a_drill_and_a_real_day_never_share_a_folder(root: Path, tmp_path: Path) -> None:
    drill, real = ServerProcess(root, tmp_path / "drill"), ServerProcess(root, tmp_path / "real")
    for server in (drill, real):
        server.data.mkdir()
    drill.start("--clock", "2026-03-02T09:00:00+08:00")
    assert drill.api().send("GET", "/me")["drill"] is True
    assert drill.end(signal.SIGTERM) == 0
    real.start()
    assert real.api().send("GET", "/me")["drill"] is False
    assert real.end(signal.SIGTERM) == 0
    at = ["--clock", "2026-03-02T09:00:00+08:00"]
    assert "belongs to a drill" in refused(root, "config/demo.toml", "--port", "0", "--data", str(drill.data))
    assert "belongs to real days" in refused(root, "config/demo.toml", "--port", "0", "--data", str(real.data), *at)
    assert "offset" in refused(root, "config/demo.toml", "--data", str(drill.data), "--clock", "2026-03-02T09:00:00")


def test_a_drill_shows_its_own_day_on_every_picture_and_goes_on_after_a_restart(closed_house: House) -> None:
    server = closed_house.server
    server.start("--clock", "2026-03-02T09:00:00+08:00")
    ticket = closed_house.api("kiosk").press()
    assert ticket["ticket"].startswith("20260302-")
    assert ticket["issued_at"].startswith("2026-03-02T09:0")
    board = closed_house.watcher("display").watch("board")
    until(lambda: board.last("board") is not None, "the board")
    assert board.pictures[0]["data"]["drill"] is True
    assert board.pictures[0]["data"]["business_day"] == "2026-03-02"
    server.end(signal.SIGKILL)
    server.start("--clock", "2026-03-02T08:00:00+08:00")
    assert closed_house.api("kiosk").press()["issued_at"] > ticket["issued_at"]


def test_nothing_private_is_logged(house: House) -> None:
    ticket = house.api("kiosk").hall("POST", "/tickets", {"service": "tax", "visitor_ref": "11010119900101123X"})
    house.server.api().send("GET", f"/halls/demo/tickets/{ticket['track']}")
    house.watcher().watch(f"ticket:{ticket['track']}")
    house.server.end(signal.SIGTERM)
    logged = house.server.errors.read_text()
    assert "SQLite" in logged
    assert "one writing connection per ledger" in logged or "fixed in this version" in logged
    assert ticket["track"] not in logged
    assert "11010119900101123X" not in logged
    assert "Traceback" not in logged


def test_two_halls_in_one_server_do_not_see_each_other(closed_house: House) -> None:
    closed_house.server.start(str(closed_house.server.root / "config/qiaocheng.toml"))
    both = closed_house.server.api(closed_house.people.add_device("eye", role="integration"))
    halls = [hall["hall"] for hall in both.send("GET", "/halls")["halls"]]
    both.close()
    assert halls == ["demo", "qiaocheng"]
    board = closed_house.watcher("display")
    assert board.ask("watch", {"hall": "demo", "topic": "board"})["ok"]
    assert board.ask("watch", {"hall": "qiaocheng", "topic": "board"})["code"] == "not_allowed"
    phone = closed_house.watcher()
    track = closed_house.api("kiosk").press()["track"]
    assert phone.ask("watch", {"hall": "demo", "topic": f"ticket:{track}"})["ok"]
    assert phone.ask("watch", {"hall": "qiaocheng", "topic": f"ticket:{track}"})["code"] == "unknown_topic"


def test_a_changed_hall_file_is_taken_over_at_the_next_start_and_the_day_goes_on(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "hall.toml"
    text = (root / "config/demo.toml").read_text()
    house = House(root, tmp_path / "data", hall_file=file)
    try:
        for name, number in (("示范政务服务大厅", 1), ("新大厅", 2)):
            file.write_text(text.replace("示范政务服务大厅", name))
            house.server.start()
            assert house.api("display").hall("GET", "")["name"]["zh"] == name
            assert house.api("kiosk").press()["number"] == number
            assert house.server.end(signal.SIGTERM) == 0
    finally:
        house.close()


@pytest.mark.parametrize("ledger", ["redis://127.0.0.1:6379", "postgres:x", "nonsense"])
def test_an_unknown_ledger_is_refused(root: Path, tmp_path: Path, ledger: str) -> None:
    assert ledger in refused(root, "config/demo.toml", "--ledger", ledger, "--data", str(tmp_path / "d"))
