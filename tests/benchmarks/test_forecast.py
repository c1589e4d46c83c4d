"""How good forecasts are on simulated days: error, bias and coverage within bounds that a broken forecast misses."""

from collections.abc import Callable

import pytest

from benchmarks.forecast import OURS, Row, judge
from benchmarks.simulator import QIAOCHENG
from server.domain import calibration, forecast
from server.domain.calibration import Calibration
from server.domain.lookahead import Newcomer, Seen, newcomer
from server.domain.state import HallState

COVERAGE = (0.74, 0.92)
BIAS_OF_MEAN = 0.12
MAE_OF_MEAN = 0.35


def of_a_new_hall(days: int = 1) -> dict[str, Row]:
    """Give the rows of the first days of halls with other people and clerks nobody knows."""
    return {row.forecast: row for row in judge(QIAOCHENG, load=0.95, days=days, seed=11)}


def is_good(row: Row) -> bool:
    """Say whether a forecast is worth telling."""
    return (
        row.mae_of_mean <= MAE_OF_MEAN
        and abs(row.bias) <= BIAS_OF_MEAN * row.mean_wait
        and COVERAGE[0] <= row.coverage <= COVERAGE[1]
    )


def test_from_the_first_day_forecasts_are_near_and_their_range_holds_what_it_says() -> None:
    rows = of_a_new_hall(days=2)
    ours = rows[OURS]
    assert is_good(ours), ours
    assert ours.foretold > 1000
    assert ours.unknown == 0
    assert ours.mae < 0.85 * min(row.mae for name, row in rows.items() if name != OURS)


def test_a_hall_that_has_lived_through_days_foretells_no_worse() -> None:
    (ours,) = (row for row in judge(QIAOCHENG, load=1.0, days=1, seed=12, history=1) if row.forecast == OURS)
    assert is_good(ours), ours


def too_sure(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(calibration, "PARTS", (0.25, 0.50, 0.70, 0.75))
    patch.setattr(calibration, "START", (-0.3, 0.0, 0.2, 0.3))


def never_learns(patch: pytest.MonkeyPatch) -> None:
    """Take the people of one zone alone, at the pace of the hall file, and never look back."""

    def crude(state: HallState, who: Newcomer, now_ms: int) -> Seen | None:
        seen = newcomer(state, who, now_ms)
        windows = forecast.open_windows(state, who.service)
        waiting = sum(len(lane) for (service, _, _), lane in state.lane_items() if service == who.service)
        return seen and Seen(middle_min=waiting * 10.0 / max(1, windows), spread_min=seen.spread_min)

    patch.setattr(forecast.lookahead, "newcomer", crude)  # type: ignore[attr-defined]  # as forecast calls it
    patch.setattr(Calibration, "add", lambda *_, **__: None)


@pytest.mark.parametrize("mutate", [too_sure, never_learns])
def test_a_broken_forecast_misses_the_bounds(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    assert not is_good(of_a_new_hall()[OURS])
