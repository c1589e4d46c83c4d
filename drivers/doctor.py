"""The device half of `jiaohao doctor`: finds ports, asks each device what it is, and lets it show, print and speak.

Nothing here outlives its deadline, and a port that a running agent holds is left alone: serial ports are opened
exclusively, so the finding says that it is in use.
"""

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar, assert_never

from serial.tools import list_ports

from drivers.devices_file import Device, DevicesFile
from drivers.driver import JobDriver, SeesServices, StateDriver, Wiring
from drivers.faults import FaultCode, Health, HealthStatus, LineDown, down
from drivers.jobs import (
    CardShown,
    Input,
    Job,
    Press,
    PrintTicket,
    Rating,
    Result,
    ResultStatus,
    Say,
    Scan,
    TakeNumber,
    WindowPicture,
    WindowStatus,
    place_of,
)
from drivers.keys import code_of
from drivers.panel.options import PanelOptions
from drivers.registry import JobEntry, StateEntry
from drivers.transport import open_line, parse_url

T = TypeVar("T")

JOB_WITHIN_S = 30.0
STRIPS_FOR_S = 4.0  # how long each line is driven when nobody is asked to press
TICK_S = 0.05
TEST_LABEL = "A888"
_KEYBOARDS = Path("/dev/input/by-id")


