"""The repository as a whole: versions that fit, lock files without addresses, no machine's paths, one version."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True).stdout
    paths = [root / name for name in names.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def runtime_requirements(project: dict[str, Any]) -> list[Requirement]:
    named = project["project"]
    return [Requirement(text) for text in [*named["dependencies"], *named["optional-dependencies"]["speech"]]]


def dev_requirements(project: dict[str, Any]) -> list[Requirement]:
    return [Requirement(text) for text in project["dependency-groups"]["dev"] if isinstance(text, str)]


def locked_versions(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ \\;]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def unsatisfied(requirements: Iterable[Requirement], versions: Mapping[str, str]) -> list[str]:
    bad = []
    for requirement in requirements:
        if requirement.marker and not requirement.marker.evaluate():
            continue
        version = versions.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            bad.append(f"{requirement}: {version}")
    return bad


def addresses(text: str) -> list[str]:
    """Find what would tie a lock file to the registry it was made with."""
    return re.findall(
        r'"resolved": *"(?:https?|file):[^"]*"|--(?:extra-)?index-url.*|--find-links.*|@ (?:https?|file):.*', text
    )


def machine_paths(text: str) -> list[str]:
    """Find paths that only one builder's machine has. Written in parts, else this file would find itself."""
    homes = "|".join(("work", "farm", "root", "Users"))
    return re.findall(rf"(?<![\w./-])/(?:{homes})/[a-z][\w./-]*", text)


def test_installed_versions_reach_the_floors_of_pyproject(project: dict[str, Any]) -> None:
    installed: dict[str, str] = {
        canonicalize_name(each.name): each.version for each in importlib.metadata.distributions()
    }
    assert unsatisfied([*runtime_requirements(project), *dev_requirements(project)], installed) == []


def test_locked_versions_reach_the_floors_of_pyproject(root: Path, project: dict[str, Any]) -> None:
    runtime = locked_versions((root / "requirements.lock").read_text(encoding="utf-8"))
    dev = locked_versions((root / "requirements-dev.lock").read_text(encoding="utf-8"))
    assert unsatisfied(runtime_requirements(project), runtime) == []
    assert unsatisfied([*runtime_requirements(project), *dev_requirements(project)], dev) == []
    assert {name: dev.get(name) for name in runtime} == runtime


def test_a_version_below_its_floor_is_found() -> None:
    floor = [Requirement("Flask>=3.1.3"), Requirement("python-socketio[client]>=5.16.2")]
    assert unsatisfied(floor, {"flask": "3.1.2", "python-socketio": "5.16.2"}) == ["Flask>=3.1.3: 3.1.2"]
    assert unsatisfied(floor, {"flask": "3.1.10"}) == ["python-socketio[client]>=5.16.2: None"]


@pytest.mark.parametrize("lock", [*LOCKS, "package-lock.json"])
def test_lock_files_name_no_registry(root: Path, lock: str) -> None:
    assert addresses((root / lock).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(root: Path, lock: str) -> None:
    text = (root / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_every_locked_npm_package_has_a_hash(root: Path) -> None:
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    fetched = {name: each for name, each in packages.items() if "node_modules/" in name and not each.get("link")}
    assert fetched
    assert [name for name, each in fetched.items() if not each.get("integrity") and not each.get("inBundle")] == []


@pytest.mark.parametrize(
    "text",
    [
        '"resolved": "https://registry.example/vue.tgz"',
        "--extra-index-url https://mirror.example/simple",
        "--find-links wheels",
        "flask @ file:///wheels/flask.whl",
    ],
)
def test_an_address_in_a_lock_file_is_found(text: str) -> None:
    assert addresses(text) != []


def test_no_tracked_file_names_a_builders_machine(root: Path, tracked: list[Path]) -> None:
    found = {}
    for path in tracked:
        content = path.read_bytes()
        if b"\0" not in content and (paths := machine_paths(content.decode(errors="replace"))):
            found[str(path.relative_to(root))] = paths
    assert found == {}


@pytest.mark.parametrize("home", ["work", "root", "Users"])
def test_a_builders_path_is_found(home: str) -> None:
    assert machine_paths(f'open("/{home}/main/hall.toml")') == [f"/{home}/main/hall.toml"]


def test_the_version_stands_in_pyproject_alone(root: Path, project: dict[str, Any], tracked: list[Path]) -> None:
    version = project["project"]["version"]
    assert importlib.metadata.version("jiaohao") == version
    written = re.compile(rf"^\s*(?:__version__|VERSION)\b.*=.*[\"']{re.escape(version)}[\"']", re.MULTILINE)
    python = [path for path in tracked if path.suffix == ".py"]
    assert [str(path.relative_to(root)) for path in python if written.search(path.read_text(encoding="utf-8"))] == []
    # npm will not link a workspace without a version; it may say nothing else than ours.
    manifests = [path for path in tracked if path.name == "package.json"]
    versions = {
        str(path.relative_to(root)): json.loads(path.read_text(encoding="utf-8")).get("version") for path in manifests
    }
    assert {name: said for name, said in versions.items() if said not in (None, version)} == {}


def test_built_pages_and_data_are_not_tracked(root: Path, tracked: list[Path]) -> None:
    names = [path.relative_to(root).as_posix() for path in tracked]
    made = re.compile(
        r"^(?:\.venv|var|dist|(?:server|kiosk|display|drivers)/pages)/|(?:^|/)(?:node_modules|__pycache__)/"
    )
    assert [name for name in names if made.search(name)] == []
