"""The built wheel alone, in an empty environment and without Node, gives a working `jiaohao` with built pages."""

import contextlib
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.patience import PATIENCE_S
from tests.setup.processes import ended, wait_for_line

INSTALLED_S = 1200  # packages come from a cache or from far away
pytestmark = [pytest.mark.slow_setup, pytest.mark.timeout(3 * INSTALLED_S)]

BUILT = ("server/pages/", "kiosk/pages/", "display/pages/", "drivers/pages/")
DATA = ("config/qiaocheng.toml", "config/demo.toml", "drivers/printer/profiles.toml")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from this tree, whose pages ./test has built."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "-q", "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(build, cwd=root, check=True, timeout=INSTALLED_S)
    return next(folder.glob("jiaohao-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it with the locked packages into an empty environment; give that environment's folder of programs."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=INSTALLED_S)
    pip = [str(place / "bin/python"), "-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", str(root / "requirements.lock")], check=True, timeout=INSTALLED_S)
    subprocess.run([*pip, str(wheel)], check=True, timeout=INSTALLED_S)
    return place / "bin"


def environment(programs: Path) -> dict[str, str]:
    """Give an environment in which there is no Node, no checkout and no setting."""
    return {"PATH": str(programs), "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8"}


def test_the_wheel_contains_pages_hall_files_and_profiles_and_no_sources_of_pages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    for folder in BUILT:
        assert any(name.startswith(folder) and name.endswith(".html") for name in names), folder
        assert any(name.startswith(folder) and name.endswith(".js") for name in names), folder
    assert [name for name in DATA if name not in names] == []
    assert [name for name in names if re.search(r"(^|/)(ui|node_modules|tests)/|\.(vue|ts)$", name)] == []
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_help_and_check_work_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    def jiaohao(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(installed / "jiaohao"), *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=environment(installed),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )

    helped = jiaohao("--help")
    assert helped.returncode == 0, helped.stderr
    assert "serve" in helped.stdout
    hall = next(installed.parent.glob("lib/python*/site-packages/config/qiaocheng.toml"))
    checked = jiaohao("check", str(hall))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_installed_server_gives_its_pages_without_node(installed: Path, tmp_path: Path) -> None:
    hall = next(installed.parent.glob("lib/python*/site-packages/config/qiaocheng.toml"))
    with serving(installed, hall, tmp_path) as address:
        for page in ("/kiosk", "/board", "/clerk"):
            with urllib.request.urlopen(address + page, timeout=PATIENCE_S) as answer:
                body = answer.read().decode()
            assert answer.status == 200
            scripts = re.findall(r'<script[^>]+src="([^"]+)"', body)
            assert scripts, page
            with urllib.request.urlopen(address + scripts[0], timeout=PATIENCE_S) as script:
                assert len(script.read()) > 1000


@contextlib.contextmanager
def serving(programs: Path, hall: Path, data: Path) -> Iterator[str]:
    """Run the installed server on a free port; give its address."""
    command = [str(programs / "jiaohao"), "serve", str(hall), "--port", "0", "--data", str(data / "var"), "--dev"]
    process = subprocess.Popen(
        command, cwd=data, env=environment(programs), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with ended(process):
        yield wait_for_line(process, r"listening on (http://\S+)", timeout_s=PATIENCE_S).group(1)
