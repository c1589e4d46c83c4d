"""An agent enrols with a one-time code at a real server, keeps its token, and a used code is worth nothing."""

import stat
from pathlib import Path

import pytest

from drivers.server_link import Http, ServerRefused, enrol
from tests.live.house import HALL, House


def test_a_code_becomes_a_token_once(house: House, tmp_path: Path) -> None:
    code = house.people.new_code("desk-9", role="devices", hall=HALL)
    kept = tmp_path / "token"
    token = enrol(house.server.url, code, kept)
    assert kept.read_text() == f"{token}\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    Http(house.server.url, token, HALL).put_device(
        "printer-9", {"kind": "printer", "driver": "escpos", "health": "ok", "faults": []}
    )
    rows = house.person("9001").send("GET", "/devices")["devices"]
    assert "printer-9" in {row["device"] for row in rows}
    with pytest.raises(ServerRefused) as refused:
        enrol(house.server.url, code, kept)
    assert refused.value.code == "code_unknown"
    assert kept.read_text() == f"{token}\n"
