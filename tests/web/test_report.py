"""The statistics of a day: one meaning each, from events alone."""

from server.domain import commands as c
from server.domain.terms import CLOCK, DeviceId, PauseReason, Place, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.projections.report import DayReport, day_report
from server.projections.spread import NEVER, Spread
from tests.web.stage import HALL, PLAN, Clock, make_hall

ONE, TWO = WindowNo("1"), WindowNo("2")


class Day:
    """A day at the two windows of the general zone; `at` moves the clock to so many seconds after nine."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.nine = self.clock.ms
        self.hall: Hall = make_hall(HALL, self.clock)
        self.given = 0

    def at(self, seconds: int, *commands: c.Command) -> None:
        self.clock.ms = self.nine + seconds * 1000
        for command in commands:
            self.hall.handle(command, actor=CLOCK)

    def issue(self) -> c.IssueTicket:
        self.given += 1
        return c.IssueTicket(service=ServiceId("general"), track=Track(f"track-{self.given}"), kiosk=DeviceId("k"))

    def report(self, until: int) -> DayReport:
        events = [(commit.at_ms, event) for commit in self.hall.commits(0, 1000) for event in commit.events]
        return day_report(PLAN, "2026-03-02", events, now_ms=self.nine + until * 1000)


def test_an_empty_day_divides_by_nothing() -> None:
    report = Day().report(0)
    assert report.hall.wait == NEVER
    assert (report.hall.no_show_rate, report.hall.satisfaction) == (None, None)
    assert set(report.windows) == {"1", "2", "3"}
    assert (report.windows[ONE].utilisation, report.windows[ONE].load) == (None, None)


def test_time_on_hold_is_no_serving_and_a_pause_is_signed_on() -> None:
    day = Day()
    day.at(0, c.OpenWindow(window=ONE, clerk=WorkId("x")), day.issue(), c.CallNext(window=ONE))
    day.at(10, c.StartServing(window=ONE))
    day.at(110, c.Hold(window=ONE, reason="复印"))
    day.at(150, c.PauseWindow(window=ONE, reason=PauseReason.TOILET))
    day.at(250, c.ResumeWindow(window=ONE))
    day.at(410, c.Resume(window=ONE))
    day.at(420, c.StartServing(window=ONE))
    day.at(520, c.Finish(window=ONE))
    day.at(1000, c.CloseWindow(window=ONE))
    report = day.report(2000)
    window = report.windows[ONE]
    assert (window.signed_on_s, window.paused_s, window.serving_s) == (1000, 100, 200)
    assert window.utilisation == 0.2
    assert report.hall.called == 1, "called back from hold is no new call"


def test_finished_without_a_start_counts_from_the_call() -> None:
    day = Day()
    day.at(0, c.OpenWindow(window=ONE, clerk=WorkId("x")), day.issue(), c.CallNext(window=ONE))
    day.at(60, c.Finish(window=ONE))
    report = day.report(60)
    assert report.hall.serve.mean_s == 60
    assert report.windows[ONE].serving_s == 60


def test_load_is_the_share_of_work_over_the_share_of_time() -> None:
    day = Day()
    day.at(0, c.OpenWindow(window=ONE, clerk=WorkId("x")), c.OpenWindow(window=TWO, clerk=WorkId("y")))
    day.at(0, day.issue(), day.issue(), c.CallNext(window=ONE), c.CallNext(window=TWO))
    day.at(0, c.StartServing(window=ONE), c.StartServing(window=TWO))
    day.at(100, c.Finish(window=TWO))
    day.at(300, c.Finish(window=ONE))
    report = day.report(400)
    assert (report.windows[ONE].load, report.windows[TWO].load) == (1.5, 0.5)
    assert report.hall.serve == Spread(count=2, mean_s=200, median_s=100, p80_s=300, p90_s=300, p95_s=300)


def test_a_transferred_visit_counts_where_it_goes_and_waits_once() -> None:
    day = Day()
    day.at(0, c.OpenWindow(window=ONE, clerk=WorkId("x")), day.issue())
    day.at(30, c.CallNext(window=ONE))
    day.at(40, c.StartServing(window=ONE))
    day.at(70, c.Transfer(window=ONE, service=ServiceId("tax"), place=Place.FRONT))
    day.at(80, c.OpenWindow(window=WindowNo("3"), clerk=WorkId("z")))
    day.at(90, c.CallNext(window=WindowNo("3")))
    day.at(120, c.MarkNoShow(window=WindowNo("3")))
    report = day.report(120)
    assert (report.hall.called, report.hall.wait.mean_s, report.hall.transferred) == (1, 30, 1)
    assert report.services[ServiceId("general")].issued == 1
    assert report.services[ServiceId("tax")].no_shows == 1
    assert report.windows[ONE].serving_s == 30
    assert (report.windows[WindowNo("3")].called, report.windows[WindowNo("3")].no_shows) == (1, 1)


def test_intake_before_a_result_is_finished_work_and_the_pickup_waits_by_itself() -> None:
    day = Day()
    day.at(0, c.OpenWindow(window=ONE, clerk=WorkId("x")), day.issue())
    day.at(0, c.OpenWindow(window=WindowNo("3"), clerk=WorkId("y")))
    day.at(60, c.CallNext(window=ONE), c.StartServing(window=ONE))
    day.at(360, c.AwaitResult(window=ONE, pickup=ServiceId("tax"), case_number="330-1"))
    day.at(1000, c.ReportResult(case_number="330-1"))
    day.at(1030, c.CallNext(window=WindowNo("3")))
    day.at(1090, c.Finish(window=WindowNo("3")))
    report = day.report(2000)
    general, tax = report.services[ServiceId("general")], report.services[ServiceId("tax")]
    assert (general.finished, general.legs, general.serve.mean_s, general.wait.mean_s) == (1, 1, 300, 60)
    assert (tax.finished, tax.legs, tax.called, tax.wait.mean_s) == (1, 0, 1, 30)
    assert (report.hall.finished, report.hall.legs, report.hall.expired) == (1, 1, 0)
    assert (report.windows[ONE].finished, report.windows[ONE].serving_s) == (1, 300)


def test_fetching_papers_ends_the_serving_and_notices_are_counted_by_service() -> None:
    day = Day()
    day.at(0, c.OpenWindow(window=ONE, clerk=WorkId("x")), day.issue())
    day.at(0, c.CallNext(window=ONE), c.StartServing(window=ONE))
    day.at(100, c.GiveNotice(window=ONE, items=("照片",)))
    day.at(200, c.GiveNotice(window=ONE, items=("照片", "合同"), away=True))
    day.at(900, c.CloseWindow(window=ONE))
    report = day.report(2000)
    assert (report.windows[ONE].serving_s, report.windows[ONE].finished) == (200, 0)
    assert (report.services[ServiceId("general")].notices, report.services[ServiceId("tax")].notices) == (2, 0)
