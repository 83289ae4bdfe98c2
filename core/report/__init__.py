"""The render report: what a bounce was before and is now, what was done to it and why, on one page."""

from typing import Final

HTML_FILE: Final = "report.html"
"""In a bounce's folder, with the same as data beside it."""
