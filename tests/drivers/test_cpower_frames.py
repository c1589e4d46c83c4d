"""C-Power packets: published bytes both ways, any cut, noise before, junk for ever, serial and network form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.driver import BadOptions, Wiring
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import cpower
from drivers.led.cpower import Code, CPower, CPowerOptions, Decoder, Framing, Packet
from drivers.led.strip import Answer

# The maker's "Basic Protocol": is the strip on; off; on (its examples of off and on lack one of the ten data bytes).
ASK_POWER = bytes.fromhex("a5 68 32 01 76 01 01 13 01 ae")
OFF = bytes.fromhex("a5 68 32 01 76 01 00 00 0000000000000000 12 01 ae")
# The maker's "External Calls": example 2 of pure text; example 1 does not add up.
ABC = bytes.fromhex("a5 68 32 01 7b 01 13 00 00 00 12 00 00 01 00 00 03 02 ff 00 00 61 62 63 0d 63 62 61 00 9a 04 ae")
SAVE = bytes.fromhex("a5 68 32 01 7b 01 04 00 00 00 07 00 00 00 22 01 ae")
# The maker's "Protocol for Setup": set the address 192.168.1.222, and the card's yes.
SET_IP = bytes.fromhex("a5 68 32 01 3c 01 00 c0a801de c0a80101 ffffff00 1450 ffffffff e6 0b ae")
SET_IP_DONE = bytes.fromhex("a5 e8 32 01 3c 01 01 59 01 ae")
# As sent to road signs by a traffic light program (EnumHelper.cs): 正常通行 in green, 56 dots high, to all cards;
# 前方积水 / 缓慢通行 in yellow, where a byte AE of the text is escaped.
ROAD = bytes.fromhex(
    "a5 68 32 ff 7b 01 14 00 00 00 12 00 00 05 00 00 03 07 00 ff 00 d5 fd b3 a3 cd a8 d0 d0 00 86 09 ae"
)
WATER = bytes.fromhex(
    "a5 68 32 ff 7b 01 1e 00 00 00 12 00 00 f5 00 00 03 07 ff ff 00 c7 b0 b7 bd bb fd cb aa 0e 0d 0a"
    "bb ba c2 fd cd a8 d0 d0 00 be 11 ae"
)
CALLING = WindowPicture(
    window="3",
    name={"zh": "3号窗口"},
    status=WindowStatus.CALLING,
    pause_reason=None,
    waiting=0,
    ticket="20261121-A012",
    label="A012",
    service=None,
    ticket_status=None,
    call_count=1,
)


def wire(card: int, code: Code, data: bytes, framing: Framing = "serial") -> bytes:
    return cpower.encode(cpower.command(card, code, data), framing)


def test_commands_are_the_published_bytes() -> None:
    assert wire(1, Code.POWER, b"\x01") == ASK_POWER
    assert wire(1, Code.POWER, cpower.set_power(on=False)) == OFF
    text = cpower.pure_text(
        "正常通行".encode("gbk"), window=0, effect=0, font=cpower.FONTS_PX.index(56), rgb=(0, 255, 0), stay_s=3
    )
    assert wire(0xFF, Code.SHOW, text) == ROAD


def test_windows_are_as_a_sign_of_64_by_32_is_told_by_another_program() -> None:
    # An Arduino sketch for such a sign has it (setDisplayWindowSmall): one window, 0, 0, 64 x 32; it works out the sum.
    assert cpower.windows((0, 0, 64, 32)) == bytes.fromhex("0a 00 00 00 01 01 00 00 00 00 00 40 00 20")


def test_settings_are_as_in_the_makers_tables() -> None:
    assert cpower.set_brightness(31) == b"\x00" + b"\x1f" * 24
    sunday = datetime(2026, 11, 22, 9, 5, 7, tzinfo=UTC)
    assert cpower.set_time(sunday) == bytes([0, 7, 5, 9, 0, 22, 11, 26])
    with pytest.raises(ValueError, match=r"0\.\.31"):
        cpower.set_brightness(32)


def test_published_packets_are_read() -> None:
    (packet,) = Decoder("serial").feed(ABC)
    assert (packet.card, packet.code, packet.flag, packet.reply) == (1, Code.SHOW, 1, False)
    assert packet.data[15:] == b"abc\rcba\x00"
    assert [packet.code for packet in Decoder("serial").feed(SAVE + SET_IP + SET_IP_DONE)] == [0x7B, 0x3C, 0x3C]
    (packet,) = Decoder("serial").feed(WATER)
    assert packet.data[15:-1].decode("gbk") == "前方积水\r\n缓慢通行"
    (packet,) = Decoder("serial").feed(SET_IP_DONE)
    assert packet == Packet(card=1, code=0x3C, flag=1, data=b"\x01", reply=True)


def test_escaped_bytes_go_both_ways() -> None:
    packet = Packet(card=0xAA, code=0x2E, flag=1, data=bytes.fromhex("a5 aa ae 00"), reply=False)
    frame = cpower.encode(packet, "serial")
    assert frame[1:-1].count(b"\xaa\x05") == frame[1:-1].count(b"\xaa\x0e") == 1
    assert Decoder("serial").feed(frame) == [packet]


def test_over_the_network_the_packet_is_bare_behind_a_head() -> None:
    frame = cpower.encode(cpower.command(1, Code.POWER, b"\x01"), "network", 0x12345678)
    assert frame == bytes.fromhex("12345678 0800 0000 68 32 01 76 01 01 13 01")
    assert Decoder("network").feed(frame) == [cpower.command(1, Code.POWER, b"\x01")]


@pytest.mark.parametrize("framing", ["serial", "network"])
@pytest.mark.parametrize("whole", [ASK_POWER, ABC, WATER, SET_IP_DONE])
def test_packet_is_found_at_every_cut_and_behind_noise(framing: Framing, whole: bytes) -> None:
    (expected,) = Decoder("serial").feed(whole)
    frame = b"\x00\xa5\x68\xff" + cpower.encode(expected, framing)
    for cut in range(len(frame) + 1):
        decoder = Decoder(framing)
        assert decoder.feed(frame[:cut]) + decoder.feed(frame[cut:]) == [expected]
    decoder = Decoder(framing)
    assert [packet for byte in frame for packet in decoder.feed(bytes([byte]))] == [expected]


@given(st.lists(st.binary(max_size=300), max_size=12), st.sampled_from(["serial", "network"]))
def test_junk_never_raises_nor_piles_up(chunks: list[bytes], framing: Framing) -> None:
    decoder = Decoder(framing)
    for chunk in chunks:
        for packet in decoder.feed(chunk):
            cpower.result(packet)
    assert decoder.kept_bytes <= 2 * cpower.MAX_PACKET_BYTES


def test_endless_packet_is_dropped() -> None:
    for framing in ("serial", "network"):
        decoder = Decoder(framing)
        decoder.feed(b"\xa5\x68\x32" + bytes(100_000))
        assert decoder.kept_bytes <= 2 * cpower.MAX_PACKET_BYTES
        frame = cpower.encode(cpower.command(1, Code.POWER, b"\x01"), framing)
        assert len(decoder.feed(frame)) == 1


@pytest.mark.parametrize("place", range(1, len(SET_IP_DONE) - 1))
def test_every_damaged_byte_is_noticed(place: int) -> None:
    damaged = bytearray(SET_IP_DONE)
    damaged[place] ^= 0x02
    assert Decoder("serial").feed(bytes(damaged)) == []


@pytest.mark.parametrize(
    ("code", "flag", "data", "refusal"),
    [
        (Code.SHOW, 0, b"", None),
        (Code.SHOW, 1, b"", "card error 1"),
        (Code.SHOW, 2, b"", "card error 2"),
        (Code.BRIGHTNESS, 1, b"\x01", None),
        (Code.BRIGHTNESS, 1, b"\x00", "card error 1"),
        (Code.TIME, 1, b"", "card error 1"),
        (Code.POWER, 1, b"\x00\x00", None),
        (Code.VERSION, 1, b"\x00\x11", None),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_a_reply_says_yes_or_no_also_from_old_firmware(
    code: Code, flag: int, data: bytes, refusal: str | None, old: bool
) -> None:
    dialect = CPower(CPowerOptions(), "serial")
    reply = cpower.encode(Packet(card=5, code=code, flag=flag, data=data, reply=not old), "serial")
    assert dialect.feed(reply) == [Answer(mark=(5, code), refusal=refusal)]


def test_versions_are_told_in_halves_of_bytes() -> None:
    # By the maker's table: card type 07, logic 3.1, BIOS 2.0, APP 4.2.
    data = bytes.fromhex("00 07 31 20 00 00 00 42 00")
    packet = Packet(card=1, code=Code.VERSION, flag=1, data=data, reply=True)
    assert cpower.version(packet) == "APP 4.2 BIOS 2.0 logic 3.1"
    assert cpower.version(replace(packet, data=data[:7])) is None
    assert cpower.version(replace(packet, code=Code.POWER)) is None
    (answer,) = CPower(CPowerOptions(), "serial").feed(cpower.encode(packet, "serial"))
    assert answer.version == "APP 4.2 BIOS 2.0 logic 3.1"


def test_a_call_is_the_text_in_gbk_red_and_still_and_runs_when_there_is_no_room() -> None:
    dialect = CPower(CPowerOptions(), "serial")
    (ask,) = dialect.paint(7, CALLING)
    (packet,) = Decoder("serial").feed(ask.frame)
    assert packet.data[4:15] == bytes([0x12, 0, 0, 5, 0, 0, 3, 2, 255, 0, 0])
    assert packet.data[15:] == "请 A012 号".encode("gbk") + b"\x00"
    assert ask.mark == (7, Code.SHOW)
    paused = replace(CALLING, status=WindowStatus.PAUSED, pause_reason="document", label=None)
    (ask,) = CPower(CPowerOptions(width_px=32), "serial").paint(7, paused)
    (packet,) = Decoder("serial").feed(ask.frame)
    assert (packet.data[6], packet.data[15:]) == (14, "暂停服务 整理材料".encode("gbk") + b"\x00")


@pytest.mark.parametrize(
    ("url", "byte_s", "framing", "form"),
    [
        ("tcp://h:5200", 0.0, "auto", "network"),
        ("tcp://h:4001?baud=9600", 0.001, "auto", "serial"),
        ("serial:///dev/x", 0.001, "auto", "serial"),
        ("tcp://h:4001", 0.0, "serial", "serial"),
    ],
)
def test_packets_are_wrapped_as_the_line_wants(url: str, byte_s: float, framing: str, form: Framing) -> None:
    options = CPowerOptions(framing=framing)  # type: ignore[arg-type]  # of the parameters
    driver = cpower.make(Wiring(device="s", url=url, options=options, windows={1: "3"}, byte_s=byte_s))
    driver.line_up(0.0)
    assert len(Decoder(form).feed(driver.due(0.0))) == 1


def test_a_wrong_option_is_told_with_what_is_near() -> None:
    with pytest.raises(BadOptions) as bad:
        CPowerOptions(height_px=32, font_px=20, id_code="12345", width_px=8)
    assert [(problem.option, problem.meant) for problem in bad.value.problems] == [
        ("width_px", None),
        ("font_px", "16"),
        ("id_code", None),
    ]
