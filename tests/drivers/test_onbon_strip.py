"""What a strip says about its window, and how the driver gets it there: acknowledgements, limited resend, repaint."""

from dataclasses import replace

import pytest

from drivers.driver import Wiring
from drivers.faults import FaultCode, HealthStatus
from drivers.jobs import WindowPicture, WindowStatus
from drivers.led import onbon, strip
from drivers.led.strip import OnbonStrips, StripOptions

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


def said(picture: WindowPicture, options: StripOptions | None = None) -> tuple[str, onbon.Motion]:
    """Give the text and motion of the area that would be sent."""
    frame = onbon.Decoder().feed(onbon.encode(strip.paint(picture, options or StripOptions()), dst=1))[0]
    areas = onbon.read_areas(frame)
    assert areas is not None
    return areas[0].text.decode("gbk"), areas[0].motion


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (IDLE, "\\C2欢迎办理"),
        (CALLING, "\\C1请 A012 号"),
        (SERVING, "\\C2正在办理 A012"),
        (replace(IDLE, status=WindowStatus.CLOSED), "\\C3未开放"),
        (replace(IDLE, status=WindowStatus.CLOSED, staffed=False), "\\C3未派驻"),
        (replace(IDLE, status=WindowStatus.PAUSED, pause_reason="lunch"), "\\C3暂停服务 午休"),
        (replace(IDLE, status=WindowStatus.PAUSED, pause_reason="left_alone"), "\\C3暂停服务"),
        (replace(IDLE, status=WindowStatus.PAUSED, pause_reason="other"), "\\C3暂停服务"),
        (replace(IDLE, status=WindowStatus.PAUSED, pause_reason="something new"), "\\C3暂停服务"),
        (replace(SERVING, label=None, ticket=None), "\\C2欢迎办理"),
    ],
)
def test_strip_says_what_the_window_is(picture: WindowPicture, text: str) -> None:
    assert said(picture) == (text, onbon.Motion.STATIC)


def test_a_strip_keeps_to_the_languages_of_its_hall() -> None:
    both = StripOptions(languages=("zh", "en"))
    assert said(replace(IDLE, languages=("zh",)), both)[0] == "\\C2欢迎办理"
    assert said(replace(IDLE, languages=("bo", "zh")), both)[0] == "\\C2欢迎办理"
    assert said(replace(IDLE, languages=("en",)))[0] == "\\C2Welcome"
    assert said(replace(IDLE, languages=("zh", "en")))[0] == "\\C2欢迎办理"


def test_free_window_can_show_its_name() -> None:
    assert said(IDLE, StripOptions(idle="name"))[0] == "\\C23号窗口"


def test_two_languages_take_turns_as_pages() -> None:
    assert said(CALLING, StripOptions(languages=("zh", "en"))) == ("\\C1请 A012 号\\nTicket A012", onbon.Motion.STATIC)


def test_text_wider_than_the_strip_runs_to_the_left() -> None:
    paused = replace(IDLE, status=WindowStatus.PAUSED, pause_reason="fault")
    assert said(paused, StripOptions(width_px=64)) == ("\\C3暂停服务 设备故障", onbon.Motion.LEFT)
    # 8 hanzi and a space are 136 dots: just too wide for 128.
    assert said(paused)[1] is onbon.Motion.LEFT
    assert said(paused, StripOptions(width_px=136))[1] is onbon.Motion.STATIC


class Card:
    """Answers what the driver sends, as cards on the line would."""

    def __init__(self, driver: OnbonStrips) -> None:
        self.driver = driver
        self.now_s = 100.0
        self.shown: dict[int, bytes] = {}
        self.heard: list[tuple[int, tuple[int, int]]] = []
        self.dead: set[int] = set()
        self.refusing: set[int] = set()
        self.decoder = onbon.Decoder()

    def run(self, length_s: float) -> None:
        until_s = self.now_s + length_s
        while self.now_s < until_s:
            sent = self.driver.due(self.now_s)
            for frame in self.decoder.feed(sent):
                self.heard.append((frame.dst, frame.command))
                if frame.dst in self.dead:
                    continue
                ok = frame.dst not in self.refusing or frame.command != (0xA3, 0x06)
                areas = onbon.read_areas(frame)
                if ok and areas:
                    self.shown[frame.dst] = areas[0].text
                reply = bytes.fromhex("a000000000") if ok else bytes.fromhex("a001060000")
                assert self.driver.feed(onbon.encode(reply, dst=onbon.PC, src=frame.dst), self.now_s) == ()
            self.now_s += 0.02

    def count(self, address: int, command: tuple[int, int]) -> int:
        return sum(1 for each in self.heard if each == (address, command))


PAINT, PING = (0xA3, 0x06), (0xA2, 0x00)


def line(options: StripOptions | None = None) -> Card:
    wiring = Wiring(device="s", url="tcp://h:1", options=options or StripOptions(), windows={1: "3", 2: "4"})
    driver = strip.make(wiring)
    driver.line_up(100.0)
    return Card(driver)


