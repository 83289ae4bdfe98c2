"""The version of OTO, a constant because asking the installed package for it takes longer than a command may."""

from typing import Final

VERSION: Final = "0.1.0"
"""The same as in pyproject.toml; a test holds them together."""
