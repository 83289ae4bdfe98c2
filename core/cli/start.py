"""Where `oto` begins, so that Ctrl-C ends it as quietly while it still loads its modules as later."""

from __future__ import annotations

import sys


def main() -> int:
    """Run `oto` and return its exit code."""
    try:
        from core.cli.main import main as run

        return run()
    except KeyboardInterrupt:
        return 130  # Exit.INTERRUPTED, which may not have been loaded


if __name__ == "__main__":
    sys.exit(main())
