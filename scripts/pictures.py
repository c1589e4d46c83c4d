"""Take the pictures of the running hall for README and manual: docs/pictures/*.png.

    .venv/bin/python -m scripts.pictures

Runs the demo of Qiaocheng in a temporary folder, signs in, waits until the hall is busy, and looks at every page.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
BUSY_S = 50
CHROMIUM = "/usr/bin/chromium"
PAPER, GAP = "#e9eff5", 24


def main() -> int:
    """Take all pictures; give the exit status."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "server.main",
            "demo",
            "qiaocheng",
            "--port",
            "0",
            "--data",
            folder,
            "--speed",
            "6",
        ]
        with (Path(folder) / "log").open("w") as log:
            demo = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {"LANG": "C.UTF-8"}
            )
        try:
            _take(_addresses(demo))
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(20)
    _montage()
    return 0


def _addresses(demo: "subprocess.Popen[str]") -> dict[str, str]:
    """Read the welcome text of the demo: {"kiosk": "http://...", ...}."""
    found: dict[str, str] = {}
    if demo.stdout is None:
        raise AssertionError("stdout is a pipe")
    for line in demo.stdout:
        if match := re.match(r"\s+\S+ (home|kiosk|clerk|board|rating|manager|devices)\s+(http\S+)", line):
            found[match[1]] = match[2]
        if "Ctrl-C" in line:
            return found
    raise SystemExit("the demo did not start")


def _take(at: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def page(size: tuple[int, int]) -> Page:
            return browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()

        clerk, manager = page((1366, 768)), page((1440, 900))
        _sign_in(clerk, at["clerk"], "1001", "1")
        clerk.wait_for_selector("main.work")
        _sign_in(manager, at["manager"], "9001", None)
        time.sleep(BUSY_S)
        clerk.keyboard.press("F1")
        clerk.wait_for_timeout(1500)
        _shoot(clerk, "clerk")
        _shoot(manager, "manager")
        board = page((1920, 1080))
        board.goto(at["board"])
        board.wait_for_selector(".newest")
        _shoot(board, "board")
        kiosk = page((1080, 1920))
        kiosk.goto(at["kiosk"])
        kiosk.wait_for_selector("[data-choice]")
        _shoot(kiosk, "kiosk")
        devices = page((1440, 900))
        devices.goto(at["devices"])
        _shoot(devices, "devices")
        papers = requests.get(at["devices"] + "/api/state", timeout=10).json()["devices"]
        printer = next(one for one in papers if one["kind"] == "printer")
        newest = printer["papers"][0]
        paper = requests.get(f"{at['devices']}/api/devices/{printer['id']}/papers/{newest['number']}.png", timeout=10)
        (PICTURES / "ticket.png").write_bytes(paper.content)
        phone = page((390, 844))
        phone.goto(newest["qr"])
        phone.wait_for_selector("[data-label]")
        _shoot(phone, "phone")
        rating = page((1280, 800))
        rating.goto(at["rating"])
        rating.wait_for_selector(".rest")
        clerk.keyboard.press("F3")
        rating.wait_for_selector("[data-grade]")
        _shoot(rating, "rating")
        browser.close()


def _sign_in(page: Page, address: str, work_id: str, window: str | None) -> None:
    page.goto(address.rsplit("/", 1)[0] + "/login")
    page.fill("#work-id", work_id)
    page.fill("#password", "jiaohao-demo")
    if window is not None:
        page.fill("#window", window)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{address.rsplit('/', 1)[1]}**")


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(2500)
    picture = Image.open(BytesIO(page.screenshot()))
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(PICTURES / f"{name}.png", optimize=True)


def _montage() -> None:
    """Board on top, below it kiosk, console, phone and paper, as one picture."""
    below = [_scaled(name, height=620) for name in ("kiosk", "clerk", "phone", "ticket")]
    board = _scaled("board", width=sum(one.width for one in below) + GAP * (len(below) - 1))
    sheet = Image.new("RGB", (board.width + 2 * GAP, board.height + 620 + 3 * GAP), PAPER)
    sheet.paste(board, (GAP, GAP))
    x = GAP
    for one in below:
        sheet.paste(one, (x, board.height + 2 * GAP))
        x += one.width + GAP
    sheet.convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(PICTURES / "hall.png", optimize=True)


def _scaled(name: str, *, width: int | None = None, height: int | None = None) -> Image.Image:
    picture = Image.open(PICTURES / f"{name}.png").convert("RGB")
    factor = (width or 0) / picture.width or (height or 0) / picture.height
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    sys.exit(main())
