"""Jobs for devices over real lines: each once, in order, again only when it was not answered."""

import signal
import sqlite3
from contextlib import closing
from typing import Any

from tests.live.house import House, Watcher, until
from tests.patience import PATIENCE_S

PRINTER = {"kind": "printer", "driver": "escpos", "url": "tcp://127.0.0.1:9100", "health": "ok"}
SPEAKER = {"kind": "speaker", "driver": "speech", "url": "aplay:default", "health": "ok"}


def put(house: House, device: str, row: dict[str, Any], **more: Any) -> None:
    house.api("devices").hall("PUT", f"/devices/{device}", row | more)


def agent(house: House, *devices: str) -> Watcher:
    watcher = house.watcher("devices").watch(*(f"device:{device}" for device in devices))
    until(lambda: all(watcher.acks.get(topic, {}).get("ok") for topic in watcher.topics), "the agent watches")
    return watcher


def kinds(watcher: Watcher) -> list[tuple[str, str]]:
    return [(job["kind"], job["data"]["label"]) for job in watcher.jobs]


def test_a_press_prints_once_and_a_call_is_said_once(house: House) -> None:
    put(house, "printer-1", PRINTER)
    put(house, "speaker-1", SPEAKER)
    devices = agent(house, "printer-1", "speaker-1")
    kiosk, clerk = house.api("kiosk"), house.person("1001", "1")
    ticket = kiosk.press()
    clerk.hall("POST", "/windows/1/open")
    clerk.hall("POST", "/windows/1/call-next")
    until(lambda: len(devices.jobs) == 2, "paper and call")  # a recall takes the place of a call not yet spoken
    clerk.hall("POST", "/windows/1/recall")
    until(lambda: len(devices.jobs) == 3, "three jobs")
    assert sorted(kinds(devices)) == [("print_ticket", "A001"), ("say", "A001"), ("say", "A001")]
    (paper,) = (job for job in devices.jobs if job["kind"] == "print_ticket")
    first, again = (job for job in devices.jobs if job["kind"] == "say")  # each device in its own order
    assert paper["id"] == f"{ticket['seq']}.0"
    assert paper["topic"] == "device:printer-1"
    assert paper["data"]["track_url"] == ticket["track_url"]
    assert paper["data"]["ahead"] == 0
    assert paper["data"]["reprint"] is False
    assert [first["data"]["call_count"], again["data"]["call_count"]] == [1, 2]
    kiosk.press()
    until(lambda: len(devices.jobs) == 4, "one more")
    assert len({job["id"] for job in devices.jobs}) == 4


def test_an_unanswered_job_comes_again_with_its_id_and_an_answered_one_never(house: House) -> None:
    put(house, "printer-1", PRINTER)
    first = agent(house, "printer-1")
    kiosk = house.api("kiosk")
    kiosk.press()
    until(lambda: len(first.jobs) == 1, "the answered job")
    until(lambda: is_kept(house, first.jobs[0]["id"]), "its result is kept")
    first.answer = None  # the agent hangs
    kiosk.press()
    kiosk.press()
    until(lambda: len(first.jobs) == 2, "the job it never answers")
    assert len(first.jobs) == 2  # the third waits for the second
    first.topics.clear()  # the newest agent of a device wins: the one that hangs must not come back as the newest
    house.server.end(signal.SIGKILL)
    house.server.start()
    second = agent(house, "printer-1")
    until(lambda: len(second.jobs) == 2, "both jobs")
    assert second.jobs[0]["id"] == first.jobs[1]["id"]
    assert kinds(second) == [("print_ticket", "A002"), ("print_ticket", "A003")]
    first.answer = lambda job: {"id": job["id"], "result": {"status": "printed", "detail": ""}}


def is_kept(house: House, job: str) -> bool:
    """Say whether the result of a job is in the journal's file."""
    with closing(sqlite3.connect(house.server.data / "devices.sqlite", timeout=PATIENCE_S)) as base:
        return base.execute("select 1 from job_results where job = ?", (job,)).fetchone() is not None


