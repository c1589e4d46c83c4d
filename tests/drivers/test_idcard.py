"""Identity card readers: published frames both ways; any cut, noise, junk for ever; only three words leave."""

import hashlib
import hmac
import logging
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import Wiring
from drivers.faults import FaultCode, HealthStatus
from drivers.idcard import cards, reader, sam
from drivers.idcard.reader import CardReader, ReaderOptions
from drivers.idcard.sam import Ask, Decoder
from drivers.jobs import CardShown
from drivers.virtual.idcard import Person, text_of

KEY = b"k" * 32
TODAY = date(2026, 3, 2)
NUMBER = "990101195003070017"  # nobody's: there is no district 990101
ZHANG = Person(name="张三丰", number=NUMBER, born="19500307")

# Published: 身份证阅读器通信协议.
FIND = bytes.fromhex("aa aa aa 96 69 00 03 20 01 22")
SELECT = bytes.fromhex("aa aa aa 96 69 00 03 20 02 21")
READ = bytes.fromhex("aa aa aa 96 69 00 03 30 01 32")
IDENTITY = bytes.fromhex("aa aa aa 96 69 00 03 12 ff ee")
FOUND = bytes.fromhex("aa aa aa 96 69 00 08 00 00 9f 00 00 00 00 97")
SELECTED = bytes.fromhex("aa aa aa 96 69 00 0c 00 00 90 00 00 00 00 00 00 00 00 9c")
NOT_SELECTED = bytes.fromhex("aa aa aa 96 69 00 04 00 00 81 85")
NOT_READ = bytes.fromhex("aa aa aa 96 69 00 04 00 00 41 45")
NOT_FOUND = bytes.fromhex("aa aa aa 96 69 00 04 00 00 80 84")


def answer_with(person: Person) -> bytes:
    return sam.encode(b"\x00\x00\x90" + b"\x01\x00\x04\x00" + text_of(person) + b"\xee" * 1024)


def test_questions_are_the_published_frames() -> None:
    assert [Ask.FIND.frame, Ask.SELECT.frame, Ask.READ.frame, Ask.IDENTITY.frame] == [FIND, SELECT, READ, IDENTITY]


def test_published_answers_are_read() -> None:
    statuses = [found.status for found in Decoder().feed(FOUND + SELECTED + NOT_FOUND + NOT_SELECTED + NOT_READ)]
    assert statuses == [0x9F, 0x90, 0x80, 0x81, 0x41]


def test_the_answer_to_read_is_as_long_as_published() -> None:
    assert len(answer_with(ZHANG)) == sam.READ_BYTES == 1295
    assert answer_with(ZHANG)[5:7] == bytes.fromhex("0508")


def test_the_number_of_the_module() -> None:
    data = bytes.fromhex("0500 0100 ccc0 3101 3930 0000 d202 9649")
    told = sam.identity_of(bytearray(data))
    assert told == f"05.01-{0x0131C0CC:08d}-{0x3039:010d}-{0x499602D2:010d}"
    assert sam.identity_of(bytearray(data[:15])) is None


@given(st.lists(st.integers(1, 1400), max_size=8))
def test_any_cut(cuts: list[int]) -> None:
    stream = FOUND + SELECTED + answer_with(ZHANG) + NOT_FOUND
    decoder, heard, at = Decoder(), [], 0
    for cut in [*cuts, len(stream)]:
        heard += [found.status for found in decoder.feed(stream[at : at + cut])]
        at += cut
    assert heard == [0x9F, 0x90, 0x90, 0x80]
    assert decoder.kept_bytes == 0


@given(st.binary(max_size=60))
def test_noise_before_a_frame_hides_it_at_most_until_the_next_question(noise: bytes) -> None:
    decoder = Decoder()
    decoder.feed(noise)
    decoder.forget()
    assert [found.status for found in decoder.feed(NOT_FOUND)] == [0x80]


def test_noise_without_a_head_hides_nothing() -> None:
    assert [found.status for found in Decoder().feed(b"\x00\xaa\xaa\x96" + b"\xaa" + NOT_FOUND)] == [0x80]


def test_junk_for_ever_keeps_less_than_a_frame() -> None:
    decoder, chance = Decoder(), random.Random(7)
    for _ in range(400):
        decoder.feed(sam.HEAD * chance.randrange(2) + chance.randbytes(chance.randrange(200)))
        assert decoder.kept_bytes <= sam.MAX_LENGTH + 7


