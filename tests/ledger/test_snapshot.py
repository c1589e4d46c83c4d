"""A snapshot is a shortcut that changes nothing: same state, same hash, same answers; else it is not used."""

import os
import random
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from config import load_hall, shipped
from server import domain
from server.domain import commands as c
from server.domain.state import HallState
from server.domain.terms import HallId, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger import snapshot as snapshots
from server.ledger.base import Commit, LedgerBroken, LedgerDown
from server.ledger.memory import MemoryLedger
from server.ledger.snapshot import Picture, Snapshot, SnapshotUnusable
from server.plan import plan_of
from tests.domain.halls import NINE, PLAN, ms
from tests.hall.days import RandomDays
from tests.ledger.test_golden import read as golden

HALL = PLAN.hall
DAY = 24 * 3600 * 1000


def folded(commits: Sequence[Commit], onto: Picture | None = None) -> Picture:
    picture = onto or Picture()
    for commit in commits:
        picture.apply(commit)
    return picture


def random_days(hall: str, seed: int, *, days: int = 2, steps: int = 250) -> list[Commit]:
    played = RandomDays(plan=plan_of(load_hall(shipped()[hall])), seed=seed)
    played.play(days=days, steps=steps)
    return played.commits


def in_order(value: object) -> object:
    """Give a state as pairs and lists, in the order in which it has them."""
    if isinstance(value, dict):
        return [(in_order(key), in_order(item)) for key, item in value.items()]
    if isinstance(value, deque):
        return value.maxlen, [in_order(item) for item in value]
    if isinstance(value, list | tuple):
        return [in_order(item) for item in value]
    if is_dataclass(value):
        return [in_order(getattr(value, it.name)) for it in fields(value)]
    return value


def through_a_file(picture: Picture, folder: Path) -> Picture:
    path = folder / "hall.snapshot"
    hall = picture.state.plan.hall
    snapshots.keep(path, hall, picture.freeze())
    return snapshots.read(path, hall).picture()


@pytest.mark.parametrize("hall", ["demo", "qiaocheng", "zhenkang", "hefeng-county"])
def test_a_state_comes_back_the_same_from_any_place_of_any_hall_and_goes_on_the_same(tmp_path: Path, hall: str) -> None:
    commits = random_days(hall, seed=11)
    whole = folded(commits)
    dice = random.Random(hall)
    for cut in sorted(dice.sample(range(1, len(commits)), 8)):
        begun = folded(commits[:cut])
        back = through_a_file(begun, tmp_path)
        assert (back.seq, back.head, back.keys) == (begun.seq, begun.head, begun.keys)
        assert back.state == begun.state
        assert in_order(back.state) == in_order(begun.state)  # `==` overlooks the order of maps and a deque's bound
        assert back.freeze().state_hash == begun.freeze().state_hash
        end = folded(commits[cut:], back)
        assert end.state == whole.state
        assert end.freeze().state_hash == whole.freeze().state_hash


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_ledgers_of_older_versions_give_one_hash_by_every_way(tmp_path: Path, version: str) -> None:
    commits = golden(version)
    whole = folded(commits).freeze().state_hash
    for part in (1, 2, 3):
        cut = len(commits) * part // 4
        assert folded(commits[cut:], through_a_file(folded(commits[:cut]), tmp_path)).freeze().state_hash == whole
    ledger = MemoryLedger()
    ledger._rows = [(it.body, it.prev_hash, it.hash) for it in commits]  # byte for byte as they were written
    live = Hall(commits[0].hall, ledger, clock=lambda: 0)
    again = Hall(commits[0].hall, ledger, clock=lambda: 0, start=live.base)
    assert live.freeze().state_hash == again.freeze().state_hash == whole


