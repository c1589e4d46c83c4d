"""Watching a topic: who may, what comes, and that it goes on after a restart."""

import signal

import pytest
import socketio

from server.web.live import CHECK_EVERY_S
from tests.live.house import HALL, House, rising, until


def test_a_press_and_a_call_reach_the_boards(house: House) -> None:
    board = house.watcher("display").watch("board", "board:general", "window:1")
    until(lambda: board.last("window:1") is not None, "first pictures")
    ticket = house.api("kiosk").press()
    clerk = house.person("1001", "1")
    clerk.hall("POST", "/windows/1/open")
    called = clerk.hall("POST", "/windows/1/call-next")
    assert called["ticket"] == ticket["ticket"]

    def shows() -> bool:
        last = board.last("board:general")
        return last is not None and [c["label"] for c in last["data"]["calls"]] == [ticket["label"]]

    until(shows, "the call on the board")
    until(lambda: (board.last("window:1") or {})["data"]["status"] == "calling", "the window calls")
    until(lambda: (board.last("board") or {})["data"]["calls"], "the call on the board of all zones")
    last = board.last("board")
    assert last is not None
    assert last["data"]["calls"][0] | {"called_at": ""} == {
        "ticket": ticket["ticket"],
        "label": "A001",
        "window": "1",
        "window_name": {"zh": "1号窗口", "en": "Window 1"},
        "zone": "general",
        "floor": {"zh": "一楼", "en": "First floor"},
        "called_at": "",
        "call_count": 1,
        "status": "calling",
    }
    assert rising(board.seqs("board"))


def test_a_phone_page_follows_its_ticket_without_signing_in(shared_house: House) -> None:
    ticket = shared_house.api("kiosk").press()
    phone = shared_house.watcher().watch(f"ticket:{ticket['track']}")
    until(lambda: phone.last(f"ticket:{ticket['track']}") is not None, "the ticket")
    picture = phone.last(f"ticket:{ticket['track']}")
    assert picture is not None
    assert picture["data"]["status"] == "waiting"
    assert picture["data"]["can"] == {"cancel": True, "reinstate": False, "rate": False, "back": False}
    assert "visitor" not in picture["data"]


def test_a_watch_after_the_current_seq_sends_nothing_until_something_happens(shared_house: House) -> None:
    board = shared_house.watcher("display").watch("board")
    until(lambda: board.last("board") is not None, "the first picture")
    seq = board.acks["board"]["seq"]
    other = shared_house.watcher("display")
    assert other.ask("watch", {"hall": HALL, "topic": "board", "after": seq})["ok"]
    shared_house.api("kiosk").press()
    until(lambda: bool(other.of("board")), "the change")
    assert len(other.of("board")) == 1
    assert other.of("board")[0]["seq"] > seq


@pytest.mark.parametrize(
    ("role", "topic", "code"),
    [
        (None, "board", "not_allowed"),
        (None, "manager", "not_allowed"),
        (None, "ticket:no-such-token-of-anybody", "unknown_topic"),
        ("display", "board:nowhere", "unknown_topic"),
        ("display", "window:99", "unknown_topic"),
        ("display", "weather", "unknown_topic"),
        ("display", "manager", "not_allowed"),
        ("display", "device:printer-1", "not_allowed"),
        ("kiosk", "device:printer-1", "not_allowed"),
        ("kiosk", "presented:another-kiosk", "not_allowed"),
        ("display", "presented:kiosk-1", "not_allowed"),
        ("devices", "presented:kiosk-1", "not_allowed"),
        (None, "presented:kiosk-1", "not_allowed"),
    ],
)
def test_a_topic_is_refused_with_a_code_and_the_line_lives_on(
    shared_house: House, role: str | None, topic: str, code: str
) -> None:
    client = shared_house.watcher(role)
    assert client.ask("watch", {"hall": HALL, "topic": topic}) == {"ok": False, "code": code}
    assert client.ask("watch", {"hall": "elsewhere", "topic": topic}) == {"ok": False, "code": "unknown_hall"}
    assert client.disconnects == 0


def test_a_card_reaches_the_page_it_lies_before_and_leaves_it_when_used(shared_house: House) -> None:
    kiosk = shared_house.watcher("kiosk").watch("presented:kiosk-1")
    until(lambda: kiosk.last("presented:kiosk-1") is not None, "the first picture")
    agent = shared_house.api("devices")
    agent.hall("PUT", "/devices/reader-1", {"kind": "idcard", "kiosks": ["kiosk-1"]})
    card = {"document": "citizen", "visitor": "ab" * 32, "age_from": 65, "name": "张*"}
    agent.hall("POST", "/devices/reader-1/card", card)

    def lies() -> dict[str, object] | None:
        picture = kiosk.last("presented:kiosk-1")
        shown: dict[str, object] | None = picture["data"]["card"] if picture is not None else None
        return shown

    until(lambda: lies() is not None, "the card")
    shown = lies()
    assert shown is not None
    assert (shown["name"], shown["age_from"], "visitor" in shown) == ("张*", 65, False)
    assert "ab" * 32 not in str(kiosk.pictures)
    shared_house.api("kiosk").press(card=shown["card"])
    until(lambda: lies() is None, "the card is used")


