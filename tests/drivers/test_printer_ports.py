"""The ports of printers: the kernel's file, libusb, a print queue. What each does when it is gone, stuck or refused."""

import array
import os
import pty
import sys
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from drivers.driver import Wiring
from drivers.faults import LineDown, Paper
from drivers.jobs import ResultStatus
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from drivers.transport import Line, cups_queue, open_line, parse_url
from drivers.virtual.printer import VirtualPrinter
from tests.drivers.test_printer_thermal import JOB, Started
from tests.drivers.test_transport import keep_using
from tests.patience import PATIENCE_S

# ------------------------------------------------------------------------------------------------------- /dev/usb/lp0


@pytest.fixture
def printer_file(tmp_path: Path) -> Iterator[VirtualPrinter]:
    """A printer whose file is a pseudo terminal: opened, written and read as usblp's is."""
    printer = VirtualPrinter(f"pty://{tmp_path}/lp0")
    yield printer
    printer.close()


def lp(printer: VirtualPrinter) -> str:
    return printer.url.replace("serial:", "lp:")


def test_a_ticket_goes_to_the_kernels_printer_file_and_is_confirmed_over_it(printer_file: VirtualPrinter) -> None:
    driver = ThermalPrinter(Wiring(device="p", url=lp(printer_file), options=EscposOptions()))
    assert driver.do(JOB, Started()).status is ResultStatus.PRINTED
    assert [ticket.label for ticket in printer_file.tickets] == ["A012"]
    assert driver.check().paper is Paper.OK
    driver.close()


def test_a_printer_file_is_held_by_one(printer_file: VirtualPrinter) -> None:
    line = open_line(lp(printer_file))
    with pytest.raises(LineDown, match="another program"):
        open_line(lp(printer_file))
    line.close()
    open_line(lp(printer_file)).close()


def test_a_printer_file_that_vanishes_is_line_down_on_every_call(printer_file: VirtualPrinter) -> None:
    line = open_line(lp(printer_file))
    printer_file.line.unplug()
    with pytest.raises(LineDown):
        keep_using(line, b"x")
    with pytest.raises(LineDown):
        line.read(0.1)
    with pytest.raises(LineDown, match="No such file"):
        open_line(lp(printer_file))
    line.close()


def test_a_printer_file_that_takes_no_bytes_ends_the_write() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    try:
        line = open_line(f"lp://{os.ttyname(slave)}")
        with pytest.raises(LineDown, match=r"took \d+ of 1000000 bytes in 0.2 s"):
            line.write(bytes(1_000_000), 0.2)
    finally:
        os.close(master)
        os.close(slave)


# ----------------------------------------------------------------------------------------------------------------- USB


class UsbError(OSError):
    """What pyusb raises."""


class UsbTimeout(UsbError):
    """A transfer that took too long."""


class NoBackend(ValueError):
    """No libusb on this machine."""


@dataclass
class FakeEndpoint:
    """One bulk endpoint of a printer that is a pair of byte strings."""

    bEndpointAddress: int  # noqa: N815  # the names of the USB standard
    bmAttributes: int = 2  # noqa: N815
    taken: bytearray = field(default_factory=bytearray)
    answers: Callable[[bytes], bytes] = bytes
    room: int = 1_000_000
    gone: bool = False
    waits_ms: list[int] = field(default_factory=list)
    waiting: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes, timeout: int) -> int:
        self.waits_ms.append(timeout)
        if self.gone:
            raise UsbError(19, "No such device (it may have been disconnected)")
        took = data[: max(0, self.room - len(self.taken))]
        if not took:
            raise UsbTimeout(110, "Operation timed out")
        self.taken += took
        return len(took)

    def read(self, size: int, timeout: int) -> "array.array[int]":
        self.waits_ms.append(timeout)
        if self.gone:
            raise UsbError(19, "No such device (it may have been disconnected)")
        if not self.waiting:
            raise UsbTimeout(110, "Operation timed out")
        data, self.waiting[:] = bytes(self.waiting[:size]), self.waiting[size:]
        return array.array("B", data)


class FakeInterface(list[FakeEndpoint]):
    """An interface and its endpoints."""

    bInterfaceNumber = 0  # noqa: N815
    bInterfaceClass = 7  # noqa: N815


