"""`python -m tui`: open the studio on this terminal."""

from __future__ import annotations

import gc
import signal
import sys

from core.errors import Exit


def main() -> int:
    """Run the studio; returns an exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("The studio needs a terminal. 'oto status' and 'oto rec' work without one.", file=sys.stderr)
        return Exit.USAGE
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever started it may ignore hangups: it would never end
    gc.disable()  # to look through what is being loaded for garbage takes a tenth of the start
    from core.paths import studio_file
    from tui.app import Studio
    from tui.wishes import read

    gc.freeze()  # modules never become any: what is looked through from now on is small, so it is done in time
    gc.enable()
    app = Studio(wishes=read(studio_file()))
    app.run()
    return app.return_code or Exit.OK


if __name__ == "__main__":
    raise SystemExit(main())
