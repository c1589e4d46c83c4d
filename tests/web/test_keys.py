"""The same key again gives the first answer again; nothing happens twice; nobody's identity number is kept."""

import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.domain.terms import HallId
from server.hall import Hall
from server.ledger import codec
from server.ledger.memory import MemoryLedger
from server.web import buckets
from server.web.buckets import Buckets
from server.web.problems import Problem
from server.web.site import Site
from tests.web.stage import HALL, Stage

TICKETS = f"/halls/{HALL}/tickets"
CANARY = "110101199003077774"


@pytest.fixture
def wide(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give a server whose kiosks may press as often as they like."""
    monkeypatch.setattr(stage.site.presses, "_burst", 1e9)
    return stage


def test_a_hundred_presses_with_one_key_give_one_ticket(wide: Stage) -> None:
    kiosk = wide.device("kiosk-1")
    clients = [type(kiosk)(wide.new_http(), kiosk.headers) for _ in range(100)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda one: one.post(TICKETS, {"service": "general"}, Idempotency_Key="press-1"), clients)
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert wide.hall.read(lambda state, _: len(state.tickets)) == 1


def test_eight_concurrent_kiosks_leave_no_gap(wide: Stage) -> None:
    clients = [wide.device(f"kiosk-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda one: [one.post(TICKETS, {"service": "general"}).json for _ in range(10)], clients)
        )
    numbers = sorted(answer["number"] for row in answers for answer in row if answer)
    assert numbers == list(range(1, 81))


def test_the_answer_is_the_same_later_in_the_day(stage: Stage) -> None:
    clerk = stage.person("clerk", window="1", hall=HALL)
    clerk.post(f"/halls/{HALL}/windows/1/open")
    stage.issue()
    first = clerk.post(f"/halls/{HALL}/windows/1/call-next", Idempotency_Key="k")
    clerk.post(f"/halls/{HALL}/windows/1/finish")
    stage.clock.forward(3600)
    again = clerk.post(f"/halls/{HALL}/windows/1/call-next", {}, Idempotency_Key="k")
    assert again.text == first.text
    assert again.status_code == 200


def test_a_refusal_is_not_kept(stage: Stage) -> None:
    clerk = stage.person("clerk", window="1", hall=HALL)
    clerk.post(f"/halls/{HALL}/windows/1/open")
    assert clerk.post(f"/halls/{HALL}/windows/1/call-next", Idempotency_Key="k").status_code == 409
    stage.issue()
    assert clerk.post(f"/halls/{HALL}/windows/1/call-next", Idempotency_Key="k").status_code == 200


def test_a_key_stands_for_one_request_of_one_sender(stage: Stage) -> None:
    kiosk = stage.device("kiosk-1")
    assert kiosk.post(TICKETS, {"service": "general"}, Idempotency_Key="k").status_code == 201
    assert kiosk.post(TICKETS, {"service": "general"}, Idempotency_Key="k").status_code == 201
    for other in (
        kiosk.post(TICKETS, {"service": "tax"}, Idempotency_Key="k"),
        stage.device("kiosk-2").post(TICKETS, {"service": "general"}, Idempotency_Key="k"),
    ):
        assert (other.status_code, other.json["code"]) == (422, "key_reused")  # type: ignore[index]


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "a\tb", "钥"])
def test_a_misshapen_key_is_refused(stage: Stage, key: str) -> None:
    answer = stage.device("kiosk-1").post(
        TICKETS, {"service": "general"}, Idempotency_Key=key.encode().decode("latin-1")
    )
    assert (answer.status_code, answer.json["code"]) == (400, "bad_request")  # type: ignore[index]
    assert stage.hall.read(lambda state, _: len(state.tickets)) == 0


def test_no_visitor_ref_anywhere(stage: Stage, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level("DEBUG")
    told = stage.issue(visitor_ref=CANARY)
    stage.device("kiosk-1").post(TICKETS, {"service": "general", "visitor_ref": CANARY}, Idempotency_Key="k")
    stage.device("kiosk-1").post(TICKETS, {"service": "no", "visitor_ref": CANARY, "x": CANARY})
    stored = b"".join(codec.encode(commit) for commit in stage.hall.commits(0, 1000))
    manager = stage.person("manager")
    shown = [stage.nobody().get(f"{TICKETS}/{told['track']}").text]
    shown += [manager.get(path).text for path in (TICKETS, f"/halls/{HALL}/commits", f"/halls/{HALL}/state")]
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for text in (stored.decode(), *shown, caplog.text, files.decode("latin-1")):
        assert CANARY not in text
    # Neither can it be tried out: the hash is keyed, and so is what tells one request from another.
    commit = next(commit for commit in stage.hall.commits(0, 1000) if commit.seq == told["seq"])
    key = bytes.fromhex(stage.people.keyed_hash("visitor key", HALL.encode()))
    assert commit.events[0].visitor == hmac.new(key, CANARY.encode(), "sha256").hexdigest()  # type: ignore[union-attr]


def test_a_kiosk_that_hammers_is_slowed_down(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(presses=Buckets(3, 1.0, clock=lambda: 100.0))
    kiosk = stage.device("kiosk-1")
    answers = [kiosk.post(TICKETS, {"service": "general"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[3].json["code"] == "too_many"  # type: ignore[index]
    assert int(answers[3].headers["Retry-After"]) >= 1
    assert stage.device("kiosk-2").post(TICKETS, {"service": "general"}).status_code == 201


def test_a_bucket_fills_again() -> None:
    now = [100.0]
    bucket = Buckets(2, 0.5, clock=lambda: now[0])
    bucket.take("a")
    bucket.take("a")
    with pytest.raises(Problem, match="Try again in 2 s"):
        bucket.take("a")
    bucket.take("b")
    now[0] += 2
    bucket.take("a")
    with pytest.raises(Problem):
        bucket.take("a")


def test_buckets_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "BUCKETS_MAX", 10)
    bucket = Buckets(2, 0.5)
    for number in range(100):
        bucket.take(str(number))
    assert len(bucket._levels) == 10


class _Down(MemoryLedger):
    """A ledger whose disk is full."""

    full = False

    def append(self, commits: object) -> None:
        from server.ledger.base import LedgerDown

        if self.full:
            raise LedgerDown("no space left")
        super().append(commits)  # type: ignore[arg-type]  # a fake hands on what it got


def test_a_full_disk_refuses_and_recovers(make_stage: Callable[..., Stage]) -> None:
    from server.domain.commands import PlanHall
    from server.domain.terms import CLOCK
    from tests.web.stage import PLAN, Clock

    ledger = _Down()
    hall = Hall(HALL, ledger, clock=Clock())
    hall.handle(PlanHall(plan=PLAN), actor=CLOCK)
    halls: dict[HallId, Hall] = {HALL: hall}
    stage = make_stage(halls=halls)
    assert isinstance(stage.site, Site)
    stage.issue()
    ledger.full = True
    answer = stage.device("kiosk-1").post(TICKETS, {"service": "general"}, Idempotency_Key="k")
    assert (answer.status_code, answer.json["code"]) == (503, "ledger_unavailable")  # type: ignore[index]
    assert "Retry-After" in answer.headers
    assert stage.device("kiosk-1").get(f"/halls/{HALL}/state").status_code == 200
    ledger.full = False
    again = stage.device("kiosk-1").post(TICKETS, {"service": "general"}, Idempotency_Key="k")
    assert again.json["number"] == 2  # type: ignore[index]