def test_malformed_words_are_refused_and_the_line_lives_on(shared_house: House) -> None:
    client = shared_house.watcher("display")
    bad: list[object] = [
        None,
        7,
        [],
        "board",
        {},
        {"hall": HALL},
        {"topic": "board"},
        {"hall": HALL, "topic": ""},
        {"hall": HALL, "topic": 7},
        {"hall": [HALL], "topic": "board"},
        {"hall": HALL, "topic": "x" * 300},
        {"hall": HALL, "topic": "board", "after": "1"},
        {"hall": HALL, "topic": "board", "after": True},
        {"hall": HALL, "topic": "board", "after": 2**70},
    ]
    for asked in bad:
        assert client.ask("watch", asked)["code"] == "bad_request", asked
        assert client.ask("unwatch", asked)["code"] == "bad_request", asked
    assert client.ask("watch", {"hall": HALL, "topic": "board"}, "more")["code"] == "bad_request"
    assert client.ask("sing", {"hall": HALL})["code"] == "bad_request"
    for packet in (
        "2/live,",
        "2/live,{}",
        "2/live,[]",
        "2/live,[7]",
        "2/live," + "[" * 5000,
        "9",
        "2/live,12[",
        "3/live,99[]",
    ):
        client.raw(packet)
    client.raw('51-/live,["watch",{"_placeholder":true,"num":0}]')
    assert client.ask("watch", {"hall": HALL, "topic": "board"})["ok"]
    assert client.disconnects == 0


def test_a_connection_watches_a_bounded_number_of_topics(shared_house: House) -> None:
    integration = shared_house.watcher("integration")
    for n in range(100):
        assert integration.ask("watch", {"hall": HALL, "topic": f"device:bench-{n}"})["ok"]
    assert integration.ask("watch", {"hall": HALL, "topic": "board"}) == {"ok": False, "code": "too_many"}
    assert integration.ask("unwatch", {"hall": HALL, "topic": "device:bench-0"})["ok"]
    assert integration.ask("watch", {"hall": HALL, "topic": "board"})["ok"]


def test_dev_opens_reading_on_this_machine_and_nothing_else(closed_house: House) -> None:
    closed_house.server.start("--dev")
    anybody = closed_house.watcher().watch("board", "board:tax", "window:2", "manager")
    until(lambda: all(anybody.last(topic) for topic in anybody.topics), "every reading topic")
    assert anybody.ask("watch", {"hall": HALL, "topic": "device:printer-1"})["code"] == "not_allowed"


def test_all_see_the_last_picture_after_a_kill_and_a_restart(house: House) -> None:
    clients = [house.watcher("display").watch("board", "window:1") for _ in range(4)]
    clerk = house.person("1001", "1")
    clerk.hall("POST", "/windows/1/open")
    kiosk = house.api("kiosk")
    for _ in range(3):
        kiosk.press()
    labels = [clerk.hall("POST", "/windows/1/call-next", {"finish": True})["label"] for _ in range(3)]
    house.server.end(signal.SIGKILL)
    for client in clients:
        client.acks.clear()
    house.server.start()

    def all_back() -> bool:
        return all(client.acks.get(topic, {}).get("ok") for client in clients for topic in client.topics)

    until(all_back, "all clients back")
    kiosk.press()
    called = clerk.hall("POST", "/windows/1/call-next", {"finish": True})
    assert called["label"] not in labels

    def shown() -> bool:
        return all(
            (last := client.last("board")) is not None and last["data"]["calls"][0]["label"] == called["label"]
            for client in clients
        )

    until(shown, "the new call on every board")
    for client in clients:
        assert rising(client.seqs("board"))
        assert rising(client.seqs("window:1"))


def test_a_revoked_token_loses_its_line_within_five_seconds(house: House) -> None:
    board = house.watcher("display").watch("board")
    other = house.watcher("integration").watch("board")
    house.people.revoke_device("display-1")
    assert CHECK_EVERY_S < 5
    until(lambda: board.disconnects > 0, "the line is closed")
    until(lambda: bool(board.refused), "and is not opened again")
    assert other.disconnects == 0


def test_an_ended_session_loses_its_line_within_five_seconds(house: House) -> None:
    manager = house.person("9001")
    page = house.watcher(cookies=manager.cookies).watch("manager")
    until(lambda: page.last("manager") is not None, "the manager's page")
    manager.send("POST", "/logout", {})
    assert CHECK_EVERY_S < 5
    until(lambda: page.disconnects > 0, "the line is closed")
    until(lambda: page.acks["manager"] == {"ok": False, "code": "not_allowed"}, "and comes back as nobody's")


def test_a_wrong_token_is_refused_at_the_door(house: House) -> None:
    house.tokens["display"] = "not-a-token"
    stranger = house.new_watcher("display")
    with pytest.raises(socketio.exceptions.ConnectionError):
        stranger.connect()
    assert stranger.refused == [{"message": "not_allowed", "data": {"code": "not_allowed"}}]
