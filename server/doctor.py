"""`jiaohao doctor`: looks at the machine, the data folder and the devices, and says in one line each what to do.

Nothing is changed: a running server or agent is not disturbed.
"""

import importlib.metadata
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import click
import requests

from drivers.devices_file import BadDevicesFile, load_devices
from drivers.doctor import Finding, Verdict, devices, ports
from drivers.printer.fonts import find_faces
from server.console import BAD_INPUT, FOUND_TROUBLE, say
from server.ledger import files
from server.ledger.base import LedgerBroken, LedgerDown
from server.ledger.sqlite import engine

FREE_MB_BAD, FREE_MB_WARN = 200, 2_000
SYNC_MS_WARN = 50.0  # a press at the kiosk waits for one sync
SYNC_TRIES = 20
CLOCK_OFF_S = 5.0
PROGRAM_WITHIN_S = 5.0
PYTHON = (3, 11)
_MARKS = {Verdict.OK: "✓", Verdict.WARN: "!", Verdict.BAD: "✗"}
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9.]+)(?:\s*;\s*(.*))?$")


def run(
    devices_file: Path | None, *, server_url: str | None, test: bool, presses_s: float, as_json: bool, data: Path
) -> int:
    """Look, print one line for each finding, and give the exit status: 0 well, 1 something is wrong, 2 bad file."""
    if devices_file is not None:
        try:
            file = load_devices(devices_file)
        except BadDevicesFile as error:
            for problem in error.problems:
                click.echo(f"{problem.file}:{problem.line}: {say(problem.zh, problem.en)}", err=True)
            return BAD_INPUT
    else:
        file = None
    found: list[Finding] = []

    def look(findings: Iterator[Finding]) -> None:
        for finding in findings:
            found.append(finding)
            if not as_json:
                _show(finding)

    look(machine(data))
    if server_url:
        look(iter([clock(server_url)]))
    look(ports())
    if file is not None:
        look(devices(file, test=test, presses_s=presses_s))
    if as_json:
        click.echo(json.dumps([asdict(it) for it in found], ensure_ascii=False, indent=2))
    else:
        bad, warn = (sum(it.verdict is verdict for it in found) for verdict in (Verdict.BAD, Verdict.WARN))
        click.echo(say(f"{bad} 项有问题，{warn} 项需要留意。", f"{bad} wrong, {warn} to keep an eye on."))
    return FOUND_TROUBLE if any(it.verdict is Verdict.BAD for it in found) else 0


def machine(data: Path) -> Iterator[Finding]:
    """Look at Python, packages, programs, fonts, clock, disk and ledgers."""
    yield _python()
    yield from _packages()
    yield from _programs()
    yield _clock_is_kept()
    yield from _disk(data)
    yield from _ledgers(data)


def clock(server_url: str) -> Finding:
    """Compare this machine's clock with the server's."""
    try:
        before = time.time()
        session = requests.Session()
        session.trust_env = False
        answer = session.get(f"{server_url.rstrip('/')}/healthz", timeout=PROGRAM_WITHIN_S)
        told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        off_s = told - (before + time.time()) / 2
    except (requests.RequestException, KeyError, ValueError) as error:
        why = type(error).__name__
        return Finding(
            what=server_url,
            verdict=Verdict.BAD,
            zh=f"连不上服务器（{why}）",
            en=f"the server cannot be reached ({why})",
            do_zh="检查地址、网线、防火墙，以及服务是否已启动（systemctl status jiaohao-server）",
            do_en="check address, cable, firewall, and whether it runs (systemctl status jiaohao-server)",
        )
    if abs(off_s) > CLOCK_OFF_S:
        return Finding(
            what=server_url,
            verdict=Verdict.WARN,
            zh=f"时钟与服务器相差 {abs(off_s):.0f} 秒",
            en=f"the clock is {abs(off_s):.0f} s off the server's",
            do_zh="让两台机器用同一个时间服务器（systemd-timesyncd）",
            do_en="let both keep time by the same time server (systemd-timesyncd)",
        )
    return Finding(what=server_url, verdict=Verdict.OK, zh="服务器有应答，时钟一致", en="answers; the clocks agree")


def _show(finding: Finding) -> None:
    colour = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.BAD: "red"}[finding.verdict]
    mark = click.style(_MARKS[finding.verdict], fg=colour)
    todo = say(finding.do_zh, finding.do_en)
    click.echo(f"{mark} {finding.what}: {say(finding.zh, finding.en)}" + (f" → {todo}" if todo else ""))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= PYTHON
    wanted = ".".join(map(str, PYTHON))
    return Finding(
        what="Python",
        verdict=Verdict.OK if good else Verdict.BAD,
        zh=version,
        en=version,
        do_zh="" if good else f"需要 {wanted} 或更新",
        do_en="" if good else f"{wanted} or newer is needed",
    )