def test_each_window_is_painted_on_its_own_strip_once() -> None:
    card = line()
    card.driver.show(CALLING)
    card.driver.show(replace(SERVING, window="4"))
    card.driver.show(replace(SERVING, window="99"))
    card.run(5)
    assert card.shown == {1: "\\C1请 A012 号".encode("gbk"), 2: "\\C2正在办理 A012".encode("gbk")}
    assert card.count(1, PAINT) == card.count(2, PAINT) == 1
    assert card.driver.health(card.now_s).status is HealthStatus.OK


def test_only_the_newest_picture_is_sent() -> None:
    card = line()
    for picture in (IDLE, CALLING, SERVING):
        card.driver.show(picture)
    card.run(1)
    assert card.shown[1] == "\\C2正在办理 A012".encode("gbk")
    assert card.count(1, PAINT) == 1


def test_nothing_is_sent_while_an_acknowledgement_is_awaited() -> None:
    driver = line().driver
    driver.show(CALLING)
    assert driver.due(100.0)
    assert driver.due(100.1) == b""
    assert driver.due(100.0 + strip.ACK_WITHIN_S / 2) == b""
    assert driver.due(100.0 + strip.ACK_WITHIN_S)


def test_silent_strip_is_asked_three_times_then_left_alone_and_does_not_stop_the_other() -> None:
    card = line()
    card.dead = {1}
    card.driver.show(CALLING)
    card.driver.show(replace(CALLING, window="4"))
    card.run(9)
    assert 2 in card.shown
    assert card.count(1, PAINT) == strip.TRIES
    health = card.driver.health(card.now_s)
    assert health.status is HealthStatus.DEGRADED
    assert health.faults[0].code is FaultCode.NO_ANSWER
    assert "window 3" in health.faults[0].detail
    card.dead = {1, 2}
    card.run(60)
    assert card.driver.health(card.now_s).status is HealthStatus.DOWN


def test_strip_that_answers_again_is_painted_with_what_is_true_then() -> None:
    card = line()
    card.driver.show(CALLING)
    card.run(2)
    card.dead = {1}
    card.driver.show(SERVING)
    card.run(20)
    card.driver.show(IDLE)
    card.dead = set()
    card.run(strip.LEFT_ALONE_S + 3)
    assert card.shown[1] == "\\C2欢迎办理".encode("gbk")
    assert card.driver.health(card.now_s).status is HealthStatus.OK


def test_line_that_comes_back_is_painted_anew() -> None:
    card = line()
    card.driver.show(CALLING)
    card.run(2)
    card.shown.clear()
    card.driver.line_up(card.now_s)
    card.run(2)
    assert card.shown[1] == "\\C1请 A012 号".encode("gbk")


def test_idle_strip_is_pinged_and_now_and_then_painted_again() -> None:
    card = line()
    card.driver.show(CALLING)
    card.run(4 * strip.REPAINT_EVERY_S)
    assert card.count(1, PAINT) in {4, 5}
    assert 3 <= card.count(1, PING) <= 5


def test_call_does_not_wait_behind_upkeep() -> None:
    wiring = Wiring(device="s", url="tcp://h:1", options=StripOptions(), windows={n: str(n) for n in range(1, 30)})
    card = Card(strip.make(wiring))
    card.driver.line_up(card.now_s)
    card.driver.show(replace(CALLING, window="29"))
    frame = onbon.Decoder().feed(card.driver.due(card.now_s))[0]
    assert (frame.dst, frame.command) == (29, PAINT)


def test_refused_text_is_a_fault_and_not_repeated_without_a_pause() -> None:
    card = line()
    card.refusing = {1}
    card.driver.show(CALLING)
    card.run(5)
    assert card.count(1, PAINT) == 1
    health = card.driver.health(card.now_s)
    assert (health.status, health.faults[0].code) == (HealthStatus.DEGRADED, FaultCode.REFUSED)
    card.refusing = set()
    card.driver.show(SERVING)
    card.run(2)
    assert card.shown[1] == "\\C2正在办理 A012".encode("gbk")
    assert card.driver.health(card.now_s).status is HealthStatus.OK


def test_answers_of_strangers_and_noise_are_not_taken_for_ours() -> None:
    driver = line().driver
    driver.show(CALLING)
    driver.due(100.0)
    stranger = onbon.encode(bytes.fromhex("a000000000"), dst=onbon.PC, src=77)
    other = onbon.encode(bytes.fromhex("a000000000"), dst=onbon.PC, src=2)
    driver.feed(b"\xff\xa5\x00" + stranger + other, 100.1)
    assert driver.due(100.2) == b""


def test_brightness_is_set_once_per_line_up() -> None:
    card = line(StripOptions(brightness=8))
    card.driver.show(CALLING)
    card.run(5)
    assert card.count(1, (0xA3, 0x02)) == 1
    assert 1 in card.shown
