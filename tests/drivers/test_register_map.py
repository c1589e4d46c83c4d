"""Strips that are Modbus slaves: what is written into which register, over RTU and TCP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drivers import modbus
from drivers.driver import BadOptions, Wiring
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import register_map
from drivers.led.checksums import crc16_modbus
from drivers.led.register_map import Register, RegisterMap, RegisterOptions
from drivers.led.strip import Answer

CALLING = WindowPicture(
    window="3",
    name={"zh": "3号窗口"},
    status=WindowStatus.CALLING,
    pause_reason=None,
    waiting=7,
    ticket="20261121-A012",
    label="A012",
    service=None,
    ticket_status=None,
    call_count=1,
)
IDLE = replace(CALLING, status=WindowStatus.OPEN, ticket=None, label=None)
STATUS = Register(at=9, holds="status", values={"invite": 2, "busy": 1, "free": 5, "away": 0})


def written(picture: WindowPicture, *registers: Register, unit: int = 1, framing: modbus.Framing = "rtu") -> list[str]:
    dialect = RegisterMap(RegisterOptions(registers=registers), framing, 0.0)
    return [ask.frame.hex(" ") for ask in dialect.paint(unit, picture)]


def values(picture: WindowPicture, register: Register) -> list[int]:
    (ask,) = RegisterMap(RegisterOptions(registers=(register,), single="10"), "rtu", 0.0).paint(1, picture)
    coded = ask.frame[7:-2]
    return [int.from_bytes(coded[place : place + 2], "big") for place in range(0, len(coded), 2)]


def test_a_number_is_the_frame_the_module_is_documented_with() -> None:
    # armfly LED-485: number at 0, function 06; CRC by the un-reflected method.
    assert written(CALLING, Register(at=0, holds="number")) == ["01 06 00 00 00 0c 89 cf"]


def test_letters_of_a_digit_module_are_its_segments() -> None:
    # A, 0, 1, 2 as the module's set-up tool writes them from 80 hex (LED-485_setuptool): 77 3f 06 5b
    (frame,) = written(CALLING, Register(at=0x80, holds="label", count=2, charset="segments"))
    assert frame.startswith("01 10 00 80 00 02 04 77 3f 06 5b")


@pytest.mark.parametrize(
    ("register", "calling", "idle"),
    [
        (Register(at=0, holds="number", blank=0xFFFF), [12], [0xFFFF]),
        (Register(at=0, holds="bcd"), [0x0012], [0]),
        (Register(at=0, holds="label", count=3), [0x4130, 0x3132, 0x2020], [0x2020] * 3),
        (Register(at=0, holds="label", count=3, order="low"), [0x3041, 0x3231, 0x2020], [0x2020] * 3),
        (Register(at=0, holds="label", count=1), [0x4130], [0x2020]),
        (Register(at=0, holds="text", count=4, charset="gbk"), [0xC7EB, 0x4130, 0x3132, 0xBAC5], None),
        (Register(at=0, holds="text", count=2, charset="gbk"), [0x4130, 0x3132], None),  # the label alone has room
        (Register(at=0, holds="text", count=6, charset="utf-16"), [0x8BF7, 0x41, 0x30, 0x31, 0x32, 0x53F7], None),
        (Register(at=0, holds="waiting"), [7], [7]),
        (Register(at=0, holds="window"), [3], [3]),
        (STATUS, [2], [5]),
    ],
)
def test_registers_hold_what_the_map_says(register: Register, calling: list[int], idle: list[int] | None) -> None:
    assert values(CALLING, register) == calling
    if idle is not None:
        assert values(IDLE, register) == idle


def test_a_served_visitor_stays_on_the_strip_and_a_missed_call_does_not() -> None:
    label = Register(at=0, holds="label", count=2)
    assert values(replace(CALLING, status=WindowStatus.SERVING), label) == [0x4130, 0x3132]
    assert values(replace(CALLING, status=WindowStatus.PAUSED), label) == [0x2020, 0x2020]


def test_every_entry_is_a_write_and_every_write_is_answered() -> None:
    dialect = RegisterMap(RegisterOptions(registers=(Register(at=0, holds="number"), STATUS)), "rtu", 0.0)
    first, second = dialect.paint(5, CALLING)
    assert dialect.feed(first.frame + second.frame) == [Answer(mark=first.mark), Answer(mark=second.mark)]
    refused = bytes.fromhex("05 86 03")
    assert dialect.feed(refused + crc16_modbus(refused).to_bytes(2, "little")) == [
        Answer(mark=first.mark, refusal="Modbus exception 3")
    ]


def test_over_tcp_a_late_answer_to_another_text_is_not_taken() -> None:
    dialect = RegisterMap(RegisterOptions(registers=(Register(at=0, holds="number"),)), "tcp", 0.0)
    (now,) = dialect.paint(5, CALLING)
    (before,) = dialect.paint(5, replace(CALLING, label="A011"))
    assert dialect.feed(before.frame) == [Answer(mark=before.mark)]
    assert before.mark != now.mark
    assert dialect.paint(5, CALLING) == (now,), "the same for the same picture"


def test_brightness_goes_into_its_register() -> None:
    light = Register(at=9, holds="brightness", most=15)
    options = RegisterOptions(registers=(STATUS, light), brightness={"08:00": 100})
    dialect = RegisterMap(options, "rtu", 0.0)
    assert [dialect.light(1, percent)[0].frame[5] for percent in (0, 1, 50, 100)] == [0, 1, 8, 15]
    assert len(dialect.paint(1, CALLING)) == 1


@pytest.mark.parametrize(
    ("url", "byte_s", "framing", "head"),
    [
        ("tcp://h:502", 0.0, "auto", 6),
        ("tcp://h:4001?baud=9600", 0.001, "auto", 0),
        ("serial:///dev/x", 0.001, "auto", 0),
        ("tcp://h:4001", 0.0, "rtu", 0),
    ],
)
def test_the_frame_is_the_one_of_the_line(url: str, byte_s: float, framing: str, head: int) -> None:
    options = RegisterOptions(registers=(Register(at=0, holds="number"),), framing=framing)  # type: ignore[arg-type]  # of the parameters
    driver = register_map.make(Wiring(device="s", url=url, options=options, windows={17: "3"}, byte_s=byte_s))
    driver.line_up(0.0)
    driver.show(CALLING)
    assert driver.due(0.0)[head : head + 2] == b"\x11\x06"


def test_rtu_is_silent_between_frames_as_the_norm_wants() -> None:
    options = RegisterOptions(registers=(Register(at=0, holds="number"),))
    assert RegisterMap(options, "rtu", 10 / 1200).manners.gap_s == pytest.approx(3.5 * 10 / 1200)


def test_every_mistake_of_a_map_is_told() -> None:
    with pytest.raises(BadOptions) as bad:
        Register(at=70000, holds="number", count=2, blank=-1)
    assert [problem.option for problem in bad.value.problems] == ["at", "count", "values"]
    with pytest.raises(BadOptions, match="lacks busy, free, away"):
        Register(at=0, holds="status", values={"invite": 1})
    with pytest.raises(BadOptions) as bad:
        RegisterOptions(brightness={"08:00": 50}, clock="04:00", languages=("zh", "en"))
    assert [problem.option for problem in bad.value.problems] == ["registers", "brightness", "languages", "clock"]
