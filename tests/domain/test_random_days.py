"""Random commands against the naive hall (see machine.py). More: HYPOTHESIS_PROFILE=ci or night."""

import pytest
from hypothesis import settings

from tests.domain.machine import Days, SeededDays

EXAMPLES = settings().max_examples

TestRandomDays = Days.TestCase
TestRandomDays.settings = settings(max_examples=EXAMPLES, stateful_step_count=40)


@pytest.mark.parametrize("start", range(0, EXAMPLES * 3 // 5, 10))
def test_a_seeded_day_goes_as_the_naive_hall_says(start: int) -> None:
    for number in range(start, start + 10):
        SeededDays().play(number, steps=120)