@dataclass
class FakeDevice:
    """A printer on the bus."""

    serial_number: str
    interface: FakeInterface
    kernel_has_it: bool = True
    claimed: bool = False

    def is_kernel_driver_active(self, number: int) -> bool:
        return self.kernel_has_it

    def detach_kernel_driver(self, number: int) -> None:
        self.kernel_has_it = False

    def get_active_configuration(self) -> list[FakeInterface]:
        return [self.interface]


def usb_printer(serial: str = "7788") -> FakeDevice:
    return FakeDevice(serial, FakeInterface([FakeEndpoint(0x01), FakeEndpoint(0x82)]))


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> list[FakeDevice]:
    """The printers that are plugged in, behind a pyusb of its documented shape."""
    plugged: list[FakeDevice] = []

    def find(*, find_all: bool, idVendor: int, idProduct: int) -> list[FakeDevice]:  # noqa: N803
        assert find_all
        return plugged if (idVendor, idProduct) == (0x0416, 0x5011) else []

    def claim(device: FakeDevice, number: int) -> None:
        if device.kernel_has_it:
            raise UsbError(16, "Resource busy")
        device.claimed = True

    def dispose(device: FakeDevice) -> None:
        device.claimed = False

    core, util, usb = ModuleType("usb.core"), ModuleType("usb.util"), ModuleType("usb")
    vars(core).update(find=find, USBError=UsbError, USBTimeoutError=UsbTimeout, NoBackendError=NoBackend)
    vars(util).update(
        claim_interface=claim,
        dispose_resources=dispose,
        endpoint_type=lambda attributes: attributes & 3,
        endpoint_direction=lambda address: address & 0x80,
        ENDPOINT_TYPE_BULK=2,
        ENDPOINT_OUT=0x00,
        ENDPOINT_IN=0x80,
    )
    vars(usb).update(core=core, util=util)
    for name, module in (("usb", usb), ("usb.core", core), ("usb.util", util)):
        monkeypatch.setitem(sys.modules, name, module)
    return plugged


def test_bytes_go_to_the_usb_printer_and_its_answers_come_back(bus: list[FakeDevice]) -> None:
    bus.append(usb_printer())
    line = open_line("usb://0416:5011")
    assert (bus[0].kernel_has_it, bus[0].claimed) == (False, True)
    line.write(bytes(10_000), 1)
    out, into = bus[0].interface
    assert bytes(out.taken) == bytes(10_000)
    assert line.read(0) == b""
    into.waiting += b"\x12\x00"
    assert line.read(0) == b"\x12\x00"
    assert 0 not in [*out.waits_ms, *into.waits_ms], "a time-out of 0 is none at all"
    line.close()
    assert not bus[0].claimed


def test_two_usb_printers_of_a_kind_are_told_apart_by_their_serial_number(bus: list[FakeDevice]) -> None:
    bus += [usb_printer("7788"), usb_printer("7799")]
    with pytest.raises(LineDown, match="add the serial number"):
        open_line("usb://0416:5011")
    open_line("usb://0416:5011/7799").write(b"x", 1)
    assert [bytes(device.interface[0].taken) for device in bus] == [b"", b"x"]
    with pytest.raises(LineDown, match="no such USB device"):
        open_line("usb://0416:5011/1")


def test_a_usb_printer_that_takes_no_more_bytes_ends_the_write(bus: list[FakeDevice]) -> None:
    bus.append(usb_printer())
    bus[0].interface[0].room = 5_000
    line = open_line("usb://0416:5011")
    with pytest.raises(LineDown, match="took 5000 of 9000 bytes"):
        line.write(bytes(9_000), 1)
    with pytest.raises(LineDown):
        line.read(0)


def test_an_unplugged_usb_printer_is_line_down(bus: list[FakeDevice]) -> None:
    bus.append(usb_printer())
    uses: list[Callable[[Line], object]] = [lambda line: line.write(b"x", 1), lambda line: line.read(0.1)]
    for use in uses:
        line = open_line("usb://0416:5011")
        for endpoint in bus[0].interface:
            endpoint.gone = True
        with pytest.raises(LineDown, match="No such device"):
            use(line)
        for endpoint in bus[0].interface:
            endpoint.gone = False


def test_a_device_without_a_way_in_is_not_a_printer(bus: list[FakeDevice]) -> None:
    bus.append(FakeDevice("1", FakeInterface([FakeEndpoint(0x82)])))
    with pytest.raises(LineDown, match="not a printer"):
        open_line("usb://0416:5011")


