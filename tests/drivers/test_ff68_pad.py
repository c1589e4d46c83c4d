"""Keys become window commands, each press once; pictures become digits; one beep for yes, three for no."""

from dataclasses import replace

import pytest

from drivers.driver import Wiring
from drivers.jobs import Press, Rating, WindowPicture, WindowStatus
from drivers.keypad import ff68, pad
from drivers.keypad.ff68 import Key
from drivers.keypad.pad import FF68Pads, PadOptions

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
CALLING = replace(OPEN, status=WindowStatus.CALLING, ticket="20261121-A012", label="A012", call_count=1, waiting=6)


def pads() -> FF68Pads:
    driver = pad.make(Wiring(device="k", url="serial:///dev/x", options=PadOptions(), windows={1: "3", 2: "4"}))
    driver.line_up(10.0)
    return driver


def drain(driver: FF68Pads, now_s: float, length_s: float = 2.0) -> list[bytes]:
    frames = []
    until_s = now_s + length_s
    while now_s < until_s:
        if frame := driver.due(now_s):
            frames.append(frame)
        now_s += 0.01
    return frames


@pytest.mark.parametrize(
    ("key", "digits", "expected"),
    [
        (Key.CALL_NEXT, "", Press(window="3", command="call-next", body={"finish": True})),
        (Key.RECALL, "", Press(window="3", command="recall")),
        (Key.OK, "", Press(window="3", command="start")),
        (Key.OK, "6", Press(window="3", command="no-show")),
        (Key.OK, "0", Press(window="3", command="hold")),
        (Key.OK, "3", Press(window="3", command="resume-held")),
        (Key.OK, "4", Press(window="3", command="missed")),
        (Key.TRANSFER, "12", Press(window="3", command="transfer", body={"window": "12"})),
        (Key.TRANSFER, "007", Press(window="3", command="transfer", body={"window": "7"})),
        (Key.PAUSE, "", Press(window="3", command="pause", body={"reason": "other"})),
        (Key.RATING, "", Press(window="3", command="finish")),
    ],
)
def test_key_is_a_command_for_its_window_and_is_answered(key: Key, digits: str, expected: Press) -> None:
    driver = pads()
    driver.show(CALLING)
    drain(driver, 10.0)
    raw = ff68.key_press(1, key, digits)
    assert driver.feed(raw, 20.0) == [expected]
    assert driver.due(20.0) == raw


@pytest.mark.parametrize(("status", "command"), [(WindowStatus.CLOSED, "open"), (WindowStatus.PAUSED, "resume")])
def test_pause_key_opens_and_resumes(status: WindowStatus, command: str) -> None:
    driver = pads()
    driver.show(replace(OPEN, status=status))
    assert driver.feed(ff68.key_press(1, Key.PAUSE), 20.0) == [Press(window="3", command=command)]


def test_rating_key_asks_the_visitor_even_when_nothing_is_left_to_finish() -> None:
    driver = pads()
    driver.show(OPEN)
    drain(driver, 10.0)
    assert driver.feed(ff68.key_press(1, Key.RATING), 20.0) == []
    frames = drain(driver, 20.0)
    assert frames.count(ff68.start_rating(1)) == 2  # the echo that acknowledges, and the order to the rating pad
    assert ff68.beep(1) not in frames


def test_grade_is_a_rating_of_the_window() -> None:
    driver = pads()
    assert driver.feed(ff68.rating_press(2, 5), 20.0) == [Rating(window="4", grade=5)]
    assert driver.due(20.0) == bytes.fromhex("ff 68 03 03 68 02 01 05 08 16")


@pytest.mark.parametrize(("key", "digits"), [(Key.OK, "9"), (Key.TRANSFER, ""), (Key.ONE_METRE, "")])
def test_key_that_means_nothing_is_answered_with_three_beeps(key: Key, digits: str) -> None:
    driver = pads()
    assert driver.feed(ff68.key_press(1, key, digits), 20.0) == []
    assert drain(driver, 20.0).count(ff68.beep(1)) == 3


def test_cancel_is_silent() -> None:
    driver = pads()
    assert driver.feed(ff68.key_press(1, Key.CANCEL, "12"), 20.0) == []
    assert ff68.beep(1) not in drain(driver, 20.0)


