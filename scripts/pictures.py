"""Take the pictures of every page for README and manual: docs/pictures/*.png and their index.

    .venv/bin/python -m scripts.pictures            # all, in some minutes
    .venv/bin/python -m scripts.pictures board guide    # those pages only; the index keeps the others

Plays two past days and a Monday morning in the hall of Qiaocheng (`pictured_hall`), then looks at every page in its
states (`pictured_pages`). A page that does not show what it should is named at the end, and the exit status is 1; the
others are taken all the same.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Error, sync_playwright

from scripts.pictured_hall import Morning, draw_photo, sign_in
from scripts.pictured_pages import SCENES
from scripts.set_clock import CLOCK, PROCESS
from scripts.studio import PICTURES, Studio, kept
from server.demo.stage import MANAGER, PASSWORD
from server.people import People

ROOT = Path(__file__).resolve().parent.parent
HALLS = ("qiaocheng", "zhenyuan", "hefeng-county", "lincang-linxiang", "cangxi-township")
BOOKING = "tests/browser/halls/booking.toml"  # visitors book there by themselves
PAST = ("2026-02-26", "2026-02-27")
TODAY = "2026-03-02"
CHROMIUM = "/usr/bin/chromium"
STOP_S = 20.0
PAPER, GAP = "#e9eff5", 24
LIST = PICTURES / "pictures.json"


def main(wanted: Sequence[str]) -> int:
    """Take all pictures, or those of some pages; give the exit status."""
    unknown = [name for name in wanted if name not in SCENES]
    if unknown:
        print(f"{', '.join(unknown)}: choose among {', '.join(SCENES)}", file=sys.stderr)
        return 2
    PICTURES.mkdir(parents=True, exist_ok=True)
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _stage(Path(folder)) as at, sync_playwright() as playwright:
        morning = _played(Path(folder), at)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        data = Path(folder) / "data"
        server = int((Path(folder) / PROCESS).read_text())
        people = People(data / "accounts.sqlite")
        studio = Studio(browser=browser, at=at, morning=morning, people=people, server=server, data=data)
        for name, scene in SCENES.items():
            if wanted and name not in wanted:
                continue
            print(f"{name} ...", flush=True)
            try:
                scene(studio)
            except (Error, AssertionError) as problem:
                missed.append(f"{name}: {str(problem).splitlines()[0]}")
            finally:
                studio.put_away()
        browser.close()
    _montage()
    _index(studio.taken, whole=not wanted and not missed)
    for one in missed:
        print(f"not as it should be: {one}", file=sys.stderr)
    return 1 if missed else 0


@contextmanager
def _stage(folder: Path) -> Iterator[dict[str, str]]:
    """Run the hall in this folder; give the addresses of its welcome: {"kiosk": "http://...", ...}."""
    (folder / CLOCK).write_text(f"{PAST[0]}T08:30:00+08:00")
    halls = [*(str(ROOT / "config" / f"{name}.toml") for name in HALLS), str(ROOT / BOOKING)]
    command = [sys.executable, "-m", "scripts.pictured_hall", str(folder / "data"), *halls]
    with (folder / "log").open("w") as log:
        stage = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {"LANG": "C.UTF-8"}
        )
    try:
        yield _addresses(stage, folder / "log")
    finally:
        stage.send_signal(signal.SIGTERM)
        stage.wait(STOP_S)


def _addresses(stage: "subprocess.Popen[str]", log: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if stage.stdout is None:
        raise AssertionError("stdout is a pipe")
    for line in stage.stdout:
        if match := re.match(r"\s+\S+ (home|kiosk|clerk|board|rating|manager|devices)\s+(http\S+)", line):
            found[match[1]] = match[2]
        if "Ctrl-C" in line:
            return found
    raise SystemExit(f"the hall did not start\n{log.read_text()}")


def _played(folder: Path, at: dict[str, str]) -> Morning:
    """Play the past days and this morning; give the hall as it stands then."""
    server = at["home"].rstrip("/")
    people = People(folder / "data/accounts.sqlite")
    people.add_user("0001", PASSWORD, role="admin", name="系统管理员")
    token = people.add_device("crowd", role="kiosk", hall=HALLS[0])
    draw_photo(folder / "data/photos/1001.png")
    manager = sign_in(server, MANAGER, None, HALLS[0])
    morning = Morning(server=server, hall=HALLS[0], clock=folder / CLOCK, token=token, manager=manager)
    staff = [(user.work_id, user.windows[0]) for user in people.users() if user.role == "clerk" and user.windows]
    for day in PAST:
        print(f"playing {day} ...", flush=True)
        morning.set(datetime.fromisoformat(f"{day}T08:58:00+08:00"))
        morning.open(staff[::2])
        morning.play(datetime.fromisoformat(f"{day}T10:30:00+08:00"), load=0.7)
        morning.close()
    print(f"playing {TODAY} ...", flush=True)
    morning.set(datetime.fromisoformat(f"{TODAY}T08:58:00+08:00"))
    morning.open([one for one in staff if one[1] not in ("1", "5", "25", "29")])
    morning.play(datetime.fromisoformat(f"{TODAY}T10:16:00+08:00"), load=1.15)
    morning.set(morning.now + timedelta(seconds=20))
    return morning


def _montage() -> None:
    """Board on top, below it kiosk, console, phone and paper, as one picture."""
    below = [_scaled(name, height=620) for name in ("kiosk", "clerk", "phone", "devices-ticket")]
    board = _scaled("board", width=sum(one.width for one in below) + GAP * (len(below) - 1))
    sheet = Image.new("RGB", (board.width + 2 * GAP, board.height + 620 + 3 * GAP), PAPER)
    sheet.paste(board, (GAP, GAP))
    x = GAP
    for one in below:
        sheet.paste(one, (x, board.height + 2 * GAP))
        x += one.width + GAP
    kept(sheet, PICTURES / "hall.png")


def _scaled(name: str, *, width: int | None = None, height: int | None = None) -> Image.Image:
    picture = Image.open(PICTURES / f"{name}.png").convert("RGB")
    factor = (width or 0) / picture.width or (height or 0) / picture.height
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)


def _index(taken: dict[str, dict[str, tuple[str, str]]], *, whole: bool) -> None:
    """Write the index; what was not looked at this time stays in it, unless everything was."""
    before = {} if whole or not LIST.exists() else json.loads(LIST.read_text(encoding="utf-8"))
    now = before | {page: before.get(page, {}) | shots for page, shots in taken.items()}
    now = {page: now[page] for page in SCENES if page in now}
    LIST.write_text(json.dumps(now, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    lines = ["# 页面图集 / Every page in pictures", ""]
    lines += [
        "Drawn by `python -m scripts.pictures`; do not edit. The hall is Qiaocheng's, its visitors are made up.",
        "",
    ]
    lines += ["![The hall](hall.png)", ""]
    for page, shots in now.items():
        lines += [f"## {page}", ""]
        for name, (zh, en) in shots.items():
            lines += [f"{zh} / {en}", "", f"![{en}]({name}.png)", ""]
    (PICTURES / "README.md").write_text("\n".join(lines), encoding="utf-8")
    if whole:
        named = {"hall", *(name for shots in now.values() for name in shots)}
        for path in PICTURES.glob("*.png"):
            if path.stem not in named:
                path.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
