"""What is looked at: each page in the states that its people meet. A scene leaves the hall fit for the next one."""

from datetime import timedelta
from io import BytesIO

import requests
from PIL import Image
from playwright.sync_api import Page

from scripts.pictured_hall import draw_poster
from scripts.studio import DOCKED, FOUR_K, LANDSCAPE, LAPTOP, PHONE, PORTRAIT, TABLET, Studio

NEWS = {"zh": "13:30 起 3 号窗口移至二楼。", "en": "Window 3 moves upstairs at 13:30."}
EMERGENCY = {
    "zh": "请所有人员立即从东侧安全出口有序离开大厅。",
    "en": "Please leave the hall at once by the exit on the east side.",
}
SLIP_MS = 900  # the same key again within 0.8 s is a slip of the finger
TABLET_UPRIGHT = (800, 1280)
TABS = {
    "take": ("取号", "take a number"),
    "find": ("查号", "find a ticket"),
    "appointments": ("预约", "appointments"),
    "cases": ("台账", "cases"),
    "rolls": ("号卷", "paper rolls"),
    "quiet": ("忙闲", "where it is quiet"),
}


def home(studio: Studio) -> None:
    """The first page, and signing in."""
    page = studio.open("/", LAPTOP)
    page.wait_for_selector("section a")
    studio.shoot(page, "home", "首页", "First page")
    page = studio.open("/login", LAPTOP)
    page.wait_for_selector("#work-id")
    studio.shoot(page, "home-login", "登录", "Signing in")
    page.fill("#work-id", "1001")
    page.fill("#password", "not this one")
    page.fill("#window", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    page.set_viewport_size({"width": DOCKED[0], "height": DOCKED[1]})
    studio.shoot(page, "home-login-narrow", "登录，密码不正确", "Signing in, wrong password")


def kiosk(studio: Studio) -> None:
    """The touch page."""
    page = studio.open(studio.at["kiosk"], PORTRAIT)
    page.wait_for_selector("[data-choice]")
    studio.shoot(page, "kiosk", "取号机首页", "Kiosk, first page")
    page.click("[data-door=search]")
    page.click("[data-key=H]")
    studio.shoot(page, "kiosk-search", "按拼音首字母查找", "Search by pinyin initials")
    page.click("[data-back]")
    page.click("[data-choice=general]")
    page.wait_for_selector("[data-choice=pickup]")
    studio.shoot(page, "kiosk-services", "一个专区的事项", "Services of a zone")
    page.click("[data-choice=pickup]")
    page.wait_for_selector("[data-priority]")
    studio.shoot(page, "kiosk-question", "绿色通道询问", "The green channel, asked kindly")
    page.click("[data-priority='']")
    page.wait_for_selector("[data-label]")
    studio.shoot(page, "kiosk-ticket", "取到的号", "The ticket")
    for name, ease, zh, en in (
        ("kiosk-contrast", "contrast", "高对比度", "High contrast"),
        ("kiosk-low", "low", "按键移到下方（轮椅）", "Keys within reach of a wheelchair"),
    ):
        page = studio.device(f"/kiosk?hall={studio.morning.hall}", PORTRAIT, "kiosk", "kiosk-2")
        page.wait_for_selector("[data-choice]")
        page.click(f"[data-ease={ease}]")
        studio.shoot(page, name, zh, en)
    page = studio.device(f"/kiosk?hall={studio.morning.hall}&lang=en", LANDSCAPE, "kiosk", "kiosk-3")
    page.wait_for_selector("[data-choice]")
    studio.shoot(page, "kiosk-landscape-en", "横屏，英文", "Landscape, English")
    page = studio.device("/kiosk?hall=zhenyuan", PORTRAIT, "kiosk", "zhenyuan-1F", hall="zhenyuan")
    page.wait_for_selector("[data-place]")
    studio.shoot(page, "kiosk-floors", "三层大厅，按楼层", "A hall on three floors")
    page = studio.device("/kiosk?hall=hefeng-county", PORTRAIT, "kiosk", "hefeng-1", hall="hefeng-county")
    page.click("[data-door=guides]")
    page.locator("[data-choice]").first.click()
    page.locator("[data-guide], [data-choice]").first.wait_for()
    if page.locator("[data-guide]").count() == 0:
        page.locator("[data-choice]").first.click()
    page.wait_for_selector("[data-guide]")
    studio.shoot(page, "kiosk-guide", "办事指南", "Service guide")


def guide(studio: Studio) -> None:
    """The guide desk."""
    agency = {"kind": "agency", "client": "王先生", "service": "general", "elsewhere": True}
    studio.morning.command("/cases", agency)
    studio.morning.command("/rolls", {"service": "general", "prefix": "X", "last": 200})
    page = studio.person("/guide", LAPTOP, "8001")
    page.wait_for_selector("[data-service]")
    for tab, (zh, en) in TABS.items():
        page.click(f"#tab-{tab}")
        if tab == "appointments":
            page.select_option("[data-book-service]", index=1)
            page.wait_for_selector(".slot")
        name = "guide" if tab == "take" else f"guide-{tab}"
        studio.shoot(page, name, f"引导台：{zh}", f"Guide desk: {en}")
    page.click("#tab-take")
    page.fill("#box", "gahj")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-kind='']")
    studio.shoot(page, "guide-for-whom", "引导台：给谁取号", "Guide desk: for whom")
    page.check("[data-by-hand]")
    page.click("[data-kind='']")
    page.wait_for_selector("dialog [data-label]")
    label = page.locator("dialog [data-label]").inner_text()
    studio.shoot(page, "guide-by-hand", "引导台：手写的号", "Guide desk: a number written by hand")
    page.wait_for_timeout(SLIP_MS)
    page.click("dialog [data-do=next]")
    page.fill("#box", label)
    page.keyboard.press("Enter")
    page.wait_for_selector("#found")
    studio.shoot(page, "guide-ticket", "引导台：一张号票", "Guide desk: a ticket")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page.click("#tab-take")
    studio.shoot(page, "guide-phone", "引导台：手机", "Guide desk on a phone")
    page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
    page.goto(f"{studio.home}/guide?lang=en")
    page.wait_for_selector("[data-service]")
    studio.shoot(page, "guide-en", "引导台：英文", "Guide desk, English")
    studio.morning.command("/rolls/X/end", {})


