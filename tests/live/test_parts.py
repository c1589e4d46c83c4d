"""Small parts of the process: work in a thread, the gate before the websocket, the drill's clock."""

import socket
from collections.abc import Callable
from datetime import datetime
from time import monotonic_ns, time_ns
from types import SimpleNamespace
from typing import Any, cast

import gevent
import gevent.socket
import pytest
from gevent.threadpool import ThreadPool

from server.clock import DrillClock, instant_of, machine_clock
from server.domain.terms import HallId
from server.ledger.base import LedgerDown
from server.serve import in_thread
from server.web.doors import Doors
from server.web.listener import SOCKETS_PER_ADDRESS, Listener, PortTaken, _BoundedWebSocket, _Gate, listen, text_frame
from server.web.live import Live
from server.web.site import Site
from tests.patience import PATIENCE_S


def test_work_in_a_thread_gives_back_what_it_did_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    pool = ThreadPool(1)
    try:
        run = in_thread(pool)
        assert run(lambda: None) is None

        def full() -> None:
            raise LedgerDown("disk full")

        with pytest.raises(LedgerDown, match="disk full"):
            run(full)
    finally:
        pool.kill()
    said = capfd.readouterr().err  # a thread that another test left may speak there too
    assert "Traceback" not in said
    assert "disk full" not in said


def test_the_address_a_server_prints_is_one_of_its_names_and_never_on_a_ticket() -> None:
    doors = Doors(hosts=["0.0.0.0"], port=8080)
    assert doors.is_host("0.0.0.0:8080")
    assert doors.is_origin("http://0.0.0.0:8080")
    assert doors.visitor_base("http://0.0.0.0:8080") == doors.visitor_base("http://127.0.0.1:8080")
    assert not Doors(hosts=["127.0.0.1"], port=8080).is_host("0.0.0.0:8080")


def test_a_stopping_server_answers_once_more_and_hangs_up() -> None:
    def app(_: object, start_response: Callable[[str, list[tuple[str, str]]], object]) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    door = listen("127.0.0.1", 0)
    address = door.getsockname()
    server = Listener(door, app, Doors(hosts=["127.0.0.1"], port=address[1]))
    server.start()
    try:
        with gevent.Timeout(PATIENCE_S), gevent.socket.create_connection(address) as line:
            for last in (False, False, True):
                if last:
                    server.stop_accepting()
                line.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                answer = b""
                while not answer.endswith(b"ok"):
                    answer += line.recv(4096)
                assert (b"\r\nConnection: close\r\n" in answer) is last
            assert line.recv(4096) == b""
    finally:
        server.stop(0)


def test_one_address_opens_a_bounded_number_of_websockets() -> None:
    gate = _Gate(Doors(hosts=["127.0.0.1"], port=80))
    asked = {"PATH_INFO": "/socket.io/", "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "192.0.2.7"}
    for _ in range(SOCKETS_PER_ADDRESS):
        assert gate.refusal(asked) is None
        gate.enter("192.0.2.7")
    assert gate.refusal(asked) == "429 Too Many Requests"
    assert gate.refusal(asked | {"REMOTE_ADDR": "192.0.2.8"}) is None
    gate.leave("192.0.2.7")
    assert gate.refusal(asked) is None


def test_a_line_cut_while_its_first_picture_is_drawn_watches_nothing() -> None:
    hall = HallId("little")
    viewers: list[object] = []

    def watch(viewer: object, *_: object) -> int:
        live.closed("sid")
        viewers.append(viewer)
        return 1

    screens = SimpleNamespace(watch=watch, leave=viewers.remove)
    jobs = SimpleNamespace(leave=lambda _: None)
    live = Live(
        cast(Site, SimpleNamespace(people=None, dev=False)), {hall: cast(Any, screens)}, {hall: cast(Any, jobs)}
    )
    assert live.opened("sid", {"REMOTE_ADDR": "127.0.0.1"}, None) is None
    answer = live.asked("sid", "watch", ({"hall": hall, "topic": "ticket:track-1"},))
    assert answer == {"ok": False, "code": "not_allowed"}
    assert viewers == []


def test_a_port_out_of_range_is_refused_in_words() -> None:
    with pytest.raises(PortTaken, match="70000"):
        listen("127.0.0.1", 70000)


def test_a_drill_starts_where_it_is_told_and_only_goes_forward() -> None:
    begun, started = 1772413200000, monotonic_ns()
    clock = DrillClock(datetime.fromisoformat("2026-03-02T09:00:00+08:00"))

    def running_ms() -> int:
        return (monotonic_ns() - started) // 1_000_000 + 2  # two roundings

    assert 0 <= clock() - begun <= running_ms()
    clock.at_least(begun + 3_600_000)
    assert 3_600_000 <= clock() - begun <= 3_600_000 + running_ms()
    clock.at_least(begun)
    assert clock() - begun >= 3_600_000
    before_ms = time_ns() // 1_000_000
    assert before_ms <= machine_clock() <= time_ns() // 1_000_000


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-03-02", "2026-03-02T09:00:00", "25:00"])
def test_an_instant_without_offset_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"\+08:00"):
        instant_of(text)


def test_a_frame_that_the_kernel_takes_in_parts_is_never_mixed_with_another() -> None:
    ours, theirs = gevent.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    handler = SimpleNamespace(socket=ours)
    line = _BoundedWebSocket({}, SimpleNamespace(read=None, write=ours.sendall), handler)
    big, small = text_frame("甲" * 100_000), text_frame("small")
    assert line.send_now(big)  # taken in part; the rest follows by itself
    assert not line.send_now(small)  # so this has to wait in the queue
    gevent.spawn(line.raw_write, small)
    got = b""
    with gevent.Timeout(PATIENCE_S):
        while len(got) < len(big) + len(small):
            got += theirs.recv(65536)
    assert got == big + small
    assert line.send_now(small)
    assert theirs.recv(100) == small
    while line.send_now(text_frame("x" * 4000)):
        pass
    line.closed = True
    assert not line.send_now(small)
    ours.close()
    theirs.close()


@pytest.mark.parametrize(("length", "head"), [(5, b"\x81\x05"), (126, b"\x81\x7e\x00\x7e"), (65536, b"\x81\x7f")])
def test_a_frame_is_unmasked_text_with_the_shortest_length(length: int, head: bytes) -> None:
    frame = text_frame("x" * length)
    assert frame.startswith(head)
    assert frame.endswith(b"x" * length)
