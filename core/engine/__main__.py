"""`python -m core.engine`."""

import sys

from core.engine.main import main

sys.exit(main())