def clerk(studio: Studio) -> None:
    """The console, docked and as a page of its own."""
    page = studio.person("/clerk", DOCKED, "1001", "1")
    page.wait_for_selector("main.work")
    studio.shoot(page, "clerk-docked", "窗口端停靠条：空闲", "Console, docked: free")
    page.keyboard.press("F1")
    page.wait_for_selector("[data-label]")
    studio.shoot(page, "clerk-docked-calling", "停靠条：呼叫中", "Docked: calling")
    page.wait_for_timeout(SLIP_MS)
    page.keyboard.press("F4")
    page.wait_for_selector("dialog[open]")
    studio.shoot(page, "clerk-docked-no-show", "停靠条：弃号确认", "Docked: no-show")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="detached")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=办理中")
    for key, name, zh, en in (
        ("F6", "transfer", "转移，先看那边的等候", "transfer, with the wait there"),
        ("F7", "hold", "挂起", "hold"),
        ("n", "notice", "一次性告知", "one-time notice"),
        ("l", "legs", "联办环节", "legs of a joint matter"),
        ("h", "hand-over", "换岗", "hand-over"),
        ("?", "keys", "按键说明", "the keys"),
    ):
        page.keyboard.press(key)
        page.wait_for_selector("dialog[open]")
        studio.shoot(page, f"clerk-docked-{name}", f"停靠条：{zh}", f"Docked: {en}")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
    page.set_viewport_size({"width": 1366, "height": 768})
    studio.shoot(page, "clerk", "窗口端全屏", "Console, full page")
    page.goto(f"{studio.home}/clerk?lang=en")
    page.wait_for_selector("[data-label]")
    studio.shoot(page, "clerk-en", "窗口端：英文", "Console, English")
    page.set_viewport_size({"width": DOCKED[0], "height": DOCKED[1]})
    studio.shoot(page, "clerk-docked-en", "停靠条：英文", "Docked, English")
    page.goto(f"{studio.home}/clerk?lang=zh")
    page.wait_for_selector("[data-label]")
    page.keyboard.press("F3")
    page.wait_for_selector("[data-label]", state="detached")
    studio.shoot(page, "clerk-docked-undo", "停靠条：办结，5 秒内可撤销", "Docked: finished, may be undone for 5 s")
    page.wait_for_timeout(SLIP_MS)
    page.keyboard.press("F10")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("1")
    page.wait_for_selector("dialog[open]", state="detached")
    studio.shoot(page, "clerk-docked-paused", "停靠条：暂停", "Docked: paused")
    page.wait_for_timeout(SLIP_MS)
    page.keyboard.press("F10")
    with studio.silence():
        page.wait_for_selector("text=连接中断")
        studio.shoot(page, "clerk-docked-silent", "停靠条：服务器没有回应", "Docked: the server is silent")


