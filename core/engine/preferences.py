"""The settings in force: read once, written when they change, shown to everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from core import paths
from core import settings as settings_file
from core.engine.board import Board
from core.errors import OtoError
from core.protocol import topics
from core.settings import Settings


class Preferences:
    """Holds the settings; `device` stands for the one in the file until another is chosen."""

    def __init__(self, board: Board, device: str | None = None) -> None:
        self._board = board
        self._settings = self._load(paths.settings_file())
        if device is not None:
            self._settings = settings_file.changed(self._settings, {"device": device})

    def _load(self, file: Path) -> Settings:
        """A file that can't be used keeps nobody from recording."""
        try:
            return settings_file.load(file)
        except OtoError as error:
            mended = settings_file.mend(file)
            words = f"{error.message} What could be read of them holds, the rest is as it was at first."
            self._board.notify("warning", words, "The old file is kept beside it, with .damaged in its name.")
            return mended

    def now(self) -> Settings:
        """Those in force."""
        return self._settings

    def change(self, changes: dict[str, Any]) -> None:
        """Take on new values and keep them; raises OtoError for a value that a setting can't have."""
        self._settings = settings_file.changed(self._settings, changes)
        settings_file.save(self._settings, paths.settings_file())
        self.show()

    def show(self) -> None:
        """Put them on the board."""
        values = {
            name: value for name, value in msgspec.structs.asdict(self._settings).items() if not isinstance(value, dict)
        }
        self._board.put(topics.SettingsTopic(values=values))
