"""DEVICES.toml: what a hall may write, and what it is told when it wrote something else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest

from drivers.devices_file import (
    BadDevicesFile,
    DevicesFile,
    Problem,
    check,
    is_devices_file,
    load_devices,
    read_devices,
)
from drivers.driver import BadOptions, OptionProblem
from drivers.led.cpower import CPowerOptions
from drivers.led.register_map import Register, RegisterOptions
from drivers.led.template import TemplateOptions
from drivers.printer.thermal import EscposOptions
from drivers.registry import DRIVERS, JobEntry

GOOD = """
schema = 1
hall = "qiaocheng"

[[device]]
id = "printer-1"
driver = "escpos"
url = "tcp://192.168.1.50:9100"
kiosks = ["kiosk-1"]
options = { profile = "xp-80c", max_scale = 4 }

[[device]]
id = "pads"
driver = "ff68"
url = "serial:///dev/serial/by-id/usb-FTDI_X?baud=9600"
windows = { 1 = "7", 2 = 8 }

[[device]]
id = "strips"
driver = "onbon-bx5"
url = "serial:///dev/serial/by-id/usb-FTDI_X?baud=9600"
windows = { 1 = "7", 2 = "8" }
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadDevicesFile) as bad:
        read_devices(text)
    return list(bad.value.problems)


def one(text: str) -> Problem:
    found = problems(text)
    assert len(found) == 1, found
    return found[0]


def test_a_good_file_is_read_whole() -> None:
    file = read_devices(GOOD)
    assert isinstance(file, DevicesFile)
    assert file.hall == "qiaocheng"
    assert [device.id for device in file.devices] == ["printer-1", "pads", "strips"]
    assert file.devices[0].options == EscposOptions(profile="xp-80c", max_scale=4)
    assert dict(file.devices[1].windows) == {1: "7", 2: "8"}


def test_every_error_is_told_at_once_with_its_line_and_what_was_meant() -> None:
    found = problems("""schema = 2
hal = "qiaocheng"
[[device]]
id = "printer-1"
driver = "escposs"
url = "tcp://192.168.1.50"
[[device]]
id = "printer-1"
driver = "escpos"
ulr = "x"
url = "tpc://192.168.1.50:9100"
options = { profle = "xp-80c", max_scale = "3" }
""")
    assert [(problem.line, problem.path, problem.suggestion) for problem in found] == [
        (0, "hall", None),
        (1, "schema", None),
        (2, "hal", "hall"),
        (5, "device[0].driver", '"escpos"'),
        (6, "device[0].url", None),
        (8, "device[1].id", None),
        (10, "device[1].ulr", "url"),
        (11, "device[1].url", "tcp"),
        (12, "device[1].options.max_scale", None),
        (12, "device[1].options.profle", "profile"),
    ]
    assert all(problem.zh and problem.en for problem in found)


def test_not_toml_says_where() -> None:
    found = one("schema = 1\nhall = \n")
    assert (found.line, found.code) == (2, "not_toml")


@pytest.mark.parametrize(
    ("changed", "line", "words"),
    [
        (('profile = "xp-80c"', 'profile = "xp-80d"'), 10, "profile: 'xp-80d' is not known"),
        (("max_scale = 4", "max_scale = 9"), 10, "max_scale: must be 1..8"),
        (("max_scale = 4", "max_scale = true"), 10, "max_scale must be a whole number"),
        (('kiosks = ["kiosk-1"]', 'kiosks = "kiosk-1"'), 9, "kiosks must be a list"),
        (('kiosks = ["kiosk-1"]', 'zones = ["general"]'), 9, "zones is for a speaker, this is a printer"),
        (('kiosks = ["kiosk-1"]', 'windows = { 1 = "1" }'), 9, "such windows are for strips and keypads"),
        (('kiosks = ["kiosk-1"]', "windows = [3]"), 9, "a list of window numbers in quotes"),
        (('windows = { 1 = "7", 2 = 8 }', ""), 12, "windows is missing"),
        (('windows = { 1 = "7", 2 = 8 }', 'windows = { one = "7" }'), 16, "address 'one' must be a number"),
        (('windows = { 1 = "7", 2 = 8 }', "windows = { 1 = true }"), 16, "must be a window number in quotes"),
        (('id = "pads"', 'id = "pads 1"'), 13, "id must be letters"),
        (("serial:///dev/serial/by-id/usb-FTDI_X?baud=9600", "tcp://192.168.1.50:9100"), 15, "only strips, keypads"),
    ],
)
def test_a_mistake_is_told_in_its_line(changed: tuple[str, str], line: int, words: str) -> None:
    text = GOOD.replace(changed[0], changed[1], 1)
    assert text != GOOD
    found = one(text)
    assert (found.line, words.lower() in found.en.lower()) == (line, True), found


