"""The kiosk: the touch page where visitors take a number, and its own small server on the kiosk's PC.

`ui/` holds the page's sources, `pages/` what the build made of them. This package meets the server on the wire only.

Reading order of the server (`jiaohao kiosk KIOSK.toml`): `journal` (numbers given without the server, durable before
anybody hears of them), `alone` (what such a number says, pure), `link` (the ticket server) and `printing` (the printer
on this PC, through its agent), `desk` (with the server or without it), `door` (the browser), `main`.
"""

from pathlib import Path

PAGES: Path = Path(__file__).parent / "pages"
"""Folder of the built pages (`kiosk.html` and `assets/`); a checkout has it after the page build, a wheel always."""
