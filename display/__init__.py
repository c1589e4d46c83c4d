"""Screens of the hall: the board that calls people, the strip page of a window, and the rating tablet beside it.

`ui/` holds the pages' sources, `pages/` what the build made of them. This package meets the server on the wire only.
"""

from pathlib import Path

PAGES: Path = Path(__file__).parent / "pages"
"""Folder of the built pages (`board.html`, `strip.html`, `rating.html`, `assets/`): once built, and in every wheel."""