def test_two_speakers_say_the_calls_of_their_zones_and_one_does_not_wait_for_the_other(house: House) -> None:
    put(house, "speaker-general", SPEAKER, zones=["general"])
    put(house, "speaker-tax", SPEAKER, zones=["tax"])
    general, tax = agent(house, "speaker-general"), agent(house, "speaker-tax")
    general.answer = None
    kiosk, manager = house.api("kiosk"), house.person("9001")
    for service in ("general", "general", "tax", "tax"):
        kiosk.press(service)
    house.people.add_user("1002", house.password, role="clerk")
    for work_id, window in (("1001", "2"), ("1002", "3")):
        house.person(work_id, window).hall("POST", f"/windows/{window}/open")
    for window in ("2", "3"):
        manager.hall("POST", f"/windows/{window}/call-next", {"finish": True})
    until(lambda: len(tax.jobs) == 1, "the first call of the tax zone")  # nobody is called who was served already
    manager.hall("POST", "/windows/3/call-next", {"finish": True})
    until(lambda: len(tax.jobs) == 2, "both calls of the tax zone")
    until(lambda: len(general.jobs) == 1, "the call of the general zone")
    assert [job["data"]["window"] for job in tax.jobs] == ["3", "3"]
    assert [job["data"]["window"] for job in general.jobs] == ["2"]
    general.answer = lambda job: {"id": job["id"], "result": {"status": "said"}}


def test_a_new_device_begins_with_the_jobs_of_now_and_a_known_one_where_it_stood(house: House) -> None:
    kiosk = house.api("kiosk")
    kiosk.press()
    put(house, "printer-1", PRINTER)
    before_watch = kiosk.press()
    printer = agent(house, "printer-1")
    kiosk.press()
    until(lambda: len(printer.jobs) == 2, "the jobs since it registered")
    assert printer.jobs[0]["data"]["ticket"] == before_watch["ticket"]
    until(lambda: is_kept(house, printer.jobs[1]["id"]), "both are answered")
    printer.close()
    missed = kiosk.press()
    again = agent(house, "printer-1")
    until(lambda: len(again.jobs) == 1, "the job of meanwhile")
    assert again.jobs[0]["data"]["ticket"] == missed["ticket"]


def test_an_integration_without_a_row_sees_all_kinds_of_jobs(house: House) -> None:
    eye = house.watcher("integration").watch("device:eye")
    until(lambda: eye.acks.get("device:eye", {}).get("ok", False), "it watches")
    house.api("kiosk").press()
    clerk = house.person("1001", "1")
    clerk.hall("POST", "/windows/1/open")
    clerk.hall("POST", "/windows/1/call-next")
    until(lambda: len(eye.jobs) == 2, "paper and voice")
    assert [job["kind"] for job in eye.jobs] == ["print_ticket", "say"]


def test_another_agent_cannot_take_the_jobs_of_a_registered_device(house: House) -> None:
    put(house, "printer-1", PRINTER)
    thief = house.watcher("integration")
    assert thief.ask("watch", {"hall": "demo", "topic": "device:printer-1"}) == {"ok": False, "code": "not_allowed"}


def test_the_managers_page_shows_devices_and_what_became_of_their_jobs(house: House) -> None:
    put(house, "printer-1", PRINTER)
    page = house.watcher(cookies=house.person("9001").cookies).watch("manager")
    printer = agent(house, "printer-1")
    printer.answer = lambda job: {"id": job["id"], "result": {"status": "failed", "detail": "paper is out"}}
    house.api("kiosk").press()

    def told() -> bool:
        last = page.last("manager")
        rows = last["data"]["devices"] if last else []
        return any(row["device"] == "printer-1" and (row["last_job"] or {}).get("status") == "failed" for row in rows)

    until(told, "the failure")
    last = page.last("manager")
    assert last is not None
    row = next(row for row in last["data"]["devices"] if row["device"] == "printer-1")
    assert row["connected"] is True
    assert row["last_job"]["detail"] == "paper is out"