def test_bounced_press_is_answered_twice_and_counted_once() -> None:
    driver = pads()
    raw = ff68.key_press(1, Key.CALL_NEXT)
    assert len(driver.feed(raw, 20.0)) == 1
    assert driver.feed(raw, 20.2) == []
    assert driver.feed(raw, 20.5) == []  # still the same finger: 0.3 s after the last
    assert drain(driver, 20.5).count(raw) == 3
    assert len(driver.feed(raw, 21.5)) == 1


def test_a_press_repeated_until_a_stalled_agent_answered_it_is_one_press() -> None:
    driver = pads()
    raw = ff68.key_press(1, Key.CALL_NEXT)
    assert len(driver.feed(raw, 20.0)) == 1
    assert driver.due(25.0) == raw
    assert driver.feed(raw + raw, 25.3) == []  # sent before our answer, read after it
    assert len(driver.feed(raw, 26.5)) == 1


def test_own_answer_heard_back_is_not_answered_again() -> None:
    driver = pads()
    raw = ff68.key_press(1, Key.CALL_NEXT)
    driver.feed(raw, 20.0)
    sent = []
    for step in range(100):  # an adapter that hears everything it sends
        now_s = 20.0 + step * 0.05
        if frame := driver.due(now_s):
            sent.append(frame)
            assert driver.feed(frame, now_s + 0.02) == []
    assert sent == [raw]
    assert len(driver.feed(raw, 30.0)) == 1


def test_same_key_on_two_pads_is_two_presses() -> None:
    driver = pads()
    both = ff68.key_press(1, Key.CALL_NEXT) + ff68.key_press(2, Key.CALL_NEXT)
    assert [press.window for press in driver.feed(both, 20.0)] == ["3", "4"]


def test_pad_shows_ticket_and_waiting_and_only_what_changed() -> None:
    driver = pads()
    driver.show(CALLING)
    assert drain(driver, 10.0) == [ff68.show_ticket(1, 12), ff68.show_waiting(1, 6)]
    driver.show(replace(CALLING, waiting=7))
    assert drain(driver, 20.0) == [ff68.show_waiting(1, 7)]
    driver.show(replace(OPEN, waiting=7))
    assert drain(driver, 30.0) == [ff68.show_ticket(1, 0)]


def test_displays_are_painted_again_when_the_line_comes_back() -> None:
    driver = pads()
    driver.show(CALLING)
    drain(driver, 10.0)
    driver.line_up(20.0)
    assert drain(driver, 20.0) == [ff68.show_ticket(1, 12), ff68.show_waiting(1, 6)]


def test_one_beep_for_yes_three_for_no() -> None:
    driver = pads()
    driver.show(OPEN)
    drain(driver, 10.0)
    driver.feed(ff68.key_press(1, Key.CALL_NEXT), 20.0)
    driver.show(replace(OPEN, waiting=8))  # somebody took a ticket meanwhile: no answer to the press
    assert ff68.beep(1) not in drain(driver, 20.0, 0.5)
    driver.show(CALLING)
    assert drain(driver, 20.6).count(ff68.beep(1)) == 1
    driver.feed(ff68.key_press(1, Key.CALL_NEXT), 30.0)
    driver.refused("3", "nobody_waiting")
    assert drain(driver, 30.0).count(ff68.beep(1)) == 3
    driver.show(replace(CALLING, call_count=2))  # somebody else's doing
    assert ff68.beep(1) not in drain(driver, 40.0)


def test_frames_for_other_addresses_and_our_own_echo_are_ignored() -> None:
    driver = pads()
    assert driver.feed(ff68.key_press(77, Key.CALL_NEXT) + ff68.beep(1) + ff68.show_ticket(1, 5), 20.0) == []
    assert driver.due(20.0) == b""


def test_press_behind_a_broken_frame_is_heard() -> None:
    driver = pads()
    driver.feed(bytes.fromhex("ff 68 20 20 68 01"), 20.0)
    assert len(driver.feed(ff68.key_press(1, Key.CALL_NEXT), 21.0)) == 1


def test_ten_thousand_bad_frames_leave_the_good_ones() -> None:
    driver = pads()
    good = 0
    for count in range(10_000):
        bad = bytearray(ff68.key_press(1, Key.CALL_NEXT))
        bad[count % 9] ^= 1 + count % 255
        driver.feed(bytes(bad), 20.0 + count)
        if count % 100 == 0:
            good += len(driver.feed(ff68.key_press(2, Key.RECALL), 20.9 + count))
    assert good == 100