def test_the_hash_is_the_same_in_every_process() -> None:
    """Sets have another order in every process: a fold that goes by it would be found here."""
    code = (
        "from tests.ledger.test_golden import read\nfrom server.ledger.snapshot import Picture\n"
        "picture = Picture()\nfor commit in read('v2'): picture.apply(commit)\nprint(picture.freeze().state_hash)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {folded(golden("v2")).freeze().state_hash + "\n"}


def test_the_hash_sees_every_field() -> None:
    state = folded(random_days("demo", seed=3, days=1)).state
    begun = Picture(state=state).freeze().state_hash
    seen = {begun}
    ticket = next(iter(state.tickets.values()))
    changes: tuple[Callable[[], None], ...] = (
        lambda: setattr(ticket, "call_count", ticket.call_count + 1),
        lambda: setattr(ticket, "notice", ("a", "b")),
        lambda: state.struck.add(ticket.id),
        lambda: state.recent.clear(),
        lambda: state.numbers.clear(),
        lambda: setattr(state, "last_ms", state.last_ms + 1),
        lambda: setattr(state, "plan", replace(state.plan, recalls_max=9)),
    )
    for change in changes:
        change()
        seen.add(Picture(state=state).freeze().state_hash)
    assert len(seen) == 8


def test_a_set_that_grew_in_another_order_has_the_same_hash() -> None:
    words = [f"20260302-A{number:03d}" for number in range(50)]
    one, other = HallState(), HallState()
    one.struck.update(words)  # type: ignore[arg-type]  # ids
    other.struck.update(reversed(words))  # type: ignore[arg-type]
    assert Picture(state=one).freeze().state_hash == Picture(state=other).freeze().state_hash


def kept(folder: Path, snapshot: Snapshot, hall: HallId = HALL) -> Path:
    path = folder / f"{hall}.snapshot"
    snapshots.keep(path, hall, snapshot)
    return path


def a_day(ledger: MemoryLedger, *, presses: int = 20, yesterday: bool = True) -> tuple[Hall, list[int]]:
    """Give a hall that is in the middle of a day, its clock, after one with many visitors."""
    now = [ms(NINE)]
    hall = Hall(HALL, ledger, clock=lambda: now[0])
    clerk = golden("v1")[0].actor
    hall.handle(c.PlanHall(plan=PLAN), actor=clerk)
    for day in range(2 if yesterday else 1):
        hall.handle(c.OpenWindow(window=WindowNo("1"), clerk=WorkId("1")), actor=clerk)
        for number in range(presses):
            hall.handle(
                c.IssueTicket(service=ServiceId("general"), track=Track(f"t-{number}")),
                actor=clerk,
                key=f"press-{number}",
                fingerprint="same",
            )
            if number % 2:
                hall.handle(c.CallNext(window=WindowNo("1"), finish=True), actor=clerk)
        if day == 0 and yesterday:
            now[0] += DAY
    return hall, now


def test_a_start_with_a_snapshot_replays_today_only_and_knows_the_same(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    live, now = a_day(ledger)
    base = snapshots.load(kept(tmp_path, live.base), HALL)
    assert base is not None
    again = Hall(HALL, ledger, clock=lambda: now[0], start=base)
    full = Hall(HALL, ledger, clock=lambda: now[0])
    assert (again.replayed, full.replayed) == (live.seq - live.base.seq, live.seq)
    assert again.replayed < live.seq / 2
    hashes = {it.freeze().state_hash for it in (live, again, full)}
    assert len(hashes) == 1
    assert again.base == base
    assert full.base.day == base.day
    assert again.commits(0, 10_000) == full.commits(0, 10_000)
    told = again.handle(
        c.IssueTicket(service=ServiceId("general"), track=Track("x")),
        actor=live.commits(0, 1)[0].actor,
        key="press-3",
        fingerprint="same",
    )
    assert told in list(ledger.read())  # the same press again is the same ticket
    assert told.day == base.day


def press_again_after_a_start(folder: Path, taken: Snapshot, ledger: MemoryLedger, now: list[int]) -> int:
    """Give how many commits a press writes that was answered before the snapshot was taken."""
    start = snapshots.load(kept(folder, taken), HALL)
    assert start is not None
    hall = Hall(HALL, ledger, clock=lambda: now[0], start=start)
    before = hall.seq
    hall.handle(
        c.IssueTicket(service=ServiceId("general"), track=Track("x")),
        actor=hall.commits(0, 1)[0].actor,
        key="press-3",
        fingerprint="same",
    )
    return hall.seq - before


def test_request_keys_of_the_day_survive_in_a_snapshot_taken_in_the_middle_of_it(tmp_path: Path) -> None:
    ledger = MemoryLedger()
    live, now = a_day(ledger)
    assert press_again_after_a_start(tmp_path, live.freeze(), ledger, now) == 0


def test_a_snapshot_that_forgets_the_keys_is_found_out(tmp_path: Path) -> None:
    """The test above can fail."""
    ledger = MemoryLedger()
    live, now = a_day(ledger)
    forgetful = replace(live.freeze(), keys={})
    with pytest.raises(LedgerDown):  # by the last door: the ledger takes no key twice
        press_again_after_a_start(tmp_path, forgetful, ledger, now)


@pytest.mark.parametrize("spoil", ["longer", "forged", "of another day", "of another hall"])
def test_a_snapshot_that_does_not_fit_the_ledger_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    ledger = MemoryLedger()
    live, now = a_day(ledger)
    other = MemoryLedger()
    match spoil:
        case "longer":
            other._rows = ledger._rows[: live.base.seq - 1]
            start = live.base
        case "forged":
            other._rows = list(ledger._rows)
            start = replace(live.base, head="f" * 64)
        case "of another day":
            elsewhere, _ = a_day(MemoryLedger(), presses=10)
            other._rows = list(ledger._rows)
            start = elsewhere.base
        case _:
            path = kept(tmp_path, live.base, HallId("elsewhere"))
            assert snapshots.load(path, HALL) is None
            return
    hall = Hall(HALL, other, clock=lambda: now[0], start=start)
    assert hall.replayed == hall.seq == len(other._rows)
    assert "is of another ledger" in caplog.text
    assert hall.freeze().state_hash == folded(list(other.read())).freeze().state_hash


def test_a_ledger_of_another_hall_is_refused_with_a_snapshot_too() -> None:
    ledger = MemoryLedger()
    live, now = a_day(ledger)
    with pytest.raises(LedgerBroken, match="not of elsewhere"):
        Hall(HallId("elsewhere"), ledger, clock=lambda: now[0], start=live.base)


def test_a_damaged_snapshot_is_never_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    live, _ = a_day(MemoryLedger())
    path = kept(tmp_path, live.freeze())
    whole = path.read_bytes()
    dice = random.Random(5)
    for _ in range(150):
        body = bytearray(whole)
        match dice.choice(["flip", "flip", "zero", "cut", "grow"]):
            case "flip":
                body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)
            case "zero":
                at = dice.randrange(len(body) - 64)
                body[at : at + 64] = bytes(64)
            case "cut":
                del body[dice.randrange(len(body)) :]
            case _:
                body += b"x"
        if bytes(body) == whole:
            continue
        path.write_bytes(body)
        assert snapshots.load(path, HALL) is None
    assert "is not used" in caplog.text
    path.write_bytes(b"")
    assert snapshots.load(path, HALL) is None
    assert snapshots.load(tmp_path / "nothing.snapshot", HALL) is None


def test_a_snapshot_whose_state_was_changed_together_with_its_checksum_is_found_by_the_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, _ = a_day(MemoryLedger())
    forged = live.freeze()
    monkeypatch.setattr(Snapshot, "state_hash", "0" * 64)
    path = kept(tmp_path, forged)
    with pytest.raises(SnapshotUnusable, match="does not fit its hash"):
        snapshots.read(path, HALL)


def test_another_version_of_the_rules_trusts_no_older_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = MemoryLedger()
    live, _ = a_day(ledger)
    path = kept(tmp_path, live.base)
    rules = tmp_path / "domain"
    shutil.copytree(Path(str(domain.__file__)).parent, rules, ignore=shutil.ignore_patterns("__pycache__"))
    ours = snapshots.fold_version.__wrapped__()
    monkeypatch.setattr(domain, "__file__", str(rules / "__init__.py"))
    assert snapshots.fold_version.__wrapped__() == ours  # where they lie does not matter, what they say does
    with (rules / "evolve.py").open("a") as file:
        file.write("\n# another version\n")
    newer = snapshots.fold_version.__wrapped__()
    assert newer != ours
    monkeypatch.setattr(snapshots, "fold_version", lambda: newer)
    caplog.set_level("INFO")
    assert snapshots.load(path, HALL) is None
    assert "another version" in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert snapshots.label(path).state_hash == live.base.state_hash  # who looks from outside can still read it


def test_without_sources_nothing_is_ever_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "__file__", str(tmp_path / "__init__.py"))
    assert snapshots.fold_version.__wrapped__() != snapshots.fold_version.__wrapped__()


def test_a_write_that_fails_leaves_the_snapshot_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live, _ = a_day(MemoryLedger())
    path = kept(tmp_path, live.base)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            kept(tmp_path, live.freeze())
    assert path.read_bytes() == before
    assert [it.name for it in tmp_path.iterdir()] == [path.name]
