"""The register of IP and MAC addresses: what changed and what stands there twice is told for a day."""

from typing import Any

from tests.web.stage import HALL, Stage
from tests.web.test_visit import ok

DAY_S = 24 * 3600


def state(stage: Stage, device: str, ip: str | None, mac: str | None, host: str = "pc-1") -> None:
    row = {"kind": "printer", "driver": "escpos", "url": "tcp://10.0.0.50:9100", "host": host, "ip": ip, "mac": mac}
    ok(stage.device("devices-1").put(f"/halls/{HALL}/devices/{device}", {**row, "health": "ok", "faults": []}))


def odd(stage: Stage, device: str) -> list[tuple[str, str]]:
    rows: list[dict[str, Any]] = ok(stage.person("manager").get("/devices"))["devices"]
    (row,) = [row for row in rows if row["device"] == device]
    return [(fault["code"], fault["detail"]) for fault in row["faults"]]


def test_an_address_that_changed_is_told_for_a_day(stage: Stage) -> None:
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:01")
    state(stage, "p1", "10.0.0.5", None)  # a card that cannot be read is no other card
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:01")
    assert odd(stage, "p1") == []
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:02")
    told = [("address_changed", "10.0.0.5 02:00:00:00:00:01 → 10.0.0.5 02:00:00:00:00:02")]
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:02")
    assert odd(stage, "p1") == told
    stage.wall.forward(DAY_S + 1)
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:02")
    assert odd(stage, "p1") == []


def test_devices_of_one_machine_share_its_addresses(stage: Stage) -> None:
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:01")
    state(stage, "p2", "10.0.0.5", "02:00:00:00:00:01")
    assert odd(stage, "p1") == odd(stage, "p2") == []


def test_an_address_that_stands_twice_is_told_at_both(stage: Stage) -> None:
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:01")
    state(stage, "p2", "10.0.0.5", "02:00:00:00:00:02", "pc-2")
    assert odd(stage, "p1") == [("address_twice", "10.0.0.5: p2")]
    assert odd(stage, "p2") == [("address_twice", "10.0.0.5: p1")]
    state(stage, "p3", "10.0.0.7", "02:00:00:00:00:01", "pc-3")
    assert ("address_twice", "02:00:00:00:00:01: p1") in odd(stage, "p3")
    stage.wall.forward(DAY_S + 1)
    state(stage, "p1", "10.0.0.5", "02:00:00:00:00:01")
    assert odd(stage, "p1") == []