def test_without_pyusb_or_libusb_the_line_says_what_to_install(
    bus: list[FakeDevice], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(**_: object) -> None:
        raise NoBackend("No backend available")

    monkeypatch.setattr(sys.modules["usb.core"], "find", find)
    with pytest.raises(LineDown, match="libusb is not installed"):
        open_line("usb://0416:5011")
    monkeypatch.setitem(sys.modules, "usb", None)
    monkeypatch.setitem(sys.modules, "usb.core", None)
    with pytest.raises(LineDown, match="jiaohao"):
        open_line("usb://0416:5011")


# ---------------------------------------------------------------------------------------------------------------- CUPS

COMMANDS = {
    "lpstat": """#!/bin/sh
case "$1" in
-p) case "$(cat state)" in
    gone) echo "lpstat: Invalid destination name in list \\"$2\\"!" >&2; exit 1;;
    stopped) printf 'printer %s disabled since Mon\\n\\tPaused\\n' "$2";;
    *) echo "printer $2 is idle.  enabled since Mon";;
    esac;;
-o) [ "$(cat state)" = stuck ] && echo "$2-7   root   1024   Mon" || true;;
esac
""",
    "lp": """#!/bin/sh
[ "$(cat state)" = refuses ] && { echo "lp: Destination \\"$2\\" is not accepting jobs." >&2; exit 1; }
echo "$@" > asked
cat > printed
echo "request id is $2-7 (0 file(s))"
""",
    "cancel": "#!/bin/sh\necho \"$1\" > cancelled\n",
}  # fmt: skip


@pytest.fixture
def cups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The commands of CUPS as its manual pages describe them, with a queue in a chosen state."""
    for name, script in COMMANDS.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)

    def becomes(state: str) -> None:
        (tmp_path / "state").write_text(state)

    becomes("idle")
    return SimpleNamespace(becomes=becomes, file=lambda name: tmp_path / name)


def queue_driver() -> ThermalPrinter:
    return ThermalPrinter(Wiring(device="p", url="cups://tickets", options=EscposOptions()))


def test_a_ticket_goes_through_the_queue_unchanged_and_nobody_claims_it_was_printed(cups: SimpleNamespace) -> None:
    started = Started()
    result = queue_driver().do(JOB, started)
    assert (result.status, started.times) == (ResultStatus.UNKNOWN, 1)
    assert cups.file("asked").read_text().split() == ["-d", "tickets", "-o", "raw", "-t", "ticket"]
    data = cups.file("printed").read_bytes()
    assert data.startswith(b"\x1b@")
    assert b"\x1d!\x77A012" in data
    assert data.endswith(b"\x1dVB\x00"), "a question would wait in the queue's printer for ever"


@pytest.mark.parametrize(("state", "why"), [("gone", "Invalid destination"), ("stopped", "cupsenable tickets.*Paused")])
def test_a_queue_that_is_not_ready_is_line_down_before_anything_is_begun(
    cups: SimpleNamespace, state: str, why: str
) -> None:
    driver, started = queue_driver(), Started()
    assert driver.check().paper is Paper.UNKNOWN
    cups.becomes(state)
    with pytest.raises(LineDown, match=why):
        driver.check()
    with pytest.raises(LineDown, match=why):
        driver.do(JOB, started)
    assert started.times == 0


def test_a_job_the_queue_refuses_is_failed_and_not_in_doubt(cups: SimpleNamespace) -> None:
    cups.becomes("refuses")
    result = queue_driver().do(JOB, Started())
    assert result.status is ResultStatus.FAILED
    assert "not accepting jobs" in result.detail


def test_a_job_that_stays_in_the_queue_is_taken_back(cups: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cups_queue, "HAND_OVER_S", 0.3)
    cups.becomes("stuck")
    line = open_line("cups://tickets")
    with pytest.raises(LineDown, match="taken back") as down:
        line.write(b"ticket", 0.3)
    assert not down.value.untouched
    assert cups.file("cancelled").read_text() == "tickets-7\n"


def test_without_cups_the_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LineDown, match="cups-client"):
        open_line("cups://tickets")


def test_only_a_line_of_known_pace_has_one() -> None:
    assert [parse_url(url).byte_s for url in ("lp:///dev/usb/lp0", "usb://0416:5011/7788", "cups://t")] == [0, 0, 0]
    assert PATIENCE_S > cups_queue.HAND_OVER_S
