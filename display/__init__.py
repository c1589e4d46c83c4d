"""Screens of the hall: the board that calls people, and the strip page of a window.

`ui/` holds the pages' sources, `pages/` what the build made of them. This package meets the server on the wire only.
"""

from pathlib import Path

PAGES: Path = Path(__file__).parent / "pages"
"""Folder of the built pages (`board.html`, `strip.html`, `assets/`): after a page build, and in every wheel."""
