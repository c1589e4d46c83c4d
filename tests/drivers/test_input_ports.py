"""Keyboards and pins as ports: events become contacts, lamps are switched, a pulled keyboard is a line that is down."""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gpiozero
import pytest
from evdev import InputEvent, ecodes
from gpiozero.pins.mock import MockFactory

from drivers import contacts
from drivers.contacts import Contact, Decoder
from drivers.faults import LineDown
from drivers.keys import CODES
from drivers.transport import parse_url
from drivers.transport.gpio import GpioLine
from drivers.transport.hid import HidLine

KEYBOARD = parse_url("hid:///dev/input/by-id/usb-Panel-event-kbd")


@dataclass
class FakeKeyboard:
    """A keyboard whose events the test makes; its file is the end of a pipe."""

    events: list[InputEvent] = field(default_factory=list)
    leds: list[tuple[int, int]] = field(default_factory=list)
    grabbed: int = 0
    gone: bool = False

    def __post_init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def hit(self, *events: InputEvent) -> None:
        self.events += events
        os.write(self.writer, b".")

    def fileno(self) -> int:
        return self.reader

    def grab(self) -> None:
        self.grabbed += 1

    def read(self) -> list[InputEvent]:
        os.read(self.reader, 64)
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        events, self.events = self.events, []
        return events

    def set_led(self, led_num: int, value: int) -> None:
        if self.gone:
            raise OSError(errno.ENODEV, "No such device")
        self.leds.append((led_num, value))

    def close(self) -> None:
        if self.reader >= 0:
            os.close(self.reader)
            os.close(self.writer)
            self.reader = -1


@pytest.fixture
def keyboard() -> Iterator[FakeKeyboard]:
    made = FakeKeyboard()
    yield made
    made.close()


def key(code: int, value: int) -> InputEvent:
    return InputEvent(0, 0, ecodes.EV_KEY, code, value)


def open_line(keyboard: FakeKeyboard) -> HidLine:
    return HidLine(KEYBOARD, lambda path: keyboard if path == KEYBOARD.path else pytest.fail(path))


def test_keys_become_contacts_and_nothing_else_does(keyboard: FakeKeyboard) -> None:
    line = open_line(keyboard)
    assert keyboard.grabbed == 1, "else every key goes to the console too"
    keyboard.hit(
        key(ecodes.KEY_1, 1), InputEvent(0, 0, ecodes.EV_SYN, 0, 0), key(ecodes.KEY_1, 2), key(ecodes.KEY_1, 0)
    )
    found = Decoder().feed(line.read(1.0))
    assert found == [Contact(CODES["KEY_1"], value) for value in (contacts.DOWN, contacts.HELD, contacts.UP)]
    assert line.read(0.01) == b""


def test_lamps_are_leds(keyboard: FakeKeyboard) -> None:
    line = open_line(keyboard)
    for contact in (Contact(0, contacts.ON), Contact(1, contacts.OFF), Contact(500, contacts.ON), Contact(2, 2)):
        line.write(contacts.encode(contact), 1.0)
    assert keyboard.leds == [(0, 1), (1, 0)]


def test_a_pulled_keyboard_is_a_line_that_is_down(keyboard: FakeKeyboard) -> None:
    line = open_line(keyboard)
    keyboard.gone = True
    keyboard.hit()
    with pytest.raises(LineDown, match="No such device"):
        line.read(1.0)
    with pytest.raises(LineDown):
        line.read(0.01)


def test_no_keyboard_there() -> None:
    with pytest.raises(LineDown, match="No such file"):
        HidLine(KEYBOARD)


def test_a_keyboard_that_another_holds(keyboard: FakeKeyboard, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken() -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(keyboard, "grab", taken)
    with pytest.raises(LineDown, match="busy"):
        open_line(keyboard)


def test_key_names_are_the_kernels() -> None:
    assert {name: ecodes.ecodes[name] for name in CODES} == CODES


@pytest.fixture
def board() -> Iterator[Any]:
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    factory.close()
    factory.reset()
    gpiozero.Device.pin_factory = None


def test_pins_are_buttons_and_lamps(board: Any) -> None:
    line = GpioLine(parse_url("gpio:?pull=up"))
    for contact in (Contact(17, contacts.WATCH), Contact(17, contacts.WATCH), Contact(22, contacts.ON)):
        line.write(contacts.encode(contact), 1.0)
    board.pin(17).drive_low()
    board.pin(17).drive_high()
    assert Decoder().feed(line.read(1.0) + line.read(0.01)) == [Contact(17, contacts.DOWN), Contact(17, contacts.UP)]
    assert board.pin(22).state == 1
    line.write(contacts.encode(Contact(22, contacts.OFF)), 1.0)
    assert board.pin(22).state == 0
    line.close()
    line.close()


def test_buttons_to_the_supply(board: Any) -> None:
    line = GpioLine(parse_url("gpio:?pull=down"))
    line.write(contacts.encode(Contact(17, contacts.WATCH)), 1.0)
    board.pin(17).drive_high()
    assert Decoder().feed(line.read(1.0)) == [Contact(17, contacts.DOWN)]
    line.close()


def test_a_pin_there_is_not(board: Any) -> None:
    line = GpioLine(parse_url("gpio:"))
    with pytest.raises(LineDown, match="pin 400"):
        line.write(contacts.encode(Contact(400, contacts.WATCH)), 1.0)


@pytest.mark.filterwarnings("ignore::gpiozero.exc.PinFactoryFallback")
def test_a_machine_without_pins() -> None:
    with pytest.raises(LineDown, match="no pins"):
        GpioLine(parse_url("gpio:"))


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("hid://dev/input/x", "three slashes"),
        ("hid:///dev/input/x?baud=1", "must look like"),
        ("gpio:?pull=sideways", "must be gpio:"),
        ("gpio:///17", "must be gpio:"),
    ],
)
def test_a_wrong_address_says_what_to_write(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_url(url)
