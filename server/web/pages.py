"""The built pages and their hashed assets."""

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory
from werkzeug.exceptions import NotFound

from server.domain.terms import HallId, Track
from server.web.first import with_first_picture
from server.web.problems import Problem, language
from server.web.site import here

PACKED = frozenset({".js", ".css", ".svg"})
PACKED_KEPT = 128  # files; all pages have about sixty
ASSET_AGE_S = 365 * 24 * 3600  # their names change with their content

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> Response:
    """Show the way to the pages."""
    return _page(here().pages.server, "home.html")


@pages.get("/login")
def login() -> Response:
    """Show the sign-in page."""
    return _page(here().pages.server, "login.html")


@pages.get("/clerk")
def clerk() -> Response:
    """Show the clerk's console."""
    return _page(here().pages.server, "clerk.html")


@pages.get("/guide")
def guide() -> Response:
    """Show the guide desk."""
    return _page(here().pages.server, "guide.html")


@pages.get("/manager")
def manager() -> Response:
    """Show the manager's page."""
    return _page(here().pages.server, "manager.html")


@pages.get("/county")
def county() -> Response:
    """Show all halls side by side."""
    return _page(here().pages.server, "county.html")


@pages.get("/t/<hall>/<track>")
def ticket(hall: str, track: str) -> Response:
    """Show a visitor's phone page, with its first picture inside."""
    response = _page(here().pages.server, "ticket.html")
    if response.status_code == 200:
        response.direct_passthrough = False
        response.set_data(with_first_picture(response.get_data(as_text=True), HallId(hall), Track(track)))
        response.headers["Cache-Control"] = "no-store"  # what stands in it is the holder's alone, and soon old
        del response.headers["ETag"], response.headers["Last-Modified"]
    return response


@pages.get("/book")
def book() -> Response:
    """Show visitors what they can book by themselves."""
    return _page(here().pages.server, "book.html")


@pages.get("/b/<hall>/<appointment>")
def booked(hall: str, appointment: str) -> Response:  # noqa: ARG001 - the page reads its own address
    """Show a visitor's own booking."""
    return _page(here().pages.server, "book.html")


@pages.get("/kiosk")
def kiosk() -> Response:
    """Show the touch page."""
    return _page(here().pages.kiosk, "kiosk.html")


@pages.get("/board")
def board() -> Response:
    """Show the hall's board."""
    return _page(here().pages.display, "board.html")


@pages.get("/strip")
def strip() -> Response:
    """Show a window's strip on a screen."""
    return _page(here().pages.display, "strip.html")


@pages.get("/rating")
def rating() -> Response:
    """Show the tablet at a window on which visitors grade."""
    return _page(here().pages.display, "rating.html")


@pages.get("/pages/<area>/<path:name>")
def asset(area: str, name: str) -> Response:
    """Give a built file; hashed ones may be kept for a year."""
    folders = here().pages
    known = {"server": folders.server, "kiosk": folders.kiosk, "display": folders.display}
    if area not in known or name.endswith(".html"):
        raise NotFound
    response = send_from_directory(known[area].resolve(), name, conditional=True)
    if name.startswith("assets/"):
        response.headers["Cache-Control"] = f"public, max-age={ASSET_AGE_S}, immutable"
        if response.status_code == 200 and Path(name).suffix in PACKED:
            _pack(response, known[area].resolve() / name)
    return response


def _pack(response: Response, path: Path) -> None:
    """Send a file gzipped to who takes that: a phone in a full hall loads a third of the bytes."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0:
        return
    response.close()  # the plain file
    response.direct_passthrough = False
    response.set_data(_packed(path, path.stat().st_mtime_ns))
    response.headers["Content-Encoding"] = "gzip"
    del response.headers["ETag"]  # it is that of the plain file


@lru_cache(maxsize=PACKED_KEPT)
def _packed(path: Path, changed_ns: int) -> bytes:  # noqa: ARG001 - a page that was built anew is another file
    return gzip.compress(path.read_bytes(), mtime=0)


@pages.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for it unasked; the pages carry their own icon."""
    return Response(status=204)


def _page(folder: Path, name: str) -> Response:
    """Give a page, always asked for again; without it a sentence that says how to build it."""
    if not (folder / name).is_file():
        problem = Problem("pages_missing")
        if "text/html" not in request.headers.get("Accept", ""):
            raise problem
        return Response(problem.sentence(language()), status=problem.status, content_type="text/plain; charset=utf-8")
    response = send_from_directory(folder.resolve(), name, conditional=True)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Content-Security-Policy"] = page_policy(request.host)
    return response


def page_policy(host: str) -> str:
    """Give what a page may load: its own server only. Older browsers do not take 'self' for websockets."""
    return (
        "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; "
        f"connect-src 'self' ws://{host} wss://{host}; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
