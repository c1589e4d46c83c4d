"""The agent's memory of jobs: a week of it, however long the agent runs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from drivers.jobs import JobOrder, Result, ResultStatus, Say
from drivers.journal import INTERRUPTED, KEPT_DAYS, Journal
from tests.drivers.test_printer_thermal import JOB

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def order(number: int) -> JobOrder:
    call = Say(
        ticket=f"20260302-A{number:03d}",
        label=f"A{number:03d}",
        window="1",
        window_name={"zh": "1号窗口"},
        zone="general",
        languages=("zh",),
        call_count=1,
    )
    return JobOrder(id=f"{number}.0", device="speaker-1", job=call, expires_at=BEGAN + timedelta(days=365))


def test_the_first_result_stands_and_a_begun_job_is_unknown(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs.sqlite", BEGAN)
    said, failed = Result(status=ResultStatus.SAID), Result(status=ResultStatus.FAILED, detail="x")
    assert journal.answer(order(1)) is None
    journal.finish(order(1), said, BEGAN)
    journal.finish(order(1), failed, BEGAN)
    journal.start(order(2), BEGAN)
    assert journal.answer(order(1)) == said
    assert journal.answer(order(2)) == Result(status=ResultStatus.UNKNOWN, detail=INTERRUPTED)
    journal.close()


def test_a_paper_is_done_once_whichever_printer_it_goes_to_and_a_call_once_for_each_speaker(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs.sqlite", BEGAN)
    printed = Result(status=ResultStatus.PRINTED)
    ticket = JobOrder(id="7.0", device="printer-1", job=JOB, expires_at=BEGAN + timedelta(days=365))
    journal.finish(ticket, printed, BEGAN)
    stands_in = replace(ticket, device="printer-2")
    assert journal.answer(stands_in) == printed
    assert journal.answer(replace(stands_in, job=replace(JOB, reprint=True))) is None
    assert journal.answer(replace(stands_in, id="8.0")) is None
    journal.start(replace(ticket, id="9.0"), BEGAN)
    assert journal.answer(replace(stands_in, id="9.0")) == Result(status=ResultStatus.UNKNOWN, detail=INTERRUPTED)
    journal.finish(order(1), printed, BEGAN)
    assert journal.answer(replace(order(1), device="speaker-2")) is None
    journal.close()


def test_an_agent_that_runs_for_long_keeps_a_week(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs.sqlite", BEGAN)
    for day in range(20):
        journal.start(order(day), BEGAN + timedelta(days=day))
    kept = [day for day in range(20) if journal.answer(order(day)) is not None]
    journal.close()
    assert kept == list(range(19 - KEPT_DAYS, 20))