def board(studio: Studio) -> None:
    """The hall's board in every size, and what may lie over it."""
    at = f"/board?hall={studio.morning.hall}"
    page = studio.open(at, LANDSCAPE)
    page.wait_for_selector(".newest")
    studio.shoot(page, "board", "大屏 1080p", "Board, 1080p")
    for name, size, path, zh, en in (
        ("board-4k", FOUR_K, at, "大屏 4K", "Board, 4K"),
        ("board-portrait", PORTRAIT, at, "大屏竖屏", "Board, portrait"),
        ("board-en", LANDSCAPE, f"{at}&lang=en", "大屏，英文在前", "Board, English first"),
        ("board-zone", LANDSCAPE, f"{at}&zone=household", "一个专区的屏", "Board of one zone"),
        ("board-lincang", LANDSCAPE, "/board?hall=lincang-linxiang", "两级同厅", "Two governments in one hall"),
        ("board-floors", LANDSCAPE, "/board?hall=zhenyuan", "三层大厅", "A hall on three floors"),
        ("board-township", LANDSCAPE, "/board?hall=cangxi-township", "乡镇便民服务中心", "A township"),
    ):
        page = studio.open(path, size)
        page.wait_for_selector(".board")
        studio.shoot(page, name, zh, en)
    page = studio.open(at, LANDSCAPE)
    page.wait_for_selector(".newest")
    studio.morning.command("/announcements", {"text": NEWS})
    page.wait_for_selector("[data-notice].news")
    studio.shoot(page, "board-notice", "大屏：通知", "Board with a notice")
    studio.morning.command("/announcements", {"text": EMERGENCY, "emergency": True})
    page.wait_for_selector("[data-emergency]")
    studio.shoot(page, "board-emergency", "大屏：紧急通知", "Board in an emergency")
    studio.morning.command("/announcements/end", {})
    page.wait_for_selector("[data-emergency]", state="detached")
    with studio.silence():
        page.wait_for_selector(".late")
        studio.shoot(page, "board-silent", "大屏：服务器超过 10 秒没有消息", "Board after 10 s without word")
    poster = studio.data / "media" / studio.morning.hall / "1.png"
    draw_poster(poster)
    try:
        for name, size, zh, en in (
            ("board-media", LANDSCAPE, "大屏与宣传画面", "Board beside pictures and films"),
            ("board-media-portrait", PORTRAIT, "竖屏与宣传画面", "Portrait beside pictures and films"),
        ):
            page = studio.open(at, size)
            page.wait_for_selector(".board img")
            studio.shoot(page, name, zh, en)
    finally:
        poster.unlink()


