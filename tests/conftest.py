"""What every test stands on: a hypothesis profile per purpose, and an environment without the developer's settings."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

IN_CI = bool(os.environ.get("CI"))
SEED_IN_CI = 20260302
"""A commit is judged by the same order and the same examples each time; developers and nights search with new ones."""

# No deadline, and no complaint about slowness: a busy machine is not a bug. For a long search:
# HYPOTHESIS_PROFILE=night ./test tests/domain
SLOW = [HealthCheck.too_slow]
settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=SLOW)
settings.register_profile(
    "ci", deadline=None, max_examples=100, print_blob=True, suppress_health_check=SLOW, derandomize=True
)
settings.register_profile("night", deadline=None, max_examples=5000, print_blob=True, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Shuffle the same way each time where a commit is judged, unless somebody asks for a seed."""
    if IN_CI and config.getoption("randomly_seed", None) == "default":
        config.option.randomly_seed = SEED_IN_CI


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the repository's folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JIAOHAO_DATA", "JIAOHAO_LEDGER", "JIAOHAO_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say above the last line which of ./test's other steps failed."""
    failed = os.environ.get("JIAOHAO_FAILED_STEPS")
    if failed:
        terminalreporter.write_line(f"failed before pytest: {failed}", red=True)