def test_a_printer_may_stand_at_windows() -> None:
    file = read_devices(GOOD.replace('kiosks = ["kiosk-1"]', 'windows = ["3", "4"]', 1))
    assert [*file.devices[0].windows.values()] == ["3", "4"]


def test_devices_of_one_port_must_write_it_alike() -> None:
    head, _, last = GOOD.rpartition("baud=9600")
    found = one(f"{head}baud=57600{last}")
    assert (found.line, found.code) == (21, "same_port")


def test_a_file_without_devices_is_refused() -> None:
    assert one('schema = 1\nhall = "x"\n').code == "no_device"


def test_a_missing_file_is_one_problem(tmp_path: Path) -> None:
    found = check(tmp_path / "none.toml")
    assert [problem.code for problem in found] == ["unreadable"]


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_devices(path).hall == "qiaocheng"
    assert check(path) == []


def test_a_hall_file_is_not_a_devices_file(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert is_devices_file(path)
    assert not is_devices_file(root / "config" / "demo.toml")
    assert not is_devices_file(tmp_path / "none.toml")


class _Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    at: int
    holds: Literal["number", "text"] = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    needed: str
    pace: float = 1.0
    colour: _Colour = _Colour.RED
    codes: tuple[int, ...] = ()
    way: Literal["a", "b"] = "a"
    loud: bool | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[_Row, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be, all of it."""
        problems = []
        if self.pace > 9:
            problems.append(OptionProblem(option="pace", zh="不能超过 9", en="must be at most 9"))
        if 0 in self.codes:
            problems.append(OptionProblem(option="codes", zh="不能有 0", en="0 cannot be", meant="1"))
        if problems:
            raise BadOptions(problems)


def _with_options(options: str) -> str:
    entry = 'schema = 1\nhall = "x"\n[[device]]\nid = "d"\ndriver = "own"\nurl = "tcp://h:1"\n'
    return f"{entry}options = {{ {options} }}\n"


OWN = {"own": JobEntry(kind="printer", about="", schemes=("tcp",), options=_Options, make=DRIVERS["escpos"].make)}  # type: ignore[arg-type]  # never made


def test_options_of_every_type_are_fitted() -> None:
    text = _with_options('needed = "x", pace = 2, colour = "red", codes = [1, 2], way = "b", loud = true')
    options = read_devices(text, drivers=OWN).devices[0].options
    assert options == _Options(needed="x", pace=2.0, colour=_Colour.RED, codes=(1, 2), way="b", loud=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("", "option needed is missing"),
        ('needed = "x", pace = "fast"', "pace must be a number"),
        ('needed = "x", colour = "blue"', "colour must be one of 'red'"),
        ('needed = "x", codes = ["1"]', "codes must be a list"),
        ('needed = "x", way = "c"', "way must be one of 'a', 'b'"),
        ('needed = "x", loud = 1', "loud must be true or false"),
        ('needed = "x", levels = { a = "1" }', "levels must be a table"),
        ('needed = "x", rows = [1]', "rows must be a list of tables"),
        ('needed = "x", rows = [{ holds = "text" }]', "option at is missing"),
    ],
)
def test_options_of_a_wrong_type_are_refused(options: str, words: str) -> None:
    with pytest.raises(BadDevicesFile) as bad:
        read_devices(_with_options(options), drivers=OWN)
    assert words.lower() in str(bad.value).lower()


def test_tables_within_options_are_read() -> None:
    text = _with_options('needed = "x", levels = { "07:30" = 80 }, rows = [{ at = 1 }, { at = 2, holds = "text" }]')
    options = read_devices(text, drivers=OWN).devices[0].options
    assert isinstance(options, _Options)
    assert dict(options.levels) == {"07:30": 80}
    assert options.rows == (_Row(at=1), _Row(at=2, holds="text"))


def test_every_wrong_option_is_told_at_once_also_within_its_tables() -> None:
    text = _with_options(
        'needed = "x", pace = 10, codes = [0], way = "bb", loud = 1, '
        'rows = [{ at = "1", hold = "text" }, { at = 2, holds = "txt" }]'
    )
    with pytest.raises(BadDevicesFile) as bad:
        read_devices(text, drivers=OWN)
    told = {problem.path.removeprefix("device[0].options."): problem.suggestion for problem in bad.value.problems}
    assert told == {
        "codes": "1",
        "loud": None,
        "pace": None,
        "rows[0].at": None,
        "rows[0].hold": "holds",
        "rows[1].holds": '"text"',
        "way": '"b"',
    }
    assert all(problem.line == 7 and problem.zh and problem.en for problem in bad.value.problems)


STRIPS = """
schema = 1
hall = "qiaocheng"

[[device]]
id = "strips"
driver = "c-power"
url = "serial:///dev/serial/by-id/usb-FTDI_X?baud=115200"
windows = { 1 = "7", 2 = "8" }
options = { width_px = 192, brightness = { "07:30" = 100, "18:00" = 40 }, clock = "04:00" }

[[device]]
id = "digits"
driver = "modbus-strip"
url = "tcp://192.168.1.60:502"
windows = { 1 = "9" }
[[device.options.registers]]
at = 0x80
holds = "label"
count = 3
charset = "segments"

[[device]]
id = "own"
driver = "template"
url = "tcp://192.168.1.61:4001?baud=9600"
windows = { 1 = "10" }
[device.options]
frame = "AA 55 [ {address} {length} {text} ] {sum8} 0D"
answer = "AA 55 {address} 06"
"""


def test_strips_of_every_maker_are_read() -> None:
    strips, digits, own = read_devices(STRIPS).devices
    assert isinstance(strips.options, CPowerOptions)
    assert dict(strips.options.brightness) == {"07:30": 100, "18:00": 40}
    assert isinstance(digits.options, RegisterOptions)
    assert digits.options.registers == (Register(at=0x80, holds="label", count=3, charset="segments"),)
    assert isinstance(own.options, TemplateOptions)


@pytest.mark.parametrize(
    ("old", "new", "line", "words", "meant"),
    [
        ('windows = { 1 = "7", 2 = "8" }', 'windows = { 0 = "7", 255 = "8" }', 9, "must be 1..254", None),
        ("clock =", "clok =", 10, "'clok' is not known", "clock"),
        ('"04:00"', '"4 Uhr"', 10, "is no time of day", None),
        ('"07:30" = 100', '"7:30" = 100', 10, "is no time of day", None),
        ('driver = "c-power"', 'driver = "cpower"', 7, "is not known", '"c-power"'),
        ('holds = "label"', 'holds = "lable"', 19, "must be one of", '"label"'),
        ("at = 0x80", "at = 70000", 18, "must be 0..65535", None),
        ('charset = "segments"', 'charsets = "segments"', 21, "is not known", "charset"),
        ("{sum8}", "{sum9}", 29, "{sum9} is not known", "{sum8}"),
        ("{length}", "{lenght}", 29, "{lenght} is not known", "{length}"),
        ("[ {address}", "{address}", 29, "must stand once each", None),
        ('windows = { 1 = "10" }', 'windows = { 300 = "10" }', 27, "must be 0..255", None),
        ("?baud=9600", "?baud=96", 26, "baud must be", None),
    ],
)
def test_a_mistake_about_a_strip_is_told_in_its_line(
    old: str, new: str, line: int, words: str, meant: str | None
) -> None:
    text = STRIPS.replace(old, new, 1)
    assert text != STRIPS
    found = problems(text)
    assert {(problem.line, problem.suggestion) for problem in found} == {(line, meant)}, found
    assert all(words in problem.en and problem.zh for problem in found)


def test_an_alpha_sign_on_a_serial_line_says_its_parity() -> None:
    head = 'schema = 1\nhall = "x"\n[[device]]\nid = "d"\ndriver = "alpha"\n'
    sign = f'{head}url = "serial:///dev/x"\nwindows = {{ 1 = "1" }}\n'
    found = one(sign)
    assert (found.line, found.code) == (6, "line_settings")
    assert "bits=7&parity=even" in found.en
    for url in ("serial:///dev/x?bits=7&parity=even", "tcp://h:1"):
        assert read_devices(sign.replace("serial:///dev/x", url)).devices[0].url == url


def test_two_strips_of_one_line_cannot_have_one_address() -> None:
    twice = STRIPS.replace("tcp://192.168.1.60:502", "tcp://192.168.1.61:4001?baud=9600")
    assert len(read_devices(twice).devices) == 3, "another maker's strip with that number hears another language"
    again = STRIPS + STRIPS[STRIPS.index('[[device]]\nid = "own"') :].replace('"own"', '"own-2"')
    found = one(again)
    assert (found.line, found.code) == (35, "same_address")
