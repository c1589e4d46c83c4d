"""A USB numeric keypad is a call pad: its keys are those of the 21-key pad, its lamp blinks when the hall says no."""

from dataclasses import replace

import pytest

from drivers import contacts
from drivers.contacts import Contact
from drivers.driver import BadOptions, Wiring
from drivers.jobs import Press, WindowPicture, WindowStatus
from drivers.keypad import hid_pad
from drivers.keypad.hid_pad import HidPad, HidPadOptions
from drivers.keys import CODES

OPEN = WindowPicture(
    window="3",
    name={"zh": "3号窗口"},
    status=WindowStatus.OPEN,
    pause_reason=None,
    waiting=7,
    ticket=None,
    label=None,
    service=None,
    ticket_status=None,
    call_count=0,
)
CALLING = replace(OPEN, status=WindowStatus.CALLING, ticket="20261121-A012", label="A012", call_count=1)


def make(**keys: str) -> HidPad:
    driver = hid_pad.make(Wiring(device="pad-1", url="hid:///x", options=HidPadOptions(keys=keys), windows={0: "3"}))
    driver.line_up(0.0)
    driver.show(CALLING)
    return driver


def typed(*names: str) -> bytes:
    moves = [Contact(CODES[f"KEY_{name}"], value) for name in names for value in (contacts.DOWN, contacts.UP)]
    return b"".join(contacts.encode(move) for move in moves)


@pytest.mark.parametrize(
    ("names", "press"),
    [
        (("KPPLUS",), Press(window="3", command="call-next", body={"finish": True})),
        (("KPMINUS",), Press(window="3", command="recall")),
        (("KPENTER",), Press(window="3", command="start")),
        (("KP6", "KPENTER"), Press(window="3", command="no-show")),
        (("0", "ENTER"), Press(window="3", command="hold")),
        (("KP1", "2", "KPDOT"), Press(window="3", command="transfer", body={"window": "12"})),
        (("KPASTERISK",), Press(window="3", command="pause", body={"reason": "other"})),
        (("KPSLASH",), Press(window="3", command="finish")),
        (("KP9", "BACKSPACE", "KPENTER"), Press(window="3", command="start")),
    ],
)
def test_keys_are_those_of_a_call_pad(names: tuple[str, ...], press: Press) -> None:
    assert make().feed(typed(*names), 1.0) == [press]


def test_a_held_key_is_one_press() -> None:
    held = contacts.encode(Contact(CODES["KEY_KPPLUS"], contacts.HELD))
    assert len(make().feed(typed("KPPLUS")[:3] + held * 30, 1.0)) == 1


def test_digits_are_forgotten_after_a_while() -> None:
    driver = make()
    assert driver.feed(typed("KP6"), 1.0) == []
    assert driver.feed(typed("KPENTER"), 20.0) == [Press(window="3", command="start")]


def test_other_keys_may_mean_it_too() -> None:
    assert make(KEY_F1="call").feed(typed("F1"), 1.0) == [Press(window="3", command="call-next", body={"finish": True})]


@pytest.mark.parametrize(("keys", "word"), [({"KEY_F1": "cal"}, "no meaning 'cal'"), ({"F99": "call"}, "no key 'F99'")])
def test_a_wrong_meaning_says_what_to_write(keys: dict[str, str], word: str) -> None:
    with pytest.raises(BadOptions, match=word):
        HidPadOptions(keys=keys)


def lamp(driver: HidPad, from_s: float) -> list[int]:
    return [
        contacts.Decoder().feed(frame)[0].value for tick in range(60) if (frame := driver.due(from_s + tick * 0.05))
    ]


def test_the_lamp_blinks_three_times_for_a_no() -> None:
    driver = make()
    assert lamp(driver, 0.0) == [contacts.OFF]
    driver.refused("3", "nobody_waiting")
    assert lamp(driver, 5.0) == [contacts.ON, contacts.OFF] * 3
    driver.feed(typed("KP5", "KPENTER"), 10.0)  # 5 means nothing
    assert lamp(driver, 10.0) == [contacts.ON, contacts.OFF] * 3
    driver.refused("4", "not_ours")
    assert lamp(driver, 20.0) == []
