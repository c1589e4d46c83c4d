"""The bench: all pretend devices of a hall in one process, its page for this machine only, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from drivers.devices_file import read_devices
from drivers.keypad import ff68
from drivers.led import onbon
from drivers.speech import player, sound
from drivers.transport import open_line
from drivers.virtual import bench as module
from drivers.virtual import bench_web
from drivers.virtual.bench import Bench, Spec, bench, read_spec
from drivers.virtual.bench_web import HEADER, make_app
from drivers.virtual.cards import SAMPLES
from tests.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient

COMMAND = {HEADER: "1"}


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Bench]:
    opened = bench("demo", ["1", "2", "A3"], ["general"], languages=["zh", "en"], data_dir=tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def page(hall: Bench) -> FlaskClient:
    return make_app(hall).test_client()


def wait_for(condition: Callable[[], object]) -> None:
    until(condition, "what was waited for")


def device(page: FlaskClient, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = page.get("/api/state").get_json()["devices"]
    return next(each for each in found if each["id"] == name)


def test_devices_file_is_what_the_agent_reads(hall: Bench) -> None:
    found = read_devices(hall.devices_file.read_text())
    assert found.hall == "demo"
    assert {each.id: each.driver for each in found.devices} == {
        "printer-1": "escpos",
        "strips": "onbon-bx5",
        "pads": "ff68",
        "speaker-1": "speech",
    }
    strips = next(each for each in found.devices if each.id == "strips")
    assert dict(strips.windows) == {1: "1", 2: "2", 3: "A3"}
    assert next(each for each in found.devices if each.id == "speaker-1").zones == ("general",)


def test_strips_of_several_makers_share_the_windows_and_show_their_calls(tmp_path: Path) -> None:
    windows = [str(number) for number in range(1, 13)]
    spec = Spec(hall="demo", windows=tuple(windows), zones=(), data_dir=tmp_path, strips=tuple(SAMPLES))
    opened = Bench(spec)
    try:
        found = [each for each in read_devices(opened.devices_file.read_text()).devices if each.entry.kind == "strip"]
        assert [each.driver for each in found] == list(SAMPLES)
        assert [window for each in found for window in each.windows.values()] == windows
        assert {each.url.partition(":")[0] for each in found} == {"tcp", "serial"}
        page = make_app(opened).test_client()
        for each in found:
            assert device(page, each.id)["driver"] == each.driver
            assert page.get(f"/api/devices/{each.id}/strips/2.png").data.startswith(b"\x89PNG")
    finally:
        opened.close()


def test_paper_is_shown_as_a_picture(hall: Bench, page: FlaskClient) -> None:
    line = open_line(hall.devices["printer-1"].url)
    line.write(b"\x1b@A012\n" + "税务".encode("gb18030") + b"\n\x1dV\x42\x00", 1.0)
    wait_for(lambda: device(page, "printer-1")["papers"])
    (paper,) = device(page, "printer-1")["papers"]
    assert "A012" in paper["text"]
    answer = page.get(f"/api/devices/printer-1/papers/{paper['number']}.png")
    assert answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    line.close()


def test_strip_is_shown_as_text_and_dots(hall: Bench, page: FlaskClient) -> None:
    line = open_line(hall.devices["strips"].url)
    text = onbon.text_bytes("请 A012 号", onbon.Colour.RED)
    area = onbon.Area(number=0, x_px=0, y_px=0, width_px=128, height_px=16, text=text)
    line.write(onbon.encode(onbon.show(area), dst=2), 1.0)
    wait_for(lambda: device(page, "strips")["strips"][1]["pages"] == ["请 A012 号"])
    assert page.get("/api/devices/strips/strips/2.png?page=0&v=x").data.startswith(b"\x89PNG")
    assert page.get("/api/devices/strips/strips/99.png").status_code == 404
    line.close()


def test_key_on_the_page_is_a_frame_on_the_line(hall: Bench, page: FlaskClient) -> None:
    line = open_line(hall.devices["pads"].url)
    assert page.post("/api/devices/pads/press", json={"window": "2", "key": "call"}, headers=COMMAND).status_code == 204
    heard = b""
    until_s = time.monotonic() + PATIENCE_S
    while len(heard) < 10 and time.monotonic() < until_s:
        heard += line.read(0.1)
    assert heard[:10] == bytes.fromhex("ff 68 03 03 68 02 01 0c 0f 16")
    line.write(heard[:10] + ff68.beep(2) + ff68.show_ticket(2, 12), 1.0)
    wait_for(lambda: device(page, "pads")["pads"][1]["beeps"] == 1)
    pad = device(page, "pads")["pads"][1]
    assert (pad["display"], pad["answered"]) == ("000012", True)
    line.close()


def test_call_can_be_played_and_read(hall: Bench, page: FlaskClient) -> None:
    wav = sound.write_wav(sound.silence(0.1) + sound.chime()[:2000], "请 A，零一二 号")
    player.open_player(hall.devices["speaker-1"].url).play(wav, 0.2, "A012", lambda: None)
    wait_for(lambda: device(page, "speaker-1")["clips"])
    (clip,) = device(page, "speaker-1")["clips"]
    assert clip["text"] == "请 A，零一二 号"
    answer = page.get(f"/api/devices/speaker-1/clips/{clip['number']}.wav")
    assert (answer.mimetype, answer.data) == ("audio/wav", wav)


def test_faults_are_switched_on_the_page(page: FlaskClient) -> None:
    for name, fault in (("printer-1", "paper_out"), ("strips", "silent"), ("pads", "bounce"), ("speaker-1", "stall")):
        assert fault in device(page, name)["faults"]
        for on in (True, False):
            answer = page.post(f"/api/devices/{name}/faults", json={"fault": fault, "on": on}, headers=COMMAND)
            assert answer.status_code == 204
            assert device(page, name)["active"] == ([fault] if on else [])


def test_power_is_switched_off_and_on(page: FlaskClient) -> None:
    assert page.post("/api/devices/strips/power", headers=COMMAND).status_code == 204
    assert page.post("/api/devices/printer-1/power", headers=COMMAND).status_code == 204
    assert page.post("/api/devices/pads/power", headers=COMMAND).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/devices/nobody/faults", {"fault": "unplug", "on": True}, 404, "device_not_found"),
        ("/api/devices/strips/faults", {"fault": "explode", "on": True}, 400, "unknown_fault"),
        ("/api/devices/printer-1/faults", ["no object"], 400, "unknown_fault"),
        ("/api/devices/pads/press", {"window": "99", "key": "call"}, 400, "unknown_key"),
        ("/api/devices/strips/press", {"window": "1", "key": "call"}, 404, "device_not_found"),
    ],
)
def test_bad_command_is_a_problem_with_a_code(
    page: FlaskClient, path: str, body: object, status: int, code: str
) -> None:
    answer = page.post(path, json=body, headers=COMMAND)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.get_json()["code"] == code


def test_command_without_the_header_is_refused(page: FlaskClient) -> None:
    answer = page.post("/api/devices/pads/press", json={"window": "1", "key": "call"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")


def test_another_name_of_this_machine_is_refused(page: FlaskClient) -> None:
    assert page.get("/api/state", headers={"Host": "evil.example"}).status_code == 400


def test_every_answer_carries_the_policy(page: FlaskClient) -> None:
    for path in ("/", "/api/state", "/api/nothing"):
        answer = page.get(path)
        policy = answer.headers["Content-Security-Policy"]
        answer.close()
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_state_waits_for_a_change(hall: Bench, page: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_web, "LONG_POLL_S", 10 * PATIENCE_S)  # only the change can end the wait
    now = page.get("/api/state").get_json()
    timer = threading.Timer(0.3, hall.note_change)
    timer.start()
    later = page.get(f"/api/state?after={now['version']}&run={now['run']}").get_json()
    assert later["version"] > now["version"]
    # A page that knew an earlier run of the bench is answered at once.
    assert page.get("/api/state?after=999999&run=other").get_json()["run"] == now["run"]
    timer.join()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "JSON"),
        ("[]", "object|instance|dictionary"),
        ('{"hall": "demo"}', "windows"),
        ('{"hall": "demo", "windows": [1], "zones": [], "data_dir": "x"}', "windows.0"),
        ('{"hall": "demo", "windows": ["1"], "zones": [], "data_dir": "x", "printer": 2}', "printer"),
        ('{"hall": "demo", "windows": ["1", "1"], "zones": [], "data_dir": "x"}', "different"),
        ('{"hall": "demo", "windows": ["1"], "zones": [], "data_dir": "x", "host": "0.0.0.0"}', "this machine"),
        ('{"hall": "demo", "windows": ["1"], "zones": [], "data_dir": "x", "pads": "usb"}', "pads"),
        ('{"hall": "demo", "windows": ["1"], "zones": [], "data_dir": "x", "strips": ["neon"]}', "strips"),
        ('{"hall": "demo", "windows": ["1"], "zones": [], "data_dir": "x", "strips": ["alpha", "alpha"]}', "share"),
    ],
)
def test_bad_description_is_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_spec(text)


def start(tmp_path: Path, launcher: list[str] | None = None) -> tuple[subprocess.Popen[str], str]:
    spec = tmp_path / "bench.json"
    spec.write_text(
        json.dumps({"hall": "demo", "windows": ["1"], "zones": ["general"], "data_dir": str(tmp_path / "data")})
    )
    command = [sys.executable, "-m", "drivers.virtual.bench", "--spec", str(spec)]
    process = subprocess.Popen([*(launcher or []), *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_process_says_where_it_is_and_ends_on_sigterm(tmp_path: Path) -> None:
    process, line = start(tmp_path)
    assert line.startswith("bench on http://127.0.0.1:")
    assert (tmp_path / "data" / "DEVICES.toml").exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0
    assert process.stdout is not None
    process.stdout.close()


def test_process_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    shell = (
        "import subprocess,sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, file=sys.stderr, flush=True); p.wait()"
    )
    spec = tmp_path / "bench.json"
    spec.write_text(json.dumps({"hall": "demo", "windows": ["1"], "zones": [], "data_dir": str(tmp_path / "data")}))
    command = [sys.executable, "-c", shell, sys.executable, "-m", "drivers.virtual.bench", "--spec", str(spec)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        child = int(parent.stderr.readline())
        assert parent.stdout.readline().startswith("bench on ")
        parent.kill()
        wait_for(lambda: not alive(child))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # nobody may be there to reap it: a zombie has ended, too
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # reaped between the two looks, or a system without /proc: the next look tells
        return True


def test_bad_description_ends_the_process_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert module.main(["--spec", str(tmp_path / "missing.json")]) == 2
    assert "bench: " in capsys.readouterr().err


def test_what_stands_at_a_kiosk_is_pressed_on_the_page(tmp_path: Path) -> None:
    spec = Spec(
        hall="demo",
        windows=("1",),
        zones=(),
        data_dir=tmp_path,
        kiosk="kiosk-1",
        services={"tax": "办税", "social": "社保"},
    )
    opened = Bench(spec)
    try:
        found = {each.id: each for each in read_devices(opened.devices_file.read_text()).devices}
        assert [found[name].driver for name in ("panel-1", "reader-1", "scanner-1")] == [
            "modbus-panel",
            "sam-v",
            "scanner",
        ]
        assert {found[name].kiosks for name in ("panel-1", "reader-1", "scanner-1")} == {("kiosk-1",)}
        page = make_app(opened).test_client()
        for name, key in (("panel-1", "1"), ("reader-1", "0"), ("scanner-1", "A012")):
            assert page.post(f"/api/devices/{name}/press", json={"key": key}, headers=COMMAND).status_code == 204
            answer = page.post(f"/api/devices/{name}/press", json={"key": ""}, headers=COMMAND)
            assert (answer.status_code, answer.get_json()["code"]) == (400, "unknown_key")
            assert (
                page.post(
                    f"/api/devices/{name}/faults", json={"fault": "silent", "on": True}, headers=COMMAND
                ).status_code
                == 204
            )
            assert device(page, name)["active"] == ["silent"]
        assert device(page, "reader-1")["lies"] == 0
        assert device(page, "scanner-1")["codes"] == ["A012"]
        assert page.post("/api/devices/speaker-1/press", json={"key": "1"}, headers=COMMAND).status_code == 404
    finally:
        opened.close()


def test_buttons_without_a_kiosk_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the kiosk they are pressed at"):
        Spec(hall="demo", windows=("1",), zones=(), data_dir=tmp_path, services={"tax": "办税"})
