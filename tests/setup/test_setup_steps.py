"""The steps of scripts/setup.py: what is whole is kept, what is half made is made again, what lacks is named."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.patience import PATIENCE_S


@pytest.fixture
def setup(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load scripts/setup.py for another, empty folder."""
    spec = importlib.util.spec_from_file_location("setup_steps", root / "scripts/setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)  # as main() does
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(module, "STAMPS", tmp_path / ".venv/jiaohao-setup.json")
    return module


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that is the whole PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.slow_setup
def test_a_whole_environment_is_kept_and_an_interrupted_one_is_made_again(setup: ModuleType) -> None:
    setup.virtual_environment()
    witness = setup.VENV / "witness"
    witness.touch()
    setup.virtual_environment()
    assert witness.exists()
    setup.write_stamps({**setup.read_stamps(), setup.INSTALLING: "requirements.lock"})
    setup.virtual_environment()
    assert not witness.exists()
    assert setup.INSTALLING not in setup.read_stamps()


@pytest.mark.slow_setup
def test_an_environment_without_stamps_or_from_another_place_is_made_again(setup: ModuleType) -> None:
    (setup.VENV / "bin").mkdir(parents=True)
    (setup.VENV / "bin/python").symlink_to(sys.executable)
    setup.virtual_environment()
    python = [str(setup.VENV / "bin/python"), "-c", "import pip"]
    subprocess.run(python, check=True, timeout=PATIENCE_S)
    setup.write_stamps({"place": "/elsewhere 3.11"})
    (setup.VENV / "witness").touch()
    setup.virtual_environment()
    assert not (setup.VENV / "witness").exists()


def test_half_written_stamps_count_as_none(setup: ModuleType) -> None:
    setup.VENV.mkdir()
    setup.STAMPS.write_text('{"place": "/some')
    assert setup.read_stamps() == {}


def test_pages_are_built_when_a_source_changed_and_only_then(setup: ModuleType, programs: Path) -> None:
    built = setup.ROOT / "built"
    source = setup.ROOT / "kiosk/ui/kiosk.html"
    program(programs / "npm", f'echo "$*" >> "{built}"; /bin/mkdir -p kiosk/pages')
    source.parent.mkdir(parents=True)
    source.write_text("one")
    (source.parent / "package.json").write_text("{}")
    setup.VENV.mkdir()
    for _ in range(2):
        setup.pages(str(programs / "npm"))
    assert len(built.read_text().splitlines()) == 1
    source.write_text("two")
    setup.pages(str(programs / "npm"))
    assert len(built.read_text().splitlines()) == 2


def test_a_page_that_cannot_be_built_is_tried_again(setup: ModuleType, programs: Path) -> None:
    program(programs / "npm", "echo no page; exit 1")
    setup.VENV.mkdir()
    for _ in range(2):
        with pytest.raises(setup.StoppedError, match="could not be built"):
            setup.pages(str(programs / "npm"))


def test_the_tests_stop_and_name_what_to_install_where_they_may_not(
    setup: ModuleType, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "may_install", lambda: False)
    program(programs / "chromium", "exit 0")
    with pytest.raises(setup.StoppedError, match=r"(apt-get|brew) install .*espeak-ng"):
        setup.system_packages("test")


def test_run_goes_on_without_a_voice_and_says_so(
    setup: ModuleType, programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "may_install", lambda: False)
    setup.system_packages("run")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert "install espeak-ng" in said[0]


def test_debian_packages_are_asked_for_again_after_an_update(
    setup: ModuleType, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "may_install", lambda: True)
    monkeypatch.setattr(setup, "FONT_FOLDERS", ())
    monkeypatch.setattr(setup.sys, "platform", "darwin")  # no font is looked for there
    log = setup.ROOT / "apt.log"
    program(
        programs / "apt-get",
        f'echo "$1" >> "{log}"; [ "$1" = update ] || [ -e "{programs}/ready" ] && exit 0; exit 100',
    )
    with pytest.raises(setup.StoppedError):
        setup.system_packages("test")
    assert log.read_text().split() == ["install", "update", "install"]


def test_an_old_node_is_not_taken(setup: ModuleType, programs: Path) -> None:
    program(programs / "node", "echo v18.20.4")
    assert setup.node_version(str(programs / "node")) == (18, 20, 4)
    assert setup.node_version(str(programs / "node")) < setup.NODE_MIN
    program(programs / "node", "echo Segmentation fault; exit 139")
    assert setup.node_version(str(programs / "node")) == ()


@pytest.mark.parametrize("command", ["run", "test"])
def test_without_a_new_enough_python_one_line_says_what_to_do(root: Path, programs: Path, command: str) -> None:
    program(programs / "python3", "exit 1")  # what an older one answers
    (programs / "dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(
        ["/bin/bash", str(root / command)], capture_output=True, text=True, check=False, timeout=PATIENCE_S, cwd="/"
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11" in done.stderr
