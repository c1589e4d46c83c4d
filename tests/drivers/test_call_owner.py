"""The owner of a loudspeaker: what was called again meanwhile is spoken once, and nothing late."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

from drivers.faults import Health, LineDown
from drivers.jobs import JobOrder, Result, ResultStatus, Say
from drivers.journal import Journal
from drivers.owners import JobOwner
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from drivers.jobs import Job

CALL = Say(
    ticket="20261121-A012",
    label="A012",
    window="3",
    window_name={"zh": "3号窗口"},
    zone="general",
    languages=("zh",),
    call_count=1,
)


class Loud:
    """A loudspeaker that is away until it is plugged in, and keeps what it said."""

    def __init__(self) -> None:
        self.plugged = threading.Event()
        self.tried = threading.Event()
        self.said: list[Job] = []

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        self.tried.set()
        if not self.plugged.is_set():
            raise LineDown("tcp://x:1", "away")
        started()
        self.said.append(job)
        return Result(status=ResultStatus.SAID)

    def check(self) -> Health:
        return Health()

    def close(self) -> None:
        return


def order(number: int, job: Say) -> JobOrder:
    return JobOrder(id=f"{number}.0", device="s", job=job, expires_at=datetime.now(UTC) + timedelta(seconds=PATIENCE_S))


class Slow(Loud):
    """A loudspeaker whose voice is still making the sentence when its time is over."""

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        self.tried.set()
        assert self.plugged.wait(PATIENCE_S)
        started()
        self.said.append(job)
        return Result(status=ResultStatus.SAID)


def test_a_sentence_that_is_ready_too_late_is_not_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, driver, now_s = Journal(tmp_path / "jobs.sqlite", datetime.now(UTC)), Slow(), [100.0]
    monkeypatch.setattr("drivers.owners.time", SimpleNamespace(monotonic=lambda: now_s[0]))
    owner = JobOwner("s", driver, journal, lambda *_: None, is_printer=False)
    owner.start()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(owner.do, order(1, CALL))
        assert driver.tried.wait(PATIENCE_S)
        now_s[0] += PATIENCE_S + 1
        driver.plugged.set()
        assert late.result(PATIENCE_S) == Result(
            status=ResultStatus.DROPPED, detail="too_late: it was not ready in time"
        )
    assert driver.said == []
    assert owner.do(order(1, CALL)).status is ResultStatus.DROPPED, "it is never begun again"
    owner.stop()
    owner.join(PATIENCE_S)
    journal.close()


def test_a_call_that_waits_is_replaced_by_the_same_ticket_called_again(tmp_path: Path) -> None:
    journal, driver = Journal(tmp_path / "jobs.sqlite", datetime.now(UTC)), Loud()
    owner = JobOwner("s", driver, journal, lambda *_: None, is_printer=False)
    again, other = replace(CALL, call_count=2), replace(CALL, ticket="20261121-A013", label="A013")
    owner.start()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(owner.do, order(1, CALL))
        assert driver.tried.wait(PATIENCE_S)
        others = [pool.submit(owner.do, order(number, job)) for number, job in ((2, other), (3, again))]
        assert first.result(PATIENCE_S).status is ResultStatus.DROPPED  # before the loudspeaker is back
        driver.plugged.set()
        assert [each.result(PATIENCE_S).status for each in others] == [ResultStatus.SAID, ResultStatus.SAID]
    assert sorted(job.call_count for job in driver.said if isinstance(job, Say)) == [1, 2]
    assert [job.label for job in driver.said if isinstance(job, Say)].count("A012") == 1
    owner.stop()
    owner.join(PATIENCE_S)
    journal.close()
