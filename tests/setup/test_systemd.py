"""The shipped units: systemd reads them without a complaint, they never give up, and they call commands that exist."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

UNITS = ("jiaohao-server.service", "jiaohao-devices.service", "jiaohao-kiosk.service", "jiaohao-kiosk-browser.service")
HARDENED = UNITS[:3]


def read(path: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep upper case
    parser.read(path, encoding="utf-8")
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong(root: Path, tmp_path: Path, unit: str) -> None:
    complaints = verify((root / "systemd" / unit).read_text(encoding="utf-8"), tmp_path / unit)
    assert complaints == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_a_misspelt_setting(root: Path, tmp_path: Path) -> None:
    text = (root / "systemd" / UNITS[0]).read_text(encoding="utf-8").replace("MemoryMax=", "MemoryMaximum=")
    assert "MemoryMaximum" in verify(text, tmp_path / UNITS[0])


def verify(text: str, path: Path) -> str:
    """Let systemd read a unit, with programs that exist here in the place of those that may not."""
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE)
    text = re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    return "\n".join(line for line in (done.stdout + done.stderr).splitlines() if path.name in line)


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_starts_again_for_ever_and_is_bounded(root: Path, unit: str) -> None:
    settings = read(root / "systemd" / unit)
    assert settings["Unit"]["StartLimitIntervalSec"] == "0"
    assert settings["Service"]["Restart"] == "always"
    assert {"RestartSec", "TasksMax", "MemoryMax", "TimeoutStopSec", "ProtectSystem", "User"} <= set(
        settings["Service"]
    )


@pytest.mark.parametrize("unit", HARDENED)
def test_a_unit_of_ours_has_no_privileges(root: Path, unit: str) -> None:
    service = read(root / "systemd" / unit)["Service"]
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict"
    assert service["UMask"] == "0077"


@pytest.mark.parametrize("unit", HARDENED)
def test_a_unit_calls_options_that_exist(root: Path, unit: str) -> None:
    words = read(root / "systemd" / unit)["Service"]["ExecStart"].split()
    jiaohao = Path(sys.executable).with_name("jiaohao")
    helped = subprocess.run(
        [str(jiaohao), words[1], "--help"], capture_output=True, text=True, check=False, timeout=PATIENCE_S, cwd=root
    )
    assert helped.returncode == 0, helped.stderr
    assert [word for word in words if word.startswith("--") and word not in helped.stdout] == []