def _packages() -> Iterator[Finding]:
    """Name packages that are missing or older than the program asks for; extras are not asked for."""
    try:
        wanted = importlib.metadata.requires("jiaohao") or []
    except importlib.metadata.PackageNotFoundError:
        wanted = []
    old = []
    for line in wanted:
        match = _REQUIREMENT.match(line)
        if match is None or "extra" in (match[3] or ""):
            continue
        try:
            has = importlib.metadata.version(match[1])
        except importlib.metadata.PackageNotFoundError:
            old.append(f"{match[1]} (-)")
            continue
        if _numbers(has) < _numbers(match[2]):
            old.append(f"{match[1]} {has} < {match[2]}")
    listed = ", ".join(old)
    yield Finding(
        what=say("程序包", "packages"),
        verdict=Verdict.BAD if old else Verdict.OK,
        zh=f"缺少或过旧：{listed}" if old else "齐全",
        en=f"missing or too old: {listed}" if old else "complete",
        do_zh="重新安装程序：pip install --upgrade jiaohao" if old else "",
        do_en="install the program again: pip install --upgrade jiaohao" if old else "",
    )
    yield Finding(what="SQLite", verdict=Verdict.OK, zh=engine(), en=engine())


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _programs() -> Iterator[Finding]:
    faces = find_faces().files
    font = Path(faces[0][0]).name if faces else ""
    yield Finding(
        what=say("中文字体", "Chinese font"),
        verdict=Verdict.OK if font else Verdict.WARN,
        zh=font or "没有：打印机没有的字会变成空白",
        en=font or "none: characters that a printer has not will be blank",
        do_zh="" if font else "sudo apt install fonts-noto-cjk",
        do_en="" if font else "sudo apt install fonts-noto-cjk",
    )
    for what, names, zh, en, package in (
        (say("放音", "sound"), ("aplay", "paplay", "afplay"), "没有播放程序，音箱不会响", "no player", "alsa-utils"),
        (say("浏览器", "browser"), ("chromium", "chromium-browser", "google-chrome"), "没有", "none", "chromium"),
    ):
        path = next((found for name in names if (found := shutil.which(name))), None)
        yield Finding(
            what=what,
            verdict=Verdict.OK if path else Verdict.WARN,
            zh=path or zh,
            en=path or en,
            do_zh="" if path else f"用得上时：sudo apt install {package}",
            do_en="" if path else f"if this machine needs it: sudo apt install {package}",
        )


def _clock_is_kept() -> Finding:
    now = datetime.now(UTC).astimezone()
    told = now.isoformat(timespec="seconds")
    kept = _output("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if kept == "no":
        do_zh, do_en = "sudo timedatectl set-ntp true", "sudo timedatectl set-ntp true"
        zh, en = f"{told}，没有对时", f"{told}, not kept by a time server"
        return Finding(what=say("时钟", "clock"), verdict=Verdict.WARN, zh=zh, en=en, do_zh=do_zh, do_en=do_en)
    zh, en = (f"{told}，已对时", f"{told}, kept by a time server") if kept == "yes" else (told, told)
    return Finding(what=say("时钟", "clock"), verdict=Verdict.OK, zh=zh, en=en)


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _disk(data: Path) -> Iterator[Finding]:
    what = str(data)
    there = next(it for it in (data, *data.absolute().parents) if it.exists())
    if not os.access(there, os.W_OK):
        yield Finding(
            what=what,
            verdict=Verdict.BAD,
            zh="数据文件夹不可写",
            en="the data folder cannot be written",
            do_zh=f"sudo chown -R $USER {there}",
            do_en=f"sudo chown -R $USER {there}",
        )
        return
    free_mb = shutil.disk_usage(there).free // 1_000_000
    low = free_mb < FREE_MB_WARN
    yield Finding(
        what=what,
        verdict=Verdict.BAD if free_mb < FREE_MB_BAD else Verdict.WARN if low else Verdict.OK,
        zh=f"剩余 {free_mb:,} MB",
        en=f"{free_mb:,} MB free",
        do_zh="腾出空间：旧的备份和日志" if low else "",
        do_en="make room: old backups and logs" if low else "",
    )
    try:
        middle_ms = _sync_ms(there)
    except OSError as error:
        why = error.strerror or str(error)
        zh, en = f"写盘失败：{why}", f"a test write failed: {why}"
        yield Finding(what=what, verdict=Verdict.BAD, zh=zh, en=en, do_zh="检查磁盘", do_en="check the disk")
        return
    slow = middle_ms > SYNC_MS_WARN
    yield Finding(
        what=what,
        verdict=Verdict.WARN if slow else Verdict.OK,
        zh=f"一次落盘 {middle_ms:.1f} 毫秒",
        en=f"a durable write takes {middle_ms:.1f} ms",
        do_zh="换固态硬盘；不要把数据放在网络盘上" if slow else "",
        do_en="use a solid state disk; keep the data off network drives" if slow else "",
    )


def _sync_ms(folder: Path) -> float:
    """Give the middle of some write + sync in milliseconds. Raises OSError."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNC_TRIES):
            begin = time.perf_counter()
            file.write(b"." * 300)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begin)
    return sorted(times)[len(times) // 2] * 1000


def _ledgers(data: Path) -> Iterator[Finding]:
    for hall, path in files.ledgers(data).items() if data.exists() else ():
        try:
            status = files.status(path)
        except (LedgerBroken, LedgerDown, sqlite3.Error) as error:
            yield Finding(
                what=hall,
                verdict=Verdict.BAD,
                zh=f"账本打不开：{error}",
                en=f"the ledger cannot be read: {error}",
                do_zh="jiaohao ledger verify；损坏时用备份恢复：jiaohao ledger restore",
                do_en="jiaohao ledger verify; if it is damaged restore a backup: jiaohao ledger restore",
            )
            continue
        told = f"{status.commits:,} / {status.last_day or '-'}"
        yield Finding(what=hall, verdict=Verdict.OK, zh=f"账本 {told}", en=f"ledger {told}")