def strip(studio: Studio) -> None:
    """The small screen above a window."""
    hall = studio.morning.hall
    page = studio.open(f"/strip?hall={hall}&window=11", TABLET)
    page.wait_for_selector(".strip")
    studio.shoot(page, "strip", "窗口屏", "Window strip")
    page.set_viewport_size({"width": TABLET_UPRIGHT[0], "height": TABLET_UPRIGHT[1]})
    studio.shoot(page, "strip-portrait", "窗口屏竖屏", "Window strip, portrait")
    page = studio.open(f"/strip?hall={hall}&window=5", TABLET)
    page.wait_for_selector(".strip")
    studio.shoot(page, "strip-closed", "窗口屏：未开放", "Window strip: closed")
    studio.morning.command("/windows/5/open", {})
    page.wait_for_selector(".strip.open")
    studio.shoot(page, "strip-open", "窗口屏：空闲", "Window strip: free")
    studio.morning.command("/windows/5/pause", {"reason": "lunch"})
    page.wait_for_selector(".strip.paused")
    studio.shoot(page, "strip-paused", "窗口屏：暂停", "Window strip: paused")


def rating(studio: Studio) -> None:
    """The tablet at window 1, whose clerk works."""
    page = studio.open(studio.at["rating"], TABLET)
    page.wait_for_selector(".rest")
    console = studio.person("/clerk", DOCKED, "1001", "1")
    console.wait_for_selector("main.work")
    studio.shoot(page, "rating-rest", "评价平板：照片和工号", "Tablet: photo and work id")
    console.keyboard.press("F1")
    console.wait_for_selector("[data-label]")
    studio.shoot(page, "rating-calling", "评价平板：呼叫中", "Tablet: calling")
    console.wait_for_timeout(SLIP_MS)
    console.keyboard.press("F3")
    page.wait_for_selector("[data-grade]")
    studio.shoot(page, "rating", "评价平板：五个表情", "Tablet: five faces")
    page.set_viewport_size({"width": TABLET_UPRIGHT[0], "height": TABLET_UPRIGHT[1]})
    studio.shoot(page, "rating-portrait", "评价平板竖屏", "Tablet, portrait")
    page.set_viewport_size({"width": TABLET[0], "height": TABLET[1]})
    page.click("[data-grade='5']")
    page.wait_for_selector(".thanks")
    studio.shoot(page, "rating-thanks", "评价平板：感谢", "Tablet: thanks")


def phone(studio: Studio) -> None:
    """The page behind the QR code, from waiting to the grade."""
    morning = studio.morning
    ticket = morning.press("household")
    page = studio.open(ticket["track_url"], PHONE)
    page.wait_for_selector("[data-label]")
    studio.shoot(page, "phone", "手机：等候中", "Phone: waiting")
    page.goto(f"{ticket['track_url']}?lang=en")
    page.wait_for_selector("[data-label]")
    studio.shoot(page, "phone-en", "手机：英文", "Phone, English")
    page.goto(f"{ticket['track_url']}?lang=zh")
    page.click("[data-cancel]")
    page.wait_for_selector("dialog[open]")
    studio.shoot(page, "phone-cancel", "手机：取消号票", "Phone: give the number back?")
    page.keyboard.press("Escape")
    free = next(desk for desk in morning.desks if desk.window == "11")
    at = f"/windows/{free.window}"
    morning.command(f"{at}/finish", {})
    morning.command(f"{at}/call", {"label": ticket["label"], "reason": "照片"})
    page.wait_for_selector("[data-window]")
    studio.shoot(page, "phone-called", "手机：请到窗口", "Phone: called")
    morning.command(f"{at}/missed", {})
    page.wait_for_selector("main.missed")
    studio.shoot(page, "phone-missed", "手机：过号", "Phone: missed")
    morning.command(f"/tickets/{ticket['ticket']}/reinstate", {})
    morning.command(f"{at}/call", {"label": ticket["label"], "reason": "照片"})
    morning.command(f"{at}/finish", {})
    page.wait_for_selector("[data-grade]")
    studio.shoot(page, "phone-rating", "手机：评价", "Phone: grade")
    morning.command(f"{at}/call-next", {})


