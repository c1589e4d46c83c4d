"""The kiosk: the touch page where visitors take a number.

`ui/` holds the page's sources, `pages/` what the build made of them. This package meets the server on the wire only.
"""

from pathlib import Path

PAGES: Path = Path(__file__).parent / "pages"
"""Folder of the built pages (`kiosk.html` and `assets/`); a checkout has it after the page build, a wheel always."""
