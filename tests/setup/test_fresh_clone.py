"""A clean clone: both commands do all their own set-up. Package caches may be used, nothing else of this machine."""

import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.setup.processes import ended, wait_for_line

GUARD = "JIAOHAO_INSIDE_FRESH_CLONE"
FIRST_START_S = 1200
pytestmark = [
    pytest.mark.slow_setup,
    pytest.mark.timeout(3 * FIRST_START_S),
    pytest.mark.skipif(GUARD in os.environ, reason="a clone's tests do not clone again"),
]
STEP = re.compile("· (?:建立 Python|安装 Python|安装网页|构建网页)")  # what scripts/setup.py says of each step it does


@pytest.fixture(scope="module")
def clone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clone what is committed here."""
    place = tmp_path_factory.mktemp("fresh") / "a clone 叫号"  # a space and Chinese in the path, as on many desktops
    subprocess.run(["git", "clone", "-q", str(root), str(place)], check=True, timeout=FIRST_START_S)
    return place


def environment() -> dict[str, str]:
    """Give this environment without the traces of the virtual environment that runs the tests."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTEST_", "JIAOHAO_"))
    }
    path = [part for part in kept["PATH"].split(os.pathsep) if ".venv" not in part]
    return {**kept, "PATH": os.pathsep.join(path), GUARD: "1"}


def test_run_and_test_set_up_a_clean_clone_by_themselves(
    clone: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    first_s, first_steps = until_pages_answer(clone, tmp_path / "first")
    second_s, second_steps = until_pages_answer(clone, tmp_path / "second")
    started = time.monotonic()
    subprocess.run(
        [str(clone / "run"), "--help"],
        cwd=tmp_path,
        env=environment(),
        check=True,
        timeout=FIRST_START_S,
        stdout=subprocess.DEVNULL,
    )
    program_s = time.monotonic() - started
    record_property("first_pages_s", round(first_s, 1))
    record_property("second_pages_s", round(second_s, 1))
    record_property("second_program_s", round(program_s, 1))
    assert first_steps
    assert second_steps == [], "a second start only compares hashes"
    tests = subprocess.run(
        [str(clone / "test"), "tests/setup/test_imports.py", "-q"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=FIRST_START_S,
    )
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert re.fullmatch(r"\d+ passed in .*", tests.stdout.strip().splitlines()[-1])
    untracked = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert untracked.stdout == ""


def until_pages_answer(clone: Path, data: Path) -> tuple[float, list[str]]:
    """Start ./run from another folder, as a person would, until its kiosk page answers; then end it.

    Gives the seconds, and what ./run said of the steps of set-up that it did.
    """
    started = time.monotonic()
    process = subprocess.Popen(
        [str(clone / "run"), "--port", "0", "--no-visitors"],
        cwd=clone.parent,
        env={**environment(), "JIAOHAO_DATA": str(data)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        said: list[str] = []
        address = wait_for_line(process, r"(http://[^/\s]+)/kiosk", timeout_s=FIRST_START_S, heard=said).group(1)
        with urllib.request.urlopen(f"{address}/kiosk", timeout=PATIENCE_S) as answer:
            assert answer.status == 200
            assert b"<script" in answer.read()
        return time.monotonic() - started, [line for line in said if STEP.search(line)]
