"""Button panels: a press counts once, lamps say what is open, a no blinks or buzzes; Modbus frames as published."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import contacts, modbus
from drivers.contacts import Contact
from drivers.driver import BadOptions, Wiring
from drivers.faults import FaultCode, HealthStatus
from drivers.jobs import TakeNumber
from drivers.panel import modbus as modbus_panel
from drivers.panel import wired
from drivers.panel.modbus import ModbusPanel, ModbusPanelOptions
from drivers.panel.options import Button, PanelOptions
from drivers.panel.wired import WiredPanel

TAX = TakeNumber(device="panel-1", key="17", service="tax")
BUTTONS = (Button(key=17, service="tax", lamp=22), Button(key=27, service="social", priority="elderly", lamp=23))


def panel(url: str = "gpio:", **options: object) -> WiredPanel:
    made = PanelOptions(**({"buttons": BUTTONS} | options))  # type: ignore[arg-type]  # the test says which
    driver = wired.make(Wiring(device="panel-1", url=url, options=made, kiosk="kiosk-1"))
    driver.line_up(0.0)
    return driver


def down(*numbers: int) -> bytes:
    return b"".join(contacts.encode(Contact(number, contacts.DOWN)) for number in numbers)


def orders(driver: WiredPanel, now_s: float) -> list[Contact]:
    found = []
    while frame := driver.due(now_s):
        found += contacts.Decoder().feed(frame)
    return found


def test_a_press_is_the_number_of_its_service() -> None:
    driver = panel()
    assert driver.feed(down(17), 1.0) == [TAX]
    assert driver.feed(down(27), 1.0) == [TakeNumber(device="panel-1", key="27", service="social", priority="elderly")]
    assert driver.feed(down(99), 1.0) == []


def test_a_bouncing_contact_and_an_impatient_finger_are_one_press() -> None:
    driver = panel()
    up = contacts.encode(Contact(17, contacts.UP))
    assert driver.feed((down(17) + up) * 20, 1.0) == [TAX]
    assert driver.feed(down(17), 3.9) == []
    assert driver.feed(contacts.encode(Contact(17, contacts.HELD)), 9.0) == []
    assert driver.feed(down(17), 4.1) == [TAX]


def test_pins_are_watched_and_keys_are_not() -> None:
    assert orders(panel("gpio:"), 0.0)[:2] == [Contact(17, contacts.WATCH), Contact(27, contacts.WATCH)]
    assert [order.value for order in orders(panel("hid:///dev/input/x"), 0.0)] == [contacts.OFF, contacts.OFF]


def test_lamps_are_lit_while_the_service_gives_numbers() -> None:
    driver = panel()
    orders(driver, 0.0)
    driver.see_services(frozenset({"tax"}))
    assert orders(driver, 1.0) == [Contact(22, contacts.ON)]
    driver.see_services(frozenset())
    assert orders(driver, 2.0) == [Contact(22, contacts.OFF)]
    driver.line_up(3.0)
    assert Contact(22, contacts.OFF) in orders(driver, 3.0), "what was forgotten is painted again"


@pytest.mark.parametrize("is_open", [True, False])
def test_a_refusal_blinks_three_times_and_ends_as_it_was(is_open: bool) -> None:
    driver = panel()
    driver.see_services(frozenset({"tax"} if is_open else ()))
    orders(driver, 0.0)
    driver.feed(down(17), 1.0)
    driver.refused("17", "service_closed")
    seen = [order.value == contacts.ON for tick in range(40) for order in orders(driver, 1.0 + tick * 0.05)]
    assert seen == [not is_open, is_open] * 3
    assert driver.feed(down(17), 2.5) == [TAX], "after a no the visitor may press again at once"


def test_a_buzzer_sounds_three_times_and_no_lamp_blinks() -> None:
    driver = panel(buzzer=5)
    orders(driver, 0.0)
    driver.refused("17", "hall_closed")
    seen = [order for tick in range(40) for order in orders(driver, 1.0 + tick * 0.05)]
    assert seen == [Contact(5, contacts.ON), Contact(5, contacts.OFF)] * 3


@given(st.lists(st.integers(1, 5), max_size=20))
def test_contacts_at_any_cut(cuts: list[int]) -> None:
    stream, decoder, heard, at = down(1, 300, 65535), contacts.Decoder(), [], 0
    for cut in [*cuts, len(stream)]:
        heard += decoder.feed(stream[at : at + cut])
        at += cut
    assert [contact.number for contact in heard] == [1, 300, 65535]
    assert decoder.kept_bytes == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"buttons": ()}, "1 to 64 are needed"),
        ({"buttons": (Button(key="KEY_NONE", service="tax"),)}, "no key 'KEY_NONE'"),
        ({"buttons": (Button(key=70000, service="tax"),)}, "must be 0..65535"),
        ({"buttons": (Button(key="key_1", service="tax"), Button(key=2, service="x"))}, "more than once"),
        ({"buttons": (Button(key=1, service=""),)}, "names no service"),
        ({"buttons": (Button(key=1, service="tax", lamp=3),), "buzzer": 3}, "must differ"),
        ({"again_ms": 5}, "must be 200..60000"),
    ],
)
def test_a_wrong_option_says_what_to_write(options: dict[str, object], word: str) -> None:
    with pytest.raises(BadOptions, match=word):
        PanelOptions(**({"buttons": BUTTONS} | options))  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------------- Modbus

# Published examples of Modbus RTU: read eight discrete inputs of unit 1, coil 0 on.
READ_8 = bytes.fromhex("01 02 00 00 00 08 79 cc")
COIL_0_ON = bytes.fromhex("01 05 00 00 ff 00 8c 3a")
NONE_DOWN = bytes.fromhex("01 02 01 00 a1 88")
FIRST_DOWN = bytes.fromhex("01 02 01 01 60 48")


def module(**options: object) -> ModbusPanel:
    buttons = (Button(key=0, service="tax", lamp=0), Button(key=7, service="social"))
    made = ModbusPanelOptions(**({"buttons": buttons} | options))  # type: ignore[arg-type]
    wiring = Wiring(device="panel-1", url="serial:///dev/x", options=made, byte_s=10 / 9600, kiosk="kiosk-1")
    driver = modbus_panel.make(wiring)
    driver.line_up(0.0)
    return driver


def test_the_questions_are_the_published_frames() -> None:
    driver = module()
    assert driver.due(0.0) == READ_8
    driver.feed(NONE_DOWN, 0.05)
    driver.see_services(frozenset({"tax"}))
    assert driver.due(0.2) == COIL_0_ON
    driver.feed(COIL_0_ON, 0.25)
    assert driver.due(0.4) == READ_8


def test_what_goes_down_is_pressed_and_what_was_down_at_the_start_is_not() -> None:
    driver = module()
    presses = []
    for turn, reply in enumerate((FIRST_DOWN, NONE_DOWN, FIRST_DOWN, FIRST_DOWN)):
        assert driver.due(turn * 0.2) == READ_8 or driver.due(turn * 0.2 + 0.1) == READ_8 or turn == 0
        driver._lit = {0: False}
        presses.append(list(driver.feed(reply, turn * 0.2 + 0.15)))
    assert [len(each) for each in presses] == [0, 0, 1, 0]
    assert presses[2][0].service == "tax"


def test_an_answer_nobody_asked_for_presses_nothing() -> None:
    driver = module()
    assert driver.feed(NONE_DOWN + FIRST_DOWN, 0.0) == []


def test_a_silent_module_is_down_and_back() -> None:
    driver = module()
    for tick in range(60):
        driver.due(tick * 0.1)
    assert [fault.code for fault in driver.health(6.0).faults] == [FaultCode.NO_ANSWER]
    while not driver.due(7.0):
        driver.due(6.9)
    driver.feed(NONE_DOWN, 7.1)
    assert driver.health(7.1).status is HealthStatus.OK


def test_a_module_without_such_inputs_says_so() -> None:
    driver = module()
    driver.due(0.0)
    refusal = bytes.fromhex("01 82 02 c1 61")
    driver.feed(refusal, 0.1)
    assert [fault.code for fault in driver.health(0.1).faults] == [FaultCode.REFUSED]


def test_junk_for_ever_presses_nothing_and_keeps_less_than_a_frame() -> None:
    driver, chance = module(), random.Random(3)
    for tick in range(2000):
        driver.due(tick * 0.05)
        assert driver.feed(chance.randbytes(chance.randrange(40)), tick * 0.05) == []
    assert driver._reader.kept_bytes < modbus.MAX_ADU_BYTES


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"unit": 0}, "must be 1..247"),
        ({"buttons": (Button(key="KEY_1", service="tax"),)}, "number of an input"),
        ({"buttons": (Button(key=0, service="tax"), Button(key=300, service="x"))}, "within 256"),
    ],
)
def test_a_wrong_module_option_says_what_to_write(options: dict[str, object], word: str) -> None:
    with pytest.raises(BadOptions, match=word):
        module(**options)
