"""Lines: what a vanishing, silent or stuck port does, over real sockets and ptys."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from drivers.faults import Backoff, LineDown
from drivers.transport import Line, open_line, parse_url
from drivers.virtual.line import VirtualLine
from tests.patience import PATIENCE_S


@pytest.fixture(params=["tcp", "pty"])
def device(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualLine]:
    place = "tcp://127.0.0.1:0" if request.param == "tcp" else f"pty://{tmp_path}/line"
    virtual: VirtualLine

    def echo(data: bytes) -> None:
        virtual.send(data)

    virtual = VirtualLine(place, echo)
    yield virtual
    virtual.close()


def all_of(line: Line, count: int) -> bytes:
    data = b""
    until_s = time.monotonic() + PATIENCE_S
    while len(data) < count and time.monotonic() < until_s:
        data += line.read(0.2)
    return data


def keep_using(line: Line, data: bytes, *, read: bool = True) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        line.write(data, 0.5)
        if read:
            line.read(0.01)


def test_bytes_go_both_ways_unchanged(device: VirtualLine) -> None:
    line = open_line(device.url)
    every = bytes(range(256))
    line.write(every, 1)
    assert all_of(line, 256) == every
    line.close()


def test_reading_nothing_takes_the_time_given(device: VirtualLine) -> None:
    line = open_line(device.url)
    began_s = time.monotonic()
    assert line.read(0.1) == b""
    assert time.monotonic() - began_s >= 0.08
    line.close()


def test_an_unplugged_device_is_line_down_and_comes_back_at_the_same_address(device: VirtualLine) -> None:
    line = open_line(device.url)
    line.write(b"a", 1)
    assert all_of(line, 1) == b"a"
    device.unplug()
    with pytest.raises(LineDown):
        keep_using(line, b"x")
    with pytest.raises(LineDown):
        open_line(device.url)
    device.replug()
    again = open_line(device.url)
    again.write(b"b", 1)
    assert all_of(again, 1) == b"b"
    again.close()


def test_a_device_that_takes_no_bytes_ends_the_write_in_time(device: VirtualLine) -> None:
    device.stop_reading()
    line = open_line(device.url)
    with pytest.raises(LineDown):
        keep_using(line, b"x" * 100_000)


def test_the_first_write_after_the_other_side_closed_is_not_lost_silently() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = open_line(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        peer.close()
        with pytest.raises(LineDown, match="closed the connection"):
            keep_using(line, b"ticket", read=False)


def test_nobody_listening_is_line_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(LineDown, match="refused"):
        open_line(f"tcp://127.0.0.1:{port}")


def test_a_pty_that_knows_no_parity_is_line_down_and_not_a_foreign_exception(tmp_path: Path) -> None:
    device = VirtualLine(f"pty://{tmp_path}/line", lambda data: None)
    try:
        line = open_line(f"{device.url}?parity=even&bits=7")
    except LineDown:
        pass  # termios.error inside; some kernels accept the setting
    else:
        line.close()
    finally:
        device.close()


def test_a_serial_port_is_held_by_one(tmp_path: Path) -> None:
    device = VirtualLine(f"pty://{tmp_path}/line", lambda data: None)
    line = open_line(device.url)
    with pytest.raises(LineDown):
        open_line(device.url)
    line.close()
    device.close()


def test_closing_twice_is_fine(device: VirtualLine) -> None:
    line = open_line(device.url)
    line.close()
    line.close()
    with pytest.raises(LineDown):
        line.write(b"x", 1)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("tcp://192.168.1.50", "must look like tcp://"),
        ("tcp://192.168.1.50:99999", "must be 1..65535"),
        ("tcp://192.168.1.50:4001?bau=9600", "unknown setting 'bau'"),
        ("tcp://192.168.1.50:4001?baud=9", "baud must be"),
        ("serial://dev/ttyUSB0", "three slashes"),
        ("serial:///dev/ttyUSB0?bau=9600", "unknown setting 'bau'"),
        ("serial:///dev/ttyUSB0?baud=fast", "baud must be"),
        ("serial:///dev/ttyUSB0?parity=maybe", "parity must be"),
        ("serial:///dev/ttyUSB0?stop=3", "stop must be"),
        ("serial:///dev/ttyUSB0?bits=9", "bits must be"),
        ("usb://1", "must look like usb://0416:5011"),
        ("usb://0416:501G", "must look like usb://0416:5011"),
        ("lp://dev/usb/lp0", "three slashes"),
        ("lp:///dev/usb/lp0?baud=9600", "must look like lp:///dev/usb/lp0"),
        ("cups://", "must look like cups://tickets"),
        ("cups://-d", "must look like cups://tickets"),
        ("parallel:///dev/parport0", "must begin with tcp://"),
    ],
)
def test_a_wrong_address_says_what_to_write_instead(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_url(url)


def test_serial_settings_are_read() -> None:
    parsed = parse_url("serial:///dev/serial/by-id/usb-FTDI_X?baud=57600&parity=even&stop=2&bits=7")
    assert (parsed.path, parsed.baud, parsed.parity, parsed.stop, parsed.bits) == (
        "/dev/serial/by-id/usb-FTDI_X", 57600, "E", 2, 7,
    )  # fmt: skip


def test_the_pace_of_the_line_behind_a_serial_server_can_be_told() -> None:
    assert parse_url("tcp://192.168.1.60:4001?baud=9600").byte_s == pytest.approx(10 / 9600)
    assert parse_url("tcp://192.168.1.60:4001").byte_s == 0.0
    assert parse_url("serial:///dev/ttyUSB0?baud=19200").byte_s == pytest.approx(10 / 19200)


def test_the_pause_between_tries_grows_to_its_cap_and_never_overflows() -> None:
    pause = Backoff(first_s=0.2, most_s=2.0, chance=lambda: 1.0)
    waits = [pause.next_s() for _ in range(5000)]
    assert waits[:5] == [0.2, 0.4, 0.8, 1.6, 2.0]
    assert max(waits) == 2.0
    pause.reset()
    assert pause.next_s() == 0.2


def test_a_closed_virtual_line_leaves_no_open_file(tmp_path: Path) -> None:
    before = own_files()
    for _ in range(3):
        VirtualLine(f"pty://{tmp_path}/line", lambda data: None).close()
    assert own_files() <= before


def own_files() -> int:
    """Count the pseudo terminals and pipes of this process; sockets come and go with other threads."""
    found = 0
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):  # closed between the listing and the look
            found += str(file.readlink()).startswith(("/dev/pts/", "/dev/ptmx", "pipe:"))
    return found
