"""Ports by URL: `base.py` is the seam (`Line`, `open_line`), the other files are the kinds of port."""

from drivers.transport.base import Line, LineUrl, open_line, parse_url

__all__ = ["Line", "LineUrl", "open_line", "parse_url"]
