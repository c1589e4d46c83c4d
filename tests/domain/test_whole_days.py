"""Random days with everything a hall can do (see whole.py). More: HYPOTHESIS_PROFILE=ci or night."""

import pytest
from hypothesis import settings

from tests.domain.whole import WholeDays

EXAMPLES = settings().max_examples


@pytest.mark.parametrize("seed", range(max(5, EXAMPLES // 10)))
def test_what_is_true_of_any_hall_holds_after_every_command(seed: int) -> None:
    days = WholeDays(seed=seed)
    days.play(days=2, steps=160)
    assert days.done["TicketIssued"] > 20 < sum(days.refused.values()), "the day was too quiet to show anything"