def book(studio: Studio) -> None:
    """Booking on the phone, from the service to the code."""
    page = studio.open("/book?hall=booking", PHONE)
    page.wait_for_selector("[data-service]")
    studio.shoot(page, "book", "网上预约：选事项", "Booking: the service")
    page.click("[data-service=invoice]")
    page.wait_for_selector("[data-slot]")
    studio.shoot(page, "book-time", "网上预约：选时段", "Booking: the time")
    page.click("[data-slot]:not([disabled])")
    page.fill("[data-reference]", "13900001234")
    studio.shoot(page, "book-number", "网上预约：手机号", "Booking: the phone number")
    page.click("[data-book]")
    page.wait_for_selector("[data-code]")
    studio.shoot(page, "book-held", "网上预约：预约码", "Booking: the code")


def manager(studio: Studio) -> None:
    """Every tab of the manager's page, whichever there are."""
    page = studio.person("/manager", LAPTOP, "9001")
    page.wait_for_selector("[data-window]")
    page.wait_for_timeout(SLIP_MS)
    _tabs(studio, page, "manager", "管理")
    page.locator("[role=tab]").first.click()
    page.locator("[data-window]").first.click()
    page.wait_for_selector("dialog[open]")
    studio.shoot(page, "manager-window", "管理：一个窗口", "Manager: a window")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    studio.shoot(page, "manager-phone", "管理：手机", "Manager on a phone")
    page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
    page.goto(f"{studio.home}/manager?lang=en")
    page.wait_for_selector("[data-window]")
    studio.shoot(page, "manager-en", "管理：英文", "Manager, English")


def _tabs(studio: Studio, page: Page, name: str, zh: str) -> None:
    for index, tab in enumerate(page.locator("[role=tablist]").first.locator("[role=tab]").all()):
        tab.click()
        page.wait_for_timeout(SLIP_MS)
        which = (tab.get_attribute("id") or f"tab-{index}").removeprefix("tab-")
        own = name if index == 0 else f"{name}-{which}"
        studio.shoot(page, own, f"{zh}：{tab.inner_text().strip()}", f"{name.capitalize()}: {which}")


def county(studio: Studio) -> None:
    """All halls side by side."""
    page = studio.person("/county", LAPTOP, "0001")
    page.wait_for_selector("[data-hall] li, [data-hall] .well")
    studio.shoot(page, "county", "全县各大厅", "All halls side by side")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    studio.shoot(page, "county-phone", "全县各大厅：手机", "All halls, on a phone")


def devices(studio: Studio) -> None:
    """The pretend devices, and the paper that the printer gave."""
    studio.morning.set(studio.morning.now + timedelta(seconds=5))
    page = studio.open(studio.at["devices"], LAPTOP)
    page.locator("img, [data-device], article, section").first.wait_for()
    studio.shoot(page, "devices", "虚拟设备", "The pretend devices")
    page.goto(f"{studio.at['devices']}/?lang=en")
    page.locator("img, [data-device], article, section").first.wait_for()
    studio.shoot(page, "devices-en", "虚拟设备：英文", "The pretend devices, English")
    shown = requests.get(studio.at["devices"] + "/api/state", timeout=10).json()["devices"]
    printer = next(one for one in shown if one["kind"] == "printer" and one["papers"])
    number = printer["papers"][0]["number"]
    paper = requests.get(f"{studio.at['devices']}/api/devices/{printer['id']}/papers/{number}.png", timeout=10)
    studio.keep(Image.open(BytesIO(paper.content)), "devices-ticket", "打印的号票", "The paper ticket")


SCENES = {
    "home": home,
    "kiosk": kiosk,
    "guide": guide,
    "rating": rating,
    "clerk": clerk,
    "board": board,
    "strip": strip,
    "phone": phone,
    "book": book,
    "manager": manager,
    "county": county,
    "devices": devices,
}
