"""Scanners: codes end with CR, LF or Enter; a code with a hole in it is none; held longer, a code is one scan."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import contacts
from drivers.contacts import Contact
from drivers.driver import Wiring
from drivers.jobs import Scan
from drivers.keys import CODES, TYPED
from drivers.scanner import scanner
from drivers.scanner.lines import MAX_CODE, LineCodes, TypedCodes
from drivers.scanner.scanner import AGAIN_S, Scanner, ScannerOptions

URL = "https://queue.example.cn/t/qiaocheng/aB3_-xYz0123456789Qw~"


def make(url: str = "serial:///dev/x") -> Scanner:
    driver = scanner.make(Wiring(device="scanner-1", url=url, options=ScannerOptions()))
    driver.line_up(0.0)
    return driver


def typed(text: str, end: str = "KEY_ENTER") -> bytes:
    """Press the keys a scanner presses for this text."""
    by_character = {both[1]: (code, True) for code, both in TYPED.items()}
    by_character |= {both[0]: (code, False) for code, both in TYPED.items() if code < CODES["KEY_KP7"]}
    shift, events = CODES["KEY_LEFTSHIFT"], []
    for character in text:
        code, shifted = by_character[character]
        events += [Contact(shift, contacts.DOWN)] if shifted else []
        events += [Contact(code, contacts.DOWN), Contact(code, contacts.UP)]
        events += [Contact(shift, contacts.UP)] if shifted else []
    events += [Contact(CODES[end], contacts.DOWN), Contact(CODES[end], contacts.UP)]
    return b"".join(contacts.encode(event) for event in events)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\t", "\x03"])
def test_a_line_is_a_code_whatever_ends_it(end: str) -> None:
    assert LineCodes().feed(f"{URL}{end}123456{end}".encode()) == [URL, "123456"]


@given(st.text(string.printable[:95], min_size=1, max_size=60).filter(lambda text: text == text.strip()))
def test_every_printable_code_can_be_typed(text: str) -> None:
    assert TypedCodes().feed(typed(text)) == [text]


@given(st.lists(st.integers(1, 30), max_size=20))
def test_any_cut(cuts: list[int]) -> None:
    for codes, stream in (
        (LineCodes(), f"\x02{URL}\r{URL}1\r".encode()),
        (TypedCodes(), typed(URL) + typed(URL + "1")),
    ):
        heard, at = [], 0
        for cut in [*cuts, len(stream)]:
            heard += codes.feed(stream[at : at + cut])
            at += cut
        assert heard == [URL, URL + "1"]
        assert codes.kept_bytes == 0


def test_a_code_with_noise_in_it_is_none_and_the_next_is_whole() -> None:
    assert LineCodes().feed(URL[:9].encode() + b"\xff\x00" + URL[9:].encode() + b"\r" + URL.encode() + b"\r") == [URL]
    spoilt = typed(URL)[:30] + contacts.encode(Contact(CODES["KEY_F5"], contacts.DOWN)) + typed(URL)[30:]
    assert TypedCodes().feed(spoilt + typed(URL)) == [URL]


def test_junk_for_ever_keeps_at_most_one_code() -> None:
    chance = random.Random(5)
    for codes in (LineCodes(), TypedCodes()):
        for _ in range(500):
            for code in codes.feed(chance.randbytes(chance.randrange(60))):
                assert len(code) <= MAX_CODE
            assert codes.kept_bytes <= MAX_CODE + 2
    assert LineCodes().feed(b"x" * 5000 + b"\r") == []


def test_a_code_that_is_held_is_one_scan() -> None:
    driver = make()
    line = f"{URL}\r".encode()
    assert driver.feed(line * 3, 1.0) == [Scan(device="scanner-1", code=URL)]
    assert driver.feed(line, 2.5) == []
    assert driver.feed(line, 2.5 + AGAIN_S) == [Scan(device="scanner-1", code=URL)]
    assert len(driver.feed(b"123456\r", 5.0)) == 1


def test_what_was_begun_before_a_pause_is_forgotten() -> None:
    driver = make()
    assert driver.feed(b"https://que", 1.0) == []
    assert driver.feed(b"123456\r", 2.0) == [Scan(device="scanner-1", code="123456")]


def test_a_keyboard_scanner_by_its_url() -> None:
    assert make("hid:///dev/input/x").feed(typed(URL), 1.0) == [Scan(device="scanner-1", code=URL)]


def test_a_code_is_not_shown_where_it_might_be_logged() -> None:
    assert URL not in repr(Scan(device="scanner-1", code=URL))
