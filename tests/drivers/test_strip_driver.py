"""How the driver of all strips gets a text there: answers, limited resend, turns, repaint, brightness and clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from drivers.driver import Wiring
from drivers.faults import FaultCode, HealthStatus
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import onbon, strip
from drivers.led.onbon import OnbonOptions
from drivers.led.strip import Answer, Ask, Manners, Strips, make_strips

IDLE = WindowPicture(
    window="3",
    name={"zh": "3号窗口", "en": "Window 3"},
    status=WindowStatus.OPEN,
    pause_reason=None,
    waiting=0,
    ticket=None,
    label=None,
    service=None,
    ticket_status=None,
    call_count=0,
)
CALLING = replace(IDLE, status=WindowStatus.CALLING, ticket="20261121-A012", label="A012", call_count=1)
SERVING = replace(CALLING, status=WindowStatus.SERVING)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MANNERS = Manners()
CALL = "\\C1请 A012 号".encode("gbk")
PAINT, PING, DIM, SWITCH, CLOCK = (0xA3, 0x06), (0xA2, 0x00), (0xA3, 0x02), (0xA3, 0x00), (0xA2, 0x03)


class Hall:
    """Answers what the driver sends, as cards on the line would."""

    def __init__(self, options: OnbonOptions | None = None, windows: dict[int, str] | None = None) -> None:
        self.today = NOON
        self.driver = onbon.make(
            Wiring(
                device="s",
                url="tcp://h:1",
                options=options or OnbonOptions(),
                windows=windows or {1: "3", 2: "4"},
                now=lambda: self.today,
            )
        )
        self.now_s = 100.0
        self.driver.line_up(self.now_s)
        self.shown: dict[int, bytes] = {}
        self.heard: list[tuple[int, tuple[int, int], bytes]] = []
        self.dead: set[int] = set()
        self.noisy: set[int] = set()
        self.refusing: set[int] = set()
        self.refused: tuple[tuple[int, int], ...] = (PAINT,)
        self.decoder = onbon.Decoder()

    def run(self, length_s: float) -> None:
        until_s = self.now_s + length_s
        while self.now_s < until_s:
            for frame in self.decoder.feed(self.driver.due(self.now_s)):
                self.heard.append((frame.dst, frame.command, frame.data[5:]))
                if frame.dst in self.noisy:
                    self.driver.feed(b"\xff\xa5\x00\x5a", self.now_s)
                if frame.dst in self.dead | self.noisy:
                    continue
                ok = frame.dst not in self.refusing or frame.command not in self.refused
                areas = onbon.read_areas(frame)
                if ok and areas:
                    self.shown[frame.dst] = areas[0].text
                reply = bytes.fromhex("a000000000") if ok else bytes.fromhex("a001060000")
                assert self.driver.feed(onbon.encode(reply, dst=onbon.PC, src=frame.dst), self.now_s) == ()
            self.now_s += 0.02
            self.today += timedelta(seconds=0.02)

    def told(self, address: int, command: tuple[int, int]) -> list[bytes]:
        return [payload for heard, at, payload in self.heard if (heard, at) == (address, command)]

    def count(self, address: int, command: tuple[int, int]) -> int:
        return len(self.told(address, command))

    @property
    def health(self) -> HealthStatus:
        return self.driver.health(self.now_s).status


def test_each_window_is_painted_on_its_own_strip_once() -> None:
    hall = Hall()
    hall.driver.show(CALLING)
    hall.driver.show(replace(SERVING, window="4"))
    hall.driver.show(replace(SERVING, window="99"))
    hall.run(5)
    assert hall.shown == {1: CALL, 2: "\\C2正在办理 A012".encode("gbk")}
    assert hall.count(1, PAINT) == hall.count(2, PAINT) == 1
    assert hall.health is HealthStatus.OK


def test_only_the_newest_picture_is_sent() -> None:
    hall = Hall()
    for picture in (IDLE, CALLING, SERVING):
        hall.driver.show(picture)
    hall.run(1)
    assert hall.shown[1] == "\\C2正在办理 A012".encode("gbk")
    assert hall.count(1, PAINT) == 1


def test_a_picture_that_comes_while_an_answer_is_awaited_is_shown_next() -> None:
    hall = Hall()
    hall.driver.show(CALLING)
    assert hall.driver.due(hall.now_s)
    hall.driver.show(SERVING)
    hall.driver.feed(onbon.encode(bytes.fromhex("a000000000"), dst=onbon.PC, src=1), hall.now_s + 0.01)
    hall.now_s += 0.02
    hall.run(1)
    assert hall.shown[1] == "\\C2正在办理 A012".encode("gbk")


def test_nothing_is_sent_while_an_answer_is_awaited_and_others_are_kept_quiet() -> None:
    driver = Hall().driver
    assert not driver.holds_line(100.0)
    driver.show(CALLING)
    assert driver.due(100.0)
    assert driver.due(100.1) == b""
    assert driver.holds_line(100.1)
    assert driver.due(100.0 + MANNERS.answer_within_s / 2) == b""
    assert driver.due(100.0 + MANNERS.answer_within_s)


def test_a_slow_line_is_given_the_time_a_frame_takes() -> None:
    wiring = Wiring(device="s", url="serial:///x", options=OnbonOptions(), windows={1: "3"}, byte_s=10 / 300)
    driver = onbon.make(wiring)
    driver.line_up(0.0)
    driver.show(CALLING)
    out_s = len(driver.due(0.0)) * 10 / 300
    assert out_s > 2
    assert driver.due(out_s + MANNERS.answer_within_s - 0.01) == b""
    assert driver.due(out_s + MANNERS.answer_within_s)


def test_silent_strip_is_asked_three_times_then_left_alone_and_does_not_stop_the_other() -> None:
    hall = Hall()
    hall.dead = {1}
    hall.driver.show(CALLING)
    hall.driver.show(replace(CALLING, window="4"))
    hall.run(9)
    assert 2 in hall.shown
    assert hall.count(1, PAINT) == strip.TRIES
    health = hall.driver.health(hall.now_s)
    assert health.status is HealthStatus.DEGRADED
    assert health.faults[0].code is FaultCode.NO_ANSWER
    assert "window 3" in health.faults[0].detail
    hall.dead = {1, 2}
    hall.run(60)
    assert hall.health is HealthStatus.DOWN


def test_damaged_answers_are_told_from_silence() -> None:
    hall = Hall()
    hall.noisy = {1}
    hall.dead = {2}
    hall.driver.show(CALLING)
    hall.run(9)
    faults = {fault.code: fault.detail for fault in hall.driver.health(hall.now_s).faults}
    assert "window 3" in faults[FaultCode.BAD_ANSWER]
    assert "window 4" in faults[FaultCode.NO_ANSWER]


def test_strip_that_answers_again_is_painted_with_what_is_true_then() -> None:
    hall = Hall()
    hall.driver.show(CALLING)
    hall.run(2)
    hall.dead = {1}
    hall.driver.show(SERVING)
    hall.run(20)
    hall.driver.show(IDLE)
    hall.dead = set()
    hall.run(strip.LEFT_ALONE_S + 3)
    assert hall.shown[1] == "\\C2欢迎办理".encode("gbk")
    assert hall.health is HealthStatus.OK


def test_line_that_comes_back_is_painted_anew() -> None:
    hall = Hall()
    hall.driver.show(CALLING)
    hall.run(2)
    hall.shown.clear()
    hall.driver.line_up(hall.now_s)
    hall.run(2)
    assert hall.shown[1] == CALL


def test_idle_strip_is_asked_and_now_and_then_painted_again() -> None:
    hall = Hall()
    hall.driver.show(CALLING)
    hall.run(4 * MANNERS.repaint_every_s)
    assert hall.count(1, PAINT) in {4, 5}
    assert 3 <= hall.count(1, PING) <= 5


def test_call_does_not_wait_behind_upkeep() -> None:
    hall = Hall(windows={number: str(number) for number in range(1, 30)})
    hall.driver.show(replace(CALLING, window="29"))
    frame = onbon.Decoder().feed(hall.driver.due(hall.now_s))[0]
    assert (frame.dst, frame.command) == (29, PAINT)


def test_refused_text_is_a_fault_and_not_repeated_without_a_pause() -> None:
    hall = Hall()
    hall.refusing = {1}
    hall.driver.show(CALLING)
    hall.run(5)
    assert hall.count(1, PAINT) == 1
    health = hall.driver.health(hall.now_s)
    assert (health.status, health.faults[0].code) == (HealthStatus.DEGRADED, FaultCode.REFUSED)
    assert "card error 6" in health.faults[0].detail
    hall.refusing = set()
    hall.driver.show(SERVING)
    hall.run(2)
    assert hall.shown[1] == "\\C2正在办理 A012".encode("gbk")
    assert hall.health is HealthStatus.OK


def test_answers_of_strangers_and_noise_are_not_taken_for_ours() -> None:
    driver = Hall().driver
    driver.show(CALLING)
    driver.due(100.0)
    stranger = onbon.encode(bytes.fromhex("a000000000"), dst=onbon.PC, src=77)
    other = onbon.encode(bytes.fromhex("a000000000"), dst=onbon.PC, src=2)
    driver.feed(b"\xff\xa5\x00" + stranger + other, 100.1)
    assert driver.due(100.2) == b""


def test_brightness_follows_the_time_of_day() -> None:
    hall = Hall(OnbonOptions(brightness={"07:30": 100, "12:01": 25, "22:00": 0}))
    hall.driver.show(CALLING)
    hall.run(20)
    assert [payload[1] for payload in hall.told(1, DIM)] == [15]
    hall.run(60)
    assert [payload[1] for payload in hall.told(1, DIM)] == [15, 3]
    hall.today = NOON.replace(hour=22, minute=1)
    hall.run(5)
    assert hall.told(1, SWITCH)[-1] == b"\x02"
    hall.driver.line_up(hall.now_s)  # it may have been another strip's power cut
    hall.run(5)
    assert hall.told(1, SWITCH)[-2:] == [b"\x02", b"\x02"]
    assert hall.shown[1] == CALL


def test_the_clock_is_set_at_the_start_and_once_a_day() -> None:
    hall = Hall(OnbonOptions(clock="12:01"))
    hall.run(20)
    assert hall.count(1, CLOCK) == 1
    hall.run(60)
    assert hall.told(1, CLOCK)[-1][:6] == bytes.fromhex("262011211201")
    hall.run(60)
    assert hall.count(1, CLOCK) == 2


def test_brightness_and_clock_that_are_refused_do_not_keep_the_text_away_and_are_not_repeated() -> None:
    hall = Hall(OnbonOptions(brightness={"00:00": 50}, clock="04:00"))
    hall.refusing, hall.refused = {1, 2}, (DIM, CLOCK, PING)
    hall.driver.show(CALLING)
    hall.run(20)
    assert hall.shown[1] == CALL
    assert (hall.count(1, DIM), hall.count(1, CLOCK)) == (1, 1)
    assert hall.health is HealthStatus.OK, "a card without dimming works"


class Mute:
    """A maker whose strips need to be set up and answer nothing; a text takes two frames."""

    manners = Manners(gap_s=0.5)

    def set_up(self, address: int) -> list[Ask]:
        return [Ask(frame=b"set up", rest_s=2.0)]

    def paint(self, address: int, picture: WindowPicture) -> list[Ask]:
        return [Ask(frame=b"head", rest_s=0.1), Ask(frame=(picture.label or "-").encode())]

    def light(self, address: int, percent: int) -> list[Ask]:
        return []

    def set_clock(self, address: int, now: datetime) -> list[Ask]:
        return []

    def hello(self, address: int) -> list[Ask]:
        return []

    def feed(self, data: bytes) -> list[Answer]:
        return []

    def forget(self) -> None:
        pass


@pytest.fixture
def mute() -> Strips:
    wiring = Wiring(device="s", url="tcp://h:1", options=OnbonOptions(), windows={1: "3"}, byte_s=0.1)
    driver = make_strips(wiring, Mute())
    driver.line_up(0.0)
    return driver


def test_strips_that_answer_nothing_are_given_their_time(mute: Strips) -> None:
    mute.show(CALLING)
    sent = []
    for tick in range(400):
        now_s = tick * 0.05
        frame = mute.due(now_s)
        if frame:
            sent.append((round(now_s, 2), frame))
    # "set up" is 0.6 s on the line and needs 2 s; "head" 0.4 s and its usual gap, because that is longer.
    assert sent == [(0.0, b"set up"), (2.6, b"head"), (3.5, b"A012")]
    assert mute.health(20.0).status is HealthStatus.OK


def test_a_text_of_two_frames_holds_the_line_in_between(mute: Strips) -> None:
    mute.show(CALLING)
    mute.due(0.0)
    mute.due(2.65)
    assert mute.holds_line(100.0)
    assert mute.due(100.0) == b"A012"
    assert mute.holds_line(100.8)
    assert not mute.holds_line(101.0)


class Prim(Mute):
    """A maker whose strips answer, and refuse to be set up."""

    def set_up(self, address: int) -> list[Ask]:
        return [Ask(frame=b"set up", mark="set up")]

    def paint(self, address: int, picture: WindowPicture) -> list[Ask]:
        return [Ask(frame=f"text {picture.label}".encode(), mark="text")]

    def feed(self, data: bytes) -> list[Answer]:
        return [Answer(mark="set up", refusal="no") if data == b"set up" else Answer(mark="text")]


def test_strips_that_refuse_to_be_set_up_are_painted_nevertheless() -> None:
    driver = make_strips(Wiring(device="s", url="tcp://h:1", options=OnbonOptions(), windows={1: "3"}), Prim())
    driver.line_up(0.0)
    driver.show(CALLING)
    assert driver.due(0.0) == b"set up"
    driver.feed(b"set up", 0.1)
    assert driver.due(1.0) == b"text A012"
    driver.feed(b"text A012", 1.1)
    assert driver.health(2.0).status is HealthStatus.OK


def test_strips_that_were_away_are_set_up_again_before_they_are_painted() -> None:
    driver = make_strips(Wiring(device="s", url="tcp://h:1", options=OnbonOptions(), windows={1: "3"}), Prim())
    driver.line_up(0.0)
    driver.show(CALLING)
    sent = []
    for tick in range(1000):
        now_s = tick * 0.05
        frame = driver.due(now_s)
        if frame and not 2 <= now_s < 40:
            sent.append(frame)
            driver.feed(frame, now_s)
        if tick == 60:
            driver.show(replace(CALLING, label="A013"))
    assert sent == [b"set up", b"text A012", b"set up", b"text A013"]
    assert driver.health(50.0).status is HealthStatus.OK


class Forgetful(Prim):
    """A maker whose strips show a text only after they were set up, and forget that without power."""

    ready = False
    broken = False

    def feed(self, data: bytes) -> list[Answer]:
        if data == b"set up":
            self.ready = True
            return [Answer(mark="set up")]
        return [Answer(mark="text", refusal=None if self.ready and not self.broken else "no window")]


def test_a_strip_that_forgot_its_set_up_is_set_up_again_at_once_and_not_blamed() -> None:
    dialect = Forgetful()
    driver = make_strips(Wiring(device="s", url="tcp://h:1", options=OnbonOptions(), windows={1: "3"}), dialect)
    driver.line_up(0.0)
    driver.show(CALLING)
    sent = []
    for tick in range(200):
        now_s = tick * 0.1
        if tick == 50:
            dialect.ready = False  # a moment without power that nobody noticed
            driver.show(replace(CALLING, label="A013"))
        if frame := driver.due(now_s):
            sent.append((tick, frame))
            driver.feed(frame, now_s)
        assert driver.health(now_s).status is HealthStatus.OK
    assert [frame for _, frame in sent] == [b"set up", b"text A012", b"text A013", b"set up", b"text A013"]
    assert sent[-1][0] < 70


def test_a_strip_that_refuses_behind_its_set_up_is_blamed_and_tried_with_pauses() -> None:
    dialect = Forgetful()
    dialect.broken = True
    driver = make_strips(Wiring(device="s", url="tcp://h:1", options=OnbonOptions(), windows={1: "3"}), dialect)
    driver.line_up(0.0)
    driver.show(CALLING)
    sent = []
    for tick in range(250):
        now_s = tick * 0.1
        if frame := driver.due(now_s):
            sent.append(frame)
            driver.feed(frame, now_s)
    assert driver.health(25.0).faults[0].code is FaultCode.REFUSED
    assert sent.count(b"text A012") == 3, "one at the start, then one every ten seconds"
    dialect.broken = False
    for tick in range(250, 400):
        now_s = tick * 0.1
        if frame := driver.due(now_s):
            driver.feed(frame, now_s)
    assert driver.health(40.0).status is HealthStatus.OK
