"""What every test stands on: a hypothesis profile per purpose, and an environment without the developer's settings."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline: a busy machine is not a bug. For a long search: HYPOTHESIS_PROFILE=night ./test tests/domain
settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile(
    "ci", deadline=None, max_examples=100, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("night", deadline=None, max_examples=5000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the repository's folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JIAOHAO_DATA", "JIAOHAO_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say above the last line which of ./test's other steps failed."""
    failed = os.environ.get("JIAOHAO_FAILED_STEPS")
    if failed:
        terminalreporter.write_line(f"failed before pytest: {failed}", red=True)