def test_a_wrong_check_byte_is_no_answer() -> None:
    decoder = Decoder()
    assert decoder.feed(NOT_FOUND[:-1] + b"\x85") == []
    assert decoder.rejected == 1


def test_check_digits_of_the_standard() -> None:
    assert cards.check_digit("11010519491231002") == "X"  # the example of GB 11643
    assert cards.check_digit(NUMBER[:17]) == NUMBER[17]
    assert not cards.is_number(NUMBER[:17] + "0")


@pytest.mark.parametrize(
    ("person", "document", "name", "age_from"),
    [
        (ZHANG, "citizen", "张*", 75),
        (Person(name="李", number="99010120200101001X", born="20200101"), "citizen", "李*", 0),
        (Person(name="陈大文", number="810000199001010014", born="19900101", kind="J"), "hk_mo_tw", "陈*", 14),
        (Person(name="史密斯", number="911124198108030024", born="19810803", kind="Y"), "foreign", "史*", 14),
        (Person(name="", other="SMITH JOHN", number="CHE110100001121", born="19610407", kind="I"), "foreign", "S*", 60),
    ],
)
def test_every_layout_gives_the_three_words(person: Person, document: str, name: str, age_from: int) -> None:
    number = person.number if len(person.number) == 15 else person.number[:17] + cards.check_digit(person.number[:17])
    person = Person(name=person.name, other=person.other, number=number, born=person.born, kind=person.kind)
    kept = cards.keep(bytearray(text_of(person)), key=KEY, today=TODAY)
    assert kept is not None
    assert (kept.document, kept.name, kept.age_from) == (document, name, age_from)
    assert kept.visitor == hmac.new(KEY, number.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(("born", "age_from"), [("19660302", 60), ("19660303", 14), ("20120302", 14), ("20120303", 0)])
def test_age_bands_turn_on_the_birthday(born: str, age_from: int) -> None:
    kept = cards.keep(bytearray(text_of(Person(name="王", number=NUMBER, born=born))), key=KEY, today=TODAY)
    assert kept is not None
    assert kept.age_from == age_from


def test_what_is_no_card_gives_nothing() -> None:
    for text in (bytes(256), b"\xff" * 256, text_of(Person(name="王", number="123", born="19900101"))):
        assert cards.keep(bytearray(text), key=KEY, today=TODAY) is None
    foreign = bytearray(text_of(ZHANG))
    foreign[248:250] = "Q".encode("utf-16-le")
    assert cards.keep(foreign, key=KEY, today=TODAY) is None


# ------------------------------------------------------------------------------------------------------ the reader


def make(key: bytes | None = KEY, byte_s: float = 0.0) -> CardReader:
    wiring = Wiring(
        device="reader-1",
        url="serial:///dev/x?baud=115200",
        options=ReaderOptions(),
        byte_s=byte_s,
        now=lambda: datetime(2026, 3, 2, 9, tzinfo=UTC),
        secret=lambda: key,
    )
    driver = reader.make(wiring)
    driver.line_up(0.0)
    return driver


class Module:
    """A reader with a card or without, as its frames say."""

    def __init__(self) -> None:
        self.person: Person | None = None
        self.read = False
        self.asked: list[bytes] = []

    def answer(self, frame: bytes) -> bytes:
        self.asked.append(frame)
        if frame == IDENTITY:
            return sam.encode(b"\x00\x00\x90" + bytes(16))
        if frame == FIND:
            return FOUND if self.person and not self.read else NOT_FOUND
        if frame == SELECT:
            return SELECTED
        assert self.person is not None
        self.read = True
        return answer_with(self.person)

    def lay(self, person: Person | None) -> None:
        self.person, self.read = person, False


def play(driver: CardReader, module: Module, begin_s: float, length_s: float = 1.0) -> Iterator[CardShown]:
    now_s = begin_s
    while now_s < begin_s + length_s:
        if frame := driver.due(now_s):
            yield from driver.feed(module.answer(frame), now_s)
        now_s += 0.05


def test_a_card_is_read_once_until_it_is_lifted() -> None:
    driver, module = make(), Module()
    assert list(play(driver, module, 0.0)) == []
    module.lay(ZHANG)
    (shown,) = play(driver, module, 1.0, 5.0)
    assert (shown.device, shown.name, shown.age_from) == ("reader-1", "张*", 75)
    module.lay(None)
    assert list(play(driver, module, 6.0)) == []
    module.lay(ZHANG)
    assert len(list(play(driver, module, 10.0))) == 1


def test_a_reader_that_finds_a_lying_card_again_and_again_is_heard_once() -> None:
    driver, module = make(), Module()
    module.lay(ZHANG)
    shown = []
    for turn in range(6):
        module.read = False
        shown += list(play(driver, module, turn * 1.0))
    assert len(shown) == 1


def test_no_card_is_read_before_the_key_is_known() -> None:
    driver, module = make(key=None), Module()
    module.lay(ZHANG)
    assert list(play(driver, module, 0.0, 3.0)) == []
    assert module.asked == [IDENTITY]
    assert driver.health(3.0).status is HealthStatus.DEGRADED


def test_timeouts_come_from_the_baud_rate() -> None:
    waits = []
    for baud in (9600, 115200):
        driver = make(byte_s=10 / baud)
        driver.feed(sam.encode(b"\x00\x00\x90" + bytes(16)) if driver.due(0.0) else b"", 0.0)
        driver.feed(FOUND if driver.due(0.0) else b"", 0.0)
        driver.feed(SELECTED if driver.due(0.0) else b"", 0.0)
        assert driver.due(0.0) == READ
        waits.append(next(s / 100 for s in range(2000) if driver.due(s / 100)))
    assert waits[0] - waits[1] > 1.295  # 1295 bytes at 9600 take 1.35 s, at 115200 0.11 s
    assert waits[1] > 1.0


def test_a_silent_reader_and_a_babbling_one_are_told_apart() -> None:
    silent, babbling = make(), make()
    for tick in range(200):
        now_s = tick * 0.05
        silent.due(now_s)
        babbling.due(now_s)
        babbling.feed(b"\xaa\xaa\xaa\x96\x69\x00\x04junk", now_s)
    assert [fault.code for fault in silent.health(10.0).faults] == [FaultCode.NO_ANSWER]
    assert [fault.code for fault in babbling.health(10.0).faults] == [FaultCode.BAD_ANSWER]


def test_a_reader_without_authority_is_broken_until_it_is_exchanged() -> None:
    driver = make()
    assert driver.due(0.0) == IDENTITY
    driver.feed(sam.encode(b"\x00\x00\x66"), 0.0)
    assert [fault.code for fault in driver.health(0.1).faults] == [FaultCode.BROKEN]
    assert driver.due(1.0) == IDENTITY
    driver.feed(sam.encode(b"\x00\x00\x90" + bytes(16)), 1.0)
    assert driver.health(1.1).status is HealthStatus.OK
    assert driver.health(1.1).firmware == "00.00-00000000-0000000000-0000000000"


@pytest.mark.parametrize("status", [0x41, 0x81, 0x32, 0x40])
def test_a_card_taken_away_too_early_is_looked_for_again(status: int) -> None:
    driver = make()
    for reply in (sam.encode(b"\x00\x00\x90" + bytes(16)), FOUND, SELECTED):
        assert driver.due(0.0)
        driver.feed(reply, 0.0)
    assert driver.due(0.0) == READ
    assert list(driver.feed(sam.encode(bytes([0, 0, status])), 0.0)) == []
    assert driver.due(0.5) == FIND
    assert driver.health(0.5).status is HealthStatus.OK


def test_nothing_of_a_card_stays_behind(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    driver, module = make(), Module()
    module.lay(ZHANG)
    (shown,) = play(driver, module, 0.0)
    left = repr(driver) + repr(shown) + caplog.text + repr(driver.health(1.0))
    assert driver._decoder.kept_bytes == 0
    for secret in ("张", NUMBER, "19500307", shown.visitor):
        assert secret not in left


def test_used_buffers_are_overwritten() -> None:
    (found,) = Decoder().feed(answer_with(ZHANG))
    text = sam.text_of(found.data)
    assert text is not None
    assert found.data == bytes(len(found.data))
    sam.wipe(text)
    assert text == bytes(256)
