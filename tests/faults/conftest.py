"""Houses for fault tests, as those of the live tests."""

from tests.live.conftest import _one_business_day, closed_house, house

__all__ = ["_one_business_day", "closed_house", "house"]