class Verdict(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"  # works, and somebody should know
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor: what was looked at, what was found, and what to do about it (empty: nothing)."""

    what: str
    verdict: Verdict
    zh: str
    en: str
    do_zh: str = ""
    do_en: str = ""


# What a technician does about a fault; the sentence of the fault itself says what the device or system told.
REMEDIES: Mapping[FaultCode, tuple[str, str]] = {
    FaultCode.LINE_DOWN: (
        "检查电源、线缆和地址；端口被占用时先停止设备代理（systemctl stop jiaohao-devices）",
        "check power, cable and address; if the port is busy stop the agent first (systemctl stop jiaohao-devices)",
    ),
    FaultCode.NO_ANSWER: (
        "检查波特率、总线地址（拨码）和 A/B 线是否接反",
        "check the baud rate, the bus address (DIP switches) and whether lines A and B are swapped",
    ),
    FaultCode.BAD_ANSWER: (
        "波特率或校验位不对，或选错了驱动",
        "the baud rate or parity is wrong, or this is another protocol: choose its driver",
    ),
    FaultCode.REFUSED: ("核对型号与 options", "compare the model with the options in the devices file"),
    FaultCode.OFFLINE: ("按打印机的联机键，或重新上电", "press the printer's online key, or switch it off and on"),
    FaultCode.PAPER_OUT: ("装纸", "put paper in"),
    FaultCode.PAPER_NEAR_END: ("准备换纸", "have a new roll at hand"),
    FaultCode.COVER_OPEN: ("合上上盖", "close the cover"),
    FaultCode.CUTTER: ("清除卡纸后重新上电", "clear the paper jam, then switch it off and on"),
    FaultCode.HEAD_HOT: ("等打印头冷却", "let the print head cool down"),
    FaultCode.BROKEN: ("联系维修", "call a technician"),
    FaultCode.NO_VOICE: (
        "录制叫号语音：jiaohao voice list 列出录音稿，写入选项 clips",
        "record the calls: jiaohao voice list says what; name the folder in option clips",
    ),
    FaultCode.PLAYBACK: (
        "检查声卡和音箱：aplay -l；用户要在 audio 组",
        "check the sound card and its loudspeaker: aplay -l; the user must be in group audio",
    ),
}


def ports() -> Iterator[Finding]:
    """Give the serial ports, USB printers and keyboards of this machine, with the names that survive replugging."""
    stable = {os.path.realpath(link): link for link in sorted(map(str, Path("/dev/serial/by-id").glob("*")))}
    found = [(port.device, port.description) for port in list_ports.comports()]
    found += [(path, "USB printer") for path in sorted(map(str, Path("/dev/usb").glob("lp*")))]
    found += [(path, "keyboard, keypad or scanner") for path in sorted(map(str, _KEYBOARDS.glob("*-event-kbd")))]
    for path, description in found:
        name = stable.get(os.path.realpath(path), path)
        if path.startswith("/") and not os.access(path, os.R_OK | os.W_OK):  # COM3 is no file
            group = "lp" if path.startswith("/dev/usb/") else "input" if "event-kbd" in path else "dialout"
            yield Finding(
                what=path,
                verdict=Verdict.BAD,
                zh=f"{description}：没有权限",
                en=f"{description}: no permission",
                do_zh=f"sudo usermod -aG {group} 用户名，然后重新登录",
                do_en=f"sudo usermod -aG {group} USER, then log in again",
            )
        else:
            named = f" → {name}" if name != path else ""
            yield Finding(what=path, verdict=Verdict.OK, zh=f"{description}{named}", en=f"{description}{named}")
    if not found:
        yield Finding(
            what="/dev",
            verdict=Verdict.OK,
            zh="这台机器没有串口；网口设备直接写 tcp:// 地址",
            en="this machine has no serial port; devices on the network are named by their tcp:// address",
        )


def devices(file: DevicesFile, *, test: bool, presses_s: float = 0.0) -> Iterator[Finding]:
    """Ask every device of a file how it is.

    With `test` each prints a ticket, shows a call or speaks a sentence. Keypads are listened to for `presses_s`.
    """
    lines: dict[str, list[Device]] = {}
    for device in file.devices:
        if isinstance(device.entry, StateEntry):
            lines.setdefault(device.url, []).append(device)
        else:
            yield from _try_job(device, test=test)
    for url, here in lines.items():
        yield from _try_line(url, here, test=test, presses_s=presses_s)


def _wiring(device: Device, folder: Path) -> Wiring[object]:
    is_line = device.url.startswith(("tcp:", "serial:"))
    key = secrets.token_bytes(32)  # cards are read, and what they say goes nowhere
    return Wiring(
        device=device.id,
        url=device.url,
        options=device.options,
        windows=device.windows,
        data_dir=folder,
        byte_s=parse_url(device.url).byte_s if is_line else 0.0,
        kiosk=next(iter(device.kiosks), ""),
        secret=lambda: key,
    )


def _try_job(device: Device, *, test: bool) -> Iterator[Finding]:
    entry = device.entry
    if not isinstance(entry, JobEntry):
        return
    folder = Path(tempfile.mkdtemp(prefix="jiaohao-doctor-"))
    driver: JobDriver | None = None
    try:
        driver = entry.make(_wiring(device, folder))
        made = driver
        health = _within(made.check, JOB_WITHIN_S)
        if health is None:
            yield from _of_health(device.id, down(FaultCode.NO_ANSWER, f"no answer within {JOB_WITHIN_S:.0f} s"))
            return
        yield from _of_health(device.id, health)
        if test and health.status is not HealthStatus.DOWN:
            job = _test_job(entry.kind)
            yield _of_result(device.id, _within(lambda: made.do(job, lambda: None), JOB_WITHIN_S))
    except LineDown as error:
        yield from _of_health(device.id, down(FaultCode.LINE_DOWN, error.why))
    finally:
        if driver is not None:
            driver.close()
        shutil.rmtree(folder, ignore_errors=True)


def _test_job(kind: str) -> Job:
    hall = {"zh": "叫号系统测试", "en": "Jiaohao test"}
    if kind == "speaker":
        return Say(  # a call: recordings know no other sentence
            ticket="test",
            label="A001",
            window="1",
            window_name={"zh": "1号窗口", "en": "Window 1"},
            zone="test",
            languages=("zh",),
            call_count=1,
        )
    return PrintTicket(
        hall_name=hall,
        ticket="test",
        label=TEST_LABEL,
        service={"zh": "打印测试", "en": "Print test"},
        zone={"zh": "请核对汉字与二维码", "en": "Check letters and code"},
        floor=None,
        windows=("1",),
        ahead=0,
        eta_low_s=0.0,
        eta_high_s=0.0,
        issued_at=datetime.now(UTC).astimezone(),
        priority=None,
        priority_name=None,
        track_url="http://jiaohao.test/t",
        languages=("zh", "en"),
        advice=None,
        notice=None,
        reprint=False,
        drill=True,
    )


def _try_line(url: str, here: Sequence[Device], *, test: bool, presses_s: float) -> Iterator[Finding]:
    """Drive all devices of one line for a while: ask, paint, listen."""
    try:
        line = open_line(url)
    except LineDown as error:
        for device in here:
            yield from _of_health(device.id, down(FaultCode.LINE_DOWN, error.why))
        return
    folder = Path(tempfile.mkdtemp(prefix="jiaohao-doctor-"))
    pressed: dict[str, list[Input]] = {device.id: [] for device in here}
    awaited = {(it.id, place) for it in here for place in _places(it)}
    keys = presses_s if awaited else 0.0
    drivers: dict[str, StateDriver] = {}
    try:
        for device in here:
            if isinstance(device.entry, StateEntry):
                drivers[device.id] = device.entry.make(_wiring(device, folder))
        begin_s = time.monotonic()
        for device in here:
            drivers[device.id].line_up(begin_s)
            for window in dict.fromkeys(device.windows.values()):
                drivers[device.id].show(_test_picture(window, calling=test))
            lamps = drivers[device.id]
            if test and isinstance(lamps, SeesServices) and isinstance(device.options, PanelOptions):
                lamps.see_services(frozenset(button.service for button in device.options.buttons))
        while (passed_s := time.monotonic() - begin_s) < max(STRIPS_FOR_S, keys):
            heard = {(device, place_of(it)) for device, them in pressed.items() for it in them}
            if passed_s > STRIPS_FOR_S and awaited <= heard:
                break
            data, now_s = line.read(TICK_S), time.monotonic()
            for device_id, driver in drivers.items():
                pressed[device_id] += driver.feed(data, now_s) if data else ()
                if frame := driver.due(now_s):
                    line.write(frame, 2.0 + 2 * len(frame) * parse_url(url).byte_s)
        now_s = time.monotonic()
        for device in here:
            yield from _of_health(device.id, drivers[device.id].health(now_s))
    except LineDown as error:
        for device in here:
            yield from _of_health(device.id, down(FaultCode.LINE_DOWN, error.why))
    finally:
        line.close()
        shutil.rmtree(folder, ignore_errors=True)
    for device in here:
        if keys and _places(device):
            yield _of_presses(device, pressed[device.id], keys)


def _test_picture(window: str, *, calling: bool) -> WindowPicture:
    return WindowPicture(
        window=window,
        name={"zh": f"{window}号窗口", "en": f"Window {window}"},
        status=WindowStatus.CALLING if calling else WindowStatus.OPEN,
        pause_reason=None,
        waiting=0,
        ticket="test" if calling else None,
        label=TEST_LABEL if calling else None,
        service={"zh": "测试", "en": "Test"} if calling else None,
        ticket_status="called" if calling else None,
        call_count=1 if calling else 0,
        languages=("zh",),
    )


def _of_health(device: str, health: Health) -> Iterator[Finding]:
    says_zh, says_en = (f"：{health.firmware}", f": {health.firmware}") if health.firmware else ("", "")
    if not health.faults:
        yield Finding(what=device, verdict=Verdict.OK, zh=f"应答正常{says_zh}", en=f"answers well{says_en}")
    for fault in health.faults:
        do_zh, do_en = REMEDIES[fault.code]
        verdict = Verdict.BAD if health.status is HealthStatus.DOWN else Verdict.WARN
        told = f"{fault.code}: {fault.detail}" if fault.detail else str(fault.code)
        yield Finding(what=device, verdict=verdict, zh=told, en=told, do_zh=do_zh, do_en=do_en)


def _of_result(device: str, result: Result | None) -> Finding:
    if result is None:
        result = Result(status=ResultStatus.UNKNOWN, detail=f"no answer within {JOB_WITHIN_S:.0f} s")
    match result.status:
        case ResultStatus.PRINTED | ResultStatus.SAID:
            zh, en = "测试完成", "did the test"
            return Finding(what=device, verdict=Verdict.OK, zh=zh, en=en)
        case ResultStatus.UNKNOWN:
            zh, en = "测试已发出，但设备不说结果", "the test was sent, and the device does not say how it ended"
            do_zh, do_en = "请看一看、听一听是否完成", "look and listen whether it was done"
            return Finding(what=device, verdict=Verdict.WARN, zh=zh, en=en, do_zh=do_zh, do_en=do_en)
        case _:
            detail = result.detail or str(result.status)
            do_zh, do_en = "看上一条说明", "see the line above"
            return Finding(what=device, verdict=Verdict.BAD, zh=detail, en=detail, do_zh=do_zh, do_en=do_en)


def _places(device: Device) -> set[str]:
    """Give where people do something at a device, as `place_of` names it; nothing is done at strips."""
    match device.entry.kind:
        case "keypad" | "rating":
            return set(device.windows.values())
        case "panel" if isinstance(device.options, PanelOptions):
            return {str(code_of(button.key)) for button in device.options.buttons}
        case "idcard" | "scanner":
            return {device.id}
        case _:
            return set()


def _of_presses(device: Device, mine: Sequence[Input], seconds: float) -> Finding:
    if not mine:
        return Finding(
            what=device.id,
            verdict=Verdict.WARN,
            zh=f"{seconds:.0f} 秒内没有收到按键、证件或扫码",
            en=f"nothing was pressed, shown or scanned within {seconds:.0f} s",
            do_zh="操作过的话，检查波特率、地址和接线",
            do_en="if somebody did, check baud rate, address and wiring",
        )
    told = ", ".join(_told(it) for it in mine)
    return Finding(what=device.id, verdict=Verdict.OK, zh=f"收到 {told}", en=f"heard {told}")


def _told(what: Input) -> str:
    """Give what was done, without anything of a card; a code is shown to who holds the paper."""
    match what:
        case Press():
            return f"{what.window}: {what.command}"
        case Rating():
            return f"{what.window}: grade {what.grade}"
        case TakeNumber():
            return f"{what.key}: {what.service}"
        case CardShown():
            return f"card ({what.document})"
        case Scan():
            return what.code[:80]
        case _:
            assert_never(what)


def _within(act: Callable[[], T], seconds: float) -> T | None:
    """Give the result, or None when it takes longer; the thread is left behind then. Raises what `act` raises."""
    box: list[T] = []
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            box.append(act())
        except BaseException as error:  # noqa: BLE001 - given on to who asked
            trouble.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if trouble:
        raise trouble[0]
    return box[0] if box else None
