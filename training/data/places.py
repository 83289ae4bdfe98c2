"""Where training data is: fetched packages and everything computed lie outside the repository."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent


def training_root() -> Path:
    """$OTO_TRAINING, else /tmp/oto-training: packages, rendered pictures and checkpoints."""
    return Path(os.environ.get("OTO_TRAINING", "/tmp/oto-training"))


def packages() -> Path:
    """Root under which the Debian packages of sources.csv are unpacked."""
    return training_root() / "packages"


def music() -> Path:
    """Root under which Debian's packages of finished music are unpacked."""
    return training_root() / "music"


def shared_data() -> Path:
    """$OTO_SHARED_DATA, else shared/data beside the repository."""
    return Path(os.environ.get("OTO_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
